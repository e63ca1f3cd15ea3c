/* SPDX-License-Identifier: Apache-2.0
 *
 * Turning a run round, and what people ask of a run from outside: promote, retire.
 */
#include "arena.h"
#include "log.h"
#include "parts.h"

#include <string.h>

static void forward_steps(const struct run *run, struct arena *arena, struct steps *steps,
                          bool **touched)
{
    steps->items = arena_array(arena, run->step_count + 1, sizeof *steps->items);
    *touched = arena_array(arena, run->step_count + 1, sizeof **touched);
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        if (step->direction != FORWARD)
            continue;
        (*touched)[steps->count] = step->status == STATUS_DONE || step->status == STATUS_INTENT ||
                                   step->status == STATUS_FAILED;
        steps->items[steps->count++] = step->step;
    }
}

bool run_is_promoted(const struct run *run)
{
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        if (step->step.kind == STEP_PROMOTE && step->status == STATUS_DONE)
            return true;
    }
    return false;
}

/* The own address of an instance that goes back to serving, for tests where deploy.yaml names
 * no address of production. */
static const char *stable_url(const struct engine *engine)
{
    for (size_t i = 0; i < engine->instances.count; i++) {
        if (text_equal(engine->instances.items[i].slot, engine->run->stable_slot))
            return engine->instances.items[i].url;
    }
    return NULL;
}

static void mark_forward(struct run *run)
{
    for (size_t i = 0; i < run->step_count; i++) {
        struct run_step *step = &run->steps[i];
        if (step->direction == FORWARD && step->status == STATUS_PENDING)
            step->status = STATUS_SKIPPED;
        else if (step->direction == FORWARD && step->status == STATUS_INTENT)
            step->status = STATUS_FAILED;
    }
}

/* A way back that was begun, or failed, is walked again from its start: each step of it
 * observes before it acts. */
static int walk_back_again(struct engine *engine, struct error *err)
{
    struct run *run = engine->run;
    if (run->status == RUN_ROLLED_BACK)
        return error_set(err, ERROR_STATE, "%s was rolled back already", run->version);
    for (size_t i = 0; i < run->step_count; i++) {
        if (run->steps[i].direction == BACKWARD)
            run->steps[i].status = STATUS_PENDING;
    }
    run->ended = 0;
    return journal_save(engine->journal, run, err);
}

/* NULL: back has the steps; else why there are none. */
static const char *plan_back(struct engine *engine, struct steps *back)
{
    struct run *run = engine->run;
    struct arena *arena = engine->context.arena;
    struct steps forward = {0};
    bool *touched = NULL;
    if (run->previous == NULL)
        return arena_format(arena, "there is no older version to go back to: %s is the first",
                            run->version);
    forward_steps(run, arena, &forward, &touched);
    struct rollback_request request = {
        .config = engine->context.config,
        .strategy = (enum strategy)run->strategy,
        .version = run->version,
        .previous = run->previous,
        .stable_slot = run->stable_slot,
        .candidate_slot = run->candidate_slot,
        .stable_url = stable_url(engine),
        .steps = &forward,
        .touched = touched,
    };
    plan_rollback(arena, &request, back);
    return back->count > 0 ? NULL : "there is nothing to go back from: production was not touched";
}

static int walk_back(struct engine *engine, const struct trigger *trigger, const struct steps *back,
                     struct error *err)
{
    struct run *run = engine->run;
    if (run->trigger == NULL)
        trigger_record(engine, trigger);
    mark_forward(run);
    run->direction = BACKWARD;
    run->status = RUN_RUNNING;
    run->ended = 0;
    for (size_t i = 0; i < back->count; i++)
        run_add_step(run, engine->context.arena, &back->items[i], BACKWARD);
    return journal_save(engine->journal, run, err);
}

int engine_turn_back(struct engine *engine, const struct trigger *trigger, struct error *err)
{
    struct steps back = {0};
    if (engine->run->direction == BACKWARD)
        return walk_back_again(engine, err);
    const char *why = plan_back(engine, &back);
    if (why != NULL)
        return error_set(err, ERROR_STATE, "%s", why);
    return walk_back(engine, trigger, &back, err);
}

int engine_supersede(struct engine *engine, const char *by, bool *back, struct error *err)
{
    struct run *run = engine->run;
    struct arena *arena = engine->context.arena;
    const char *detail = arena_format(arena, "superseded by %s", by);
    struct trigger trigger = {"manual", "superseded", detail};
    struct steps steps = {0};
    *back = true;
    if (run->direction == BACKWARD)
        return walk_back_again(engine, err);
    const char *why = plan_back(engine, &steps);
    if (why == NULL)
        return walk_back(engine, &trigger, &steps, err);
    *back = false;
    if (run->trigger == NULL)
        trigger_record(engine, &trigger);
    mark_forward(run);
    run->headline = arena_format(arena, "%s was superseded by %s; %s", run->version, by, why);
    return engine_finish(engine, RUN_SUPERSEDED, err);
}

int engine_promote(struct engine *engine, const char *comment, struct error *err)
{
    struct run *run = engine->run;
    if (run->direction == BACKWARD)
        return error_set(err, ERROR_STATE, "%s is being rolled back; there is nothing to promote",
                         run->version);
    for (size_t i = 0; i < run->step_count; i++) {
        struct run_step *step = &run->steps[i];
        if (step->status != STATUS_INTENT)
            continue;
        enum step_kind kind = step->step.kind;
        if (kind == STEP_VALIDATE || kind == STEP_APPROVE) {
            engine_sign(engine, step, comment);
        } else if (kind == STEP_WATCH) {
            engine_sign(engine, step, comment);
            step->status = STATUS_SKIPPED;
            step->ended = now_wall(engine);
            step->evidence = "ended by a person";
        } else {
            return error_set(err, ERROR_STATE,
                             "'%s' is no step that waits for a person; run the job "
                             "again to go on",
                             step->step.title);
        }
        return journal_save(engine->journal, run, err);
    }
    return error_set(err, ERROR_STATE, "%s does not wait for anybody (%s)", run->version,
                     run_status_names[run->status]);
}

/* The slot that does not serve any more: the old one after a success, the candidate after a
 * rollback that kept it. */
static const char *idle_slot(const struct run *run)
{
    if (run->status == RUN_SUCCEEDED)
        return run->stable_slot;
    return run->status == RUN_ROLLED_BACK || run->status == RUN_FAILED ? run->candidate_slot : NULL;
}

int engine_add_retire(struct engine *engine, bool early, struct error *err)
{
    struct run *run = engine->run;
    struct arena *arena = engine->context.arena;
    const char *slot = idle_slot(run);
    if (slot == NULL)
        return error_set(err, ERROR_STATE, "there is no slot to retire (%s, %s)", run->version,
                         run_status_names[run->status]);
    for (size_t i = 0; i < run->step_count; i++) {
        if (run->steps[i].step.kind == STEP_RETIRE && run->steps[i].status == STATUS_DONE)
            return error_set(err, ERROR_STATE, "slot '%s' is retired already", slot);
    }
    if (run->status == RUN_FAILED)
        mark_forward(run);
    if (!early && now_wall(engine) < run->retire_at)
        return error_set(err, ERROR_STATE, "slot '%s' is kept until %s; use --yes to retire it now",
                         slot, text_of_time(arena, run->retire_at));
    struct steps steps = {0};
    plan_retire(arena, engine->context.config, slot, &steps);
    for (size_t i = 0; i < steps.count; i++)
        run_add_step(run, arena, &steps.items[i], (enum direction)run->direction);
    return journal_save(engine->journal, run, err);
}
