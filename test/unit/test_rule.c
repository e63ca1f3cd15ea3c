/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"
#include "rule.h"

#include <math.h>

static enum judgement judge(enum limit_kind kind, double limit, double value, double baseline)
{
    const struct limit rule = {kind, limit};
    const struct measurement measured = {true, value, baseline, 100, 100};
    return rule_table[0].judge(&rule, &measured);
}

static enum judgement judge_with(double requests, double min_requests)
{
    const struct limit rule = {LIMIT_CEILING, 0.1};
    const struct measurement measured = {true, 0.9, NAN, requests, min_requests};
    return rule_table[0].judge(&rule, &measured);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(rule_table[0].name, "threshold");
    assert_null(rule_table[1].name);
    assert_string_equal(judgement_names[JUDGE_PASS], "PASS");
    assert_string_equal(judgement_names[JUDGE_BREACH], "BREACH");
    assert_string_equal(judgement_names[JUDGE_UNDECIDED], "UNDECIDED");
    assert_string_equal(judgement_names[JUDGE_NODATA], "NODATA");
    assert_null(judgement_names[JUDGE_NODATA + 1]);
}

/* S-380: whatever bad/total is exactly the threshold in decimal passes, one more request
 * breaches. Every threshold in thousandths, every total that can hold it. */
static void test_equal_passes(void **state)
{
    (void)state;
    for (int thousandths = 0; thousandths <= 1000; thousandths++) {
        for (int total = 1000; total <= 100000; total *= 10) {
            const double limit = thousandths / 1000.0;
            const double bad = (double)total / 1000 * thousandths;
            assert_int_equal(judge(LIMIT_CEILING, limit, bad / total, NAN), JUDGE_PASS);
            assert_int_equal(judge(LIMIT_CEILING, limit, (bad + 1) / total, NAN), JUDGE_BREACH);
            assert_int_equal(judge(LIMIT_FLOOR, limit, bad / total, NAN), JUDGE_PASS);
            assert_int_equal(judge(LIMIT_FLOOR, limit, (bad - 1) / total, NAN), JUDGE_BREACH);
        }
    }
}

/* S-150: baseline + 2 points, over every baseline in per mille and every limit to 20%. */
static void test_points(void **state)
{
    (void)state;
    for (int base = 0; base <= 1000; base++) {
        for (int points = 0; points <= 200; points++) {
            const double baseline = base / 1000.0, limit = points / 1000.0;
            const double exact = (base + points) / 1000.0;
            assert_int_equal(judge(LIMIT_POINTS, limit, exact, baseline), JUDGE_PASS);
            assert_int_equal(judge(LIMIT_POINTS, limit, exact + 1e-6, baseline), JUDGE_BREACH);
            assert_int_equal(judge(LIMIT_POINTS, limit, exact - 1e-6, baseline), JUDGE_PASS);
        }
    }
}

/* S-151, S-272: ×1.2; S-273: ×0.7. Milliseconds and requests per second as integers. */
static void test_relative(void **state)
{
    (void)state;
    for (int base = 1; base <= 2000; base++) {
        for (int percent = 0; percent <= 100; percent += 5) {
            const double limit = percent / 100.0;
            const double more = (double)base * (100 + percent) / 100;
            const double less = (double)base * (100 - percent) / 100;
            assert_int_equal(judge(LIMIT_INCREASE, limit, more, base), JUDGE_PASS);
            assert_int_equal(judge(LIMIT_INCREASE, limit, more + 1e-3, base), JUDGE_BREACH);
            assert_int_equal(judge(LIMIT_DROP, limit, less, base), JUDGE_PASS);
            assert_int_equal(judge(LIMIT_DROP, limit, less - 1e-3, base), JUDGE_BREACH);
        }
    }
}

static void test_zero(void **state)
{
    (void)state;
    assert_int_equal(judge(LIMIT_CEILING, 0, 0, NAN), JUDGE_PASS);
    assert_int_equal(judge(LIMIT_CEILING, 0, -0.0, NAN), JUDGE_PASS);
    assert_int_equal(judge(LIMIT_CEILING, -0.0, 0, NAN), JUDGE_PASS);
    assert_int_equal(judge(LIMIT_FLOOR, 0, -0.0, NAN), JUDGE_PASS);
    assert_int_equal(judge(LIMIT_CEILING, 0, 1e-9, NAN), JUDGE_BREACH);
    assert_int_equal(judge(LIMIT_INCREASE, 0.2, 0, 0), JUDGE_PASS);
    assert_int_equal(judge(LIMIT_INCREASE, 0.2, 1, 0), JUDGE_BREACH);
    assert_int_equal(judge(LIMIT_DROP, 0.3, 0, 0), JUDGE_PASS);
    assert_int_equal(judge(LIMIT_DROP, 1, 0, 1000), JUDGE_PASS);
    assert_int_equal(judge(LIMIT_POINTS, 0, 0.05, 0.05), JUDGE_PASS);
}

/* Every kind with every odd double in every place: no breach and no pass without a number. */
static void test_odd_numbers(void **state)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY};
    (void)state;
    for (int kind = LIMIT_CEILING; kind <= LIMIT_DROP; kind++) {
        const bool relative = kind >= LIMIT_POINTS;
        for (size_t i = 0; i < 3; i++) {
            const enum judgement none = relative ? JUDGE_UNDECIDED : JUDGE_PASS;
            assert_int_equal(judge((enum limit_kind)kind, 0.1, odd[i], 0.1), JUDGE_NODATA);
            assert_int_equal(judge((enum limit_kind)kind, odd[i], 0.1, 0.1), JUDGE_UNDECIDED);
            assert_int_equal(judge((enum limit_kind)kind, 0.1, 0.1, odd[i]), none);
            assert_true(judge_with(odd[i], 100) != JUDGE_PASS);
        }
    }
    assert_int_equal(judge_with(NAN, 100), JUDGE_UNDECIDED);
    assert_int_equal(judge_with(100, NAN), JUDGE_UNDECIDED);
}

static void test_requests(void **state)
{
    (void)state;
    for (int requests = 0; requests <= 300; requests++) {
        for (int min = 0; min <= 300; min++) {
            assert_int_equal(judge_with(requests, min),
                             requests >= min ? JUDGE_BREACH : JUDGE_UNDECIDED);
        }
    }
    const struct limit rule = {LIMIT_CEILING, 0.1};
    const struct measurement absent = {false, 0.9, NAN, 1000, 1};
    assert_int_equal(rule_table[0].judge(&rule, &absent), JUDGE_NODATA);
}

static void test_limit_value(void **state)
{
    (void)state;
    assert_true(limit_value(&(struct limit){LIMIT_CEILING, 500}, NAN) == 500);
    assert_true(limit_value(&(struct limit){LIMIT_FLOOR, 0.9995}, 3) == 0.9995);
    assert_true(fabs(limit_value(&(struct limit){LIMIT_POINTS, 0.02}, 0.01) - 0.03) < 1e-15);
    assert_true(limit_value(&(struct limit){LIMIT_INCREASE, 0.5}, 300) == 450);
    assert_true(limit_value(&(struct limit){LIMIT_DROP, 0.5}, 1000) == 500);
    for (int kind = LIMIT_POINTS; kind <= LIMIT_DROP; kind++) {
        assert_true(isnan(limit_value(&(struct limit){(enum limit_kind)kind, 0.1}, NAN)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),    cmocka_unit_test(test_equal_passes),
        cmocka_unit_test(test_points),   cmocka_unit_test(test_relative),
        cmocka_unit_test(test_zero),     cmocka_unit_test(test_odd_numbers),
        cmocka_unit_test(test_requests), cmocka_unit_test(test_limit_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
