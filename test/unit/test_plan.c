/* SPDX-License-Identifier: Apache-2.0
 *
 * What holds for every plan, over many random configurations and worlds.
 */
#include "json.h"
#include "plan_test.h"

#define WORLDS (3000 / SLOWLY)

/* Gates and baseline come first, one PROMOTE after every WATCH, NOTIFY last. */
static void assert_order(const struct steps *steps)
{
    size_t promote = 0, watched = 0, promotes = 0;
    bool environment = false, touched = false;

    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->items[i];
        touched = touched || touches_world(step);
        assert_false(touched && (step->kind == STEP_CHECK || step->kind == STEP_BASELINE));
        environment = environment || text_equal(step->id, "check-environment");
        watched = step->kind == STEP_WATCH ? i : watched;
        if (step->kind == STEP_PROMOTE) {
            promote = i;
            promotes++;
        }
    }
    assert_true(environment);
    assert_int_equal(promotes, 1);
    assert_true(promote > watched);
    assert_int_equal(steps->items[steps->count - 1].kind, STEP_NOTIFY);
}

/* Before traffic: READY, and SMOKE where there are tests. After it: WATCH. Never less. */
static void assert_traffic(const struct world *world)
{
    const struct steps *steps = &world->plan.steps;
    bool ready = false, smoked = smoke_tests(world) == 0, promoted = false;
    double weight = 0;

    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->items[i];
        ready = ready || step->kind == STEP_READY;
        smoked = smoked || (step->kind == STEP_SMOKE && !step->production);
        promoted = promoted || step->kind == STEP_PROMOTE;
        if (step->kind != STEP_SHIFT) {
            continue;
        }
        assert_true(ready && smoked);
        if (promoted) {
            assert_true(step->weight == 0 && (world->facts.traits & FACT_COPY));
            continue;
        }
        assert_true(step->weight > weight);
        weight = step->weight;
        assert_int_equal(step[1].kind, STEP_WATCH);
        assert_true(step[1].weight == weight);
        assert_true(step[1].duration > 0);
    }
    assert_true(weight == 1);
}

/* Updated, ready and, where there are tests, tested one by one before users come. */
static void assert_serve(const struct steps *steps, size_t i, size_t tests)
{
    size_t smokes = tests == 0 ? 0 : steps->items[i].count;

    assert_true(i >= smokes + 2);
    for (size_t k = 1; k <= smokes; k++) {
        assert_int_equal(steps->items[i - k].kind, STEP_SMOKE);
        assert_int_equal(steps->items[i - k].count, 1);
        assert_false(steps->items[i - k].production);
    }
    assert_int_equal(steps->items[i - smokes - 1].kind, STEP_READY);
    assert_int_equal(steps->items[i - smokes - 2].kind, STEP_DEPLOY);
}

/* The first batch may be larger by what does not serve anyway. */
static size_t most_at_first(const struct world *world)
{
    size_t idle = 0;

    for (size_t i = 0; i < world->facts.count; i++) {
        const struct fact_instance *instance = &world->instances[i];
        idle += !instance->running || !instance->ready || instance->share <= 0.001;
    }
    return idle > (size_t)world->config.batch ? idle : (size_t)world->config.batch;
}

/* Never more than a batch away, each instance on the version in the end, and in traffic. */
static void assert_rolling(const struct world *world)
{
    const struct steps *steps = &world->plan.steps;
    bool first = true;
    struct model model;

    model_open(&model, world);
    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->items[i];
        model_step(&model, step);
        size_t most = first ? most_at_first(world) : (size_t)world->config.batch;
        assert_true(model_drained(&model) <= most);
        first = first && !(step->kind == STEP_SHIFT && step->state == STATE_READY);
        assert_true(world->plan.previous == NULL || model.count == 1 ||
                    model_drained(&model) < model.count);
        if (step->kind == STEP_SHIFT && step->state == STATE_READY) {
            assert_serve(steps, i, smoke_tests(world));
        }
        if (step->kind == STEP_DEPLOY && model.count > 1) {
            assert_int_equal(step[-1].state, STATE_DRAIN);
        }
    }
    assert_int_equal(model_drained(&model), 0);
    for (size_t i = 0; i < model.count; i++) {
        assert_string_equal(model.versions[i], world->plan.version);
    }
}

static void assert_slots_end(const struct world *world)
{
    const struct plan *plan = &world->plan;
    struct model model;

    model_open(&model, world);
    for (size_t i = 0; i < plan->steps.count; i++) {
        model_step(&model, &plan->steps.items[i]);
    }
    bool copied = (world->facts.traits & FACT_COPY) && plan->previous != NULL &&
                  plan->strategy == STRATEGY_CANARY;
    assert_true(model.weight == (copied ? 0 : 1));
    for (size_t i = 0; i < model.count && !copied; i++) {
        if (text_equal(model.slots[i], plan->candidate_slot)) {
            assert_string_equal(model.versions[i], plan->version);
        }
    }
}

static void every_plan_is_sound(void **state)
{
    (void)state;
    int built = 0;
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        struct world world;
        world_open(&world, seed);
        if (build(&world)) {
            built++;
            assert_unique(&world.plan.steps, NULL);
            for (size_t i = 0; i < world.plan.steps.count; i++) {
                assert_sound(&world.plan.steps.items[i]);
            }
            assert_order(&world.plan.steps);
            if (world.request.strategy == STRATEGY_ROLLING) {
                assert_rolling(&world);
            } else {
                assert_traffic(&world);
                assert_slots_end(&world);
            }
        }
        world_close(&world);
    }
    assert_true(built > WORLDS / 3);
}

static void the_same_request_gives_the_same_plan(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct world a, b;
        AUTO_BUF struct buf first, second;
        buf_init(&first, (size_t)1 << 20);
        buf_init(&second, (size_t)1 << 20);
        world_open(&a, seed);
        world_open(&b, seed);
        bool built = build(&a);
        assert_int_equal(build(&b), built);
        if (built) {
            assert_string_equal(a.plan.hash, b.plan.hash);
            assert_int_equal(strlen(a.plan.hash), 64);
            plan_print(&first, &a.plan);
            plan_print(&second, &b.plan);
            assert_string_equal(first.data, second.data);
            b.config.hold++;
            assert_true(build(&b));
            bool judged = kinds(&a.plan.steps, STEP_WATCH) + kinds(&a.plan.steps, STEP_BASELINE);
            assert_int_equal(strcmp(a.plan.hash, b.plan.hash) != 0, judged);
        }
        world_close(&a);
        world_close(&b);
    }
}

/* Guidance adds people and never takes a window or a step away (D-03). */
static void guidance_shortens_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct world a, b;
        world_open(&a, seed);
        world_open(&b, seed);
        a.request.focus = NULL;
        b.request.focus = &b.focus;
        b.focus.tight = true;
        if (build(&a) && build(&b)) {
            assert_int_equal(a.plan.steps.count, b.plan.steps.count);
            for (size_t i = 0; i < a.plan.steps.count; i++) {
                const struct step *x = &a.plan.steps.items[i], *y = &b.plan.steps.items[i];
                assert_int_equal(x->kind, y->kind);
                assert_int_equal(x->duration, y->duration);
                assert_int_equal(x->deadline, y->deadline);
            }
        }
        world_close(&a);
        world_close(&b);
    }
}

static size_t widest_line(const char *text)
{
    size_t widest = 0;

    while (*text != '\0') {
        size_t columns = 0;
        for (; *text != '\n' && *text != '\0'; text++) {
            columns += ((unsigned char)*text & 0xC0) != 0x80;
        }
        widest = columns > widest ? columns : widest;
        text += *text == '\n';
    }
    return widest;
}

static void a_plan_fits_a_terminal(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct world world;
        AUTO_BUF struct buf text;
        buf_init(&text, (size_t)1 << 20);
        world_open(&world, seed);
        if (build(&world)) {
            plan_print(&text, &world.plan);
            assert_true(widest_line(text.data) <= 100);
        }
        world_close(&world);
    }
}

static void a_plan_is_json_too(void **state)
{
    (void)state;
    struct world world;
    struct error error;
    uint64_t seed = 1;
    for (world_open(&world, seed); !build(&world); world_open(&world, ++seed)) {
        world_close(&world);
    }
    AUTO_JSON struct json *json = plan_json(&world.plan);
    const struct json *steps = json_get(json, "steps");
    assert_string_equal(json_text(json_get(json, "hash")), world.plan.hash);
    assert_string_equal(json_text(json_get(json, "version")), world.plan.version);
    assert_int_equal(json_size(steps), world.plan.steps.count);
    for (size_t i = 0; i < json_size(steps); i++) {
        struct step step = {0};
        assert_int_equal(json_load(json_at(steps, i), step_fields, &step, &world.arena, &error), 0);
        assert_string_equal(step.id, world.plan.steps.items[i].id);
        assert_int_equal(step.kind, world.plan.steps.items[i].kind);
        assert_true(step.weight == world.plan.steps.items[i].weight);
    }
    world_close(&world);
}

static void ids_stay_unique_with_odd_names(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 1);
    static struct fact_instance odd[] = {
        {"production", NULL, NULL, "v1", true, true, 0.5, NULL, false},
        {"before", NULL, NULL, "v1", true, true, 0.5, NULL, false},
        {"batch-1", NULL, NULL, "v2", true, true, 0.5, NULL, false},
    };
    world.config.smoke[0] = (struct rows){world.checks, 1};
    world.config.batch = 1;
    world.facts = (struct facts){.traits = FACT_IN_PLACE, .instances = odd, .count = 3};
    facts_derive(&world.arena, &world.facts);
    world.request.strategy = STRATEGY_ROLLING;
    world.request.version = "v2";
    assert_true(build(&world));
    assert_unique(&world.plan.steps, NULL);
    assert_string_equal(world.plan.previous, "v1");
    world_close(&world);
}

static void a_bad_request_is_a_bug(void **state)
{
    (void)state;
    struct world world;
    struct error error;
    world_open(&world, 3);
    world.request.strategy = STRATEGY_NONE;
    assert_int_equal(plan_build(&world.arena, &world.request, &world.plan, &error), -1);
    assert_int_equal(error.kind, ERROR_BUG);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plan_is_sound),
        cmocka_unit_test(the_same_request_gives_the_same_plan),
        cmocka_unit_test(guidance_shortens_nothing),
        cmocka_unit_test(a_plan_fits_a_terminal),
        cmocka_unit_test(a_plan_is_json_too),
        cmocka_unit_test(ids_stay_unique_with_odd_names),
        cmocka_unit_test(a_bad_request_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
