/* SPDX-License-Identifier: Apache-2.0 */
#include "valid.h"

#include "arena.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define VERDICTS 4 /* enum verdict of check.h, a door above this room */
#define EXIT_CODE_MAX 255

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
        if (run->watch.streams[i].count > RUN_SAMPLES) {
            return error_set(err, ERROR_STATE,
                             "state: watch.streams[%zu].samples has %zu rows, at most %d are ever "
                             "written",
                             i, run->watch.streams[i].count, RUN_SAMPLES);
        }
    }
    return 0;
}

int run_valid(struct run *run, struct arena *arena, struct error *err)
{
    if (need_all(run, err) != 0 || check_ids(run, arena, err) != 0 || check_steps(run, err) != 0 ||
        check_rows(run, err) != 0) {
        return -1;
    }
    if (run->exit_code < 0 || run->exit_code > EXIT_CODE_MAX) {
        return error_set(err, ERROR_STATE, "state: exit_code is out of range");
    }
    if (run->sequence < 0) {
        return error_set(err, ERROR_STATE, "state: sequence is out of range");
    }
    return 0;
}
