/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"
#include "arena.h"
#include "counts.h"

#include <math.h>
#include <stdlib.h>

static struct arena arena;

static void expect_counts(struct counts got, double bad, double total)
{
    assert_true(got.bad == bad && got.total == total);
}

static void test_delta(void **state)
{
    struct counter last = {.target = "green-1"};
    (void)state;
    expect_counts(counter_delta(&last, 5, 100, false), 0, 0); /* the first sight is the base */
    expect_counts(counter_delta(&last, 5, 100, false), 0, 0);
    expect_counts(counter_delta(&last, 7, 150, false), 2, 50);
    expect_counts(counter_delta(&last, 7, 150, true), 0, 0); /* born matters once only */
}

static void test_born(void **state)
{
    struct counter last = {.target = "green-1"};
    (void)state;
    expect_counts(counter_delta(&last, 5, 100, true), 5, 100);
    expect_counts(counter_delta(&last, 6, 102, true), 1, 2);
}

static void test_restart(void **state)
{
    struct counter last = {.target = "green-1"};
    (void)state;
    counter_delta(&last, 5, 100, false);
    expect_counts(counter_delta(&last, 1, 20, false), 1, 20);
    expect_counts(counter_delta(&last, 2, 25, false), 1, 5);
    /* One of the two went back: the process restarted, both count from 0. */
    expect_counts(counter_delta(&last, 0, 90, false), 0, 90);
    expect_counts(counter_delta(&last, 3, 10, false), 3, 10);
}

static void test_no_samples(void **state)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, -1};
    struct counter last = {.target = "green-1"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        expect_counts(counter_delta(&last, odd[i], 100, true), 0, 0);
        assert_false(last.seen);
    }
    counter_delta(&last, 5, 100, false);
    for (size_t i = 0; i < 4; i++) {
        expect_counts(counter_delta(&last, odd[i], 100, false), 0, 0);
        expect_counts(counter_delta(&last, 5, odd[i], false), 0, 0);
    }
    /* The next sample spans the gap. */
    expect_counts(counter_delta(&last, 9, 300, false), 4, 200);
}

static void fill(struct window *window, int count, int64_t step)
{
    for (int i = 0; i < count; i++) {
        const struct sample sample = {
            .at = (i + 1) * step, .seconds = (double)step / 1000, .counts = {1, 10}, .gauge = NAN};
        window_add(window, &sample);
    }
}

/* Every window over every number of samples: counts, time and borders. */
static void test_window(void **state)
{
    (void)state;
    for (int count = 0; count < 60; count++) {
        struct window window;
        window_init(&window, &arena);
        fill(&window, count, 5000);
        for (int64_t length = 0; length <= 310; length += 5) {
            double seconds = -1;
            const int64_t now = (int64_t)count * 5000;
            const double inside = fmin(count, (double)length / 5);
            expect_counts(window_sum(&window, now, length * 1000, &seconds), inside, inside * 10);
            assert_true(seconds == inside * 5);
            expect_counts(window_sum(&window, now, length * 1000, NULL), inside, inside * 10);
        }
        /* Samples after now are not of this window. */
        expect_counts(window_sum(&window, 0, 1000000, NULL), 0, 0);
        window_clear(&window);
        expect_counts(window_sum(&window, 1000000, 1000000, NULL), 0, 0);
    }
}

static void test_window_full(void **state)
{
    struct window window;
    double seconds;
    (void)state;
    for (int count = WINDOW_SAMPLES - 2; count < 3 * WINDOW_SAMPLES; count += 7) {
        window_init(&window, &arena);
        fill(&window, count, 1000);
        assert_true(window.count <= WINDOW_SAMPLES);
        expect_counts(window_sum(&window, count * 1000, INT64_MAX / 2, &seconds), count,
                      count * 10.0);
        assert_true(seconds == count);
        /* What is recent is still exact. */
        expect_counts(window_sum(&window, count * 1000, 300000, &seconds), 300, 3000);
        assert_true(seconds == 300);
    }
}

static void test_gauge(void **state)
{
    struct window window;
    double value = -1;
    (void)state;
    window_init(&window, &arena);
    assert_false(window_gauge(&window, 1000, 1000, &value));
    window_add(&window, &(struct sample){.at = 1000, .gauge = NAN});
    assert_false(window_gauge(&window, 1000, 1000, &value));
    window_add(&window, &(struct sample){.at = 2000, .gauge = 4});
    window_add(&window, &(struct sample){.at = 3000, .gauge = INFINITY});
    window_add(&window, &(struct sample){.at = 4000, .gauge = 8});
    assert_true(window_gauge(&window, 4000, 4000, &value) && value == 6);
    assert_true(window_gauge(&window, 4000, 1000, &value) && value == 8);
    assert_true(window_gauge(&window, 3000, 3000, &value) && value == 4);
    assert_false(window_gauge(&window, 3000, 1000, &value));
}

static void test_gauge_merged(void **state)
{
    struct window window;
    double value = -1;
    (void)state;
    window_init(&window, &arena);
    for (int i = 0; i < 2 * WINDOW_SAMPLES; i++) {
        window_add(&window, &(struct sample){.at = i, .gauge = i % 3 == 0 ? 5 : NAN});
    }
    assert_true(window_gauge(&window, 10000, 20000, &value) && value == 5);
}

static void test_quantile(void **state)
{
    /* The numbers are Prometheus' own histogram_quantile(). */
    static const double bounds[] = {100, 200, 500, 1000, INFINITY};
    static const double counts[] = {10, 50, 90, 99, 100};
    (void)state;
    assert_true(quantile_of(bounds, counts, 5, 0.5) == 200);
    assert_true(quantile_of(bounds, counts, 5, 0.3) == 150);
    assert_true(quantile_of(bounds, counts, 5, 0.9) == 500);
    assert_true(fabs(quantile_of(bounds, counts, 5, 0.99) - 1000) < 1e-9);
    assert_true(quantile_of(bounds, counts, 5, 0.999) == 1000); /* beyond all finite bounds */
    assert_true(quantile_of(bounds, counts, 5, 1) == 1000);
    assert_true(quantile_of(bounds, counts, 5, 0.05) == 50); /* from 0 in the first bucket */
    assert_true(quantile_of(bounds, counts, 5, 0) == 0);
}

static void test_quantile_nothing(void **state)
{
    static const double bounds[] = {100, 200, INFINITY};
    static const double none[] = {0, 0, 0}, odd[] = {1, 2, NAN}, endless[] = {1, 2, INFINITY};
    static const double falling[] = {5, 4.999999, 10};
    static const double below[] = {-1, 1, INFINITY}, some[] = {4, 4, 4};
    static const double beyond[] = {0, 0, 9};
    (void)state;
    assert_true(isnan(quantile_of(bounds, none, 3, 0.9)));
    assert_true(isnan(quantile_of(bounds, endless, 3, 0.9)));
    assert_true(isnan(quantile_of(bounds, none, 0, 0.9)));
    assert_true(isnan(quantile_of(bounds, some, 3, NAN)));
    assert_true(isnan(quantile_of(bounds, some, 3, -0.1)));
    assert_true(isnan(quantile_of(bounds, some, 3, 1.1)));
    assert_true(quantile_of(bounds, odd, 3, 0.5) == 100);
    assert_true(isfinite(quantile_of(bounds, falling, 3, 0.5)));
    assert_true(quantile_of(below, some, 3, 0.5) == -1);
    assert_true(quantile_of(bounds, beyond, 3, 0.5) == 200);
    assert_true(isnan(quantile_of((const double[]){INFINITY}, (const double[]){5}, 1, 0.5)));
}

/* Quantiles rise with q, and lie between the bounds of their bucket. */
static void test_quantile_rises(void **state)
{
    double bounds[8], counts[8];
    (void)state;
    srandom(7);
    for (int round = 0; round < 2000 / SLOWLY; round++) {
        double last = -1;
        for (int i = 0; i < 8; i++) {
            bounds[i] = i == 7 ? (double)INFINITY : (i + 1) * 10.0;
            counts[i] = (i > 0 ? counts[i - 1] : 0) + (double)(random() % 5);
        }
        for (int q = 0; q <= 100 && counts[7] > 0 && counts[6] > 0; q++) {
            const double value = quantile_of(bounds, counts, 8, q / 100.0);
            assert_true(value >= last && value <= 70);
            last = value;
        }
    }
}

static int release(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delta),
        cmocka_unit_test(test_born),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_no_samples),
        cmocka_unit_test_teardown(test_window, release),
        cmocka_unit_test_teardown(test_window_full, release),
        cmocka_unit_test_teardown(test_gauge, release),
        cmocka_unit_test_teardown(test_gauge_merged, release),
        cmocka_unit_test(test_quantile),
        cmocka_unit_test(test_quantile_nothing),
        cmocka_unit_test(test_quantile_rises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
