/* SPDX-License-Identifier: Apache-2.0
 *
 * What follows from a step that did not simply succeed: stop, wait, hold, or turn back.
 */
#include "arena.h"
#include "log.h"
#include "parts.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define PROOF_MS 3000 /* for an instance that is just not ready */
#define SAFE_MS 2000  /* of trying: whoever cancels us waits 7.5 s */

/* Has a step that reaches users been begun? */
static bool is_in_production(const struct run *run)
{
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        if (step->direction != FORWARD || step->status == STATUS_PENDING ||
            step->status == STATUS_SKIPPED)
            continue;
        if (step->step.kind == STEP_SHIFT && (step->step.weight > 0 || step->step.state >= 0))
            return true;
        if (step->step.kind == STEP_DEPLOY && run->candidate_slot == NULL)
            return true;
    }
    return false;
}

static bool is_out_of_reach(enum error_kind kind)
{
    return kind == ERROR_NETWORK || kind == ERROR_TIMEOUT || kind == ERROR_AUTH ||
           kind == ERROR_DENIED || kind == ERROR_NOTFOUND;
}

/* Ends the process's work; the run stays as it is for the next one. */
static int stop(struct engine *engine, enum run_status status, bool *ended, struct error *err)
{
    *ended = true;
    return engine_finish(engine, status, err);
}

/* A router that did not answer once may answer the next time. */
static int make_safe(struct engine *engine, const char **named, struct error *err)
{
    int64_t until = now_mono(engine) + SAFE_MS;
    while (traffic_make_safe(engine, named, err) != 0) {
        if (now_mono(engine) >= until || engine_sleep(engine, engine->idle, err) != 0)
            return -1;
    }
    return 0;
}

static int stop_safely(struct engine *engine, enum run_status status, struct run_step *step,
                       struct error *why)
{
    struct clock *clock = engine->context.clock;
    int signal = clock->cancelled(clock);
    const char *named = NULL;
    struct error err = {0};
    clock->shield(clock, true);
    if (step->status == STATUS_FAILED)
        step->status = STATUS_INTENT;
    engine->run->watch.step = NULL; /* the stage begins anew: its traffic is taken away */
    if (make_safe(engine, &named, &err) != 0) {
        engine_issue(engine, "P1", "no safe state was reached: %s", err.message);
        named = arena_format(engine->context.arena, "traffic could not be moved (%s)", err.message);
    }
    const char *cause = why->kind == ERROR_NONE ? "stopped" : why->message;
    engine_event(engine, EVENT_NOTE, "%s: %s", cause, named);
    engine->run->headline =
        arena_format(engine->context.arena, "%s at '%s': %s", cause, step->step.title, named);
    if (status == RUN_CANCELLED)
        engine->run->exit_code = 128 + (signal == 0 ? SIGTERM : signal);
    bool ended = false;
    int result = stop(engine, status, &ended, why);
    return result;
}

static int turn_back(struct engine *engine, struct run_step *step, struct error *err, bool *ended)
{
    struct run *run = engine->run;
    const char *detail = run->trigger_detail, *kind = run->trigger, *id = run->trigger_id;
    if (kind == NULL) {
        kind = step->step.kind == STEP_SMOKE ? "smoke-test-failure" : "infrastructure";
        id = step->step.id;
        detail = arena_text(engine->context.arena, err->message);
    }
    struct trigger trigger = {kind, id, detail};
    struct error cannot = {0};
    if (engine_turn_back(engine, &trigger, &cannot) == 0)
        return 0;
    error_set(err, cannot.kind, "%s", cannot.message);
    if (run->direction == BACKWARD)
        return -1;
    /* Nothing to go back to: whoever is on call must know at once. */
    run->headline =
        arena_format(engine->context.arena, "CRITICAL: Rollback failed - %s; %s: %s: %s",
                     cannot.message, kind, id, detail);
    return stop(engine, RUN_ROLLBACK_FAILED, ended, err);
}

/* A failure before any user saw the new version: production is untouched. */
static int fail_early(struct engine *engine, struct run_step *step, struct error *why, bool *ended)
{
    bool reach = step->step.kind == STEP_SHIFT || step->step.kind == STEP_BASELINE ||
                 step->step.kind == STEP_CHECK;
    struct error err = *why;
    if (reach && step->status == STATUS_FAILED)
        step->status = STATUS_INTENT;
    engine_issue(engine, reach ? "P2" : "P3", "%s: %s", step->step.title, err.message);
    engine->run->headline = NULL;
    return stop(engine, reach ? RUN_BROKEN : RUN_FAILED, ended, why);
}

/* The new version is in place and stays. What is left over is housekeeping, unless the objects
 * that stood for the old one are still to take its traffic. */
static int settle_promoted(struct engine *engine, struct run_step *step, struct error *why,
                           bool *ended)
{
    enum step_kind kind = step->step.kind;
    bool serves = kind == STEP_READY || kind == STEP_SHIFT;
    engine_issue(engine, serves ? "P2" : "P3", "%s: %s", step->step.title, why->message);
    if (!serves)
        return journal_save(engine->journal, engine->run, why);
    *ended = true;
    return stop_safely(engine, RUN_HELD, step, why);
}

static int settle_failure(struct engine *engine, struct run_step *step, struct error *why,
                          bool *ended)
{
    struct run *run = engine->run;
    if (run_is_promoted(run))
        return settle_promoted(engine, step, why, ended);
    if (!is_in_production(run))
        return fail_early(engine, step, why, ended);
    if (step->step.kind == STEP_SHIFT && is_out_of_reach(why->kind)) {
        /* It may have been done all the same: nobody answered, nothing was refused. */
        engine_issue(engine, "P2", "%s: %s", step->step.title, why->message);
        *ended = true;
        return stop_safely(engine, RUN_BROKEN, step, why);
    }
    bool smoke = step->step.kind == STEP_SMOKE;
    if (smoke && (engine->context.config->rollback_on & (1U << ON_SMOKE)) == 0) {
        *ended = true;
        return stop_safely(engine, RUN_HELD, step, why);
    }
    engine_issue(engine, "P2", "%s: %s", step->step.title, why->message);
    return turn_back(engine, step, why, ended);
}

static bool is_same_part(const struct run_step *one, const struct run_step *other)
{
    if (one->step.slot != NULL || one->step.count != other->step.count)
        return one->step.slot != NULL && other->step.kind == STEP_SHIFT && other->step.state < 0;
    for (size_t i = 0; i < one->step.count; i++) {
        if (strcmp(one->step.instances[i], other->step.instances[i]) != 0)
            return false;
    }
    return true;
}

/* What did not become ready is given no traffic, and what must stay is not updated. */
static void leave_part(struct run *run, const struct run_step *failed, bool all)
{
    for (size_t i = 0; i < run->step_count; i++) {
        struct run_step *step = &run->steps[i];
        if (step->direction == BACKWARD && step->status == STATUS_PENDING &&
            (all || step->step.kind == STEP_SHIFT) && is_same_part(failed, step)) {
            step->status = STATUS_SKIPPED;
            step->evidence = "not done: what comes before it failed";
        }
    }
}

/* On the way back nothing stops us but the end: VERIFY tells the truth about the result. */
static int settle_backward(struct engine *engine, struct run_step *step, struct error *why)
{
    struct run *run = engine->run;
    bool fatal = step->step.kind == STEP_VERIFY || step->step.kind == STEP_SMOKE;
    engine_issue(engine, fatal ? "P0" : "P2", "%s: %s", step->step.title, why->message);
    for (size_t i = 0; fatal && i < run->step_count; i++) {
        struct run_step *other = &run->steps[i];
        if (other->direction == BACKWARD && other->status == STATUS_PENDING &&
            other->step.kind == STEP_SMOKE)
            other->status = STATUS_SKIPPED;
    }
    if (step->step.kind == STEP_READY || step->step.kind == STEP_UNDO)
        leave_part(run, step, false);
    else if (step->step.state == TRAFFIC_DRAIN && why->kind == ERROR_STATE)
        leave_part(run, step, true);
    return journal_save(engine->journal, run, why);
}

static int settle_cancel(struct engine *engine, struct run_step *step, struct error *why,
                         bool *ended)
{
    struct clock *clock = engine->context.clock;
    if (why->kind != ERROR_CANCELLED)
        error_set(why, ERROR_CANCELLED, "cancelled by %s",
                  clock->cancelled(clock) == SIGINT ? "SIGINT" : "SIGTERM");
    *ended = true;
    return stop_safely(engine, RUN_CANCELLED, step, why);
}

int engine_settle(struct engine *engine, struct run_step *step, enum outcome outcome,
                  struct error *why, bool *ended)
{
    bool backward = engine->run->direction == BACKWARD;
    switch (outcome) {
    case OUTCOME_DONE:
        return 0;
    case OUTCOME_WAIT:
        return stop(engine, RUN_WAITING, ended, why);
    case OUTCOME_HOLD:
        *ended = true;
        return stop_safely(engine, RUN_HELD, step, why);
    case OUTCOME_CANCELLED:
        return settle_cancel(engine, step, why, ended);
    case OUTCOME_REFUSED:
        engine_issue(engine, "P3", "%s: %s", step->step.title, why->message);
        return stop(engine, RUN_REFUSED, ended, why);
    case OUTCOME_BREACH:
    case OUTCOME_FAILED:
        break;
    }
    if (backward)
        return settle_backward(engine, step, why);
    if (outcome == OUTCOME_BREACH)
        return turn_back(engine, step, why, ended);
    return settle_failure(engine, step, why, ended);
}

/* The version that the end of this run would say to serve; NULL: it would say none. */
static const char *claimed(const struct run *run)
{
    if (run->direction == FORWARD)
        return run_is_promoted(run) ? run->version : NULL;
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        bool decides = step->step.kind == STEP_VERIFY || step->step.kind == STEP_SMOKE;
        if (step->direction == BACKWARD && decides && step->status == STATUS_FAILED)
            return NULL;
    }
    return run->previous;
}

/* What is written down as done is believed only where production says the same. */
int engine_settle_end(struct engine *engine, struct error *err)
{
    struct run *run = engine->run;
    struct error why = {0};
    const char *version = claimed(run);
    if (version == NULL || engine->proven || place_serves(engine, version, PROOF_MS, &why) == 0)
        return engine_finish(engine, RUN_SUCCEEDED, err);
    run->headline =
        arena_format(engine->context.arena, "every step was done, but: %s", why.message);
    if (why.kind != ERROR_CANCELLED)
        return engine_finish(engine, why.kind == ERROR_STATE ? RUN_HELD : RUN_BROKEN, err);
    struct clock *clock = engine->context.clock;
    run->exit_code = 128 + clock->cancelled(clock);
    return engine_finish(engine, RUN_CANCELLED, err);
}
