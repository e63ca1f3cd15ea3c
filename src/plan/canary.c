/* SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

static void stages(struct builder *b)
{
    const struct canary_step *steps = b->config->canary_steps.items;
    size_t count = b->config->canary_steps.count;

    for (size_t i = 0; i < count; i++) {
        slots_shift(b, steps[i].weight, arena_format(b->arena, "stage %zu of %zu", i + 1, count));
        slots_watch(b, steps[i].weight, steps[i].watch);
    }
}

/* Nothing else serves, so that there is nothing to share the traffic with. */
static void first_stage(struct builder *b)
{
    const struct canary_step *steps = b->config->canary_steps.items;

    slots_shift(b, 1, "first deployment");
    slots_watch(b, 1, steps[b->config->canary_steps.count - 1].watch);
}

static void retire_step(struct builder *b, const char *slot, const char *reason)
{
    struct step *step = plan_step(b, STEP_RETIRE, arena_format(b->arena, "retire-%s", slot));

    step->title = arena_format(b->arena, "stop %s", slot);
    step->reason = reason;
    step->slot = slot;
    plan_set_names(b, step, plan_slot_names(b, slot));
}

/* The stable objects were updated by PROMOTE; they take the traffic over again. */
static void copy_back(struct builder *b)
{
    const char *stable = b->plan->stable_slot;
    struct step *step = plan_step(b, STEP_READY, arena_format(b->arena, "ready-%s", stable));

    step->title = arena_format(b->arena, "wait until %s is ready", stable);
    step->reason = arena_format(b->arena, "it was updated to %s", b->plan->version);
    step->slot = stable;
    step->version = b->plan->version;
    plan_set_names(b, step, plan_slot_names(b, stable));
    step->touches = "nothing";

    step = plan_step(b, STEP_SHIFT, "shift-0");
    step->title = arena_format(b->arena, "send all traffic to %s", stable);
    step->reason = arena_format(b->arena, "it runs %s now", b->plan->version);
    step->slot = b->plan->candidate_slot;
    step->weight = 0;
    step->touches = "router";
    retire_step(b, b->plan->candidate_slot, "the candidate is not needed any more");
}

static void old_away(struct builder *b)
{
    if (b->plan->previous == NULL) {
        return;
    }
    if (b->facts->traits & FACT_COPY) {
        copy_back(b);
        return;
    }
    retire_step(b, b->plan->stable_slot,
                arena_format(b->arena, "%s no longer serves", b->plan->previous));
}

int plan_canary(struct builder *b, struct error *err)
{
    if (b->config->canary_steps.count == 0) {
        return error_set(err, ERROR_BUG, "a canary needs at least one stage");
    }
    if (slots_begin(b, err) != 0) {
        return -1;
    }
    if (b->plan->nothing_to_do) {
        return 0;
    }
    slots_deploy(b);
    if (b->plan->previous == NULL) {
        first_stage(b);
    } else {
        stages(b);
    }
    slots_finish(b, b->plan->previous == NULL ? "first deployment" : "every stage passed");
    old_away(b);
    plan_notify(b, "notify");
    return 0;
}
