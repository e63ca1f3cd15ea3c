/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#include "arena.h"
#include "mask.h"

#include <stdlib.h>

static void secrets_are_masked(void **state)
{
    (void)state;
    struct capture c = plain();
    log_mask(c.log, "s3cr3t");
    log_line(c.log, LOG_INFO, "a s3cr3t b %s%s S3CR3T", "s3cr3t", "s3cr3t");
    expect_written(&c, "a *** b *** S3CR3T\n");
    log_line(c.log, LOG_INFO, "s3cr3 s3cr3");
    expect_written(&c, "s3cr3 s3cr3\n");
    log_line(c.log, LOG_INFO, "xs3cr3ts3cr3");
    expect_last(&c, "x***s3cr3\n");
}

static void short_values_are_not_masked(void **state)
{
    (void)state;
    struct capture c = github();
    log_mask(c.log, "abc");
    log_mask(c.log, "");
    log_mask(c.log, NULL);
    log_line(c.log, LOG_INFO, "abc");
    expect_written(&c, "abc\n");
    log_mask(c.log, "abcd");
    log_line(c.log, LOG_INFO, "abcd abc");
    expect_last(&c, "::add-mask::abcd\n*** abc\n");
}

static void encoded_secrets_are_masked(void **state)
{
    (void)state;
    struct capture c = plain();
    log_mask(c.log, "pass/word?1");
    log_line(c.log, LOG_INFO, "https://x.example/?token=pass%%2Fword%%3F1&b");
    expect_written(&c, "https://x.example/?token=***&b\n");
    log_line(c.log, LOG_INFO, "data: cGFzcy93b3JkPzE= end");
    expect_written(&c, "data: *** end\n");
    log_line(c.log, LOG_INFO, "unpadded cGFzcy93b3JkPzE end");
    expect_last(&c, "unpadded *** end\n");
}

/* base64 of "x:token-value:yz", "xxx:token-value:yz" and "xx:token-value:yz": only letters
 * at the edges, which mix with the neighbours, may stay. */
static void secrets_inside_base64_are_masked(void **state)
{
    (void)state;
    struct capture c = plain();
    log_mask(c.log, "token-value");
    log_line(c.log, LOG_INFO, "eDp0b2tlbi12YWx1ZTp5eg==");
    expect_written(&c, "eDp***Tp5eg==\n");
    log_line(c.log, LOG_INFO, "eHh4OnRva2VuLXZhbHVlOnl6");
    expect_written(&c, "eHh4On***Onl6\n");
    log_line(c.log, LOG_INFO, "eHg6dG9rZW4tdmFsdWU6eXo=");
    expect_last(&c, "eHg6***6eXo=\n");
}

static void url_base64_is_masked(void **state)
{
    (void)state;
    struct capture c = plain();
    log_mask(c.log, "a?b>c~d\xFF"); /* needs both letters in which the alphabets differ */
    log_line(c.log, LOG_INFO, "YT9iPmN-ZP8 YT9iPmN+ZP8=");
    expect_last(&c, "*** ***\n");
}

static void overlapping_secrets_leave_nothing(void **state)
{
    (void)state;
    struct capture c = plain();
    log_mask(c.log, "abcdef");
    log_mask(c.log, "defghi");
    log_mask(c.log, "abcd");
    log_line(c.log, LOG_INFO, "x abcdefghi y abcdefabcd z defghidefg");
    expect_last(&c, "x *** y *** z ***defg\n");
}

static void secrets_of_many_lines_are_masked(void **state)
{
    (void)state;
    struct capture c = plain();
    static const char key[] = "-----BEGIN KEY-----\nMIIEvQIBADAN\nshort\n-----END KEY-----\n";
    log_mask(c.log, key);
    log_line(c.log, LOG_INFO, "key: %s.", key);
    expect_written(&c, "key: ***\\x0a.\n");
    log_line(c.log, LOG_INFO, "MIIEvQIBADAN and short");
    expect_written(&c, "*** and short\n");
    log_line(c.log, LOG_INFO, "{\"key\":\"-----BEGIN KEY-----\\nMIIEvQIBADAN\\n\"}");
    expect_last(&c, "{\"key\":\"***\"}\n");
}

static void a_secret_at_the_cut_is_masked(void **state)
{
    (void)state;
    struct capture c = plain();
    const size_t most = 32 * 1024 - 1;
    char *text = calloc(1, 50000), *wanted = calloc(1, 50000);
    log_mask(c.log, "topsecretvalue");
    memset(text, 'x', most - 9);
    memcpy(wanted, text, most - 9);
    memcpy(text + most - 9, "topsecretvalue", 15);
    memcpy(wanted + most - 9, "*** [cut]\n", 11);
    log_line(c.log, LOG_INFO, "%s", text);
    expect_last(&c, wanted);
    free(text);
    free(wanted);
}

static void masks_hold_before_escaping(void **state)
{
    (void)state;
    struct capture c = plain();
    log_mask(c.log, "a\x1b"
                    "b\xFF"
                    "c::");
    log_line(c.log, LOG_INFO,
             "a\x1b"
             "b\xFF"
             "c::");
    log_mask(c.log, "::hidden");
    log_line(c.log, LOG_INFO, "::hidden::x");
    expect_last(&c, "***\n***::x\n");
}

static void github_is_told_of_masks(void **state)
{
    (void)state;
    struct capture c = capture(LOG_GITHUB, LOG_ERROR, false);
    log_mask(c.log, "100%\r\nof:it,\x1b");
    expect_written(&c, "::add-mask::100%25%0D%0Aof:it,\x1b\n");
    log_mask(c.log, "100%\r\nof:it,\x1b");
    expect_written(&c, ""); /* known already */
    expect_last(&c, "");
    c = capture(LOG_GITLAB, LOG_DETAIL, false);
    log_mask(c.log, "value");
    expect_last(&c, "");
}

static void masked_text_is_for_others(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct capture c = plain();
    const char *text = "the value is here";
    assert_ptr_equal(mask_text(&arena, text), text);
    log_mask(c.log, "value");
    assert_string_equal(mask_text(&arena, text), "the *** is here");
    assert_string_equal(mask_text(&arena, "a\nvalue\x1b"), "a\n***\x1b");
    const char *other = "nothing of it";
    assert_ptr_equal(mask_text(&arena, other), other);
    assert_null(mask_text(&arena, NULL));
    assert_string_equal(mask_text(&arena, ""), "");
    expect_last(&c, "");
    assert_string_equal(mask_text(&arena, text), text); /* forgotten with the log */
    arena_release(&arena);
}

struct sample {
    const char *text, *wanted;
};

static void expect_all(const struct sample *samples, size_t count)
{
    struct arena arena = {0};
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(mask_text(&arena, samples[i].text), samples[i].wanted);
    }
    arena_release(&arena);
}

#define EXPECT_ALL(samples) expect_all(samples, sizeof(samples) / sizeof(samples[0]))

/* One secret with everything in it that somebody escapes. */
static void escaped_secrets_are_masked(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"a \\/q\"u'o<t>e&d_*#[é]@ b", "a *** b"},                                 /* as it is */
        {"j \\\\/q\\\"u'o<t>e&d_*#[é]@ b", "j *** b"},                             /* JSON */
        {"j \\\\\\/q\\\"u'o<t>e&d_*#[\\u00e9]@ b", "j *** b"},                     /* ASCII JSON */
        {"j \\\\\\\\/q\\\\\\\"u'o\\\\u003ct\\\\u003ee\\\\u0026d_*#[é]@", "j ***"}, /* in JSON */
        {"s '\\/q\"u'\\''o<t>e&d_*#[é]@'", "s '***'"},                             /* a shell */
        {"s '\\/q\"u'\"'\"'o<t>e&d_*#[é]@'", "s '***'"},                           /* another */
        {"m \\\\/q\"u'o&lt;t&gt;e&amp;d\\_\\*\\#\xE2\x80\x8B\\[é\\]@", "m ***"},   /* Markdown */
        {"h \\/q&quot;u&#39;o&lt;t&gt;e&amp;d_*#[é]@ b", "h *** b"},               /* HTML */
        {"u %5C%2Fq%22u%27o%3Ct%3Ee%26d_%2A%23%5B%C3%A9%5D%40 b", "u *** b"},      /* all of it */
        {"u %5c/q%22u'o%3ct%3ee&d_*%23[%c3%a9]@ b", "u *** b"},                    /* some of it */
        {"x \\\\/q\"u'o<t>e&d_*#[\\xc3\\xa9]@ b", "x *** b"},                      /* C */
        {"x \\\\/q\"u'o<t>e&d_*#[\\303\\251]@ b", "x *** b"},                      /* octal */
        {"x 5c2f712275276f3c743e6526645f2a235bc3a95d40", "x ***"},                 /* hex */
        {"x 5C2F712275276F3C743E6526645F2A235BC3A95D40", "x ***"},
    };
    mask_add("\\/q\"u'o<t>e&d_*#[é]@");
    EXPECT_ALL(samples);
    mask_forget();
}

static void characters_of_two_halves_are_masked(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"\"\\ud83d\\udd11 key\"", "\"***\""},
        {"\"\\\\ud83d\\\\udd11 key\"", "\"***\""}, /* in JSON */
        {"\\ud83d key", "\\ud83d key"},
    };
    mask_add("\xF0\x9F\x94\x91 key");
    EXPECT_ALL(samples);
    mask_forget();
}

static void line_ends_may_be_written_otherwise(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"first\nsecond", "***"},  {"first\r\nsecond", "***"},
        {"first second", "***"},   {"first\\nsecond", "***"},
        {"first%0Asecond", "***"}, {"first%0D%0Asecond", "***%0D%0A***"},
        {"a first b", "a *** b"},  {"first+second", "***+***"},
    };
    mask_add("first\nsecond\n");
    EXPECT_ALL(samples);
    mask_forget();
    mask_add("with some spaces");
    static const struct sample spaces[] = {{"q=with+some+spaces&", "q=***&"},
                                           {"with%20some+spaces", "***"}};
    EXPECT_ALL(spaces);
    mask_forget();
}

static void white_space_around_a_secret_does_not_count(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"is tok5 here", "is *** here"},
        {"dG9rNQ== dG9rNQo= IHRvazUK", "*** ***o= ***"}, /* printf, echo, and all of it */
    };
    assert_true(mask_add(" tok5\n"));
    assert_false(mask_add(" tok5\n"));
    assert_false(mask_add(" abc \n"));
    EXPECT_ALL(samples);
    mask_forget();
}

/* What was cut before we saw it: the piece that is left goes, too. */
static void pieces_of_secrets_are_masked(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"'abcdefgh' and more", "'***' and more"},      /* cut at a quote */
        {"abcdefghi…", "***…"},                         /* at an ellipsis */
        {"the end: abcdefghijk", "the end: ***"},       /* at the end */
        {"'abcdefg' is seven", "'abcdefg' is seven"},   /* too little of it */
        {"abcdefghi and so on", "abcdefghi and so on"}, /* by chance, and too little */
        {"abcdefghijkl and so on", "*** and so on"},    /* a third of it */
        {"YWJjZGVmZ2hpamts'", "***'"},                  /* of its base64 */
    };
    mask_add("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ");
    EXPECT_ALL(samples);
    mask_forget();
}

static void broken_base64_is_masked(void **state)
{
    (void)state;
    char secret[121] = "";
    for (size_t i = 0; i < 120; i++) {
        secret[i] = (char)('a' + (i * 7 + i / 26) % 26);
    }
    mask_add(secret);
    static const struct sample samples[] = {
        {"dGFobw==", "dGFobw=="}, /* of something else */
    };
    EXPECT_ALL(samples);
    struct arena arena = {0};
    /* base64 -w 76: the second line is a text of its own */
    assert_string_equal(
        mask_text(&arena,
                  "bHN6Z251Ymlwd2RrcnlmbXRhaG92ZGtyeWZtdGFob3ZjanF4ZWxzemdudWJpcHdlbHN6Z251Ymlw"),
        "***");
    arena_release(&arena);
    mask_forget();
}

static void shapes_are_masked(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"by ghp_0123456789abcdefABCDEF!", "by ***!"},
        {"xghp_0123456789 ghp_short AKIAIOSFODNN7EXAMPLE", "xghp_0123456789 ghp_short ***"},
        {"at https://hooks.slack.com/services/T0/B0/xyz, see", "at https://***, see"},
        {"postgres://app:pa55@db/shop and ://u:$PW@h", "postgres://app:***@db/shop and ://u:$PW@h"},
        {"https://0123456789abcdef0123@host/ https://me@host/",
         "https://***@host/ https://me@host/"},
        {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl.", "***."},
        {"k -----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- z", "k *** z"},
        {"-----BEGIN PRIVATE KEY-----\ncut off", "***"},
        {"-----BEGIN CERTIFICATE-----\nabc", "-----BEGIN CERTIFICATE-----\nabc"},
        {"Authorization: Bearer abc.def-1, x", "Authorization: Bearer ***, x"},
        {"{\"authorization\":\"Basic dTpw\"}", "{\"authorization\":\"Basic ***\"}"},
        {"authorization: denied; authorization failed",
         "authorization: denied; authorization failed"},
        {"with bearer abcdefgh1 or bearer of news", "with bearer *** or bearer of news"},
        {"Set-Cookie: sid=1; Path=/", "Set-Cookie: ***"},
        {"/a?user=me&access_token=abc&x=1", "/a?user=me&access_token=***&x=1"},
        {"password=\"two words\" DB_PASSWORD=one next", "password=\"***\" DB_PASSWORD=*** next"},
        {"{\"password\": \"hunter2\", \"n\": 1}", "{\"password\": \"***\", \"n\": 1}"},
        {"{\\\"client_secret\\\":\\\"abc\\\"}", "{\\\"client_secret\\\":\\\"***\\\"}"},
        {"X-Api-Key: abc def", "X-Api-Key: *** def"},
        {"invalid token: expired", "invalid token: expired"},
        {".token == \"abc\" token=$TOKEN secretary=x",
         ".token == \"abc\" token=$TOKEN secretary=x"},
    };
    EXPECT_ALL(samples);
    assert_true(mask_is_secret("x ghp_0123456789abcdefABCDEF y"));
    assert_true(mask_is_secret("postgres://app:pa55@db/shop"));
    assert_false(mask_is_secret("https://x.example/?token=abc"));
    assert_false(mask_is_secret(NULL));
}

/* A beginning at every few bytes, and none of them is one: not each is followed to the end. */
static void long_texts_are_looked_at_once(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    static const char *const pieces[] = {"-eyJ",   "\\", "%41",  "://",
                                         "token=", "&#", "ghp_", "eyJ."};
    AUTO_BUF struct buf text, out;
    buf_init(&text, SIZE);
    buf_init(&out, SIZE * 3);
    mask_add("hunter2!secret");
    mask_add("\\\\server\\share");
    alarm(60 * SLOWLY); /* of hours */
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        buf_clear(&text);
        while (!text.overflow) {
            buf_adds(&text, pieces[i]);
        }
        buf_clear(&out);
        mask_apply(&out, text.data, text.length, false);
        assert_true(out.length > 0);
    }
    alarm(0);
    mask_forget();
}

static void text_is_masked_before_it_is_cut(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct error err = {0};
    mask_add("seven77");
    assert_string_equal(text_shown(&arena, "is seven77 here", 15, 8), "is *** h");
    assert_string_equal(text_shown(&arena, "is seven77 here", 15, 6), "is ***");
    char text[2000];
    memset(text, 'x', sizeof text);
    memcpy(text + 1018, "seven77", 8);
    error_set(&err, ERROR_REMOTE, "%s", text);
    assert_string_equal(err.message + 1018, "***");
    error_set(&err, ERROR_REMOTE, "said '%s'", "seven77");
    error_wrap(&err, "at seven77");
    assert_string_equal(err.message, "at ***: said '***'");
    arena_release(&arena);
    mask_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_masked),
        cmocka_unit_test(short_values_are_not_masked),
        cmocka_unit_test(encoded_secrets_are_masked),
        cmocka_unit_test(secrets_inside_base64_are_masked),
        cmocka_unit_test(url_base64_is_masked),
        cmocka_unit_test(overlapping_secrets_leave_nothing),
        cmocka_unit_test(secrets_of_many_lines_are_masked),
        cmocka_unit_test(a_secret_at_the_cut_is_masked),
        cmocka_unit_test(masks_hold_before_escaping),
        cmocka_unit_test(github_is_told_of_masks),
        cmocka_unit_test(masked_text_is_for_others),
        cmocka_unit_test(escaped_secrets_are_masked),
        cmocka_unit_test(characters_of_two_halves_are_masked),
        cmocka_unit_test(line_ends_may_be_written_otherwise),
        cmocka_unit_test(white_space_around_a_secret_does_not_count),
        cmocka_unit_test(pieces_of_secrets_are_masked),
        cmocka_unit_test(broken_base64_is_masked),
        cmocka_unit_test(shapes_are_masked),
        cmocka_unit_test(long_texts_are_looked_at_once),
        cmocka_unit_test(text_is_masked_before_it_is_cut),
    };
    return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
