/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include "arena.h"
#include "text.h"

#include <math.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

const char *const step_status_names[] = {
    "pending", "intent", "done", "failed", "skipped", "undone", "unknown", NULL,
};

const char *const run_status_names[] = {
    "running", "waiting", "held",       "succeeded",       "rolled-back", "refused",
    "failed",  "broken",  "superseded", "rollback-failed", "cancelled",   NULL,
};

const char *const event_kind_names[] = {
    "note", "issue", "resolved", "breach", "human", NULL,
};

bool run_is_finished(enum run_status status)
{
    switch (status) {
    case RUN_RUNNING:
    case RUN_WAITING:
    case RUN_HELD:
    case RUN_BROKEN:
    case RUN_CANCELLED:
        return false;
    case RUN_SUCCEEDED:
    case RUN_ROLLED_BACK:
    case RUN_REFUSED:
    case RUN_FAILED:
    case RUN_SUPERSEDED:
    case RUN_ROLLBACK_FAILED:
        break;
    }
    return true;
}

int run_exit_code(const struct run *run)
{
    static const int codes[] = {
        [RUN_RUNNING] = 6,     [RUN_WAITING] = 75,        [RUN_HELD] = 5,   [RUN_SUCCEEDED] = 0,
        [RUN_ROLLED_BACK] = 2, [RUN_REFUSED] = 3,         [RUN_FAILED] = 4, [RUN_BROKEN] = 6,
        [RUN_SUPERSEDED] = 7,  [RUN_ROLLBACK_FAILED] = 8,
    };

    return run->status == RUN_CANCELLED ? run->exit_code : codes[run->status];
}

int run_check_home(const struct run *run, const struct run_home *home, struct error *err)
{
    const struct {
        const char *what, *recorded, *here;
    } parts[] = {
        {"project", run->project, home->project},
        {"app", run->app, home->app},
        {"environment", run->environment, home->environment},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const char *recorded = parts[i].recorded, *here = parts[i].here;
        if (recorded != NULL && here != NULL && strcasecmp(recorded, here) != 0) {
            return error_set(err, ERROR_STATE, "is of %s '%.100s', and this is '%.100s'",
                             parts[i].what, recorded, here);
        }
    }
    return 0;
}

struct list {
    void **items;
    size_t *count, *capacity;
    size_t size;
};

/* A list that was loaded has exactly as much room as it has rows and says 0: arena_grow
 * takes that for full. */
static void *add_row(struct arena *arena, const struct list *list)
{
    *list->items = arena_grow(arena, *list->items, *list->count, list->capacity, list->size);
    void *row = (char *)*list->items + *list->count * list->size;

    memset(row, 0, list->size);
    ++*list->count;
    return row;
}

static bool id_taken(const struct run *run, const char *id)
{
    for (size_t i = 0; i < run->step_count; i++) {
        if (text_equal(run->steps[i].step.id, id)) {
            return true;
        }
    }
    return false;
}

/* A second way back has the same steps as the first one. */
static const char *unique_id(const struct run *run, struct arena *arena, const char *id)
{
    const char *result = arena_text(arena, id);

    for (int n = 2; id_taken(run, result); n++) {
        result = arena_format(arena, "%s-%d", id, n);
    }
    return result;
}

static struct step copy_step(struct arena *arena, const struct step *step)
{
    struct step copy = *step;

    copy.target = arena_text(arena, step->target);
    copy.title = arena_text(arena, step->title);
    copy.reason = arena_text(arena, step->reason);
    copy.touches = arena_text(arena, step->touches);
    copy.slot = arena_text(arena, step->slot);
    copy.version = arena_text(arena, step->version);
    copy.group = arena_text(arena, step->group);
    copy.base_url = arena_text(arena, step->base_url);
    copy.instances = arena_array(arena, step->count, sizeof *copy.instances);
    for (size_t i = 0; i < step->count; i++) {
        copy.instances[i] = arena_text(arena, step->instances[i]);
    }
    return copy;
}

struct run_step *run_add_step(struct run *run, struct arena *arena, const struct step *step,
                              enum direction direction)
{
    const char *id = unique_id(run, arena, step->id);
    struct step copy = copy_step(arena, step);
    void *items = run->steps;
    struct list list = {&items, &run->step_count, &run->step_capacity, sizeof *run->steps};
    struct run_step *row = add_row(arena, &list);

    run->steps = items;
    row->step = copy;
    row->step.id = id;
    row->direction = direction;
    return row;
}

struct run_check *run_add_check(struct run *run, struct arena *arena)
{
    void *items = run->checks;
    struct list list = {&items, &run->check_count, &run->check_capacity, sizeof *run->checks};
    struct run_check *row = add_row(arena, &list);

    run->checks = items;
    return row;
}

struct run_event *run_add_event(struct run *run, struct arena *arena, int64_t at,
                                enum event_kind kind, const char *text)
{
    void *items = run->events;
    struct list list = {&items, &run->event_count, &run->event_capacity, sizeof *run->events};
    struct run_event *row = add_row(arena, &list);

    run->events = items;
    row->at = at;
    row->kind = kind;
    row->text = arena_text(arena, text);
    return row;
}

struct run_signature *run_add_signature(struct run *run, struct arena *arena)
{
    void *items = run->signatures;
    struct list list = {&items, &run->signature_count, &run->signature_capacity,
                        sizeof *run->signatures};
    struct run_signature *row = add_row(arena, &list);

    run->signatures = items;
    return row;
}

struct run_attempt *run_add_attempt(struct run *run, struct arena *arena)
{
    void *items = run->attempts;
    struct list list = {&items, &run->attempt_count, &run->attempt_capacity, sizeof *run->attempts};
    struct run_attempt *row = add_row(arena, &list);

    run->attempts = items;
    return row;
}

static struct run_metric *add_metric(struct run *run, struct arena *arena, const char *slo)
{
    void *items = run->metrics;
    struct list list = {&items, &run->metric_count, &run->metric_capacity, sizeof *run->metrics};
    struct run_metric *row = add_row(arena, &list);

    run->metrics = items;
    row->slo = arena_text(arena, slo);
    row->baseline = row->value = row->worst = row->limit = row->target = NAN;
    row->bad = row->requests = row->baseline_requests = NAN;
    row->judgement = "not judged";
    return row;
}

struct run_metric *run_metric_of(struct run *run, struct arena *arena, const char *slo)
{
    for (size_t i = 0; i < run->metric_count; i++) {
        if (text_equal(run->metrics[i].slo, slo)) {
            return &run->metrics[i];
        }
    }
    return add_metric(run, arena, slo);
}

struct run_step *run_find_step(struct run *run, const char *id)
{
    for (size_t i = 0; i < run->step_count; i++) {
        if (text_equal(run->steps[i].step.id, id)) {
            return &run->steps[i];
        }
    }
    return NULL;
}
