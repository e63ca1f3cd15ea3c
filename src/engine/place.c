/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps that change the world through the workload and the router, and the one that reads
 * whether the old version is back.
 */
#include "arena.h"
#include "log.h"
#include "parts.h"

#include <string.h>

#define VERIFY_MS 15000 /* how long the world may take to show what was done */
#define SHIFT_TRIES 3   /* what was not answered may have been done: it is read back */

typedef int verb(struct workload *workload, const struct workload_target *target,
                 struct error *err);

struct workload_target step_target(const struct step *step)
{
    return (struct workload_target){
        .slot = step->slot,
        .names = (const char *const *)step->instances,
        .count = step->count,
        .version = step->version,
        .step = step->id,
    };
}

int step_observe(struct engine *engine, const struct step *step, struct workload_state *out,
                 struct error *err)
{
    struct workload_target target = step_target(step);
    return engine->workload->observe(engine->workload_handle, &target, &engine->tick, out, err);
}

static enum outcome apply(struct engine *engine, const struct run_step *step, verb *what,
                          struct error *err)
{
    struct workload_target target = step_target(&step->step);
    target.resumed = engine->resumed;
    return what(engine->workload_handle, &target, err) == 0 ? OUTCOME_DONE : outcome_of(err);
}

/* Nobody answers what the slot of a first deployment is sent; and the objects that a candidate was
 * a copy of serve while they are replaced. */
static bool is_spared(const struct engine *engine)
{
    unsigned traits = engine->workload->traits(engine->workload_handle);
    return engine->run->stable_slot == NULL ||
           ((traits & WORKLOAD_COPY) != 0 && engine->run->direction == BACKWARD);
}

/* A baseline may have been measured since production was looked at, and somebody may have moved
 * the traffic. */
enum outcome act_deploy(struct engine *engine, struct run_step *step, struct error *err)
{
    engine->proven = false;
    if (step->step.slot == NULL)
        return apply(engine, step, engine->workload->update, err);
    double share = is_spared(engine) ? 0 : traffic_of_slot(engine, step->step.slot, err);
    if (share < 0)
        return outcome_of(err);
    if (share > 0) {
        error_set(err, ERROR_STATE,
                  "slot '%s' has %.1f %% of the traffic: it was changed since this run looked",
                  step->step.slot, share * 100);
        return OUTCOME_FAILED;
    }
    return apply(engine, step, engine->workload->deploy, err);
}

/* A slot is never stopped while the router still sends it requests. */
static enum outcome away(struct engine *engine, struct run_step *step, verb *what,
                         struct error *err)
{
    if (step->step.slot != NULL && traffic_drained(engine, &step->step, err) != 0)
        return outcome_of(err);
    return apply(engine, step, what, err);
}

enum outcome act_undo(struct engine *engine, struct run_step *step, struct error *err)
{
    engine->proven = false;
    return away(engine, step, engine->workload->undo, err);
}

enum outcome act_retire(struct engine *engine, struct run_step *step, struct error *err)
{
    enum outcome outcome = away(engine, step, engine->workload->retire, err);
    /* What still serves was not replaced, whatever the journal says. */
    return outcome == OUTCOME_FAILED && err->kind == ERROR_STATE ? OUTCOME_HOLD : outcome;
}

static int shift_once(struct engine *engine, const struct run_step *step, struct error *err)
{
    if (step->step.weight >= 0)
        return traffic_apply(engine, step->step.weight, err);
    if (traffic_set_state(engine, &step->step, err) != 0)
        return -1;
    return step->step.state == TRAFFIC_READY ? 0 : traffic_drained(engine, &step->step, err);
}

enum outcome act_shift(struct engine *engine, struct run_step *step, struct error *err)
{
    struct run *run = engine->run;
    if (run->direction == BACKWARD && run->acted == 0)
        run->acted = now_wall(engine);
    for (int i = 1;; i++) {
        struct error why = {0};
        if (shift_once(engine, step, &why) == 0)
            break;
        /* On the way back users are waiting, whatever the reason is. */
        bool again = run->direction == BACKWARD || why.kind == ERROR_NETWORK;
        if (i >= SHIFT_TRIES || !again || why.kind == ERROR_CANCELLED) {
            error_set(err, why.kind, "%s", why.message);
            return outcome_of(err);
        }
        if (engine_sleep(engine, 500, err) != 0)
            return OUTCOME_CANCELLED;
    }
    step->evidence = "read back from the router";
    return OUTCOME_DONE;
}

/* Counts the instances of the step; *laggard is one that is not there yet, in words. */
static size_t missing(struct engine *engine, const struct run_step *step,
                      const struct workload_state *state, const char **laggard)
{
    size_t all = state->count, good = 0;
    for (size_t i = 0; i < state->count; i++) {
        const struct instance_state *instance = &state->items[i];
        if (instance->ready && text_equal(instance->version, step->step.version)) {
            good++;
            continue;
        }
        const char *version = instance->version == NULL ? "no version" : instance->version;
        *laggard = arena_format(&engine->tick, "'%s' is %s and tells %s, not %s%s%s",
                                instance->instance.name, instance->ready ? "ready" : "not ready",
                                version, step->step.version, instance->detail == NULL ? "" : ": ",
                                instance->detail == NULL ? "" : instance->detail);
    }
    if (all == 0)
        *laggard = "the workload knows none of its instances";
    return all == 0 ? 1 : all - good;
}

enum outcome act_ready(struct engine *engine, struct run_step *step, struct error *err)
{
    int64_t until = now_mono(engine) + step->step.deadline;
    for (;;) {
        arena_reset(&engine->tick);
        struct workload_state state = {0};
        const char *laggard = NULL;
        if (step_observe(engine, &step->step, &state, err) != 0)
            return outcome_of(err);
        if (missing(engine, step, &state, &laggard) == 0)
            break;
        if (trigger_fires(engine, &state, false)) {
            error_set(err, ERROR_REMOTE, "%s", engine->run->trigger_detail);
            return OUTCOME_FAILED;
        }
        if (now_mono(engine) >= until) {
            error_set(err, ERROR_TIMEOUT, "%s after %s", laggard,
                      text_of_duration(&engine->tick, step->step.deadline));
            return OUTCOME_FAILED;
        }
        if (engine_sleep(engine, engine->idle, err) != 0)
            return OUTCOME_CANCELLED;
    }
    step->evidence =
        arena_format(engine->context.arena, "ready, tells version %s", step->step.version);
    return OUTCOME_DONE;
}

/* 0: the version serves everything; 1: not (yet), *why says what is wrong. */
static int verify_once(struct engine *engine, const char *version, const char **why,
                       struct error *err)
{
    struct facts facts = {0};
    if (engine_observe(engine, &engine->tick, &facts, err) != 0)
        return -1;
    double good = 0;
    for (size_t i = 0; i < facts.count; i++) {
        const struct fact_instance *instance = &facts.instances[i];
        if (instance->share <= 0)
            continue;
        if (!instance->ready || !text_equal(instance->version, version)) {
            *why = arena_format(
                &engine->tick, "'%s' has %.1f %% of the traffic, is %s and tells %s",
                instance->name, instance->share * 100, instance->ready ? "ready" : "not ready",
                instance->version == NULL ? "no version" : instance->version);
            return 1;
        }
        good += instance->share;
    }
    if (good > 0.999)
        return 0;
    *why = arena_format(&engine->tick, "%s has %.1f %% of the traffic", version, good * 100);
    return 1;
}

int place_serves(struct engine *engine, const char *version, int64_t wait, struct error *err)
{
    int64_t until = now_mono(engine) + wait;
    for (;;) {
        arena_reset(&engine->tick);
        const char *why = NULL;
        struct error what = {0};
        int result = verify_once(engine, version, &why, &what);
        engine->proven = result == 0;
        if (result == 0)
            return 0;
        if (what.kind == ERROR_CANCELLED || now_mono(engine) >= until)
            return error_set(err, result < 0 ? what.kind : ERROR_STATE, "%s",
                             result < 0 ? what.message : why);
        if (engine_sleep(engine, engine->idle, err) != 0)
            return -1;
    }
}

enum outcome act_verify(struct engine *engine, struct run_step *step, struct error *err)
{
    if (place_serves(engine, step->step.version, VERIFY_MS, err) != 0)
        return outcome_of(err);
    step->evidence =
        arena_format(engine->context.arena, "router and instances say that %s serves 100 %%",
                     step->step.version);
    return OUTCOME_DONE;
}

/* Somebody may have changed production since it was judged: what does not serve everything is
 * not called stable. */
enum outcome act_promote(struct engine *engine, struct run_step *step, struct error *err)
{
    struct error why = {0};
    if (place_serves(engine, engine->run->version, VERIFY_MS, &why) != 0) {
        error_set(err, why.kind, "%s%s",
                  why.kind == ERROR_CANCELLED ? "" : "undecided: ", why.message);
        return why.kind == ERROR_CANCELLED ? OUTCOME_CANCELLED : OUTCOME_HOLD;
    }
    enum outcome outcome = apply(engine, step, engine->workload->promote, err);
    if (outcome == OUTCOME_DONE) {
        int64_t keep = engine->context.config->retire_after;
        engine->run->retire_at = now_wall(engine) + keep;
        step->evidence =
            arena_format(engine->context.arena, "%s is the stable version", engine->run->version);
    }
    return outcome;
}
