/* SPDX-License-Identifier: Apache-2.0 */
#include "valid.h"

#include "arena.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define VERDICTS 4 /* enum verdict of check.h, a door above this room */
#define EXIT_CODE_MAX 255
#define SEQUENCE_MAX (INT64_C(1) << 62)   /* it goes on being counted */
#define TIME_MAX INT64_C(253402300799999) /* the last ms of the year 9999 */
#define NOT_RECORDED "not recorded"
#define NAME_MAX_BYTES 100

/* One row's texts that no reader asks twice about: must not be missing. */
struct needed {
    const char *list, *member;
    size_t offset;
};

struct rows_of {
    const void *items;
    size_t count, size;
};

static int need(const struct rows_of *rows, const struct needed *needed, struct error *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        const char *row = (const char *)rows->items + i * rows->size;
        const char *text;
        memcpy(&text, row + needed->offset, sizeof text);
        if (text == NULL) {
            return error_set(err, ERROR_STATE, "state: %s[%zu].%s is missing", needed->list, i,
                             needed->member);
        }
    }
    return 0;
}

static int need_all(const struct run *run, struct error *err)
{
    const struct rows_of steps = {run->steps, run->step_count, sizeof *run->steps};
    const struct rows_of checks = {run->checks, run->check_count, sizeof *run->checks};
    const struct rows_of metrics = {run->metrics, run->metric_count, sizeof *run->metrics};
    const struct rows_of events = {run->events, run->event_count, sizeof *run->events};
    const struct rows_of streams = {run->watch.streams, run->watch.count,
                                    sizeof *run->watch.streams};
    const struct {
        const struct rows_of *rows;
        struct needed needed;
    } table[] = {
        {&steps, {"steps", "step.id", offsetof(struct run_step, step.id)}},
        {&checks, {"checks", "group", offsetof(struct run_check, group)}},
        {&checks, {"checks", "name", offsetof(struct run_check, name)}},
        {&metrics, {"metrics", "slo", offsetof(struct run_metric, slo)}},
        {&events, {"events", "text", offsetof(struct run_event, text)}},
        {&streams, {"watch.streams", "slo", offsetof(struct run_stream, slo)}},
    };

    if (run->id == NULL || run->version == NULL) {
        return error_set(err, ERROR_STATE, "state: %s is missing",
                         run->id == NULL ? "id" : "version");
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (need(table[i].rows, &table[i].needed, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, because a hostile file may have very many. */
static int check_ids(const struct run *run, struct arena *arena, struct error *err)
{
    const char **ids = arena_array(arena, run->step_count, sizeof *ids);

    for (size_t i = 0; i < run->step_count; i++) {
        ids[i] = run->steps[i].step.id;
    }
    if (run->step_count > 1) {
        qsort(ids, run->step_count, sizeof *ids, compare_ids);
    }
    for (size_t i = 1; i < run->step_count; i++) {
        if (strcmp(ids[i - 1], ids[i]) == 0) {
            return error_set(err, ERROR_STATE, "state: two steps have the id '%.80s'", ids[i]);
        }
    }
    return 0;
}

static int out_of_range(struct error *err, size_t i, const char *member)
{
    return error_set(err, ERROR_STATE, "state: steps[%zu].%s is out of range", i, member);
}

/* A member that is a time or a span, in ms; list "" is the run itself. */
struct moment {
    const struct rows_of *rows;
    const char *list, *member;
    size_t offset;
};

static int check_moment(const struct moment *moment, struct error *err)
{
    const struct rows_of *rows = moment->rows;
    for (size_t i = 0; i < rows->count; i++) {
        int64_t ms;
        memcpy(&ms, (const char *)rows->items + i * rows->size + moment->offset, sizeof ms);
        if (ms >= -TIME_MAX && ms <= TIME_MAX) {
            continue;
        }
        if (moment->list[0] == '\0') {
            return error_set(err, ERROR_STATE, "state: %s is out of range", moment->member);
        }
        return error_set(err, ERROR_STATE, "state: %s[%zu].%s is out of range", moment->list, i,
                         moment->member);
    }
    return 0;
}

#define MOMENT(rows, list, type, member)                 \
    {                                                    \
        &(rows), (list), #member, offsetof(type, member) \
    }

/* Spans between any two of them, and sums of a few, are numbers of 64 bits then. Clocks of two
 * machines differ: a span may well be below zero. */
static int check_moments(const struct run *run, struct error *err)
{
    const struct rows_of whole = {run, 1, sizeof *run};
    const struct rows_of steps = {run->steps, run->step_count, sizeof *run->steps};
    const struct rows_of checks = {run->checks, run->check_count, sizeof *run->checks};
    const struct rows_of metrics = {run->metrics, run->metric_count, sizeof *run->metrics};
    const struct rows_of events = {run->events, run->event_count, sizeof *run->events};
    const struct rows_of people = {run->signatures, run->signature_count, sizeof *run->signatures};
    const struct rows_of attempts = {run->attempts, run->attempt_count, sizeof *run->attempts};
    const struct moment table[] = {
        MOMENT(whole, "", struct run, started),
        MOMENT(whole, "", struct run, updated),
        MOMENT(whole, "", struct run, ended),
        MOMENT(whole, "", struct run, breached),
        MOMENT(whole, "", struct run, acted),
        MOMENT(whole, "", struct run, retire_at),
        MOMENT(whole, "", struct run, downtime_ms),
        MOMENT(whole, "", struct run, paused_ms),
        MOMENT(whole, "", struct run, watch.begun),
        MOMENT(whole, "", struct run, watch.observed_ms),
        MOMENT(whole, "", struct run, watch.nodata_since),
        MOMENT(steps, "steps", struct run_step, step.duration),
        MOMENT(steps, "steps", struct run_step, step.deadline),
        MOMENT(steps, "steps", struct run_step, started),
        MOMENT(steps, "steps", struct run_step, ended),
        MOMENT(checks, "checks", struct run_check, at),
        MOMENT(checks, "checks", struct run_check, took_ms),
        MOMENT(metrics, "metrics", struct run_metric, window),
        MOMENT(events, "events", struct run_event, at),
        MOMENT(events, "events", struct run_event, resolved),
        MOMENT(people, "signatures", struct run_signature, at),
        MOMENT(attempts, "attempts", struct run_attempt, started),
        MOMENT(attempts, "attempts", struct run_attempt, ended),
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (check_moment(&table[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Every sample lies in time and counts. */
static int check_samples(const struct run_stream *stream, size_t i, struct error *err)
{
    const struct rows_of samples = {stream->samples, stream->count, sizeof *stream->samples};
    const struct moment at = MOMENT(samples, "samples", struct run_sample, at);
    struct error why = {0};
    if (stream->count > RUN_SAMPLES) {
        return error_set(err, ERROR_STATE,
                         "state: watch.streams[%zu].samples has %zu rows, at most %d are ever "
                         "written",
                         i, stream->count, RUN_SAMPLES);
    }
    if (check_moment(&at, &why) != 0) {
        return error_set(err, ERROR_STATE, "state: watch.streams[%zu].%s", i,
                         why.message + strlen("state: "));
    }
    return 0;
}

static int check_step(const struct run_step *row, size_t i, struct error *err)
{
    const struct step *step = &row->step;

    if (!(step->weight >= 0 && step->weight <= 1) && step->weight != -1) {
        return out_of_range(err, i, "step.weight");
    }
    if (step->state < -1 || step->state > 2) {
        return out_of_range(err, i, "step.state");
    }
    if (step->duration < 0) {
        return out_of_range(err, i, "step.duration");
    }
    if (step->deadline < 0) {
        return out_of_range(err, i, "step.deadline");
    }
    return row->attempts < 0 ? out_of_range(err, i, "attempts") : 0;
}

static void fill_step(struct step *step)
{
    step->target = step->target == NULL ? "default" : step->target;
    step->title = step->title == NULL ? step->id : step->title;
    step->reason = step->reason == NULL ? "" : step->reason;
    step->touches = step->touches == NULL ? "" : step->touches;
}

static int check_steps(struct run *run, struct error *err)
{
    for (size_t i = 0; i < run->step_count; i++) {
        if (check_step(&run->steps[i], i, err) != 0) {
            return -1;
        }
        fill_step(&run->steps[i].step);
    }
    return 0;
}

static int check_rows(struct run *run, struct error *err)
{
    for (size_t i = 0; i < run->check_count; i++) {
        if (run->checks[i].verdict < 0 || run->checks[i].verdict >= VERDICTS) {
            return error_set(err, ERROR_STATE, "state: checks[%zu].verdict is out of range", i);
        }
    }
    for (size_t i = 0; i < run->metric_count; i++) {
        struct run_metric *metric = &run->metrics[i];
        metric->judgement = metric->judgement == NULL ? "not judged" : metric->judgement;
    }
    for (size_t i = 0; i < run->watch.count; i++) {
        if (check_samples(&run->watch.streams[i], i, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static const char *or_not_recorded(const char *text)
{
    return text != NULL ? text : NOT_RECORDED;
}

/* What readers take for granted: an application, a reason with a trigger, a word at the end. */
static void fill_run(struct run *run)
{
    run->app = or_not_recorded(run->app);
    if (run->trigger != NULL) {
        run->trigger_id = or_not_recorded(run->trigger_id);
        run->trigger_detail = or_not_recorded(run->trigger_detail);
    }
    if (run_is_finished((enum run_status)run->status)) {
        run->headline = run->headline != NULL ? run->headline : run_status_names[run->status];
    }
}

/* Of what becomes a file's name, a record's line or a word of a command. */
static bool is_name(const char *text)
{
    static const char own[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    return text == NULL ||
           (text[0] != '\0' && strlen(text) <= NAME_MAX_BYTES && strspn(text, own) == strlen(text));
}

static bool is_version(const char *text)
{
    return text == NULL || inputs_is_version(text);
}

static int strange(struct error *err, const char *member, const char *text)
{
    return error_set(err, ERROR_STATE, "state: %s is '%.80s', which we never write", member, text);
}

static int check_step_words(const struct step *step, struct error *err)
{
    if (!is_name(step->id)) {
        return strange(err, "the id of a step", step->id);
    }
    if (!is_name(step->slot)) {
        return strange(err, "the slot of a step", step->slot);
    }
    if (!is_version(step->version)) {
        return strange(err, "the version of a step", step->version);
    }
    for (size_t i = 0; i < step->count; i++) {
        if (!is_name(step->instances[i])) {
            return strange(err, "an instance of a step", step->instances[i]);
        }
    }
    return 0;
}

/* Whoever can put a file in our place must not reach further than we do ourselves. */
static int check_words(const struct run *run, struct error *err)
{
    const struct {
        const char *member, *text;
        bool good;
    } words[] = {
        {"id", run->id, is_name(run->id)},
        {"version", run->version, is_version(run->version)},
        {"previous", run->previous, is_version(run->previous)},
        {"stable_slot", run->stable_slot, is_name(run->stable_slot)},
        {"candidate_slot", run->candidate_slot, is_name(run->candidate_slot)},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!words[i].good) {
            return strange(err, words[i].member, words[i].text);
        }
    }
    for (size_t i = 0; i < run->step_count; i++) {
        if (check_step_words(&run->steps[i].step, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int run_valid(struct run *run, struct arena *arena, struct error *err)
{
    if (need_all(run, err) != 0 || check_words(run, err) != 0 || check_ids(run, arena, err) != 0 ||
        check_steps(run, err) != 0 || check_rows(run, err) != 0 || check_moments(run, err) != 0) {
        return -1;
    }
    if (run->exit_code < 0 || run->exit_code > EXIT_CODE_MAX) {
        return error_set(err, ERROR_STATE, "state: exit_code is out of range");
    }
    if (run->sequence < 0 || run->sequence > SEQUENCE_MAX) {
        return error_set(err, ERROR_STATE, "state: sequence is out of range");
    }
    fill_run(run);
    return 0;
}
