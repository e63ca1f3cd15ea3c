/* SPDX-License-Identifier: Apache-2.0
 *
 * Production, and what must hold of it after every change. Nothing here is shared with the engine.
 */
#include "sim.h"

#include "router.h"

#include <stdio.h>
#include <string.h>

#define TOLERANCE 0.0005

static char texts[COPIES][3][32];

int version_index(const char *name)
{
    for (int i = 1; i < VERSIONS; i++) {
        if (name != NULL && strcmp(sim.now.truth[i].name, name) == 0)
            return i;
    }
    return 0;
}

bool copy_is_ready(const struct copy *copy)
{
    return copy->version > 0 && !sim.now.truth[copy->version].never_ready &&
           sim.now.mono >= copy->ready_at;
}

void copy_start(struct copy *copy, int version)
{
    copy->version = version;
    copy->ready_at = sim.now.mono + 500 + (int64_t)sim_below(10, (uint64_t)sim.calls, 0, 3000);
    copy->restarts = 0;
    copy->total = copy->bad = 0;
    copy->seen_ready = copy->smoked = false;
}

double world_share(int version)
{
    double share = 0;
    for (int i = 0; i < sim.now.count; i++) {
        const struct copy *copy = &sim.now.copies[i];
        share += copy->version == version ? copy->share : 0;
    }
    return share;
}

static void serve(struct copy *copy, int64_t ms)
{
    double requests = sim.now.rate * copy->share * (double)ms / 1000;
    copy->total += requests;
    copy->bad += copy_is_ready(copy) ? requests * sim.now.truth[copy->version].errors : requests;
    if (sim.now.truth[copy->version].crashes && copy->share > 0)
        copy->restarts += (ms + 499) / 500;
}

void world_advance(int64_t ms)
{
    for (int i = 0; i < sim.now.count; i++)
        serve(&sim.now.copies[i], ms);
    sim.now.mono += ms;
}

static void truth_of(struct truth *truth, const char *name, uint64_t tag)
{
    *truth = (struct truth){.name = name};
    switch (sim_below(tag, 0, 0, 10)) {
    case 0:
    case 1:
        truth->errors = 0.2;
        break;
    case 2:
        truth->never_ready = true;
        break;
    case 3:
        truth->smoke_fails = true;
        break;
    case 4:
        truth->crashes = true;
        break;
    case 5:
        truth->slow = true;
        break;
    default:
        break;
    }
}

void world_begin(struct world *world)
{
    bool even = sim_below(20, 0, 0, 2) == 0;
    memset(world, 0, sizeof *world);
    world->slots = sim_below(21, 0, 0, 3) > 0;
    world->copies_back = world->slots && sim_below(28, 0, 0, 4) == 0;
    even = even || world->copies_back;
    int half = 1 + (int)sim_below(22, 0, 0, COPIES / 2);
    world->count = world->slots ? 2 * half : 2 + (int)sim_below(23, 0, 0, COPIES - 1);
    static const double rates[] = {0, 0.5, 5, 50};
    uint64_t dice = sim_below(24, 0, 0, 20);
    world->rate = rates[dice < 3 ? dice : 3];
    world->gate_fails = sim_below(25, 0, 0, 16) == 0;
    world->mono = 1000000;
    world->truth[1].name = "v1";
    truth_of(&world->truth[2], "v2", 26);
    truth_of(&world->truth[3], "v3", 27);
    for (int i = 0; i < world->count; i++) {
        struct copy *copy = &world->copies[i];
        bool first = i < half, serves = !world->slots || first == even;
        snprintf(texts[i][0], 32, "web-%d", i + 1);
        snprintf(texts[i][1], 32, "http://10.0.0.%d", i + 1);
        copy->is =
            (struct instance){.name = texts[i][0], .url = texts[i][1], .server = texts[i][0]};
        if (world->slots)
            copy->is.slot = first ? "blue" : "green";
        copy->version = serves ? 1 : 0;
        copy->share = !serves ? 0 : 1.0 / (world->slots ? half : world->count);
        copy->seen_ready = copy->smoked = serves;
    }
}

/* Everything back to the first of the two slots, or one copy out of the traffic. */
static void move_traffic(uint64_t choice)
{
    int wanted = 1 + (int)(choice % 2), serving = 0;
    for (int i = 0; i < sim.now.count; i++)
        serving += sim.now.copies[i].version == wanted ? 1 : 0;
    for (int i = 0; serving > 0 && sim.now.slots && i < sim.now.count; i++) {
        struct copy *copy = &sim.now.copies[i];
        copy->share = copy->version == wanted ? 1.0 / serving : 0;
    }
}

void world_person(void)
{
    uint64_t choice = sim_hash(30, (uint64_t)sim.process, (uint64_t)sim.calls);
    struct copy *copy = &sim.now.copies[choice / 8 % (uint64_t)sim.now.count];
    sim.now.person_at = (int64_t)sim.process * CALLS_MAX + sim.calls;
    switch (choice % 4) {
    case 0:
        move_traffic(choice / 64);
        break;
    case 1: /* a restart by hand */
        copy->ready_at = sim.now.mono + 1000;
        break;
    case 2: /* somebody stops one that takes no part */
        copy->version = copy->share > 0 ? copy->version : 0;
        break;
    default: /* the way back, by hand */
        if (!sim.now.slots && copy->version != 0)
            copy_start(copy, 1);
        break;
    }
}

bool world_has_moved(void)
{
    const struct world *now = &sim.now;
    int64_t looked = now->asked_at < now->routed_at ? now->asked_at : now->routed_at;
    return now->person_at > looked || (sim.seen & 1U << FAULT_STALE) != 0;
}

/* The most that the journal allows the candidate: the last shift that was at least begun. */
static double allowed_share(const struct run *run)
{
    double weight = 0;
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        if (step->step.kind == STEP_SHIFT && step->step.weight >= 0 &&
            (step->status == STATUS_INTENT || step->status == STATUS_DONE))
            weight = step->step.weight;
    }
    return weight;
}

static double slot_share(const struct world *world, const char *slot)
{
    double share = 0;
    for (int i = 0; i < world->count; i++) {
        const struct copy *copy = &world->copies[i];
        bool here = slot != NULL && copy->is.slot != NULL && strcmp(copy->is.slot, slot) == 0;
        share += here ? copy->share : 0;
    }
    return share;
}

static bool has_smoke(const struct config *config)
{
    for (int i = 0; i < SMOKE_GROUPS; i++) {
        if (config->smoke[i].count > 0)
            return true;
    }
    return false;
}

/* Nobody else could serve: untested is better than nothing. */
static bool is_last(const struct copy *copy)
{
    for (int i = 0; i < sim.now.count; i++) {
        /* For as long as a look and what follows from it take. */
        const struct copy *other = &sim.now.copies[i];
        if (other != copy && copy_is_ready(other) && other->ready_at + 1000 < sim.now.mono)
            return false;
    }
    return true;
}

void world_check_traffic(void)
{
    const struct run *run = &sim.session->run;
    int candidate = version_index(run->version);
    if (run->id == NULL || run->direction == BACKWARD || sim.ghost || candidate == 1)
        return;
    for (int i = 0; i < sim.now.count; i++) {
        const struct copy *copy = &sim.now.copies[i], *old = &sim.before.copies[i];
        if (copy->version != candidate || copy->share <= old->share + TOLERANCE)
            continue;
        if (!copy->seen_ready)
            violate(1, "%s gets traffic with %s before it was seen ready", copy->is.name,
                    run->version);
        if (has_smoke(sim.session->config) && !copy->smoked && !is_last(copy))
            violate(1, "%s gets traffic with %s before a smoke test", copy->is.name, run->version);
    }
    double share = slot_share(&sim.now, run->candidate_slot);
    /* Half of the way back from what somebody else had set is more than allowed, too. */
    bool more = share > slot_share(&sim.before, run->candidate_slot) + TOLERANCE;
    if (sim.now.slots && more && share > allowed_share(run) + TOLERANCE)
        violate(2, "%s has %.3f of the traffic, allowed %.3f", run->version, share,
                allowed_share(run));
}
