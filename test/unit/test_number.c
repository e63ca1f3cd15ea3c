/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include "arena.h"
#include "text.h"

static void whole_numbers(void **state)
{
    (void)state;
    struct error err;
    int64_t value = 77;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0},
                {"-0", 0},
                {"42", 42},
                {"-7", -7},
                {"007", 7},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        EXPECT_OK(text_int(good[i].text, &value, &err), &err);
        assert_int_equal(value, good[i].value);
    }
    static const char *const bad[] = {"",   "-",   "+1",  " 1",  "1 ",  "1.0",
                                      "1x", "0x1", "--1", "1e3", "1\n", "\xD9\xA1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_ERROR(text_int(bad[i], &value, &err), &err, ERROR_FORMAT, "is not a whole number");
    }
    EXPECT_ERROR(text_int(NULL, &value, &err), &err, ERROR_FORMAT, "''");
    EXPECT_ERROR(text_int("9223372036854775808", &value, &err), &err, ERROR_FORMAT, "too large");
    EXPECT_ERROR(text_int("-9223372036854775809", &value, &err), &err, ERROR_FORMAT, "too large");
    assert_int_equal(value, INT64_MIN);
}

static void real_numbers(void **state)
{
    (void)state;
    struct error err;
    double value = 0;
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0},       {"0.1", 0.1},  {"-2.5", -2.5},
                {"1e3", 1000},  {"+4", 4},     {".5", 0.5},
                {"1E-2", 0.01}, {"1e-400", 0}, {"1.7976931348623157e308", 1.7976931348623157e308}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        EXPECT_OK(text_real(good[i].text, &value, &err), &err);
        assert_true(value == good[i].value);
    }
    static const char *const bad[] = {"",   " 1",  "1 ", "nan", "NaN",   "inf", "-inf",     "0x10",
                                      "1e", "1,5", "-",  ".",   "1.2.3", "1\n", "infinity", "e5"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_ERROR(text_real(bad[i], &value, &err), &err, ERROR_FORMAT, "is not a number");
    }
    EXPECT_ERROR(text_real(NULL, &value, &err), &err, ERROR_FORMAT, "is not a number");
    EXPECT_ERROR(text_real("1e309", &value, &err), &err, ERROR_FORMAT, "too large");
    EXPECT_ERROR(text_real("-1e999", &value, &err), &err, ERROR_FORMAT, "too large");
}

#define DAY INT64_C(86400000)

static const struct {
    const char *text;
    int64_t ms;
} durations[] = {
    {"250ms", 250},    {"5s", 5000},         {"10m", 600000},       {"2h", 7200000},
    {"24h", DAY},      {"36h", DAY * 3 / 2}, {"47h59m", 172740000}, {"2d", 2 * DAY},
    {"30d", 30 * DAY}, {"1h30m", 5400000},   {"2d1h", 176400000},   {"0s", 0},
    {"1s500ms", 1500}, {"1m1ms", 60001},     {"366d", 366 * DAY},
};

static void durations_go_both_ways(void **state)
{
    (void)state;
    struct error err;
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
        int64_t ms = -1;
        EXPECT_OK(text_duration(durations[i].text, &ms, &err), &err);
        assert_int_equal(ms, durations[i].ms);
        assert_string_equal(text_of_duration(&arena, ms), durations[i].text);
    }
    arena_release(&arena);
}

static void durations_may_be_written_otherwise(void **state)
{
    (void)state;
    struct error err;
    int64_t ms;
    EXPECT_OK(text_duration("90s", &ms, &err), &err);
    assert_int_equal(ms, 90000);
    EXPECT_OK(text_duration("1d24h60m", &ms, &err), &err);
    assert_int_equal(ms, 2 * DAY + 3600000);
    EXPECT_OK(text_duration("0ms", &ms, &err), &err);
    assert_int_equal(ms, 0);
    EXPECT_OK(text_duration("0000000000000000000000000001s", &ms, &err), &err);
    assert_int_equal(ms, 1000);
}

static void wrong_durations_are_refused(void **state)
{
    (void)state;
    struct error err;
    int64_t ms = 7;
    static const char *const bad[] = {"",    "s",    "-5s",  "5 s",   " 5s",  "5s ",
                                      "5S",  "5sec", "1.5h", "30m1h", "1h1h", "1ms1s",
                                      "5s5", "h1",   "1hm",  "5m\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_ERROR(text_duration(bad[i], &ms, &err), &err, ERROR_FORMAT, "is not a duration");
    }
    EXPECT_ERROR(text_duration(NULL, &ms, &err), &err, ERROR_FORMAT, "is not a duration");
    EXPECT_ERROR(text_duration("10", &ms, &err), &err, ERROR_FORMAT,
                 "'10' has no unit: write ms, s, m, h or d, as in '10s'");
    EXPECT_ERROR(text_duration("0", &ms, &err), &err, ERROR_FORMAT, "no unit");
    static const char *const large[] = {"367d",
                                        "366d1ms",
                                        "8785h",
                                        "99999999999999999999999d",
                                        "31622400001ms",
                                        "316224000009d",
                                        "9223372036854775807ms"};
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
        EXPECT_ERROR(text_duration(large[i], &ms, &err), &err, ERROR_FORMAT, "more than 366 days");
    }
    assert_int_equal(ms, 7);
}

static void any_duration_can_be_shown(void **state)
{
    (void)state;
    struct arena arena = {0};
    assert_string_equal(text_of_duration(&arena, -1500), "-1s500ms");
    assert_string_equal(text_of_duration(&arena, INT64_MIN), "-106751991167d7h12m55s808ms");
    assert_string_equal(text_of_duration(&arena, INT64_MAX), "106751991167d7h12m55s807ms");
    arena_release(&arena);
}

static void times_are_written(void **state)
{
    (void)state;
    struct arena arena = {0};
    assert_string_equal(text_of_time(&arena, 0), "1970-01-01T00:00:00Z");
    assert_string_equal(text_of_time(&arena, INT64_C(1795559962000)), "2026-11-24T22:39:22Z");
    assert_string_equal(text_of_time(&arena, 999), "1970-01-01T00:00:00Z");
    assert_string_equal(text_of_time(&arena, -1), "1969-12-31T23:59:59Z");
    assert_string_equal(text_of_time(&arena, INT64_C(951782400000)), "2000-02-29T00:00:00Z");
    assert_non_null(text_of_time(&arena, INT64_MAX));
    assert_non_null(text_of_time(&arena, INT64_MIN));
    arena_release(&arena);
}

static void times_are_read(void **state)
{
    (void)state;
    struct error err;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-24T22:39:22Z", INT64_C(1795559962000)},
        {"2026-11-24T22:39:22.5Z", INT64_C(1795559962500)},
        {"2026-11-24T22:39:22.123456789Z", INT64_C(1795559962123)},
        {"2026-11-24T23:39:22+01:00", INT64_C(1795559962000)},
        {"2026-11-24T20:09:22.250-02:30", INT64_C(1795559962250)},
        {"2000-02-29T00:00:00Z", INT64_C(951782400000)},
        {"1969-12-31T23:59:59Z", -1000},
        {"0001-01-01T00:00:00Z", INT64_C(-62135596800000)},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t ms = 1;
        EXPECT_OK(text_time(good[i].text, &ms, &err), &err);
        assert_int_equal(ms, good[i].ms);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    struct error err;
    int64_t ms;
    static const char *const unlike[] = {"",
                                         "2026-11-24",
                                         "2026-11-24T22:39:22",
                                         "2026-11-24 22:39:22Z",
                                         "2026-11-24T22:39:22z",
                                         "2026-11-24T22:39:22.Z",
                                         "2026-11-24T22:39:22+0100",
                                         "2026-11-24T22:39:22+24:00",
                                         "2026-11-24T22:39:22+01:60",
                                         "2026-11-24T22:39:22Zx",
                                         "26-11-24T22:39:22Z",
                                         "2026-1a-24T22:39:22Z",
                                         "1795559962",
                                         "2026-11-24T22:39:2"};
    for (size_t i = 0; i < sizeof unlike / sizeof unlike[0]; i++) {
        EXPECT_ERROR(text_time(unlike[i], &ms, &err), &err, ERROR_FORMAT, "not a time like");
    }
    EXPECT_ERROR(text_time(NULL, &ms, &err), &err, ERROR_FORMAT, "not a time like");
    static const char *const none[] = {"2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
                                       "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
                                       "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z",
                                       "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        EXPECT_ERROR(text_time(none[i], &ms, &err), &err, ERROR_FORMAT, "no date or time of day");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(real_numbers),
        cmocka_unit_test(durations_go_both_ways),
        cmocka_unit_test(durations_may_be_written_otherwise),
        cmocka_unit_test(wrong_durations_are_refused),
        cmocka_unit_test(any_duration_can_be_shown),
        cmocka_unit_test(times_are_written),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
