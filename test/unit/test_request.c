/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"
#include "http_test.h"

static void bad_requests_are_never_sent(void **state)
{
    const char *const breaks[] = {"X-A: b\r\nHost: evil"};
    const char *const nameless[] = {"no colon"};
    const char *const empty[] = {": value"};
    const struct http_request bad[] = {
        {.url = url_of("/echo"), .headers = breaks, .header_count = 1},
        {.url = url_of("/echo"), .headers = nameless, .header_count = 1},
        {.url = url_of("/echo"), .headers = empty, .header_count = 1},
        {.url = url_of("/echo"), .bearer = "a\nb"},
        {.url = url_of("/echo"), .method = "GET / HTTP/1.1\r\nX:"},
        {.url = url_of("/echo"), .method = ""},
        {.url = "file:///etc/passwd"},
        {.url = "ftp://127.0.0.1/"},
        {.url = "gopher://127.0.0.1/"},
        {.url = "127.0.0.1/echo"},
        {.url = "http://127.0.0.1/\r\nX: y"},
        {.url = "http://"},
        {.url = ""},
        {.url = NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(fetch(&bad[i]), -1);
        assert_int_equal(error.kind, ERROR_CONFIG);
        assert_int_equal(reply.status, 0);
        assert_string_equal(reply.body.data, "");
        assert_null(strstr(error.message, "evil"));
    }
}

static void statuses_have_their_kind(void **state)
{
    static const struct {
        int status;
        enum error_kind kind;
    } cases[] = {{401, ERROR_AUTH},     {403, ERROR_DENIED},    {404, ERROR_NOTFOUND},
                 {409, ERROR_CONFLICT}, {429, ERROR_RATELIMIT}, {500, ERROR_REMOTE},
                 {503, ERROR_REMOTE},   {302, ERROR_REMOTE},    {418, ERROR_REMOTE}};
    const struct http_request request = {.url = "https://h/p"};
    struct http_reply fake = {.status = 0};
    char expected[64];
    (void)state;
    buf_init(&fake.body, 100);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake.status = cases[i].status;
        assert_int_equal(http_status_error(&request, &fake, &error), -1);
        assert_int_equal(error.kind, cases[i].kind);
        snprintf(expected, sizeof(expected), "GET https://h/p: HTTP %d", cases[i].status);
        assert_string_equal(error.message, expected);
    }
    buf_adds(&fake.body, "first\nsecond");
    http_status_error(&request, &fake, &error);
    assert_non_null(strstr(error.message, "HTTP 418: first second"));
    http_reply_release(&fake);
    assert_int_equal(get("/absent"), 0); /* a page for people is not quoted */
    http_status_error(&request, &reply, &error);
    assert_string_equal(error.message, "GET https://h/p: HTTP 404");
    assert_int_equal(get("/nothing"), -1);
    http_status_error(&request, &reply, &error); /* no answer: its reason */
    assert_int_equal(error.kind, ERROR_NETWORK);
}

static void urls_are_shown_without_secrets(void **state)
{
    static const char *const cases[][2] = {
        {"http://host/path", "http://host/path"},
        {"https://u:p@host:8443/a?token=x&b=2#frag", "https://host:8443/a?token=\xe2\x80\xa6&b="
                                                     "\xe2\x80\xa6"},
        {"http://host?secret", "http://host/?\xe2\x80\xa6"},
        {"http://host/?a=&&b", "http://host/?a=\xe2\x80\xa6&\xe2\x80\xa6&\xe2\x80\xa6"},
        {"HTTP://HOST/", "http://HOST/"},
        {"http://[::1]:80/x", "http://[::1]:80/x"},
        {"not a url", "(no valid URL)"},
        {"http://h/\r\nX: y", "(no valid URL)"},
        {"", "(no valid URL)"},
    };
    struct arena arena;
    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(http_url_shown(&arena, cases[i][0]), cases[i][1]);
    }
    assert_string_equal(http_url_shown(&arena, NULL), "(no valid URL)");
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bad_requests_are_never_sent),
        TEST(statuses_have_their_kind),
        TEST(urls_are_shown_without_secrets),
    };
    return cmocka_run_group_tests(tests, start_server, end_server);
}
