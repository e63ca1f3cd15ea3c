/* SPDX-License-Identifier: Apache-2.0
 *
 * The pure functions that decide, over all of a bounded domain, against what the requirements say
 * in whole numbers. (Weights: test_router_weights.c; exit codes: test_run.c.)
 */
#include "expect.h"

#include "counts.h"
#include "rule.h"

#include <math.h>

#define MOST 50 /* thousandths */

/* S-380: equal passes; everything in thousandths, so that nothing is rounded. */
static bool is_beyond(enum limit_kind kind, long value, long limit, long baseline)
{
    switch (kind) {
    case LIMIT_CEILING:
        return value > limit;
    case LIMIT_FLOOR:
        return value < limit;
    case LIMIT_POINTS:
        return value > baseline + limit;
    case LIMIT_INCREASE:
        return value * 1000 > baseline * (1000 + limit);
    case LIMIT_DROP:
        return value * 1000 < baseline * (1000 - limit);
    }
    return false;
}

static enum judgement judge(enum limit_kind kind, long limit, const struct measurement *measured)
{
    struct limit given = {kind, (double)limit / 1000};
    return rule_table[0].judge(&given, measured);
}

static void every_threshold(void **state)
{
    (void)state;
    for (int kind = LIMIT_CEILING; kind <= LIMIT_DROP; kind++) {
        for (long i = 0; i < MOST * MOST * MOST; i++) {
            long value = i % MOST, limit = i / MOST % MOST, baseline = i / MOST / MOST;
            struct measurement measured = {true, (double)value / 1000, (double)baseline / 1000, 10,
                                           10};
            bool breach = is_beyond((enum limit_kind)kind, value, limit, baseline);
            assert_int_equal(judge((enum limit_kind)kind, limit, &measured),
                             breach ? JUDGE_BREACH : JUDGE_PASS);
        }
    }
}

/* In this order: nothing read, too little read, nothing to compare with. */
static void every_lack(void **state)
{
    static const double values[] = {0, 0.01, 1e300, NAN, INFINITY, -INFINITY};
    (void)state;
    for (int i = 0; i < 5 * 2 * 2 * 2 * 6; i++) {
        int kind = i % 5;
        bool present = i / 5 % 2, enough = i / 10 % 2, compared = i / 20 % 2;
        double value = values[i / 40];
        struct measurement measured = {present, value, compared ? 0.02 : NAN, enough ? 10 : 9, 10};
        enum judgement got = judge((enum limit_kind)kind, 5, &measured);
        bool relative = kind >= LIMIT_POINTS;
        if (!present || !isfinite(value))
            assert_int_equal(got, JUDGE_NODATA);
        else if (!enough || (relative && !compared))
            assert_int_equal(got, JUDGE_UNDECIDED);
        else
            assert_true(got == JUDGE_PASS || got == JUDGE_BREACH);
    }
}

/* Counters that rise add what they rose by; one that fell began anew, and counts from nothing. */
static void every_step_of_a_counter(void **state)
{
    (void)state;
    for (int i = 0; i < 8 * 8 * 8 * 8; i++) {
        int bad = i % 8, total = i / 8 % 8, then_bad = i / 64 % 8, then = i / 512;
        struct counter counter = {0};
        struct counts first = counter_delta(&counter, bad, total, false);
        struct counts next = counter_delta(&counter, then_bad, then, false);
        bool fell = then_bad < bad || then < total;
        assert_true(first.bad == 0 && first.total == 0);
        assert_true(next.bad == (fell ? then_bad : then_bad - bad));
        assert_true(next.total == (fell ? then : then - total));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_threshold),
        cmocka_unit_test(every_lack),
        cmocka_unit_test(every_step_of_a_counter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
