/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include "arena.h"
#include "text.h"

#include <math.h>

static void buffer_starts_empty(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 10);
    assert_string_equal(buf.data, "");
    buf_adds(&buf, "");
    buf_adds(&buf, NULL);
    buf_addf(&buf, "%s", "");
    assert_int_equal(buf.length, 0);
    assert_int_equal(buf.capacity, 0);
    assert_false(buf.overflow);
    buf_release(&buf);
}

static void buffer_stops_at_its_ceiling(void **state)
{
    (void)state;
    struct buf buf AUTO_BUF;
    buf_init(&buf, 10);
    buf_adds(&buf, "12345");
    buf_adds(&buf, "67890");
    assert_false(buf.overflow);
    assert_string_equal(buf.data, "1234567890");
    buf_add(&buf, "x", 1);
    assert_true(buf.overflow);
    assert_string_equal(buf.data, "1234567890");
    buf_clear(&buf);
    assert_false(buf.overflow);
    assert_string_equal(buf.data, "");
    buf_adds(&buf, "abcdefghijkl");
    assert_string_equal(buf.data, "abcdefghij");
    assert_true(buf.overflow);
}

static void formatted_text_keeps_the_ceiling(void **state)
{
    (void)state;
    struct buf buf AUTO_BUF;
    buf_init(&buf, 6);
    buf_addf(&buf, "%d", 1234);
    buf_addf(&buf, "%d", 5678);
    assert_string_equal(buf.data, "123456");
    assert_int_equal(buf.length, 6);
    assert_true(buf.overflow);
    buf_addf(&buf, "%d", 9);
    assert_string_equal(buf.data, "123456");
}

static void buffer_without_room_takes_nothing(void **state)
{
    (void)state;
    struct buf buf AUTO_BUF;
    buf_init(&buf, 0);
    buf_adds(&buf, "x");
    buf_addf(&buf, "%s", "y");
    assert_string_equal(buf.data, "");
    assert_true(buf.overflow);
}

static void buffer_grows_and_keeps_bytes(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100000);
    for (int i = 0; i < 20000; i++) {
        buf_add(&buf, "a\0b", 3);
    }
    assert_int_equal(buf.length, 60000);
    assert_memory_equal(buf.data + 59997, "a\0b", 4);
    assert_true(buf.capacity <= 100001);
    buf_release(&buf);
    assert_string_equal(buf.data, "");
    assert_int_equal(buf.length, 0);
    buf_adds(&buf, "again");
    assert_string_equal(buf.data, "again");
    buf_release(&buf);
}

static void texts_compare(void **state)
{
    (void)state;
    assert_true(text_equal("a", "a"));
    assert_false(text_equal("a", "A"));
    assert_false(text_equal("a", "ab"));
    assert_true(text_equal(NULL, NULL));
    assert_false(text_equal(NULL, ""));
    assert_false(text_equal("", NULL));
    assert_true(text_starts("abc", "ab"));
    assert_true(text_starts("abc", ""));
    assert_false(text_starts("ab", "abc"));
    assert_false(text_starts(NULL, "a"));
    assert_false(text_starts("a", NULL));
    assert_true(text_blank(NULL));
    assert_true(text_blank(""));
    assert_true(text_blank(" \t\r\n\v\f"));
    assert_false(text_blank("  x"));
}

static const char *const names[] = {"blue-green", "canary", "rolling", "id", NULL};

static void nearest_is_found_within_its_distance(void **state)
{
    (void)state;
    assert_string_equal(text_nearest("canry", names), "canary");   /* one is missing */
    assert_string_equal(text_nearest("canarry", names), "canary"); /* one too many */
    assert_string_equal(text_nearest("canarx", names), "canary");  /* one changed */
    assert_string_equal(text_nearest("cnaary", names), "canary");  /* two swapped */
    assert_string_equal(text_nearest("bluegreen", names), "blue-green");
    assert_string_equal(text_nearest("roling", names), "rolling");
    assert_string_equal(text_nearest("canary", names), "canary");
    assert_string_equal(text_nearest("di", names), "id");
}

static void nearest_is_not_guessed(void **state)
{
    (void)state;
    assert_null(text_nearest("kubernetes", names));
    assert_null(text_nearest("can", names));
    assert_null(text_nearest("", (const char *const[]){"ab", NULL}));
    assert_null(text_nearest("canary", (const char *const[]){NULL}));
    assert_null(text_nearest(NULL, names));
    /* five letters allow two steps, not three; three allow one */
    assert_string_equal(text_nearest("abcde", (const char *const[]){"abxxe", NULL}), "abxxe");
    assert_null(text_nearest("abcde", (const char *const[]){"axxxe", NULL}));
    assert_string_equal(text_nearest("abc", (const char *const[]){"abx", NULL}), "abx");
    assert_null(text_nearest("abc", (const char *const[]){"axx", NULL}));
}

static void nearest_takes_the_best_and_the_first(void **state)
{
    (void)state;
    const char *const close[] = {"watchxy", "watches", "watch", NULL};
    assert_string_equal(text_nearest("watchs", close), "watches");
    const char *const equal[] = {"aax", "aay", NULL};
    assert_string_equal(text_nearest("aaz", equal), "aax");
}

static void nearest_survives_long_words(void **state)
{
    (void)state;
    char word[200];
    memset(word, 'a', sizeof word);
    word[64] = '\0';
    const char *const same[] = {word, NULL};
    assert_ptr_equal(text_nearest(word, same), word);
    word[64] = 'a';
    word[199] = '\0';
    assert_null(text_nearest(word, same));
    assert_null(text_nearest("aaa", same));
}

static void whole_numbers(void **state)
{
    (void)state;
    struct error err;
    int64_t value = 77;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0}, {"-0", 0}, {"42", 42}, {"-7", -7}, {"007", 7},
                {"9223372036854775807", INT64_MAX}, {"-9223372036854775808", INT64_MIN}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        EXPECT_OK(text_int(good[i].text, &value, &err), &err);
        assert_int_equal(value, good[i].value);
    }
    static const char *const bad[] = {"",   "-",   "+1",  " 1",  "1 ",   "1.0",
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
    } good[] = {{"0", 0}, {"0.1", 0.1}, {"-2.5", -2.5}, {"1e3", 1000}, {"+4", 4}, {".5", 0.5},
                {"1E-2", 0.01}, {"1e-400", 0}, {"1.7976931348623157e308", 1.7976931348623157e308}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        EXPECT_OK(text_real(good[i].text, &value, &err), &err);
        assert_true(value == good[i].value);
    }
    static const char *const bad[] = {"", " 1", "1 ", "nan", "NaN", "inf", "-inf", "0x10", "1e",
                                      "1,5", "-", ".", "1.2.3", "1\n", "infinity", "e5"};
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
    {"250ms", 250},        {"5s", 5000},           {"10m", 600000},
    {"2h", 7200000},       {"24h", DAY},           {"36h", DAY * 3 / 2},
    {"47h59m", 172740000}, {"2d", 2 * DAY},        {"30d", 30 * DAY},
    {"1h30m", 5400000},    {"2d1h", 176400000},    {"0s", 0},
    {"1s500ms", 1500},     {"1m1ms", 60001},       {"366d", 366 * DAY},
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
    static const char *const bad[] = {"", "s", "-5s", "5 s", " 5s", "5s ", "5S", "5sec", "1.5h",
                                      "30m1h", "1h1h", "1ms1s", "5s5", "h1", "1hm", "5m\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_ERROR(text_duration(bad[i], &ms, &err), &err, ERROR_FORMAT, "is not a duration");
    }
    EXPECT_ERROR(text_duration(NULL, &ms, &err), &err, ERROR_FORMAT, "is not a duration");
    EXPECT_ERROR(text_duration("10", &ms, &err), &err, ERROR_FORMAT,
                 "'10' has no unit: write ms, s, m, h or d, as in '10s'");
    EXPECT_ERROR(text_duration("0", &ms, &err), &err, ERROR_FORMAT, "no unit");
    static const char *const large[] = {"367d", "366d1ms", "8785h", "99999999999999999999999d",
                                        "31622400001ms", "9223372036854775807ms"};
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
    static const char *const unlike[] = {
        "", "2026-11-24", "2026-11-24T22:39:22", "2026-11-24 22:39:22Z", "2026-11-24T22:39:22z",
        "2026-11-24T22:39:22.Z", "2026-11-24T22:39:22+0100", "2026-11-24T22:39:22+24:00",
        "2026-11-24T22:39:22+01:60", "2026-11-24T22:39:22Zx", "26-11-24T22:39:22Z",
        "2026-1a-24T22:39:22Z", "1795559962", "2026-11-24T22:39:2"};
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

static const char *const valid_utf8[] = {
    "", "plain", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x9A\x80", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF",
    "\xED\x9F\xBF", "\xEE\x80\x80", "\xC2\x80", "\xE0\xA0\x80", "\xF0\x90\x80\x80"};
static const char *const invalid_utf8[] = {
    "\x80",             /* continuation without a lead */
    "\xC3",             /* cut off */
    "\xE2\x82",         /* cut off */
    "\xC0\xAF",         /* overlong */
    "\xC1\xBF",         /* overlong */
    "\xE0\x9F\xBF",     /* overlong */
    "\xF0\x8F\xBF\xBF", /* overlong */
    "\xED\xA0\x80",     /* surrogate */
    "\xED\xBF\xBF",     /* surrogate */
    "\xF4\x90\x80\x80", /* beyond U+10FFFF */
    "\xF5\x80\x80\x80", "\xFF", "\xC3(", "ok\xE2(\xAC"};

static void utf8_is_told_from_what_is_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof valid_utf8 / sizeof valid_utf8[0]; i++) {
        assert_true(text_utf8_valid(valid_utf8[i], strlen(valid_utf8[i])));
    }
    for (size_t i = 0; i < sizeof invalid_utf8 / sizeof invalid_utf8[0]; i++) {
        assert_false(text_utf8_valid(invalid_utf8[i], strlen(invalid_utf8[i])));
    }
    /* the length counts, not what stands behind it */
    assert_false(text_utf8_valid("\xE2\x82\xAC", 2));
    assert_true(text_utf8_valid("a\xFF", 1));
}

static void clean_replaces_and_cuts(void **state)
{
    (void)state;
    struct arena arena = {0};
    assert_string_equal(text_clean(&arena, "a\xFF\xC3\xA9", 4, 100), "a\xEF\xBF\xBD\xC3\xA9");
    assert_string_equal(text_clean(&arena, "a\0b", 3, 100), "a\xEF\xBF\xBD" "b");
    assert_string_equal(text_clean(&arena, "abcdef", 6, 3), "abc");
    assert_string_equal(text_clean(&arena, "ab\xE2\x82\xAC", 5, 5), "ab\xE2\x82\xAC");
    assert_string_equal(text_clean(&arena, "ab\xE2\x82\xAC", 5, 4), "ab");
    assert_string_equal(text_clean(&arena, "ab\xFF" "c", 4, 4), "ab");
    assert_string_equal(text_clean(&arena, "", 0, 10), "");
    assert_string_equal(text_clean(&arena, "abc", 3, 0), "");
    for (size_t i = 0; i < sizeof invalid_utf8 / sizeof invalid_utf8[0]; i++) {
        const char *clean = text_clean(&arena, invalid_utf8[i], strlen(invalid_utf8[i]), 100);
        assert_true(text_utf8_valid(clean, strlen(clean)));
        assert_non_null(strstr(clean, "\xEF\xBF\xBD"));
    }
    arena_release(&arena);
}

static void expect_escape(void (*escape)(struct buf *, const char *), const char *text,
                          const char *wanted)
{
    struct buf out AUTO_BUF;
    buf_init(&out, 4096);
    escape(&out, text);
    assert_string_equal(out.data, wanted);
}

static void urls_keep_the_unreserved(void **state)
{
    (void)state;
    expect_escape(text_to_url, "AZaz09-._~", "AZaz09-._~");
    expect_escape(text_to_url, "a b&c=d/e?f#g%h+i", "a%20b%26c%3Dd%2Fe%3Ff%23g%25h%2Bi");
    expect_escape(text_to_url, "\xC3\xA9\r\n", "%C3%A9%0D%0A");
    expect_escape(text_to_url, NULL, "");
}

static void terminals_get_no_controls(void **state)
{
    (void)state;
    expect_escape(text_to_terminal, "plain \xC3\xA9 \xF0\x9F\x9A\x80\ttab",
                  "plain \xC3\xA9 \xF0\x9F\x9A\x80\ttab");
    expect_escape(text_to_terminal, "\x1b[2J\x07\r\n\x7f", "\\x1b[2J\\x07\\x0d\\x0a\\x7f");
    expect_escape(text_to_terminal, "\xC2\x9B[2J", "\\x9b[2J");                /* 8-bit CSI */
    expect_escape(text_to_terminal, "\xFF\xC3", "\\xff\\xc3");                 /* no UTF-8 */
    expect_escape(text_to_terminal, "a\xE2\x80\xAE" "b", "a\\u202eb");         /* right to left */
    expect_escape(text_to_terminal, "\xE2\x81\xA6\xE2\x80\xA8", "\\u2066\\u2028");
    expect_escape(text_to_terminal, NULL, "");
}

#define ZWSP "\xE2\x80\x8B"

static void markdown_is_only_text(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain text 1.2.3, 5% (ok)", "plain text 1.2.3, 5% (ok)"},
        {"a|b", "a\\|b"},
        {"`code` *b* _i_ ~s~", "\\`code\\` \\*b\\* \\_i\\_ \\~s\\~"},
        {"http_requests_total", "http_requests_total"},
        {"_x_ a_ _b", "\\_x\\_ a\\_ \\_b"},
        {"[a](b) ![i](j)", "\\[a\\](b) !\\[i\\](j)"},
        {"<script>&amp;", "&lt;script&gt;&amp;amp;"},
        {"@octocat", "@" ZWSP "octocat"},
        {"see #12", "see \\#" ZWSP "12"},
        {"https://evil.example", "https\\://evil.example"},
        {"www.evil.example", "www\\.evil.example"},
        {"WWW.evil", "WWW\\.evil"},
        {"a\\b", "a\\\\b"},
        {"$x$", "\\$x\\$"},
        {"line1\nline2\r\n\tx", "line1 line2   x"},
        {"\x1b[31m", "\\\\x1b\\[31m"},
        {"\xFF", "\\\\xff"},
        {"\xE2\x80\xAE", "\\\\u202e"},
        {"a:b", "a:b"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_escape(text_to_markdown, cases[i][0], cases[i][1]);
    }
    expect_escape(text_to_markdown, NULL, "");
}

static void markdown_line_starts_are_broken(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"# head", "\\#" ZWSP " head"},
        {"- item", "\\- item"},
        {"-", "\\-"},
        {"+ item", "\\+ item"},
        {"* item", "\\* item"},
        {"-5 %", "-5 %"},
        {"+5", "+5"},
        {"---", "\\---"},
        {"===", "\\==="},
        {"> quote", "&gt; quote"},
        {"1. item", "1\\. item"},
        {"12) item", "12\\) item"},
        {"1.", "1\\."},
        {"1.2 is a version", "1.2 is a version"},
        {"12", "12"},
        {"/merge", "\\/merge"},        /* a quick action of GitLab */
        {"  \n/merge", "\\/merge"},
        {"    code", "code"},
        {"a - b / c = d", "a - b / c = d"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_escape(text_to_markdown, cases[i][0], cases[i][1]);
    }
}

static void escapers_append_and_keep_the_ceiling(void **state)
{
    (void)state;
    struct buf out AUTO_BUF;
    buf_init(&out, 8);
    buf_adds(&out, "x=");
    text_to_url(&out, "a b c");
    assert_string_equal(out.data, "x=a%20b%");
    assert_true(out.overflow);
}

static void sha256_is_right(void **state)
{
    (void)state;
    char sum[65];
    text_sha256(sum, "", 0);
    assert_string_equal(sum, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    text_sha256(sum, NULL, 0);
    assert_string_equal(sum, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    text_sha256(sum, "abc", 3);
    assert_string_equal(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    char data[1000];
    memset(data, 'a', sizeof data);
    text_sha256(sum, data, sizeof data);
    assert_string_equal(sum, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_starts_empty),
        cmocka_unit_test(buffer_stops_at_its_ceiling),
        cmocka_unit_test(formatted_text_keeps_the_ceiling),
        cmocka_unit_test(buffer_without_room_takes_nothing),
        cmocka_unit_test(buffer_grows_and_keeps_bytes),
        cmocka_unit_test(texts_compare),
        cmocka_unit_test(nearest_is_found_within_its_distance),
        cmocka_unit_test(nearest_is_not_guessed),
        cmocka_unit_test(nearest_takes_the_best_and_the_first),
        cmocka_unit_test(nearest_survives_long_words),
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(real_numbers),
        cmocka_unit_test(durations_go_both_ways),
        cmocka_unit_test(durations_may_be_written_otherwise),
        cmocka_unit_test(wrong_durations_are_refused),
        cmocka_unit_test(any_duration_can_be_shown),
        cmocka_unit_test(times_are_written),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(utf8_is_told_from_what_is_not),
        cmocka_unit_test(clean_replaces_and_cuts),
        cmocka_unit_test(urls_keep_the_unreserved),
        cmocka_unit_test(terminals_get_no_controls),
        cmocka_unit_test(markdown_is_only_text),
        cmocka_unit_test(markdown_line_starts_are_broken),
        cmocka_unit_test(escapers_append_and_keep_the_ceiling),
        cmocka_unit_test(sha256_is_right),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
