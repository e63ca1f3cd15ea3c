/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include "arena.h"
#include "text.h"

static const char *const valid_utf8[] = {"",
                                         "plain",
                                         "\xC3\xA9",
                                         "\xE2\x82\xAC",
                                         "\xF0\x9F\x9A\x80",
                                         "\xEF\xBF\xBF",
                                         "\xF4\x8F\xBF\xBF",
                                         "\xED\x9F\xBF",
                                         "\xEE\x80\x80",
                                         "\xC2\x80",
                                         "\xE0\xA0\x80",
                                         "\xF0\x90\x80\x80"};
static const char *const invalid_utf8[] = {"\x80",             /* continuation without a lead */
                                           "\xC3",             /* cut off */
                                           "\xE2\x82",         /* cut off */
                                           "\xC0\xAF",         /* overlong */
                                           "\xC1\xBF",         /* overlong */
                                           "\xE0\x9F\xBF",     /* overlong */
                                           "\xF0\x8F\xBF\xBF", /* overlong */
                                           "\xED\xA0\x80",     /* surrogate */
                                           "\xED\xBF\xBF",     /* surrogate */
                                           "\xF4\x90\x80\x80", /* beyond U+10FFFF */
                                           "\xF5\x80\x80\x80",
                                           "\xFF",
                                           "\xC3(",
                                           "ok\xE2(\xAC"};

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
    assert_string_equal(text_clean(&arena, "a\0b", 3, 100), "a\xEF\xBF\xBD"
                                                            "b");
    assert_string_equal(text_clean(&arena, "abcdef", 6, 3), "abc");
    assert_string_equal(text_clean(&arena, "ab\xE2\x82\xAC", 5, 5), "ab\xE2\x82\xAC");
    assert_string_equal(text_clean(&arena, "ab\xE2\x82\xAC", 5, 4), "ab");
    assert_string_equal(text_clean(&arena,
                                   "ab\xFF"
                                   "c",
                                   4, 4),
                        "ab");
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
    expect_escape(text_to_terminal, "\xC2\x9B[2J", "\\x9b[2J"); /* 8-bit CSI */
    expect_escape(text_to_terminal, "\xFF\xC3", "\\xff\\xc3");  /* no UTF-8 */
    expect_escape(text_to_terminal,
                  "a\xE2\x80\xAE"
                  "b",
                  "a\\u202eb"); /* right to left */
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
        {"/merge", "\\/merge"}, /* a quick action of GitLab */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_told_from_what_is_not),
        cmocka_unit_test(clean_replaces_and_cuts),
        cmocka_unit_test(urls_keep_the_unreserved),
        cmocka_unit_test(terminals_get_no_controls),
        cmocka_unit_test(markdown_is_only_text),
        cmocka_unit_test(markdown_line_starts_are_broken),
        cmocka_unit_test(escapers_append_and_keep_the_ceiling),
    };
    return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}
