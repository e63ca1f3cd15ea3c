/* SPDX-License-Identifier: Apache-2.0 */
#include "driver_test.h"

#include "router.h"

#include <math.h>

/* `world` holds what observe prints; every shift leaves a line in `calls`. */
static const char move_slots[] =
    "#!/bin/sh\n"
    "echo \"$slot $weight $state\" >> calls\n"
    "[ -e deaf ] && exit 0\n"
    "[ -e broken ] && { echo 'quota used up'; exit 4; }\n"
    "grep -v \"^$slot \" world > next; echo \"$slot $weight $state\" >> next; mv next world\n";
/* Gives one slot its weight and the other one the rest, as a DNS record with two answers. */
static const char move_both[] =
    "#!/bin/sh\n"
    "echo \"$slot $weight\" >> calls\n"
    "other=blue; [ $slot = blue ] && other=green\n"
    "rest=$(awk \"BEGIN { print 100 - $weight }\")\n"
    "printf '%s %s%%\\n%s %s%%\\n' $slot $weight $other $rest > world\n";
static const char move_instances[] =
    "#!/bin/sh\n"
    "echo \"$instance $server $weight $state\" >> calls\n"
    "grep -v \"^$instance \" world > next; echo \"$instance $weight $state\" >> next\n"
    "mv next world\n";

#define HEAD                                                                                   \
    "app: shop\nworkload:\n  command:\n    instances: [ { name: x } ]\n    update: \"true\"\n" \
    "    status: \"true\"\n    version: \"true\"\n" METRICS_YAML "traffic:\n  command:\n"
#define COMMANDS "    shift: ./move\n    observe: cat world\n    settle: 300ms\n"

static const struct router_driver *driver;
static struct router *router;
static struct instance slots[] = {
    {"b1", "blue", NULL, "b1"}, {"b2", "blue", NULL, "b2"}, {"g1", "green", NULL, "g1"}};
static struct instance plain[] = {
    {"w1", NULL, NULL, "s1"}, {"w2", NULL, NULL, "s2"}, {"w3", NULL, NULL, "s3"}};
static struct instances all;

static void prepare(struct instance *items, const char *script, const char *world)
{
    load_config(HEAD COMMANDS);
    context.settings = config->traffic.settings;
    driver = config->traffic.driver->door;
    all = (struct instances){items, 3};
    write_file(in_folder("move"), script);
    write_file(in_folder("world"), world);
    write_file(in_folder("calls"), "");
    EXPECT_OK(driver->open(&context, &all, &router, &error), &error);
}

static struct traffic observe(void)
{
    struct traffic traffic = {0};
    EXPECT_OK(driver->observe(router, &arena, &traffic, &error), &error);
    return traffic;
}

static struct traffic want(double first, double second, double third)
{
    const double shares[] = {first, second, third};
    struct traffic traffic = {arena_array(&arena, 3, sizeof(struct route)), 3};
    for (size_t i = 0; i < 3; i++) {
        traffic.items[i].instance = all.items[i];
        traffic.items[i].share = shares[i];
    }
    return traffic;
}

static void near(double is, double wanted)
{
    if (fabs(is - wanted) > 1e-6) {
        fail_msg("%f, not %f", is, wanted);
    }
}

static void slots_and_instances_are_read(void **state)
{
    (void)state;
    prepare(slots, move_slots, "blue 90%\n\n  g1 10 drain\n");
    const struct traffic seen = observe();
    near(seen.items[0].share, 0.45);
    near(seen.items[1].share, 0.45);
    near(seen.items[2].share, 0.1);
    assert_int_equal(seen.items[2].state, TRAFFIC_DRAIN);
    assert_int_equal(seen.items[0].connections, -1);
    write_file(in_folder("world"), "b1 1\nb2 1\ng1 2\n");
    near(observe().items[2].share, 0.5);
    write_file(in_folder("world"), "blue 0\ngreen 0\n");
    near(observe().items[2].share, 0);
}

static void wrong_output_is_refused(void **state)
{
    static const char *const worlds[][2] = {
        {"blue\n", "write a name"},
        {"blue lots\n", "write a name"},
        {"blue -1\n", "write a name"},
        {"blue 100 up\n", "write a name"},
        {"blue 100 ready now\n", "write a name"},
        {"blue nan\n", "write a name"},
        {"red 100\n", "no slot and no instance"},
        {"blue 100\n", "nothing about 'green'"},
        {"b1 100\ngreen 0\n", "nothing about 'blue'"},
        {"", "nothing about 'blue'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(worlds) / sizeof(worlds[0]); i++) {
        struct traffic seen;
        prepare(slots, move_slots, worlds[i][0]);
        EXPECT_ERROR(driver->observe(router, &arena, &seen, &error), &error, ERROR_FORMAT,
                     worlds[i][1]);
    }
}

static void the_rising_slot_goes_first(void **state)
{
    (void)state;
    prepare(slots, move_slots, "blue 100\ngreen 0\n");
    struct traffic wanted = want(0.35, 0.35, 0.3);
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    expect_file("calls", "green 30 ready\nblue 70 ready\n");
    wanted = want(0.5, 0.5, 0);
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    expect_file("calls", "green 30 ready\nblue 70 ready\nblue 100 ready\ngreen 0 ready\n");
}

static void one_call_can_be_enough(void **state)
{
    (void)state;
    prepare(slots, move_both, "blue 100\ngreen 0\n");
    struct traffic wanted = want(0.4875, 0.4875, 0.025);
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    expect_file("calls", "green 2.5\n");
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    expect_file("calls", "green 2.5\n");
    wanted = want(0.5, 0.5, 0);
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    expect_file("calls", "green 2.5\nblue 100\n");
    const struct traffic seen = observe();
    near(traffic_share(&seen, "blue"), 1);
}

static void instances_are_moved_one_by_one(void **state)
{
    (void)state;
    prepare(plain, move_instances, "w1 33.33\nw2 33.33\nw3 33.34\n");
    struct traffic wanted = want(0, 0.5, 0.5);
    wanted.items[0].state = TRAFFIC_DRAIN;
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    const struct traffic seen = observe();
    assert_int_equal(seen.items[0].state, TRAFFIC_DRAIN);
    near(seen.items[0].share, 0);
    near(seen.items[1].share, 0.5);
}

static void what_does_not_hold_is_an_error(void **state)
{
    (void)state;
    prepare(slots, move_slots, "blue 100\ngreen 0\n");
    write_file(in_folder("deaf"), "");
    struct traffic wanted = want(0, 0, 1);
    EXPECT_ERROR(driver->shift(router, &wanted, &error), &error, ERROR_STATE,
                 "'green': 100 % and state ready were set, 0 % and state ready were read back");
    unlink(in_folder("deaf"));
    write_file(in_folder("broken"), "");
    EXPECT_ERROR(driver->shift(router, &wanted, &error), &error, ERROR_REMOTE,
                 "'./move' ended with code 4: quota used up");
    write_file(in_folder("move"), "#!/bin/sh\nsleep 0.1; printf 'green 100\\nblue 0\\n' > world\n");
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
}

static void nothing_is_nothing(void **state)
{
    (void)state;
    prepare(slots, move_slots, "blue 99.7\ngreen 0.3\n");
    struct traffic wanted = want(0.5, 0.5, 0);
    write_file(in_folder("deaf"), "");
    EXPECT_ERROR(driver->shift(router, &wanted, &error), &error, ERROR_STATE,
                 "'green': 0 % and state ready were set, 0.3 %");
    wanted = want(0.4985, 0.4985, 0.003);
    write_file(in_folder("calls"), "");
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    expect_file("calls", "");
    driver->close(router);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, driver_begin, driver_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(slots_and_instances_are_read),
        TEST(wrong_output_is_refused),
        TEST(the_rising_slot_goes_first),
        TEST(one_call_can_be_enough),
        TEST(instances_are_moved_one_by_one),
        TEST(what_does_not_hold_is_an_error),
        TEST(nothing_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
