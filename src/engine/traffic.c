/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"
#include "log.h"
#include "parts.h"

#include <math.h>
#include <string.h>

#define SHARE_TOLERANCE 0.011 /* HAProxy's weights resolve 1/256 a server */
#define DRAIN_MS 10000

bool run_has_slots(const struct run *run)
{
    return run->candidate_slot != NULL;
}

double traffic_expected(const struct run *run)
{
    double weight = 0;
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        if (step->step.kind == STEP_SHIFT && step->step.weight >= 0 && step->status == STATUS_DONE)
            weight = step->step.weight;
    }
    return weight;
}

/* Whether the last finished SHIFT about this instance took it out of rotation. */
static bool is_drained(const struct run *run, const char *name)
{
    bool drained = false;
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        if (step->step.kind != STEP_SHIFT || step->step.state < 0 || step->status != STATUS_DONE)
            continue;
        for (size_t j = 0; j < step->step.count; j++) {
            if (strcmp(step->step.instances[j], name) == 0)
                drained = step->step.state != TRAFFIC_READY;
        }
    }
    return drained;
}

static size_t slot_size(const struct engine *engine, const char *slot)
{
    size_t size = 0;
    for (size_t i = 0; i < engine->instances.count; i++)
        size += text_equal(engine->instances.items[i].slot, slot) && slot != NULL ? 1U : 0U;
    return size;
}

static struct traffic traffic_empty(struct engine *engine)
{
    struct traffic traffic = {.count = engine->instances.count};
    traffic.items = arena_array(&engine->tick, traffic.count, sizeof *traffic.items);
    for (size_t i = 0; i < traffic.count; i++)
        traffic.items[i].instance = engine->instances.items[i];
    return traffic;
}

/* The whole wanted state, with the candidate at weight. */
static struct traffic traffic_by_weight(struct engine *engine, double weight)
{
    const struct run *run = engine->run;
    struct traffic traffic = traffic_empty(engine);
    size_t candidates = slot_size(engine, run->candidate_slot);
    size_t stables = slot_size(engine, run->stable_slot);
    if (stables == 0 && weight > 0)
        weight = 1;
    for (size_t i = 0; i < traffic.count; i++) {
        struct route *route = &traffic.items[i];
        if (text_equal(route->instance.slot, run->candidate_slot) && candidates > 0)
            route->share = weight / (double)candidates;
        else if (text_equal(route->instance.slot, run->stable_slot) && stables > 0)
            route->share = (1 - weight) / (double)stables;
    }
    return traffic;
}

static bool step_names(const struct step *step, const char *name)
{
    for (size_t i = 0; step != NULL && i < step->count; i++) {
        if (strcmp(step->instances[i], name) == 0)
            return true;
    }
    return false;
}

/* The whole wanted state of a rolling run, with the instances of `step` in its state. */
static struct traffic traffic_by_state(struct engine *engine, const struct step *step)
{
    struct traffic traffic = traffic_empty(engine);
    size_t ready = 0;
    for (size_t i = 0; i < traffic.count; i++) {
        struct route *route = &traffic.items[i];
        route->state =
            is_drained(engine->run, route->instance.name) ? TRAFFIC_DRAIN : TRAFFIC_READY;
        if (step_names(step, route->instance.name))
            route->state = (enum traffic_state)step->state;
        ready += route->state == TRAFFIC_READY ? 1U : 0U;
    }
    for (size_t i = 0; i < traffic.count; i++) {
        if (traffic.items[i].state == TRAFFIC_READY)
            traffic.items[i].share = 1 / (double)ready;
    }
    return traffic;
}

/* Slots that deploy.yaml, or a state edited by hand, no longer names would leave their share of
 * the users to nobody. */
static int check_shares(const struct engine *engine, const struct traffic *wanted,
                        struct error *err)
{
    const struct run *run = engine->run;
    double sum = 0;
    for (size_t i = 0; i < wanted->count; i++)
        sum += wanted->items[i].share;
    if (sum > 0.999)
        return 0;
    const char *slot =
        slot_size(engine, run->candidate_slot) > 0 ? run->stable_slot : run->candidate_slot;
    return error_set(err, ERROR_STATE,
                     "no instance in deploy.yaml is in slot '%s': the traffic is left as it is",
                     slot == NULL ? "" : slot);
}

static int set(struct engine *engine, const struct traffic *wanted, struct error *err)
{
    engine->proven = false;
    return engine->router->shift(engine->router_handle, wanted, err);
}

int traffic_apply(struct engine *engine, double weight, struct error *err)
{
    struct traffic wanted = traffic_by_weight(engine, weight);
    if (check_shares(engine, &wanted, err) != 0)
        return -1;
    return set(engine, &wanted, err);
}

int traffic_set_state(struct engine *engine, const struct step *step, struct error *err)
{
    struct traffic wanted = traffic_by_state(engine, step);
    double sum = 0;
    for (size_t i = 0; i < wanted.count; i++)
        sum += wanted.items[i].share;
    if (sum <= 0 && engine->run->previous != NULL)
        return error_set(err, ERROR_STATE, "nothing else is left to serve");
    return set(engine, &wanted, err);
}

static bool route_concerns(const struct route *route, const struct step *step)
{
    if (step->slot != NULL)
        return text_equal(route->instance.slot, step->slot);
    return step_names(step, route->instance.name);
}

int traffic_drained(struct engine *engine, const struct step *step, struct error *err)
{
    int64_t until = now_mono(engine) + DRAIN_MS;
    for (;;) {
        struct traffic traffic = {0};
        if (engine->router->observe(engine->router_handle, &engine->tick, &traffic, err) != 0)
            return -1;
        double share = step->slot == NULL ? 0 : traffic_share(&traffic, step->slot);
        if (share > 0)
            return error_set(err, ERROR_STATE, "slot '%s' still has %.1f %% of the traffic",
                             step->slot, share * 100);
        int64_t open = 0;
        for (size_t i = 0; i < traffic.count; i++) {
            if (route_concerns(&traffic.items[i], step) && traffic.items[i].connections > 0)
                open += traffic.items[i].connections;
        }
        if (open == 0)
            return 0;
        if (now_mono(engine) >= until) {
            engine_event(engine, EVENT_NOTE, "%lld connections were still open after %d s",
                         (long long)open, DRAIN_MS / 1000);
            return 0;
        }
        if (engine_sleep(engine, 50, err) != 0)
            return -1;
    }
}

static struct traffic traffic_by_journal(struct engine *engine)
{
    if (run_has_slots(engine->run))
        return traffic_by_weight(engine, traffic_expected(engine->run));
    return traffic_by_state(engine, NULL);
}

static const char *route_difference(struct engine *engine, const struct route *is,
                                    const struct route *wanted)
{
    if (!is->known)
        return arena_format(&engine->tick, "the router does not know '%s'", is->instance.name);
    if (wanted->state == TRAFFIC_READY && wanted->share > 0 && is->state != TRAFFIC_READY)
        return arena_format(&engine->tick, "'%s' is out of rotation", is->instance.name);
    if (fabs(is->share - wanted->share) > SHARE_TOLERANCE || (wanted->share <= 0 && is->share > 0))
        return arena_format(&engine->tick, "'%s' has %.1f %% of the traffic, not %.1f %%",
                            is->instance.name, is->share * 100, wanted->share * 100);
    return NULL;
}

int traffic_drift(struct engine *engine, const char **what, struct error *err)
{
    struct traffic is = {0}, wanted = traffic_by_journal(engine);
    if (engine->router->observe(engine->router_handle, &engine->tick, &is, err) != 0)
        return -1;
    for (size_t i = 0; i < wanted.count; i++) {
        for (size_t j = 0; j < is.count; j++) {
            if (strcmp(is.items[j].instance.name, wanted.items[i].instance.name) != 0)
                continue;
            const char *difference = route_difference(engine, &is.items[j], &wanted.items[i]);
            if (difference != NULL) {
                *what = difference;
                return 1;
            }
        }
    }
    return 0;
}

double traffic_of_slot(struct engine *engine, const char *slot, struct error *err)
{
    struct traffic traffic = {0};
    if (engine->router->observe(engine->router_handle, &engine->tick, &traffic, err) != 0)
        return -1;
    return traffic_share(&traffic, slot);
}

static bool anything_shifted(const struct run *run)
{
    for (size_t i = 0; i < run->step_count; i++) {
        if (run->steps[i].step.kind == STEP_SHIFT && run->steps[i].status != STATUS_PENDING &&
            run->steps[i].status != STATUS_SKIPPED)
            return true;
    }
    return false;
}

static bool is_updated(const struct run *run, const char *name)
{
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        if (step->step.kind == STEP_DEPLOY && step->direction == FORWARD &&
            step->status != STATUS_PENDING && step->status != STATUS_SKIPPED &&
            step_names(&step->step, name))
            return true;
    }
    return false;
}

/* Out of rotation by us, with the new version on it: it may not have passed its tests yet, or may
 * be what is taken away. What tells the old version although it was updated may tell what was. */
static bool is_unproven(const struct run *run, const struct instance_state *instance)
{
    const char *name = instance->instance.name;
    return is_drained(run, name) && (text_equal(instance->version, run->version) ||
                                     (run->direction == FORWARD && is_updated(run, name)));
}

static bool may_serve(const struct run *run, const struct workload_state *state, const char *name,
                      bool unproven)
{
    for (size_t i = 0; i < state->count; i++) {
        const struct instance_state *instance = &state->items[i];
        if (strcmp(instance->instance.name, name) != 0)
            continue;
        if (instance->unseen) /* it stays where the journal has it */
            return !is_drained(run, name);
        return instance->ready && (unproven || !is_unproven(run, instance));
    }
    return false;
}

static size_t let_serve(const struct engine *engine, const struct workload_state *state,
                        bool unproven, struct traffic *wanted)
{
    size_t ready = 0;
    for (size_t i = 0; i < wanted->count; i++) {
        struct route *route = &wanted->items[i];
        bool serves = may_serve(engine->run, state, route->instance.name, unproven);
        route->state = serves ? TRAFFIC_READY : TRAFFIC_DRAIN;
        ready += serves ? 1U : 0U;
    }
    for (size_t i = 0; i < wanted->count && ready > 0; i++)
        wanted->items[i].share = wanted->items[i].state == TRAFFIC_READY ? 1 / (double)ready : 0;
    return ready;
}

/* Rolling: whatever is out of rotation but healthy serves again, the rest stays out. A new
 * version that nobody has tested serves only where nothing else can. */
static int safe_in_place(struct engine *engine, const char **named, struct error *err)
{
    struct workload_state state = {0};
    if (engine->workload->observe(engine->workload_handle, NULL, &engine->tick, &state, err) != 0)
        return -1;
    struct traffic wanted = traffic_empty(engine);
    size_t ready = let_serve(engine, &state, false, &wanted);
    if (ready == 0)
        ready = let_serve(engine, &state, true, &wanted);
    *named = arena_format(engine->context.arena, "%zu of %zu instances serve", ready, wanted.count);
    return ready == 0 ? 0 : set(engine, &wanted, err);
}

enum wellness { NOT_WELL, PERHAPS_WELL, WELL };

static enum wellness slot_wellness(struct engine *engine, const char *slot)
{
    struct workload_state state = {0};
    struct error why = {0};
    enum wellness best = NOT_WELL;
    if (step_observe(engine, &(struct step){.slot = slot}, &state, &why) != 0)
        return PERHAPS_WELL;
    for (size_t i = 0; i < state.count; i++) {
        if (state.items[i].ready)
            return WELL;
        best = state.items[i].unseen ? PERHAPS_WELL : best;
    }
    return best;
}

/* The objects that stand for the old version may be on their way to the new one. */
static bool is_promotion_begun(const struct run *run)
{
    for (size_t i = 0; i < run->step_count; i++) {
        if (run->steps[i].step.kind == STEP_PROMOTE && run->steps[i].status != STATUS_PENDING)
            return run->direction == FORWARD;
    }
    return false;
}

/* Said of production only where it has just been seen. */
static int safe_as_it_is(struct engine *engine, const char *version, const char *state,
                         const char **named)
{
    struct arena *arena = engine->context.arena;
    struct error why = {0};
    if (version == NULL)
        *named = state;
    else if (place_serves(engine, version, 0, &why) == 0)
        *named = arena_format(arena, "%s serves 100 %%, %s", version, state);
    else
        *named = arena_format(arena, "%s, but: %s", state, why.message);
    return 0;
}

/* Back to the old version, unless it is the one that is not well: then traffic stays. */
static int safe_slots(struct engine *engine, const char **named, struct error *err)
{
    const struct run *run = engine->run;
    struct arena *arena = engine->context.arena;
    const char *stable = run->previous == NULL ? "nothing" : run->previous;
    enum wellness old = slot_wellness(engine, run->stable_slot);
    bool doubtful = old == NOT_WELL || (old == PERHAPS_WELL && is_promotion_begun(run));
    if (doubtful && slot_wellness(engine, run->candidate_slot) != NOT_WELL) {
        engine_issue(engine, "P1", "%s on %s is not ready: the traffic was left where it is",
                     stable, run->stable_slot);
        *named = arena_format(arena, "%s on %s is not ready, traffic left at %g %% on %s", stable,
                              run->stable_slot, traffic_expected(run) * 100, run->candidate_slot);
        return 0;
    }
    if (traffic_apply(engine, 0, err) != 0)
        return -1;
    struct error why = {0};
    *named =
        place_serves(engine, run->previous, 0, &why) == 0
            ? arena_format(arena, "%s on %s serves 100 %%", stable, run->stable_slot)
            : arena_format(arena, "all traffic goes to %s, but: %s", run->stable_slot, why.message);
    return 0;
}

int traffic_make_safe(struct engine *engine, const char **named, struct error *err)
{
    const struct run *run = engine->run;
    if (run_is_promoted(run) && run->direction == FORWARD)
        return safe_as_it_is(engine, run->version, "it is the stable version", named);
    if (!anything_shifted(run))
        return safe_as_it_is(engine, run->previous, "production untouched", named);
    if (!run_has_slots(run))
        return safe_in_place(engine, named, err);
    if (run->stable_slot == NULL) {
        *named = "first deployment, there is no older version to go back to";
        return 0;
    }
    return safe_slots(engine, named, err);
}
