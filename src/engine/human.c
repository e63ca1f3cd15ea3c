/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps that wait for a person: the process ends with 75 and goes on at the next run of the
 * job or at `promote` (D-23).
 */
#include "arena.h"
#include "log.h"
#include "parts.h"

#include <string.h>

static bool is_signed(const struct run *run, const char *step)
{
    for (size_t i = 0; i < run->signature_count; i++) {
        if (text_equal(run->signatures[i].step, step))
            return true;
    }
    return false;
}

const char *step_role(const struct run_step *step)
{
    return step->step.kind == STEP_APPROVE ? "operations-lead" : "batch-validation";
}

void engine_sign(struct engine *engine, struct run_step *step, const char *comment)
{
    struct arena *arena = engine->context.arena;
    struct run_signature *signature = run_add_signature(engine->run, arena);
    signature->role = step_role(step);
    signature->who = arena_text(arena, engine->who == NULL ? "unknown" : engine->who);
    signature->step = step->step.id;
    signature->comment = arena_text(arena, comment);
    signature->at = now_wall(engine);
    if (step->started > 0)
        engine->run->paused_ms += signature->at - step->started;
    engine_event(engine, EVENT_HUMAN, "%s signed '%s' as %s", signature->who, step->step.title,
                 signature->role);
}

static enum outcome wait_for_person(struct engine *engine, struct run_step *step, struct error *err)
{
    /* A job that was killed here has asked nobody. */
    if (engine->resumed && engine->waited && !is_signed(engine->run, step->step.id))
        engine_sign(engine, step, "the job was run again");
    if (is_signed(engine->run, step->step.id)) {
        step->evidence = arena_format(engine->context.arena, "signed as %s", step_role(step));
        return OUTCOME_DONE;
    }
    error_set(err, ERROR_GATE,
              "%s: waiting for a person; run the job again, or `deploy-action "
              "promote`, to go on",
              step->step.title);
    return OUTCOME_WAIT;
}

enum outcome act_validate(struct engine *engine, struct run_step *step, struct error *err)
{
    return wait_for_person(engine, step, err);
}

enum outcome act_approve(struct engine *engine, struct run_step *step, struct error *err)
{
    return wait_for_person(engine, step, err);
}
