/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include <errno.h>

static void set_fills_and_fails(void **state)
{
    (void)state;
    struct error err = {ERROR_NONE, ""};
    assert_int_equal(error_set(&err, ERROR_CONFIG, "%s:%d: unknown", "deploy.yaml", 12), -1);
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_string_equal(err.message, "deploy.yaml:12: unknown");
}

static void null_is_only_a_failure(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, ERROR_BUG, "x %d", 1), -1);
    assert_int_equal(error_system(NULL, ENOENT, "x"), -1);
    assert_int_equal(error_wrap(NULL, "x"), -1);
}

static void messages_are_one_line(void **state)
{
    (void)state;
    struct error err;
    error_set(&err, ERROR_REMOTE, "a\nb\rc\td\x1b[31m\x7f!");
    assert_string_equal(err.message, "a b c d [31m !");
}

static void long_messages_are_cut(void **state)
{
    (void)state;
    struct error err;
    char text[2 * ERROR_MESSAGE_MAX];
    memset(text, 'x', sizeof text);
    text[ERROR_MESSAGE_MAX - 1] = '\0';
    error_set(&err, ERROR_REMOTE, "%s", text);
    assert_string_equal(err.message, text);
    text[ERROR_MESSAGE_MAX - 1] = 'y';
    text[sizeof text - 1] = '\0';
    error_set(&err, ERROR_REMOTE, "%s", text);
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_MAX - 1);
    assert_int_equal(err.message[ERROR_MESSAGE_MAX - 2], 'x');
}

/* `sign` begins `lead` bytes before the place where the message is cut. */
static size_t length_with_sign_at_end(const char *sign, size_t lead)
{
    struct error err;
    char text[2 * ERROR_MESSAGE_MAX] = "";
    memset(text, 'x', ERROR_MESSAGE_MAX - 1 - lead);
    memcpy(text + ERROR_MESSAGE_MAX - 1 - lead, sign, strlen(sign));
    memset(text + strlen(text), 'y', 20);
    error_set(&err, ERROR_REMOTE, "%s", text);
    return strlen(err.message);
}

static void cut_falls_between_code_points(void **state)
{
    (void)state;
    const size_t room = ERROR_MESSAGE_MAX - 1;
    static const char *const signs[] = {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x9A\x80"};
    for (size_t i = 0; i < 3; i++) {
        size_t size = strlen(signs[i]);
        assert_int_equal(length_with_sign_at_end(signs[i], size), room);
        for (size_t lead = 1; lead < size; lead++) {
            assert_int_equal(length_with_sign_at_end(signs[i], lead), room - lead);
        }
    }
}

static void arguments_may_point_into_err(void **state)
{
    (void)state;
    struct error err;
    error_set(&err, ERROR_AUTH, "first");
    error_set(&err, ERROR_DENIED, "%s and %s", err.message, "second");
    assert_string_equal(err.message, "first and second");
    assert_int_equal(err.kind, ERROR_DENIED);
}

static void wrap_keeps_the_kind(void **state)
{
    (void)state;
    struct error err;
    error_set(&err, ERROR_RATELIMIT, "come back");
    assert_int_equal(error_wrap(&err, "source '%s'", "prom"), -1);
    assert_string_equal(err.message, "source 'prom': come back");
    assert_int_equal(err.kind, ERROR_RATELIMIT);
}

static void system_errors_have_kinds(void **state)
{
    (void)state;
    static const struct {
        int number;
        enum error_kind kind;
    } cases[] = {
        {ENOENT, ERROR_NOTFOUND},      {EACCES, ERROR_DENIED},        {EPERM, ERROR_DENIED},
        {ETIMEDOUT, ERROR_TIMEOUT},    {ENOSPC, ERROR_STATE},         {EROFS, ERROR_STATE},
        {EDQUOT, ERROR_STATE},         {ECONNREFUSED, ERROR_NETWORK}, {ECONNRESET, ERROR_NETWORK},
        {ECONNABORTED, ERROR_NETWORK}, {EIO, ERROR_REMOTE},           {EINVAL, ERROR_REMOTE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err;
        assert_int_equal(error_system(&err, cases[i].number, "open '%s'", "x"), -1);
        assert_int_equal(err.kind, cases[i].kind);
    }
    struct error err;
    error_system(&err, ENOENT, "open '%s'", "x");
    assert_string_equal(err.message, "open 'x': No such file or directory");
}

static void kinds_have_names_and_codes(void **state)
{
    (void)state;
    static const struct {
        enum error_kind kind;
        const char *name;
        int code;
        bool transient;
    } cases[] = {
        {ERROR_USAGE, "usage", 1, false},
        {ERROR_CONFIG, "config", 1, false},
        {ERROR_AUTH, "auth", 6, false},
        {ERROR_DENIED, "denied", 6, false},
        {ERROR_NOTFOUND, "notfound", 6, false},
        {ERROR_CONFLICT, "conflict", 7, false},
        {ERROR_TIMEOUT, "timeout", 6, true},
        {ERROR_NETWORK, "network", 6, true},
        {ERROR_RATELIMIT, "ratelimit", 6, true},
        {ERROR_REMOTE, "remote", 6, true},
        {ERROR_FORMAT, "format", 6, false},
        {ERROR_STATE, "state", 6, false},
        {ERROR_GATE, "gate", 3, false},
        {ERROR_CANCELLED, "cancelled", 130, false},
        {ERROR_BUG, "bug", 6, false},
        {ERROR_NONE, "none", 6, false},
    };
    assert_int_equal(sizeof cases / sizeof cases[0], ERROR_KINDS);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(error_kind_name(cases[i].kind), cases[i].name);
        assert_int_equal(error_exit_code(cases[i].kind), cases[i].code);
        assert_int_equal(error_is_transient(cases[i].kind), cases[i].transient);
    }
    assert_string_equal(error_kind_name(ERROR_KINDS), "unknown");
    assert_string_equal(error_kind_name((enum error_kind) - 1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_and_fails),
        cmocka_unit_test(null_is_only_a_failure),
        cmocka_unit_test(messages_are_one_line),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(cut_falls_between_code_points),
        cmocka_unit_test(arguments_may_point_into_err),
        cmocka_unit_test(wrap_keeps_the_kind),
        cmocka_unit_test(system_errors_have_kinds),
        cmocka_unit_test(kinds_have_names_and_codes),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
