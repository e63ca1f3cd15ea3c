/* SPDX-License-Identifier: Apache-2.0
 *
 * What holds for every way back, from every point of every plan.
 */
#include "plan_test.h"

#define WORLDS (3000 / SLOWLY)

static void back_from(struct world *world, size_t done, struct steps *back)
{
    bool *touched = arena_array(&world->arena, world->plan.steps.count + 1, sizeof *touched);
    for (size_t i = 0; i < done; i++) {
        touched[i] = true;
    }
    struct rollback_request request = {
        .config = &world->config,
        .strategy = world->request.strategy,
        .version = world->plan.version,
        .previous = world->plan.previous,
        .stable_slot = world->plan.stable_slot,
        .candidate_slot = world->plan.candidate_slot,
        .steps = &world->plan.steps,
        .touched = touched,
    };
    plan_rollback(&world->arena, &request, back);
}

/* Production was reached: VERIFY, SMOKE where there are tests, INCIDENT, NOTIFY, in order. */
static void assert_proof(const struct world *world, const struct steps *back)
{
    size_t at = back->count;

    assert_int_equal(back->items[--at].kind, STEP_NOTIFY);
    assert_int_equal(back->items[--at].kind, STEP_INCIDENT);
    if (world->plan.previous == NULL) {
        assert_int_equal(kinds(back, STEP_VERIFY), 0);
        return;
    }
    if (smoke_tests(world) > 0) {
        assert_int_equal(back->items[--at].kind, STEP_SMOKE);
    }
    assert_int_equal(back->items[--at].kind, STEP_VERIFY);
    assert_string_equal(back->items[at].version, world->plan.previous);
}

static void assert_back_slots(const struct world *world, const struct steps *back,
                              const struct model *model, double reached)
{
    bool keep = world->config.keep > 0;

    assert_true(model->weight == 0);
    assert_int_equal(kinds(back, STEP_UNDO), keep ? 0 : 1);
    assert_int_equal(kinds(back, STEP_SHIFT), reached > 0 ? 1 : 0);
    if (reached > 0) {
        assert_proof(world, back);
    } else {
        assert_int_equal(kinds(back, STEP_INCIDENT), 0);
        assert_int_equal(kinds(back, STEP_VERIFY), world->plan.previous == NULL ? 0 : 1);
    }
    for (size_t i = 0; i < model->count && world->plan.previous != NULL; i++) {
        const struct fact_instance *was = &world->instances[i];
        if (text_equal(was->slot, world->plan.stable_slot) && was->running) {
            assert_string_equal(model->versions[i], world->plan.previous);
        }
    }
}

static void assert_back_rolling(const struct world *world, const struct steps *back,
                                const struct model *model)
{
    assert_proof(world, back);
    if (world->plan.previous == NULL) {
        return;
    }
    assert_int_equal(model_drained(model), 0);
    for (size_t i = 0; i < model->count; i++) {
        if (world->instances[i].running) {
            assert_string_not_equal(
                model->versions[i] == NULL ? "?" : model->versions[i],
                text_equal(world->plan.version, world->plan.previous) ? "?" : world->plan.version);
        }
    }
}

/* The way back from the first `done` steps, walked in the model. */
static void check_back(struct world *world, size_t done)
{
    const struct steps *forward = &world->plan.steps;
    struct steps back;
    struct model model;
    bool touched = false;
    double reached = 0;

    back_from(world, done, &back);
    model_open(&model, world);
    for (size_t i = 0; i < done; i++) {
        touched = touched || touches_world(&forward->items[i]);
        model_step(&model, &forward->items[i]);
        reached = model.weight > reached ? model.weight : reached;
    }
    if (!touched) {
        assert_int_equal(back.count, 0);
        return;
    }
    assert_unique(&back, forward);
    for (size_t i = 0; i < back.count; i++) {
        assert_sound(&back.items[i]);
        assert_int_equal(back.items[i].phase, PHASE_ROLLBACK);
        model_step(&model, &back.items[i]);
    }
    if (world->request.strategy == STRATEGY_ROLLING) {
        assert_back_rolling(world, &back, &model);
    } else {
        assert_back_slots(world, &back, &model, reached);
    }
}

static void every_prefix_has_a_way_back(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        struct world world;
        world_open(&world, seed);
        if (build(&world)) {
            for (size_t done = 0; done <= world.plan.steps.count; done++) {
                check_back(&world, done);
            }
        }
        world_close(&world);
    }
}

/* What UNDO does in a slot must come after the traffic has left it, and DEPLOY before. */
static void the_way_back_keeps_an_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        struct world world;
        world_open(&world, seed);
        if (build(&world) && world.request.strategy != STRATEGY_ROLLING) {
            struct steps back;
            bool shifted = false;
            back_from(&world, world.plan.steps.count, &back);
            for (size_t i = 0; i < back.count; i++) {
                shifted = shifted || back.items[i].kind == STEP_SHIFT;
                assert_false(shifted && back.items[i].kind == STEP_DEPLOY);
                assert_true(shifted || back.items[i].kind != STEP_UNDO);
            }
        }
        world_close(&world);
    }
}

static void retire_stops_the_slot(void **state)
{
    (void)state;
    struct world world;
    struct steps steps;
    world_open(&world, 5);
    plan_retire(&world.arena, &world.config, "blue", &steps);
    assert_int_equal(steps.count, 2);
    assert_int_equal(steps.items[0].kind, STEP_RETIRE);
    assert_string_equal(steps.items[0].slot, "blue");
    assert_int_equal(steps.items[1].kind, STEP_NOTIFY);
    assert_unique(&steps, NULL);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_prefix_has_a_way_back),
        cmocka_unit_test(the_way_back_keeps_an_order),
        cmocka_unit_test(retire_stops_the_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
