/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"
#include "router.h"

#include <math.h>

/* A share of percent / 1000, compared in whole numbers. */
static bool is_allowed(int mille, int64_t candidate, int64_t stable)
{
    return candidate + stable > 0 && 1000 * candidate <= mille * (candidate + stable);
}

/* The share of candidate / (candidate + stable) is larger than that of best. */
static bool is_larger(int64_t candidate, int64_t stable, const int64_t best[2])
{
    return candidate * best[1] > best[0] * stable;
}

/* The definition: of all pairs, the largest share that is not above the wanted one. */
static void by_definition(int mille, int m, int n, int max, int64_t best[2])
{
    best[0] = 0;
    best[1] = 1;
    for (int a = 0; a <= max; a++) {
        for (int b = 0; b <= max; b++) {
            const int64_t candidate = (int64_t)m * a, stable = (int64_t)n * b;
            if (is_allowed(mille, candidate, stable) && is_larger(candidate, stable, best)) {
                best[0] = candidate;
                best[1] = stable;
            }
        }
    }
}

/* The same for large max: for each b only the largest a that is allowed can be the best. */
static void by_rows(int mille, int m, int n, int max, int64_t best[2])
{
    int a = 0;
    best[0] = 0;
    best[1] = 1;
    for (int b = 0; b <= max; b++) {
        const int64_t stable = (int64_t)n * b;
        while (a < max && is_allowed(mille, (int64_t)m * (a + 1), stable)) {
            a++;
        }
        if (is_allowed(mille, (int64_t)m * a, stable) && is_larger((int64_t)m * a, stable, best)) {
            best[0] = (int64_t)m * a;
            best[1] = stable;
        }
    }
}

static void compare(int mille, int m, int n, int max, const int64_t best[2])
{
    const struct weights got = router_weights(mille / 1000.0, m, n, max);
    const int64_t candidate = (int64_t)m * got.candidate, stable = (int64_t)n * got.stable;
    if (got.candidate < 0 || got.stable < 0 || got.candidate > max || got.stable > max ||
        candidate + stable == 0 || candidate * best[1] != best[0] * stable) {
        fail_msg("share %d/1000 of %d and %d servers, max %d: got %d and %d", mille, m, n, max,
                 got.candidate, got.stable);
    }
}

static void every_percent_of_up_to_twelve_servers(void **state)
{
    (void)state;
    for (int percent = 0; percent <= 100; percent++) {
        for (int m = 1; m <= 12; m++) {
            for (int n = 1; n <= 12; n++) {
                int64_t best[2];
                by_rows(percent * 10, m, n, 256, best);
                compare(percent * 10, m, n, 256, best);
            }
        }
    }
}

static void every_mille_against_the_bare_definition(void **state)
{
    (void)state;
    for (int mille = 0; mille <= 1000; mille += 7) {
        for (int m = 1; m <= 5; m++) {
            for (int n = 1; n <= 5; n++) {
                int64_t best[2], rows[2];
                by_definition(mille, m, n, 24, best);
                by_rows(mille, m, n, 24, rows);
                assert_true(best[0] * rows[1] == rows[0] * best[1]);
                compare(mille, m, n, 24, best);
            }
        }
    }
}

static void expect_weights(double share, int m, int n, int candidate, int stable)
{
    const struct weights got = router_weights(share, m, n, 256);
    assert_int_equal(got.candidate, candidate);
    assert_int_equal(got.stable, stable);
}

static void the_smallest_numbers_are_taken(void **state)
{
    (void)state;
    expect_weights(0, 3, 3, 0, 1);
    expect_weights(1, 3, 3, 1, 0);
    expect_weights(0.5, 1, 1, 1, 1);
    expect_weights(0.05, 1, 1, 1, 19);
    expect_weights(0.05, 1, 3, 3, 19);
    expect_weights(0.25, 1, 3, 1, 1);
    expect_weights(0.001, 1, 1, 0, 1); /* below 1/257: rather nothing than too much */
    expect_weights(0.9999, 1, 1, 256, 1);
}

static void what_is_no_share_is_nothing(void **state)
{
    (void)state;
    expect_weights(-0.5, 1, 1, 0, 1);
    expect_weights((double)NAN, 1, 1, 0, 1);
    expect_weights(7, 1, 1, 1, 0);
    expect_weights(0.5, 0, 2, 0, 1);
    expect_weights(0.5, 2, 0, 1, 0);
}

static void a_slot_has_the_sum_of_its_instances(void **state)
{
    struct route routes[] = {
        {.instance = {.name = "b1", .slot = "blue"}, .share = 0.45},
        {.instance = {.name = "b2", .slot = "blue"}, .share = 0.45},
        {.instance = {.name = "g1", .slot = "green"}, .share = 0.1},
    };
    const struct traffic traffic = {routes, 3};
    (void)state;
    assert_true(fabs(traffic_share(&traffic, "blue") - 0.9) < 1e-9);
    assert_true(fabs(traffic_share(&traffic, "green") - 0.1) < 1e-9);
    assert_true(traffic_share(&traffic, "red") <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_percent_of_up_to_twelve_servers),
        cmocka_unit_test(every_mille_against_the_bare_definition),
        cmocka_unit_test(the_smallest_numbers_are_taken),
        cmocka_unit_test(what_is_no_share_is_nothing),
        cmocka_unit_test(a_slot_has_the_sum_of_its_instances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
