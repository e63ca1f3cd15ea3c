/* SPDX-License-Identifier: Apache-2.0
 *
 * The four drivers of the simulated world, as their doors promise them.
 */
#include "sim.h"

#include "catalog.h"

#include <math.h>
#include <string.h>

struct workload {
    struct instances instances;
};

static const struct field none[] = {{.name = "on", .type = FIELD_BOOL, .doc = "Always."},
                                    {.name = NULL}};

struct settings {
    bool on;
};

/* ---- workload ---- */

static int open_workload(const struct driver_context *context, struct workload **out,
                         struct error *err)
{
    struct workload *workload = ARENA_NEW(context->arena, struct workload);
    (void)err;
    workload->instances.count = (size_t)sim.now.count;
    workload->instances.items = arena_array(context->arena, COPIES, sizeof(struct instance));
    for (int i = 0; i < sim.now.count; i++)
        workload->instances.items[i] = sim.now.copies[i].is;
    *out = workload;
    return 0;
}

static unsigned traits(const struct workload *workload)
{
    (void)workload;
    return sim.now.copies_back ? WORKLOAD_SLOTS | WORKLOAD_COPY
           : sim.now.slots     ? WORKLOAD_SLOTS
                               : WORKLOAD_IN_PLACE;
}

static const struct instances *instances(const struct workload *workload)
{
    return &workload->instances;
}

static bool concerns(const struct workload_target *target, const struct copy *copy)
{
    if (target->slot != NULL)
        return copy->is.slot != NULL && strcmp(copy->is.slot, target->slot) == 0;
    for (size_t i = 0; i < target->count; i++) {
        if (strcmp(target->names[i], copy->is.name) == 0)
            return true;
    }
    return false;
}

static int look(struct workload *workload, const struct workload_target *only, struct arena *arena,
                struct workload_state *out, struct error *err)
{
    enum fault fault;
    (void)workload;
    if (call_enter(CALL_READ, &fault, err) != 0)
        return -1;
    const struct world *world = fault == FAULT_STALE ? &sim.before : &sim.now;
    sim.now.asked_at = (int64_t)sim.process * CALLS_MAX + sim.calls;
    out->items = arena_array(arena, COPIES, sizeof *out->items);
    for (int i = 0; i < sim.now.count; i++) {
        struct copy *copy = &sim.now.copies[i];
        const struct copy *told = &world->copies[i];
        bool ready = copy_is_ready(told);
        if (only != NULL && !concerns(only, copy))
            continue;
        if (fault == FAULT_PARTIAL && i % 2 == sim.calls % 2) {
            out->items[out->count++] = (struct instance_state){
                .instance = copy->is, .restarts = -1, .oom_kills = -1, .unseen = true};
            continue;
        }
        out->items[out->count++] = (struct instance_state){
            .instance = copy->is,
            .running = told->version > 0,
            .ready = ready,
            .version = told->version > 0 ? sim.now.truth[told->version].name : NULL,
            .restarts = (int)told->restarts,
            .oom_kills = -1,
        };
        copy->seen_ready = copy->seen_ready || (ready && told->version == copy->version);
    }
    return fault == FAULT_PARTIAL ? 0 : call_leave(fault, err);
}

/* Every verb is written down before it is done: a step with a result is not done again. */
static void check_intent(const char *verb)
{
    if (sim.nested || !sim.locked)
        violate(9, "%s without the lock", verb);
    /* Production is made safe even where that cannot be written down. */
    if ((sim.seen & 1U << FAULT_DISK) == 0 && sim.signal == 0 && !saved_has_intent())
        violate(4, "%s without an intent", verb);
}

static void check_step(const struct workload_target *target, const char *verb)
{
    const struct run *run = &sim.session->run;
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        if (strcmp(step->step.id, target->step) == 0 && step->status != STATUS_INTENT)
            violate(4, "%s of '%s', whose result is recorded", verb, target->step);
        if (strcmp(step->step.id, target->step) == 0 && saved_was_done(step))
            violate(4, "%s of '%s', whose result was recorded", verb, target->step);
    }
}

/* Somebody moved the traffic during the very call, or the last look told what was before that;
 * and what the candidate was a copy of is replaced while it serves. */
static bool is_unseen(enum fault fault)
{
    return fault == FAULT_PERSON || sim.now.stale ||
           (sim.now.copies_back && sim.session->run.direction == BACKWARD);
}

/* Puts `version` (0: nothing) onto what the target names and what does not have it yet. */
static int put(const struct workload_target *target, const char *verb, int version,
               struct error *err)
{
    enum fault fault;
    if (call_enter(CALL_VERB, &fault, err) != 0)
        return -1;
    check_intent(verb);
    check_step(target, verb);
    sim.before = sim.now;
    int done = 0;
    for (int i = 0; i < sim.now.count; i++) {
        struct copy *copy = &sim.now.copies[i];
        if (!concerns(target, copy) || copy->version == version ||
            (fault == FAULT_PARTIAL && done > 0))
            continue;
        if (sim.now.slots && copy->share > 0 && copy->version > 0 && !is_unseen(fault))
            violate(1, "%s of '%s', which has %.2f of the traffic", verb, copy->is.name,
                    copy->share);
        copy_start(copy, version);
        done++;
    }
    trace("%s %s: %d changed", verb, target->step, done);
    return call_leave(fault, err);
}

static int deploy(struct workload *workload, const struct workload_target *target,
                  struct error *err)
{
    (void)workload;
    return put(target, "deploy", version_index(target->version), err);
}

static int undo(struct workload *workload, const struct workload_target *target, struct error *err)
{
    (void)workload;
    return put(target, "undo", target->slot != NULL ? 0 : version_index(target->version), err);
}

static int retire(struct workload *workload, const struct workload_target *target,
                  struct error *err)
{
    (void)workload;
    return put(target, "retire", 0, err);
}

static bool gates_passed(const struct run *run)
{
    for (size_t i = 0; i < run->check_count; i++) {
        const struct run_check *check = &run->checks[i];
        if (check->group != NULL && strcmp(check->group, "security") == 0 &&
            check->verdict != VERDICT_PASS)
            return false;
    }
    return true;
}

static bool needs_person(const struct config *config)
{
    if (sim.session->inputs.strategy == STRATEGY_ROLLING)
        return config->validate == VALIDATE_MANUAL;
    return sim.session->inputs.strategy == STRATEGY_CANARY ? config->canary_sign_off
                                                           : config->sign_off;
}

static bool has_target(const struct config *config)
{
    const struct slo_config *slos = config->slos.items;
    for (size_t i = 0; i < config->slos.count; i++) {
        if (slos[i].kind == SLO_ERROR_RATE)
            return slos[i].target.set;
    }
    return false;
}

static void check_truth(int version)
{
    const struct config *config = sim.session->config;
    const struct slo_config *slos = config->slos.items;
    for (size_t i = 0; i < config->slos.count; i++) {
        if (slos[i].kind == SLO_LATENCY && sim.now.truth[version].slow && sim.delivered_here >= 100)
            violate(7, "%s is promoted, and slow", sim.session->run.version);
    }
}

/* Nobody becomes the stable version unseen: the last watch was told enough requests, unless a
 * person ended it. */
static void check_promotion(void)
{
    const struct run *run = &sim.session->run;
    const struct config *config = sim.session->config;
    int version = version_index(run->version);
    bool watched = false;
    for (size_t i = 0; i < run->metric_count; i++)
        trace("%s: %s, %g, baseline %g (%s)", run->metrics[i].slo, run->metrics[i].judgement,
              run->metrics[i].value, run->metrics[i].baseline, run->metrics[i].detail);
    for (size_t i = 0; i < run->step_count; i++) {
        if (run->steps[i].step.kind == STEP_WATCH)
            watched = run->steps[i].status == STATUS_DONE;
    }
    bool gated = config->gates[GATE_SECURITY].count > 0;
    if ((gated && sim.now.gate_fails) || !gates_passed(run))
        violate(7, "%s is promoted although a gate said no", run->version);
    if (!world_has_moved() && world_share(version) + world_share(0) < 0.999)
        violate(3, "%s is promoted with %.2f of the traffic", run->version, world_share(version));
    if (needs_person(config) && sim.waits == 0 && !sim.person_decided)
        violate(7, "%s is promoted, and nobody was asked", run->version);
    if (!watched || sim.person_decided)
        return;
    bool looked = (config->rollback_on & 1U << ON_CRASH_LOOP) != 0;
    if (looked && sim.now.truth[version].crashes && (sim.seen & 1U << FAULT_STALE) == 0)
        violate(7, "%s is promoted, and crashes all the time", run->version);
    if (sim.delivered < (double)config->min_requests)
        violate(7, "%s is promoted on %.0f requests, needed %lld", run->version, sim.delivered,
                (long long)config->min_requests);
    check_truth(version);
    /* Of a handful of requests not one may have failed; what is compared may have failed, too. */
    if (has_target(config) && sim.now.truth[version].errors * sim.delivered_here >= 6)
        violate(7, "%s is promoted with %.0f %% of errors", run->version,
                sim.now.truth[version].errors * 100);
}

/* What the candidate was a copy of; it was tested there. */
static void update_original(struct copy *copy, int version, enum fault fault)
{
    if (copy->share > 0 && copy->version > 0 && !is_unseen(fault))
        violate(1, "%s is updated with %.2f of the traffic", copy->is.name, copy->share);
    copy_start(copy, version);
    copy->smoked = true;
}

/* The user's own command, which cannot be looked at: its guard's record tells. */
static int promote(struct workload *workload, const struct workload_target *target,
                   struct error *err)
{
    enum fault fault;
    (void)workload;
    if (call_enter(CALL_VERB, &fault, err) != 0)
        return -1;
    int version = version_index(target->version);
    check_intent("promote");
    check_step(target, "promote");
    check_promotion();
    uint64_t name = sim_name(sim.session->run.id, target->step);
    if (sim.now.promoted == name && !target->resumed)
        violate(4, "promote of %s a second time", target->version);
    sim.now.promoted = name;
    trace("promote %s", target->version);
    for (int i = 0; sim.now.copies_back && i < sim.now.count; i++) {
        struct copy *copy = &sim.now.copies[i];
        if (strcmp(copy->is.slot, "blue") == 0 && copy->version != version)
            update_original(copy, version, fault);
    }
    return call_leave(fault, err);
}

static void close_workload(struct workload *workload)
{
    (void)workload;
}

static const struct workload_driver workload_door = {
    .open = open_workload,
    .traits = traits,
    .instances = instances,
    .observe = look,
    .deploy = deploy,
    .update = deploy,
    .promote = promote,
    .undo = undo,
    .retire = retire,
    .close = close_workload,
};

/* ---- router ---- */

static int open_router(const struct driver_context *context, const struct instances *all,
                       struct router **out, struct error *err)
{
    (void)context, (void)all, (void)err;
    *out = NULL;
    return 0;
}

static int observe(struct router *router, struct arena *arena, struct traffic *out,
                   struct error *err)
{
    enum fault fault;
    (void)router;
    if (call_enter(CALL_READ, &fault, err) != 0)
        return -1;
    const struct world *world = fault == FAULT_STALE ? &sim.before : &sim.now;
    sim.now.stale = fault == FAULT_STALE;
    sim.now.routed_at = (int64_t)sim.process * CALLS_MAX + sim.calls;
    out->items = arena_array(arena, COPIES, sizeof *out->items);
    out->count = (size_t)sim.now.count;
    for (int i = 0; i < sim.now.count; i++) {
        const struct copy *copy = &world->copies[i];
        out->items[i] = (struct route){.instance = sim.now.copies[i].is,
                                       .state = (enum traffic_state)copy->state,
                                       .share = copy->share,
                                       .known = true,
                                       .connections = -1};
    }
    return call_leave(fault, err);
}

/* A stage's own traffic, not what a resumed run sets again. */
static bool is_stage(void)
{
    const struct run *run = &sim.session->run;
    for (size_t i = 0; i < run->step_count; i++) {
        if (run->steps[i].status == STATUS_INTENT)
            return run->steps[i].step.kind == STEP_SHIFT;
    }
    return false;
}

static int shift(struct router *router, const struct traffic *wanted, struct error *err)
{
    enum fault fault;
    (void)router;
    if (call_enter(CALL_SHIFT, &fault, err) != 0)
        return -1;
    check_intent("shift");
    sim.before = sim.now;
    /* On the way: every share between the old and the wanted one. */
    double done = fault == FAULT_PARTIAL ? 0.5 : 1;
    bool changed = false;
    for (size_t i = 0; i < wanted->count; i++) {
        struct copy *copy = &sim.now.copies[i];
        double share = copy->share + done * (wanted->items[i].share - copy->share);
        changed = changed || fabs(share - copy->share) > 0.001;
        copy->share = share;
        copy->state = (int)wanted->items[i].state;
    }
    if (changed && is_stage())
        sim.delivered = sim.delivered_here = 0;
    trace("shift: v1 %.2f v2 %.2f v3 %.2f", world_share(1), world_share(2), world_share(3));
    world_check_traffic();
    return call_leave(fault, err);
}

static void close_router(struct router *router)
{
    (void)router;
}

static const struct router_driver router_door = {open_router, observe, shift, close_router};

/* ---- check ---- */

static const char *subject(const struct check_config *config, struct arena *arena)
{
    (void)config, (void)arena;
    return "asks the world";
}

static const char *variable_of(const struct check_call *call, const char *name)
{
    for (const struct variable *each = call->context->variables; each->name != NULL; each++) {
        if (strcmp(each->name, name) == 0)
            return each->value;
    }
    return NULL;
}

static void smoke(struct check_call *call)
{
    const char *url = variable_of(call, "base_url");
    int version = version_index(variable_of(call, "version"));
    bool pass = !sim.now.truth[version].smoke_fails;
    for (int i = 0; pass && i < sim.now.count; i++) {
        struct copy *copy = &sim.now.copies[i];
        bool here = url != NULL && strcmp(copy->is.url, url) == 0;
        if (here && copy->version != version)
            pass = false;
        /* One address stands for its slot. */
        for (int j = 0; here && pass && j < sim.now.count; j++) {
            struct copy *other = &sim.now.copies[j];
            if (j == i || (other->is.slot != NULL && strcmp(other->is.slot, copy->is.slot) == 0))
                other->smoked = other->smoked || other->version == version;
        }
    }
    call->verdict = pass ? VERDICT_PASS : VERDICT_FAIL;
}

static int start(struct check_call *call, struct error *err)
{
    enum fault fault;
    if (call_enter(CALL_CHECK, &fault, err) != 0)
        return -1;
    call->evidence = "the world answered";
    if (fault == FAULT_FLAP)
        call->verdict = VERDICT_FAIL;
    else if (strcmp(call->config->name, "gate") == 0)
        call->verdict = sim.now.gate_fails ? VERDICT_FAIL : VERDICT_PASS;
    else
        smoke(call);
    return 0;
}

static const struct check_driver check_door = {subject, start, start};

static const struct driver_row workload_row = {
    "workload", "sim", "", none, sizeof(struct settings), &workload_door};
static const struct driver_row router_row = {"router",    "sim", "", none, sizeof(struct settings),
                                             &router_door};
static const struct driver_row check_row = {"check",    "sim", "", none, sizeof(struct settings),
                                            &check_door};
static const struct driver_row metric_row = {"metric",   "sim", "", none, sizeof(struct settings),
                                             &sim_metric};

const struct driver_row *const driver_rows[] = {&workload_row, &router_row, &check_row, &metric_row,
                                                NULL};
