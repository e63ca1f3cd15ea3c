/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#include "arena.h"

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
    expect_written(&c, "key: ***.\n");
    log_line(c.log, LOG_INFO, "MIIEvQIBADAN and short");
    expect_written(&c, "*** and short\n");
    log_line(c.log, LOG_INFO, "{\"key\":\"-----BEGIN KEY-----\\nMIIEvQIBADAN\\n\"}");
    expect_last(&c, "{\"key\":\"***\\n***\\n\"}\n");
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
    assert_ptr_equal(log_masked(c.log, &arena, text), text);
    log_mask(c.log, "value");
    assert_string_equal(log_masked(c.log, &arena, text), "the *** is here");
    assert_string_equal(log_masked(c.log, &arena, "a\nvalue\x1b"), "a\n***\x1b");
    const char *other = "nothing of it";
    assert_ptr_equal(log_masked(c.log, &arena, other), other);
    assert_null(log_masked(c.log, &arena, NULL));
    assert_string_equal(log_masked(c.log, &arena, ""), "");
    expect_last(&c, "");
    arena_release(&arena);
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
    };
    return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
