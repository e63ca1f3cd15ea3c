/* SPDX-License-Identifier: Apache-2.0
 *
 * From measurements to judgements: every limit of an SLO is asked, the worst answer counts.
 */
#include "arena.h"
#include "log.h"
#include "parts.h"

#include <math.h>
#include <string.h>

#define LIMITS_MAX 3

static bool is_floor(enum slo_kind kind)
{
    return kind == SLO_AVAILABILITY || kind == SLO_THROUGHPUT || kind == SLO_CONVERSION ||
           kind == SLO_ACTIVITY;
}

/* An increase of an error rate is meant in points, of anything else relative (D-05). */
static bool is_points(const struct slo_config *slo)
{
    if (slo->mode == MODE_AUTO)
        return slo->kind == SLO_ERROR_RATE;
    return slo->mode == MODE_ABSOLUTE;
}

static size_t limits_of(const struct slo_config *slo, struct limit out[LIMITS_MAX])
{
    size_t count = 0;
    if (slo->target.set)
        out[count++] =
            (struct limit){is_floor(slo->kind) ? LIMIT_FLOOR : LIMIT_CEILING, slo->target.value};
    if (slo->max_increase >= 0)
        out[count++] =
            (struct limit){is_points(slo) ? LIMIT_POINTS : LIMIT_INCREASE, slo->max_increase};
    if (slo->max_drop >= 0)
        out[count++] = (struct limit){LIMIT_DROP, slo->max_drop};
    return count;
}

static bool is_relative(enum limit_kind kind)
{
    return kind == LIMIT_POINTS || kind == LIMIT_INCREASE || kind == LIMIT_DROP;
}

const char *measure_shown(struct arena *arena, const char *unit, double value)
{
    if (isnan(value))
        return "not recorded";
    if (strcmp(unit, "%") == 0)
        return arena_format(arena, "%.2f %%", value * 100);
    if (unit[0] == '\0')
        return arena_format(arena, "%.4g", value);
    return arena_format(arena, "%.1f %s", value, unit);
}

static const char *rule_words(struct arena *arena, const struct limit *limit, const char *unit)
{
    switch (limit->kind) {
    case LIMIT_CEILING:
        return arena_format(arena, "target at most %s", measure_shown(arena, unit, limit->limit));
    case LIMIT_FLOOR:
        return arena_format(arena, "target at least %s", measure_shown(arena, unit, limit->limit));
    case LIMIT_POINTS:
        return arena_format(arena, "at most %g points above baseline", limit->limit * 100);
    case LIMIT_INCREASE:
        return arena_format(arena, "at most %g %% above baseline", limit->limit * 100);
    case LIMIT_DROP:
        return arena_format(arena, "at most %g %% below baseline", limit->limit * 100);
    }
    return "";
}

/* The baseline: the stable arm at the same time where it has enough traffic, else what was
 * recorded before anything was touched. Throughput is always compared with before. */
static double baseline_of(struct engine *engine, const struct gauge_line *line, double needed)
{
    const struct run_metric *metric =
        run_metric_of(engine->run, engine->context.arena, line->slo->name);
    double recorded = metric->baseline, requests = 0;
    /* What is about the whole service is no neighbour to compare with. */
    if (line->slo->kind == SLO_THROUGHPUT || line->arms[ARM_STABLE].whole)
        return recorded;
    double beside = measure_value(line, ARM_STABLE, now_wall(engine), &requests);
    return !isnan(beside) && requests >= needed ? beside : recorded;
}

static bool is_shared(const struct limit *limit, double baseline)
{
    if (isnan(baseline))
        return false;
    if (limit->kind == LIMIT_CEILING)
        return baseline > limit->limit;
    return limit->kind == LIMIT_FLOOR && baseline < limit->limit;
}

static void nothing_read(struct engine *engine, struct gauge_line *line,
                         const struct stream *stream)
{
    bool named = stream->kind == READING_NOTHING;
    line->judgement = JUDGE_NODATA;
    line->detail =
        arena_format(&engine->tick, "%s: %s", named ? nothing_names[stream->nothing] : "NO_DATA",
                     stream->why == NULL ? "no requests" : stream->why);
}

static int rank(enum judgement judgement)
{
    static const int ranks[] = {
        [JUDGE_PASS] = 0, [JUDGE_UNDECIDED] = 1, [JUDGE_NODATA] = 2, [JUDGE_BREACH] = 3};
    return ranks[judgement];
}

static void judge_limit(struct engine *engine, struct gauge_line *line, const struct limit *limit,
                        const struct measurement *measured)
{
    const struct rule_row *rule = &rule_table[0];
    const char *unit = slo_unit(line->slo);
    struct arena *arena = &engine->tick;
    enum judgement judgement = rule->judge(limit, measured);
    const char *words = rule_words(arena, limit, unit);
    if (judgement == JUDGE_BREACH && is_shared(limit, measured->baseline)) {
        judgement = JUDGE_UNDECIDED;
        words = arena_format(arena, "shared: the old version misses it too (%s)", words);
    }
    if (line->detail != NULL && rank(judgement) <= rank(line->judgement))
        return;
    line->judgement = judgement;
    line->limit = limit_value(limit, measured->baseline);
    line->detail = arena_format(arena, "rule: %s, %s", rule->name, words);
    if (judgement == JUDGE_UNDECIDED && measured->requests < measured->min_requests)
        line->detail = arena_format(arena, "%.0f of %.0f requests needed", measured->requests,
                                    measured->min_requests);
    else if (judgement == JUDGE_UNDECIDED && is_relative(limit->kind) && isnan(measured->baseline))
        line->detail = "no baseline to compare with";
}

/* A rate of requests wavers: it is judged over its whole window, or the whole stage. */
static bool is_window_open(struct engine *engine, struct gauge_line *line, enum arm arm)
{
    double seconds = 0;
    int64_t whole =
        engine->watch.stage_ms < line->slo->window ? engine->watch.stage_ms : line->slo->window;
    if (line->slo->kind != SLO_THROUGHPUT || line->arms[arm].kind != READING_COUNTS)
        return false;
    window_sum(&line->arms[arm].window, now_wall(engine), line->slo->window, &seconds);
    if (seconds * 1000 >= 0.9 * (double)whole)
        return false;
    line->judgement = JUDGE_UNDECIDED;
    line->detail = arena_format(&engine->tick, "%.0f of %.0f s of its window seen", seconds,
                                (double)whole / 1000);
    return true;
}

static void judge_line(struct engine *engine, struct gauge_line *line)
{
    struct limit limits[LIMITS_MAX];
    enum arm arm = line->slo->kind == SLO_THROUGHPUT && line->arms[ARM_ALL].kind == READING_COUNTS
                       ? ARM_ALL
                       : ARM_CANDIDATE;
    size_t count = limits_of(line->slo, limits);
    struct measurement measured = {.min_requests = measure_needed(engine, line)};
    measured.value = measure_value(line, arm, now_wall(engine), &measured.requests);
    measured.baseline = baseline_of(engine, line, measured.min_requests);
    measured.present = !isnan(measured.value);
    line->value = measured.value;
    line->baseline = measured.baseline;
    line->requests = measured.requests;
    line->limit = NAN;
    line->detail = NULL;
    line->judgement = JUDGE_PASS;
    const struct stream *stream = &line->arms[arm];
    if (!measured.present || stream->kind == READING_NOTHING) {
        nothing_read(engine, line, stream);
        return;
    }
    if (is_window_open(engine, line, arm))
        return;
    for (size_t i = 0; i < count; i++)
        judge_limit(engine, line, &limits[i], &measured);
    if (count == 0)
        line->detail = "measured, no limit given";
}

void measure_judge(struct engine *engine)
{
    for (size_t i = 0; i < engine->watch.count; i++)
        judge_line(engine, &engine->watch.lines[i]);
}

static bool worse(enum slo_kind kind, double value, double than)
{
    if (isnan(than))
        return true;
    return is_floor(kind) ? value < than : value > than;
}

void measure_record(struct engine *engine, bool last)
{
    struct arena *arena = engine->context.arena;
    for (size_t i = 0; i < engine->watch.count; i++) {
        const struct gauge_line *line = &engine->watch.lines[i];
        struct run_metric *metric = run_metric_of(engine->run, arena, line->slo->name);
        /* Only when the judgement changes: a two-hour watch must not grow. */
        if (!text_equal(metric->judgement, judgement_names[line->judgement]) || last)
            metric->detail = arena_text(arena, line->detail);
        metric->judgement = judgement_names[line->judgement];
        metric->limit = line->limit;
        if (isnan(line->value))
            continue;
        metric->value = line->value;
        if (line->judgement != JUDGE_UNDECIDED &&
            worse(line->slo->kind, line->value, metric->worst))
            metric->worst = line->value;
        if (!isnan(line->baseline) && isnan(metric->baseline))
            metric->baseline = line->baseline;
    }
}

void measure_baseline(struct engine *engine)
{
    struct arena *arena = engine->context.arena;
    for (size_t i = 0; i < engine->watch.count; i++) {
        const struct gauge_line *line = &engine->watch.lines[i];
        struct run_metric *metric = run_metric_of(engine->run, arena, line->slo->name);
        bool all = line->slo->kind == SLO_THROUGHPUT && line->arms[ARM_ALL].kind == READING_COUNTS;
        metric->kind = slo_kind_name(line->slo->kind);
        metric->unit = slo_unit(line->slo);
        metric->source = line->source->name;
        metric->window = line->slo->window;
        metric->target = line->slo->target.set ? line->slo->target.value : NAN;
        metric->baseline = measure_value(line, all ? ARM_ALL : ARM_STABLE, now_wall(engine),
                                         &metric->baseline_requests);
    }
}
