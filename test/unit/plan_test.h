/* SPDX-License-Identifier: Apache-2.0
 *
 * Random worlds for the tests of plan/, and a model of what steps do to one.
 */
#ifndef PLAN_TEST_H
#define PLAN_TEST_H

#include "arena.h"
#include "plan.h"
#include "slowly.h"
#include "text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 8

struct world {
    struct arena arena;
    uint64_t seed;
    struct config config;
    struct facts facts;
    struct fact_instance instances[MOST];
    struct canary_step stages[4];
    struct check_config checks[3];
    struct slo_config slos[2];
    struct focus focus;
    struct plan_request request;
    struct plan plan;
};

static inline uint64_t roll(struct world *world, uint64_t sides)
{
    world->seed ^= world->seed << 13;
    world->seed ^= world->seed >> 7;
    world->seed ^= world->seed << 17;
    return (world->seed >> 20) % sides;
}

static inline bool coin(struct world *world)
{
    return roll(world, 2) == 1;
}

static inline void random_checks(struct world *world)
{
    for (int i = 0; i < 3; i++) {
        world->checks[i] = (struct check_config){.name = "check",
                                                 .timeout = 1000 + (int64_t)roll(world, 9000),
                                                 .retries = (int64_t)roll(world, 4),
                                                 .retry_delay = 1000};
    }
    for (int g = 0; g < GATES; g++) {
        world->config.gates[g] = (struct rows){world->checks, roll(world, 4)};
    }
    bool smoke = coin(world);
    for (int g = 0; g < SMOKE_GROUPS && smoke; g++) {
        world->config.smoke[g] = (struct rows){world->checks, roll(world, 3)};
    }
}

static inline void random_stages(struct world *world)
{
    size_t count = 1 + roll(world, 4);

    for (size_t i = 0; i < count; i++) {
        world->stages[i].weight =
            i + 1 == count ? 1 : 0.01 + 0.2 * (double)i + 0.001 * (double)roll(world, 100);
        world->stages[i].watch = 1000 * (int64_t)(1 + roll(world, 600));
    }
    world->config.canary_steps = (struct rows){world->stages, count};
}

static inline void random_config(struct world *world)
{
    struct config *config = &world->config;

    random_checks(world);
    random_stages(world);
    config->url = coin(world) ? "http://shop.test" : NULL;
    config->blue_green_watch = 900000;
    config->retire_after = 86400000;
    config->sign_off = coin(world);
    config->canary_sign_off = coin(world);
    config->batch = 1 + (int64_t)roll(world, 3);
    config->validate = (int)roll(world, 2);
    config->rolling_watch = coin(world) ? 60000 : 0;
    config->slos = (struct rows){world->slos, roll(world, 3)};
    config->baseline_window = coin(world) ? 60000 : 0;
    config->hold = 300000;
    config->ready_timeout = 120000;
    config->keep = coin(world) ? 3600000 : 0;
}

/* Mostly healthy: one slot or all instances on v1, now and then something odd. */
static inline void random_instance(struct world *world, size_t i, bool slots, bool first)
{
    struct fact_instance *instance = &world->instances[i];
    bool stable = !slots || i % 2 == 0;
    uint64_t odd = roll(world, 16); /* 0: down, 1: not ready, 2 and 3: another version */

    instance->name = arena_format(&world->arena, "web-%zu", i + 1);
    instance->slot = !slots ? NULL : i % 2 == 0 ? "blue" : "green";
    instance->url = coin(world) ? arena_format(&world->arena, "http://i%zu.test", i) : NULL;
    instance->running = !first && (stable ? odd != 0 : coin(world));
    instance->ready = instance->running && odd != 1;
    instance->version = stable ? "v1" : coin(world) ? "v2" : "v0";
    if (odd == 2 || (odd == 3 && !slots)) {
        instance->version = "v2";
    }
    if (!instance->running) {
        instance->version = NULL;
    }
    instance->share = !first && stable && roll(world, 20) != 0 ? 1 : 0;
}

static inline void random_facts(struct world *world)
{
    bool slots = coin(world), first = roll(world, 8) == 0;

    world->facts.count = 1 + roll(world, MOST);
    if (slots && world->facts.count < 2) {
        world->facts.count = 2;
    }
    world->facts.instances = world->instances;
    world->facts.traits = slots ? FACT_SLOTS : FACT_IN_PLACE;
    if (slots && roll(world, 4) == 0) {
        world->facts.traits |= FACT_COPY;
    }
    for (size_t i = 0; i < world->facts.count; i++) {
        random_instance(world, i, slots, first);
    }
    facts_derive(&world->arena, &world->facts);
}

static inline void world_open(struct world *world, uint64_t seed)
{
    static const char *reviewers[] = {"security-architect", "privacy-officer"};

    memset(world, 0, sizeof *world);
    world->seed = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    random_config(world);
    random_facts(world);
    world->focus.tight = coin(world);
    world->focus.reviewers = (struct texts){reviewers, roll(world, 3)};
    bool slots = world->facts.traits & FACT_SLOTS;
    world->request = (struct plan_request){&world->config, &world->facts,
                                           !slots        ? STRATEGY_ROLLING
                                           : coin(world) ? STRATEGY_CANARY
                                                         : STRATEGY_BLUE_GREEN,
                                           roll(world, 10) == 0 ? "v1" : "v2",
                                           coin(world) ? &world->focus : NULL};
}

static inline void world_close(struct world *world)
{
    arena_release(&world->arena);
}

/* What production is, as far as steps can change it. */
struct model {
    const char *names[MOST], *slots[MOST], *versions[MOST];
    bool drained[MOST];
    size_t count;
    double weight;
};

static inline void model_open(struct model *model, const struct world *world)
{
    memset(model, 0, sizeof *model);
    model->count = world->facts.count;
    for (size_t i = 0; i < model->count; i++) {
        model->names[i] = world->instances[i].name;
        model->slots[i] = world->instances[i].slot;
        model->versions[i] = world->instances[i].version;
    }
}

static inline bool step_concerns(const struct step *step, const struct model *model, size_t i)
{
    for (size_t k = 0; k < step->count; k++) {
        if (text_equal(step->instances[k], model->names[i])) {
            return true;
        }
    }
    return false;
}

static inline void model_instance(struct model *model, const struct step *step, size_t i)
{
    switch (step->kind) {
    case STEP_DEPLOY:
        model->versions[i] = step->version;
        break;
    case STEP_UNDO:
        model->versions[i] = step->slot == NULL ? step->version : NULL;
        break;
    case STEP_RETIRE:
        model->versions[i] = NULL;
        break;
    case STEP_SHIFT:
        model->drained[i] = step->state == STATE_DRAIN;
        break;
    default:
        break;
    }
}

static inline void model_step(struct model *model, const struct step *step)
{
    if (step->kind == STEP_SHIFT && step->weight >= 0) {
        model->weight = step->weight;
    }
    for (size_t i = 0; i < model->count; i++) {
        if (step_concerns(step, model, i)) {
            model_instance(model, step, i);
        }
    }
}

static inline size_t model_drained(const struct model *model)
{
    size_t count = 0;

    for (size_t i = 0; i < model->count; i++) {
        count += model->drained[i];
    }
    return count;
}

static inline size_t smoke_tests(const struct world *world)
{
    size_t count = 0;

    for (int g = 0; g < SMOKE_GROUPS; g++) {
        count += world->config.smoke[g].count;
    }
    return count;
}

static inline void assert_unique(const struct steps *steps, const struct steps *others)
{
    for (size_t i = 0; i < steps->count; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(steps->items[i].id, steps->items[k].id);
        }
        for (size_t k = 0; others != NULL && k < others->count; k++) {
            assert_string_not_equal(steps->items[i].id, others->items[k].id);
        }
    }
}

static inline void assert_sound(const struct step *step)
{
    assert_non_null(step->id);
    assert_true(*step->title != '\0' && *step->reason != '\0' && *step->touches != '\0');
    assert_string_equal(step->target, "default");
    assert_true(step->duration >= 0 && step->deadline >= step->duration);
    bool human = step->kind == STEP_VALIDATE || step->kind == STEP_APPROVE;
    assert_int_equal(human, step->deadline == 0);
    assert_true(step->weight == -1 || (step->weight >= 0 && step->weight <= 1));
    if (step->kind == STEP_SHIFT) {
        assert_true((step->weight >= 0) != (step->state >= 0));
    }
    if (step->kind == STEP_DEPLOY || step->kind == STEP_READY || step->kind == STEP_UNDO) {
        assert_non_null(step->version);
        assert_true(step->count > 0);
    }
}

static inline bool touches_world(const struct step *step)
{
    return step->kind == STEP_DEPLOY || step->kind == STEP_SHIFT || step->kind == STEP_PROMOTE ||
           step->kind == STEP_RETIRE;
}

static inline bool build(struct world *world)
{
    struct error error = {0};

    if (plan_build(&world->arena, &world->request, &world->plan, &error) != 0) {
        assert_int_equal(error.kind, ERROR_STATE);
        assert_true(*error.message != '\0');
        return false;
    }
    if (world->plan.nothing_to_do) {
        assert_int_equal(world->plan.steps.count, 0);
        return false;
    }
    return true;
}

static inline size_t kinds(const struct steps *steps, enum step_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < steps->count; i++) {
        count += steps->items[i].kind == kind;
    }
    return count;
}

#endif
