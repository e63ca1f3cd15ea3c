/* SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

static const struct fact_instance *first_of(const struct facts *facts, const char *slot)
{
    for (size_t i = 0; i < facts->count; i++) {
        if (text_equal(facts->instances[i].slot, slot)) {
            return &facts->instances[i];
        }
    }
    return NULL;
}

static int trait_check(const struct builder *b, struct error *err)
{
    if (b->facts->traits & FACT_SLOTS) {
        return 0;
    }
    return error_set(err, ERROR_STATE,
                     "%s needs two slots that take turns, and this workload has none: give each "
                     "instance under workload in deploy.yaml a slot (slot: blue, slot: green), "
                     "or use rolling",
                     strategy_names[b->plan->strategy]);
}

/* Distinct slots in file order. */
static struct names slot_list(const struct builder *b)
{
    struct names slots = {arena_array(b->arena, b->facts->count + 1, sizeof(char *)), 0};

    for (size_t i = 0; i < b->facts->count; i++) {
        const char *slot = b->facts->instances[i].slot;
        bool known = slot == NULL;
        for (size_t s = 0; s < slots.count && !known; s++) {
            known = text_equal(slots.items[s], slot);
        }
        if (!known) {
            slots.items[slots.count++] = slot;
        }
    }
    return slots;
}

static int pick_slots(struct builder *b, struct error *err)
{
    struct names slots = slot_list(b);

    if (slots.count != 2) {
        return error_set(err, ERROR_STATE, "%s needs exactly two slots, deploy.yaml has %zu (%s)",
                         strategy_names[b->plan->strategy], slots.count,
                         slots.count == 0 ? "none" : plan_join(b->arena, &slots));
    }
    b->plan->stable_slot = b->facts->stable_slot;
    b->plan->previous = b->facts->stable_version;
    b->plan->candidate_slot =
        text_equal(slots.items[0], b->facts->stable_slot) ? slots.items[1] : slots.items[0];
    return 0;
}

/* The version serves already: all of it, or with a gap that no rollout would close. */
static int already_there(struct builder *b, struct error *err)
{
    const char *slot = b->plan->stable_slot;

    for (size_t i = 0; i < b->facts->count; i++) {
        const struct fact_instance *instance = &b->facts->instances[i];
        if (text_equal(instance->slot, slot) && !(instance->running && instance->ready)) {
            return error_set(err, ERROR_STATE,
                             "%s already serves from %s, but %s is %s: repair it, a rollout of "
                             "the same version would not",
                             b->plan->version, slot, instance->name,
                             instance->running ? "not ready" : "down");
        }
    }
    b->plan->nothing_to_do = true;
    return 0;
}

int slots_begin(struct builder *b, struct error *err)
{
    if (trait_check(b, err) != 0) {
        return -1;
    }
    if (b->facts->unclear != NULL) {
        return error_set(err, ERROR_STATE, "%s", b->facts->unclear);
    }
    if (pick_slots(b, err) != 0) {
        return -1;
    }
    if (text_equal(b->plan->previous, b->plan->version)) {
        return already_there(b, err);
    }
    plan_begin(b);
    return 0;
}

/* What an earlier run left on the candidate slot; NULL: nothing runs there. */
static const char *left_over(const struct builder *b)
{
    for (size_t i = 0; i < b->facts->count; i++) {
        const struct fact_instance *instance = &b->facts->instances[i];
        if (text_equal(instance->slot, b->plan->candidate_slot) && instance->running) {
            return instance->version == NULL ? "an unknown version" : instance->version;
        }
    }
    return NULL;
}

static const char *deploy_reason(struct builder *b)
{
    const struct plan *plan = b->plan;
    const char *left = left_over(b);
    const char *first = plan->previous == NULL ? "first deployment" : NULL;

    if (left == NULL) {
        return first != NULL
                   ? first
                   : arena_format(b->arena, "%s is idle, %s serves %s", plan->candidate_slot,
                                  plan->stable_slot, plan->previous);
    }
    if (text_equal(left, plan->version)) {
        left = arena_format(b->arena, "%s was left on %s: only what is missing is started", left,
                            plan->candidate_slot);
    } else {
        left = arena_format(b->arena, "replaces %s left on %s", left, plan->candidate_slot);
    }
    return first != NULL ? arena_format(b->arena, "%s; %s", first, left) : left;
}

void slots_deploy(struct builder *b)
{
    const struct plan *plan = b->plan;
    const char *slot = plan->candidate_slot;
    struct names names = plan_slot_names(b, slot);

    struct step *step = plan_step(b, STEP_DEPLOY, arena_format(b->arena, "deploy-%s", slot));
    step->title = arena_format(b->arena, "start %s on %s", plan->version, slot);
    step->reason = deploy_reason(b);
    step->slot = slot;
    step->version = plan->version;
    plan_set_names(b, step, names);

    step = plan_step(b, STEP_READY, arena_format(b->arena, "ready-%s", slot));
    step->title = arena_format(b->arena, "wait until %s is ready", slot);
    step->reason = plan_says_so(b->arena, names.count, plan->version);
    step->slot = slot;
    step->version = plan->version;
    plan_set_names(b, step, names);
    step->touches = "nothing";

    step = plan_smoke(b, arena_format(b->arena, "smoke-%s", slot), first_of(b->facts, slot)->url,
                      "before any traffic");
    if (step != NULL) {
        step->slot = slot;
        step->version = plan->version;
    }
}

void slots_shift(struct builder *b, double weight, const char *reason)
{
    struct step *step = plan_step(b, STEP_SHIFT, arena_format(b->arena, "shift-%g", weight * 100));

    step->title = arena_format(b->arena, "send %s to %s", plan_traffic(b->arena, weight),
                               b->plan->candidate_slot);
    step->reason = reason;
    step->slot = b->plan->candidate_slot;
    step->version = b->plan->version;
    step->weight = weight;
    step->touches = "router";
}

void slots_watch(struct builder *b, double weight, int64_t duration)
{
    const char *stable = b->plan->stable_slot;
    const char *reason = "a breach takes it out of service again";

    if (b->plan->previous != NULL) {
        reason = arena_format(b->arena, "a breach sends all traffic back to %s", stable);
    }
    plan_watch(b, arena_format(b->arena, "watch-%g", weight * 100), duration, reason);
    struct step *step = &b->plan->steps.items[b->plan->steps.count - 1];
    step->slot = b->plan->candidate_slot;
    step->version = b->plan->version;
    step->weight = weight;
}

static void approve_step(struct builder *b)
{
    if (b->plan->strategy == STRATEGY_CANARY ? !b->config->canary_sign_off : !b->config->sign_off) {
        return;
    }
    struct step *step = plan_step(b, STEP_APPROVE, "approve");
    step->title = "wait for the sign-off of the operations lead";
    step->reason = "sign-off is on; ends with 75 until `deploy-action promote` or a re-run";
    if (b->focus != NULL && b->focus->reviewers.count > 0) {
        struct names names = {b->focus->reviewers.items, b->focus->reviewers.count};
        step->reason = arena_format(b->arena, "%s; guidance asks for %s too", step->reason,
                                    plan_join(b->arena, &names));
    }
}

void slots_finish(struct builder *b, const char *promoted)
{
    const char *slot = b->plan->candidate_slot;
    const char *own = first_of(b->facts, slot)->url;
    const char *url = b->config->url != NULL ? b->config->url : own;
    struct step *step = plan_smoke(b, "smoke-production", url, "with production traffic");

    if (step != NULL) {
        step->slot = slot;
        step->version = b->plan->version;
        step->production = true;
    }
    approve_step(b);
    plan_promote(
        b, arena_format(b->arena, "%s with %s becomes the stable one", slot, b->plan->version),
        promoted);
}
