/* SPDX-License-Identifier: Apache-2.0
 *
 * BASELINE and WATCH.
 */
#include "arena.h"
#include "log.h"
#include "parts.h"

#include <math.h>
#include <string.h>

#define DRIFTS_MAX 3 /* then somebody else wants the router more than we do */
#define SAVE_MS 2000 /* a killed watch loses at most this much */
#define LATE_MS 2000 /* a busy machine is late by less */

enum outcome watch_baseline(struct engine *engine, struct run_step *step, struct error *err)
{
    measure_reset(engine);
    measure_tick(engine);
    measure_reset(engine);
    int64_t until = now_mono(engine) + step->step.duration;
    do {
        int64_t left = until - now_mono(engine);
        int64_t interval = engine->context.config->watch_interval;
        if (engine_sleep(engine, left < interval ? left : interval, err) != 0)
            return OUTCOME_CANCELLED;
        arena_reset(&engine->tick);
        measure_tick(engine);
    } while (now_mono(engine) < until);
    measure_baseline(engine);
    step->evidence = arena_format(engine->context.arena, "%zu SLOs read", engine->watch.count);
    return OUTCOME_DONE;
}

static const char *next_title(const struct run *run, const struct run_step *step)
{
    for (size_t i = 0; i < run->step_count; i++) {
        if (&run->steps[i] == step && i + 1 < run->step_count)
            return run->steps[i + 1].step.title;
    }
    return NULL;
}

static void tell(struct engine *engine, const struct run_step *step)
{
    const struct run_watch *state = &engine->run->watch;
    struct observer *observer = engine->observer;
    if (observer == NULL || observer->watch == NULL)
        return;
    size_t count = engine->watch.count;
    struct watch_line *lines = arena_array(&engine->tick, count, sizeof *lines);
    for (size_t i = 0; i < count; i++) {
        const struct gauge_line *line = &engine->watch.lines[i];
        lines[i] = (struct watch_line){line->slo->name, slo_unit(line->slo), line->detail,
                                       line->value,     line->baseline,      line->limit,
                                       line->requests,  line->judgement};
    }
    int64_t over = state->observed_ms - step->step.duration;
    struct watch_view view = {
        .title = step->step.title,
        .next = next_title(engine->run, step),
        .weight = step->step.weight,
        .elapsed = state->observed_ms,
        .duration = step->step.duration,
        .holding = over > 0,
        .hold_left = over > 0 ? engine->context.config->hold - over : 0,
        .lines = lines,
        .count = count,
    };
    observer->watch(observer, engine->run, &view);
}

static void begin(struct engine *engine, const struct run_step *step)
{
    struct run_watch *state = &engine->run->watch;
    engine->watch.stage_ms = step->step.duration;
    engine->watch.weight = step->step.weight < 0 ? 1 : step->step.weight;
    trigger_begin(engine, &step->step);
    bool goes_on = text_equal(state->step, step->step.id) && engine->resumed;
    windows_begin(engine, goes_on);
    if (goes_on) {
        engine_event(engine, EVENT_NOTE, "the watch goes on after %s",
                     text_of_duration(&engine->tick, state->observed_ms));
        measure_tick(engine);
        return;
    }
    measure_tick(engine); /* the counters as they stand when the stage begins */
    measure_reset(engine);
    state->step = step->step.id;
    state->begun = now_wall(engine);
    state->observed_ms = 0;
    state->nodata_since = 0;
    state->drifts = 0;
}

/* Somebody (a restarted load balancer, a person) changed the weights: put them back, and
 * begin the stage anew, for what was measured was another experiment. */
static enum outcome mend_drift(struct engine *engine, struct run_step *step, const char *what,
                               struct error *err)
{
    struct run_watch *state = &engine->run->watch;
    state->drifts++;
    struct run_event *issue =
        engine_issue(engine, "P2", "the router was changed under us: %s", what);
    if (state->drifts > DRIFTS_MAX) {
        error_set(err, ERROR_CONFLICT, "the router was changed %d times while '%s' was watched: %s",
                  state->drifts, step->step.title, what);
        return OUTCOME_HOLD;
    }
    double weight = traffic_expected(engine->run);
    int result = run_has_slots(engine->run) ? traffic_apply(engine, weight, err)
                                            : traffic_set_state(engine, NULL, err);
    if (result != 0)
        return err->kind == ERROR_CANCELLED ? OUTCOME_CANCELLED : OUTCOME_DONE;
    issue->resolved = now_wall(engine);
    issue->resolution = "the weights were set again and the stage was begun anew";
    measure_tick(engine);
    measure_reset(engine);
    state->observed_ms = 0;
    return OUTCOME_DONE;
}

static void count_availability(struct engine *engine, int64_t ms)
{
    for (size_t i = 0; i < engine->watch.count; i++) {
        const struct gauge_line *line = &engine->watch.lines[i];
        struct counts all = line->arms[ARM_ALL].latest;
        struct counts candidate = line->arms[ARM_CANDIDATE].latest;
        struct run_metric *metric =
            run_metric_of(engine->run, engine->context.arena, line->slo->name);
        metric->bad = (isnan(metric->bad) ? 0 : metric->bad) + candidate.bad;
        metric->requests = (isnan(metric->requests) ? 0 : metric->requests) + candidate.total;
        if (line->slo->kind != SLO_ERROR_RATE || line->arms[ARM_ALL].kind != READING_COUNTS)
            continue;
        engine->run->availability_polls += all.total;
        engine->run->availability_ok += all.total - all.bad;
        if (all.total > 0 && all.bad > all.total / 2)
            engine->run->downtime_ms += ms;
    }
}

/* A number about the whole service says little of a candidate with a small share. */
static bool is_blurred(const struct engine *engine, const struct gauge_line *line)
{
    return engine->watch.weight < 1 && line->arms[ARM_CANDIDATE].whole;
}

static const struct gauge_line *find_breach(const struct engine *engine)
{
    for (size_t i = 0; i < engine->watch.count; i++) {
        const struct gauge_line *line = &engine->watch.lines[i];
        if (!line->slo->report_only && line->judgement == JUDGE_BREACH)
            return line;
    }
    return NULL;
}

/* The first SLO that keeps the stage from passing; NULL: none. One that can tell the
 * candidate apart must have passed. */
static const struct gauge_line *find_open(const struct engine *engine)
{
    const struct gauge_line *blurred = NULL;
    size_t clear = 0;
    for (size_t i = 0; i < engine->watch.count; i++) {
        const struct gauge_line *line = &engine->watch.lines[i];
        if (line->slo->report_only || !line->slo->required)
            continue;
        if (line->judgement != JUDGE_PASS)
            return line;
        if (is_blurred(engine, line))
            blurred = line;
        else
            clear++;
    }
    return clear > 0 ? NULL : blurred;
}

static enum outcome breach(struct engine *engine, const struct gauge_line *line)
{
    const char *unit = slo_unit(line->slo);
    struct arena *tick = &engine->tick;
    struct trigger trigger = {
        "slo-breach", line->slo->name,
        arena_format(tick, "%s, limit %s (baseline %s, %.0f requests; %s)",
                     measure_shown(tick, unit, line->value), measure_shown(tick, unit, line->limit),
                     measure_shown(tick, unit, line->baseline), line->requests, line->detail)};
    trigger_record(engine, &trigger);
    return OUTCOME_BREACH;
}

/* D-08: the expectation at the end is a remark, never a trigger. */
static void remark_tolerance(struct engine *engine, const struct run_step *step)
{
    if (step->step.weight >= 0 && step->step.weight < 1)
        return;
    for (size_t i = 0; i < engine->watch.count; i++) {
        const struct gauge_line *line = &engine->watch.lines[i];
        double change = (line->value - line->baseline) / line->baseline;
        if (line->slo->tolerance < 0 || isnan(change) || fabs(change) <= line->slo->tolerance)
            continue;
        engine_issue(engine, "P3", "%s is %+.1f %% from its baseline, expected within %.0f %%",
                     line->slo->name, change * 100, line->slo->tolerance * 100);
    }
}

static enum outcome decide(struct engine *engine, struct run_step *step, bool blind,
                           struct error *err)
{
    struct run_watch *state = &engine->run->watch;
    bool slo = (engine->context.config->rollback_on & (1U << ON_SLO)) != 0;
    const struct gauge_line *bad = find_breach(engine);
    if (bad != NULL && slo)
        return breach(engine, bad);
    const struct gauge_line *open = find_open(engine);
    if (open != NULL && open->judgement == JUDGE_NODATA && state->nodata_since == 0) {
        state->nodata_since = now_wall(engine);
        engine_event(engine, EVENT_NOTE, "%s: no data (%s)", open->slo->name, open->detail);
    } else if (open == NULL || open->judgement != JUDGE_NODATA) {
        state->nodata_since = 0;
    }
    if (state->observed_ms < step->step.duration)
        return OUTCOME_WAIT;
    if (open == NULL && !blind) {
        remark_tolerance(engine, step);
        step->evidence = arena_format(engine->context.arena, "%zu SLOs within their limits",
                                      engine->watch.count);
        return OUTCOME_DONE;
    }
    if (state->observed_ms < step->step.duration + engine->context.config->hold)
        return OUTCOME_WAIT;
    if (open == NULL)
        error_set(err, ERROR_NETWORK, "undecided: the router could not be read");
    else
        error_set(err, ERROR_TIMEOUT, "undecided: %s: %s: %s", open->slo->name,
                  is_blurred(engine, open) ? "NODATA" : judgement_names[open->judgement],
                  is_blurred(engine, open) ? "measured for the whole service only, not for the "
                                             "candidate"
                                           : open->detail);
    return OUTCOME_HOLD;
}

/* The numbers are good, but nobody could ask the instances: that does not pass either. */
static enum outcome ask_again(struct engine *engine, struct run_step *step, struct error *err)
{
    if (engine->run->watch.observed_ms < step->step.duration + engine->context.config->hold)
        return OUTCOME_WAIT;
    error_set(err, ERROR_TIMEOUT, "undecided: no instance of %s could be asked",
              engine->run->version);
    return OUTCOME_HOLD;
}

/* One look at everything. OUTCOME_WAIT: look again. */
static enum outcome look(struct engine *engine, struct run_step *step, int64_t ms,
                         struct error *err)
{
    struct run_watch *state = &engine->run->watch;
    struct error why = {0};
    const char *what = NULL;
    int drift = traffic_drift(engine, &what, &why);
    if (why.kind == ERROR_CANCELLED)
        return OUTCOME_CANCELLED;
    if (drift > 0) {
        enum outcome outcome = mend_drift(engine, step, what, err);
        return outcome == OUTCOME_DONE ? OUTCOME_WAIT : outcome;
    }
    state->observed_ms += ms;
    measure_tick(engine);
    if (state->observed_ms <= engine->context.config->warmup) {
        measure_reset(engine);
        return OUTCOME_WAIT;
    }
    measure_judge(engine);
    count_availability(engine, ms);
    tell(engine, step);
    /* A breach in the numbers does not wait until every instance has been asked. */
    enum outcome outcome = decide(engine, step, drift < 0, err);
    if (outcome != OUTCOME_BREACH && trigger_look(engine, &step->step))
        outcome = OUTCOME_BREACH;
    else if (outcome == OUTCOME_DONE && engine->watch.unasked)
        outcome = ask_again(engine, step, err);
    measure_record(engine, outcome != OUTCOME_WAIT);
    return outcome;
}

/* Sleeps; *late: by how much longer than asked, where we were stopped or starved meanwhile. A time
 * in which nobody looked is no time of watching. */
static int rest(struct engine *engine, int64_t pause, int64_t *late, struct error *err)
{
    int64_t before = now_mono(engine);
    if (engine_sleep(engine, pause, err) != 0)
        return -1;
    *late = now_mono(engine) - before - pause;
    if (*late < LATE_MS)
        *late = 0;
    else
        engine_event(engine, EVENT_NOTE, "nobody looked for %s, which is not counted",
                     text_of_duration(&engine->tick, *late / 1000 * 1000));
    return 0;
}

enum outcome watch_stage(struct engine *engine, struct run_step *step, struct error *err)
{
    begin(engine, step);
    int64_t interval = engine->context.config->watch_interval;
    int64_t last = now_mono(engine), late = 0;
    for (;;) {
        int64_t left = step->step.duration - engine->run->watch.observed_ms;
        int64_t pause = left > 0 && left < interval ? left : interval;
        if (rest(engine, pause, &late, err) != 0)
            return OUTCOME_CANCELLED;
        arena_reset(&engine->tick);
        int64_t now = now_mono(engine);
        enum outcome outcome = look(engine, step, now - last - late, err);
        last = now;
        windows_keep(engine);
        if (outcome != OUTCOME_WAIT)
            return outcome;
        if (now - engine->journal->saved >= SAVE_MS &&
            journal_save(engine->journal, engine->run, err) != 0)
            return OUTCOME_FAILED;
    }
}
