/* SPDX-License-Identifier: Apache-2.0 */
#include "http_test.h"

static void get_brings_status_type_and_body(void **state)
{
    (void)state;
    assert_int_equal(get("/echo?a=1"), 0);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.error.kind, ERROR_NONE);
    assert_string_equal(reply.content_type, "text/plain");
    assert_int_equal(reply.retry_after_ms, -1);
    assert_string_equal(reply.location, "");
    assert_true(has("GET /echo?a=1 HTTP/1.1\r\n"));
    assert_true(has("User-Agent: deploy-action\r\n"));
    assert_true(reply.took_ms >= 0 && reply.took_ms < TIME_SLACK);
    assert_int_equal(get("/empty"), 0);
    assert_int_equal(reply.status, 204);
    assert_string_equal(reply.body.data, "");
}

static void methods_headers_and_bodies_are_sent(void **state)
{
    const char *const headers[] = {"X-One: 1", "Content-Type: application/json"};
    struct http_request request = {.method = "POST",
                                   .url = url_of("/echo"),
                                   .headers = headers,
                                   .header_count = 2,
                                   .body = "{\"a\":1}",
                                   .bearer = "s3cret"};
    (void)state;
    assert_int_equal(fetch(&request), 0);
    assert_true(has("POST /echo HTTP/1.1\r\n"));
    assert_true(has("X-One: 1\r\n"));
    assert_true(has("Content-Type: application/json\r\n"));
    assert_true(has("Content-Length: 7\r\n"));
    assert_true(has("Authorization: Bearer s3cret\r\n"));
    assert_false(has("Expect:"));
    assert_true(has("\r\n\r\n{\"a\":1}"));
    request.method = "PATCH";
    request.header_count = 0;
    assert_int_equal(fetch(&request), 0);
    assert_true(has("PATCH /echo"));
    assert_false(has("Content-Type"));
    request.method = "DELETE";
    request.body = NULL;
    assert_int_equal(fetch(&request), 0);
    assert_true(has("DELETE /echo"));
    assert_false(has("Content-Length"));
    request.method = "POST";
    assert_int_equal(fetch(&request), 0);
    assert_true(has("Content-Length: 0\r\n"));
    request.method = "PUT";
    request.body = "x";
    assert_int_equal(fetch(&request), 0);
    assert_true(has("PUT /echo"));
    request.method = "GET";
    assert_int_equal(fetch(&request), 0);
    assert_true(has("GET /echo"));
    assert_true(has("\r\n\r\nx"));
}

static void a_body_over_the_cap_is_refused(void **state)
{
    struct http_request request = {.url = url_of("/endless"), .max_bytes = 5000};
    (void)state;
    assert_int_equal(fetch(&request), -1);
    assert_int_equal(error.kind, ERROR_FORMAT);
    assert_non_null(strstr(error.message, "/endless: answer larger than 5000 bytes"));
    assert_int_equal(reply.status, 0);
    assert_string_equal(reply.body.data, "");
    request.url = url_of("/bomb");
    assert_int_equal(fetch(&request), -1);
    assert_int_equal(error.kind, ERROR_FORMAT);
    assert_non_null(strstr(error.message, "larger than 5000"));
    request.max_bytes = 100000;
    assert_int_equal(fetch(&request), 0);
    assert_int_equal(reply.body.length, 100000);
}

static void who_does_not_end_is_ended(void **state)
{
    static const char *const paths[] = {"/silent", "/drip"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct http_request request = {.url = url_of(paths[i]), .timeout_ms = 300};
        assert_int_equal(fetch(&request), -1);
        assert_int_equal(error.kind, ERROR_TIMEOUT);
        assert_int_equal(reply.error.kind, ERROR_TIMEOUT);
        assert_true(reply.took_ms >= 290 && reply.took_ms < 300 + TIME_SLACK);
        assert_string_equal(reply.body.data, "");
    }
    assert_int_equal(get("/headers"), -1);
    assert_non_null(strstr(error.message, "/headers: "));
}

static void broken_answers_have_their_kind(void **state)
{
    static const struct {
        const char *path;
        enum error_kind kind;
    } cases[] = {{"/garbage", ERROR_FORMAT},    {"/nothing", ERROR_NETWORK},
                 {"/short", ERROR_NETWORK},     {"/head", ERROR_NETWORK},
                 {"/head-line", ERROR_NETWORK}, {"/badzip", ERROR_FORMAT}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(get(cases[i].path), -1);
        assert_int_equal(error.kind, cases[i].kind);
        assert_int_equal(reply.status, 0);
    }
}

static void nobody_there(void **state)
{
    int closed = 0;
    char url[64], expected[128];
    struct http_request request = {.url = url, .timeout_ms = 3000};
    (void)state;
    close(listen_tcp(AF_INET, &closed));
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/path?token=x", closed);
    snprintf(expected, sizeof(expected),
             "GET http://127.0.0.1:%d/path?token=\xe2\x80\xa6: could not connect: ", closed);
    assert_int_equal(fetch(&request), -1);
    assert_int_equal(error.kind, ERROR_NETWORK);
    assert_non_null(strstr(error.message, expected));
    assert_non_null(strstr(error.message, ": Connection refused"));
    request.url = "http://no-such-host.invalid/";
    assert_int_equal(fetch(&request), -1);
    assert_true(error.kind == ERROR_NETWORK || error.kind == ERROR_TIMEOUT);
    request.url = "http://localhost/";
    request.unix_socket = in_folder("no.sock");
    assert_int_equal(fetch(&request), -1);
    assert_int_equal(error.kind, ERROR_NETWORK);
}

static void over_a_unix_socket(void **state)
{
    const struct http_request request = {.url = "http://docker/echo",
                                         .unix_socket = in_folder("http.sock")};
    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    int result = fetch(&request);
    unsetenv("http_proxy");
    assert_int_equal(result, 0);
    assert_true(has("Host: docker\r\n"));
}

static void the_usual_proxy_is_used(void **state)
{
    char proxy[64];
    const struct http_request request = {.url = "http://far.invalid/x"};
    (void)state;
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", port);
    setenv("http_proxy", proxy, 1);
    int result = fetch(&request);
    unsetenv("http_proxy");
    assert_int_equal(result, 0);
    assert_true(has("GET http://far.invalid/x HTTP/1.1\r\n"));
}

static void redirects_are_off_by_default(void **state)
{
    (void)state;
    assert_int_equal(get("/to/same"), 0);
    assert_int_equal(reply.status, 302);
    assert_string_equal(reply.location, "/echo");
    assert_string_equal(reply.body.data, "moved");
}

static void redirects_to_the_same_host_are_followed(void **state)
{
    struct http_request request = {.url = url_of("/to/same"), .redirects = 3, .bearer = "s3cret"};
    (void)state;
    assert_int_equal(fetch(&request), 0);
    assert_int_equal(reply.status, 200);
    assert_true(has("Authorization: Bearer s3cret\r\n"));
    assert_false(has("moved"));
    assert_string_equal(reply.location, "");
    request.url = url_of("/to/self");
    assert_int_equal(fetch(&request), -1);
    assert_int_equal(error.kind, ERROR_REMOTE);
    assert_non_null(strstr(error.message, "redirected more than 3 times"));
    assert_int_equal(reply.status, 0);
}

static void redirects_elsewhere_are_not(void **state)
{
    static const char *const paths[] = {"/to/other", "/to/file", "/to/name"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const struct http_request request = {.url = url_of(paths[i]), .redirects = 3};
        assert_int_equal(fetch(&request), 0);
        assert_int_equal(reply.status, 302);
        assert_true(strlen(reply.location) > 10);
    }
}

static void what_acts_is_not_redirected(void **state)
{
    const struct http_request request = {
        .method = "POST", .url = url_of("/to/same"), .redirects = 3};
    (void)state;
    assert_int_equal(fetch(&request), 0);
    assert_int_equal(reply.status, 302);
}

static void headers_of_the_last_answer_count(void **state)
{
    (void)state;
    assert_int_equal(get("/early"), 0);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.location, "");
    assert_int_equal(reply.retry_after_ms, -1);
    assert_string_equal(reply.body.data, "late");
    assert_int_equal(get("/created"), 0);
    assert_string_equal(reply.location, "/things/1");
    assert_int_equal(get("/later"), 0);
    assert_int_equal(reply.retry_after_ms, 7000);
    assert_int_equal(get("/much-later"), 0);
    assert_true(reply.retry_after_ms > 0 && reply.retry_after_ms <= 86400000);
}

static void connections_are_reused_but_not_for_what_acts(void **state)
{
    struct http_request request = {.url = url_of("/count")};
    long first, second, third;
    (void)state;
    assert_int_equal(fetch(&request), 0);
    first = strtol(reply.body.data, NULL, 10);
    assert_int_equal(fetch(&request), 0);
    second = strtol(reply.body.data, NULL, 10);
    request.method = "POST";
    assert_int_equal(fetch(&request), 0);
    third = strtol(reply.body.data, NULL, 10);
    assert_int_equal(first, second);
    assert_int_equal(third, second + 1);
}

static void many_run_at_once(void **state)
{
    struct operation all[12];
    (void)state;
    memset(all, 0, sizeof(all));
    for (size_t i = 0; i < 12; i++) {
        all[i].kind = OPERATION_HTTP;
        all[i].http.url = url_of("/count");
    }
    all[3].http.url = "nonsense";
    all[4].http.url = url_of("/nothing");
    all[5].http.url = url_of("/silent");
    all[5].http.timeout_ms = 300;
    assert_int_equal(loop_run_all(loop, all, 12, &error), 0);
    for (size_t i = 0; i < 12; i++) {
        assert_true(all[i].done);
        assert_int_equal(all[i].reply.status, i >= 3 && i <= 5 ? 0 : 200);
        operation_release(&all[i]);
    }
}

static void a_signal_cancels(void **state)
{
    (void)state;
    pid_t sender = signal_later(SIGTERM, 150);
    int64_t start = loop_mono();
    assert_int_equal(get("/silent"), -1);
    assert_int_equal(error.kind, ERROR_CANCELLED);
    assert_string_equal(error.message, "cancelled by SIGTERM");
    assert_int_equal(reply.error.kind, ERROR_CANCELLED);
    assert_true(loop_mono() - start < TIME_SLACK);
    waitpid(sender, NULL, 0);
}

static void loop_stop_drops_a_transfer(void **state)
{
    struct operation operation = {.kind = OPERATION_HTTP};
    (void)state;
    operation.http.url = url_of("/drip");
    assert_int_equal(loop_start(loop, &operation, &error), 0);
    assert_int_equal(loop_wait(loop, loop_mono() + 200, &error), 0);
    assert_false(operation.done);
    loop_stop(loop, &operation);
    assert_true(operation.done);
    assert_int_equal(operation.reply.error.kind, ERROR_CANCELLED);
    operation_release(&operation);
    operation = (struct operation){.kind = OPERATION_HTTP};
    operation.http.url = "http://no-such-host.invalid/"; /* maybe within the name look-up */
    assert_int_equal(loop_start(loop, &operation, &error), 0);
    int64_t start = loop_mono();
    operation_release(&operation);
    assert_true(loop_mono() - start < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(get_brings_status_type_and_body),
        TEST(methods_headers_and_bodies_are_sent),
        TEST(a_body_over_the_cap_is_refused),
        TEST(who_does_not_end_is_ended),
        TEST(broken_answers_have_their_kind),
        TEST(nobody_there),
        TEST(over_a_unix_socket),
        TEST(the_usual_proxy_is_used),
        TEST(redirects_are_off_by_default),
        TEST(redirects_to_the_same_host_are_followed),
        TEST(redirects_elsewhere_are_not),
        TEST(what_acts_is_not_redirected),
        TEST(headers_of_the_last_answer_count),
        TEST(connections_are_reused_but_not_for_what_acts),
        TEST(many_run_at_once),
        TEST(a_signal_cancels),
        TEST(loop_stop_drops_a_transfer),
    };
    return cmocka_run_group_tests(tests, start_server, end_server);
}
