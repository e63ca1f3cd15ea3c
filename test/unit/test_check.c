/* SPDX-License-Identifier: Apache-2.0 */
#include "driver_test.h"

#include "check.h"

#define HEAD                                                                                      \
    "app: shop\nurl: http://127.0.0.1:1\nworkload:\n  command:\n    instances: [ { name: x } ]\n" \
    "    update: \"true\"\n    status: \"true\"\n    version: \"true\"\n" METRICS_YAML            \
    "traffic:\n  command: { shift: \"true\", observe: \"true\" }\nsmoke:\n  api:\n"

static struct check_list list;
static pid_t server;
static char base[64];

/* ---- a server ---------------------------------------------------------------------- */

struct page {
    const char *path, *answer;
};

static const struct page pages[] = {
    {"/health", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Version: v2.1\r\n"
                "Content-Length: 3\r\n\r\nok\n"},
    {"/status", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n"
                "{\"version\":\"v2\",\"n\":null}"},
    {"/broken", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\n\r\nno disk\x01\n"},
    {"/moved", "HTTP/1.1 302 Found\r\nLocation: /health\r\nContent-Length: 0\r\n\r\n"},
    {"/garbage", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"},
    {"/silent", ""},
};

/* What comes next for path; /flaky answers at the third request only. */
static const char *answer_to(const char *request)
{
    static int flaky;
    if (strstr(request, " /flaky ")) {
        return ++flaky % 3 == 0 ? pages[0].answer : pages[2].answer;
    }
    if (strstr(request, " /echo ")) {
        const bool good = strstr(request, "POST ") && strstr(request, "X-App: shop") &&
                          strstr(request, "Authorization: Bearer s3cr3t-token") &&
                          strstr(request, "version=v2");
        return good ? pages[0].answer : pages[2].answer;
    }
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (strstr(request, pages[i].path)) {
            return pages[i].answer;
        }
    }
    return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
}

static void serve_one(int peer)
{
    char request[4000];
    ssize_t got = recv(peer, request, sizeof(request) - 1, 0);
    request[got > 0 ? got : 0] = '\0';
    const char *answer = answer_to(request);
    if (*answer == '\0') {
        usleep(20 * 1000 * 1000);
    }
    send(peer, answer, strlen(answer), MSG_NOSIGNAL);
    close(peer);
}

static void start_server(void)
{
    int port = 0;
    const int listener = listen_tcp(AF_INET, &port);
    assert_true(listener >= 0);
    snprintf(base, sizeof(base), "http://127.0.0.1:%d", port);
    variables[3].value = base;
    server = fork_peer();
    while (server == 0) {
        const int peer = accept(listener, NULL, NULL);
        /* One that is silent must not keep the others waiting. */
        if (peer >= 0 && strstr(base, "http") && fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            serve_one(peer);
            _exit(0);
        }
        close(peer);
        waitpid(-1, NULL, WNOHANG);
    }
    close(listener);
}

/* In this process's order, for answers that depend on it. */
static void start_single_server(void)
{
    int port = 0;
    const int listener = listen_tcp(AF_INET, &port);
    snprintf(base, sizeof(base), "http://127.0.0.1:%d", port);
    variables[3].value = base;
    server = fork_peer();
    while (server == 0) {
        serve_one(accept(listener, NULL, NULL));
    }
    close(listener);
}

static int begin(void **state)
{
    server = 0;
    variables[3].value = NULL;
    return driver_begin(state);
}

static int end(void **state)
{
    if (server > 0) {
        end_peer(server);
    }
    return driver_end(state);
}

/* ---- running ----------------------------------------------------------------------- */

static void load(const char *checks)
{
    char yaml[8000];
    snprintf(yaml, sizeof(yaml), "%s%s", HEAD, checks);
    load_config(yaml);
    const struct rows *rows = &config->smoke[SMOKE_API];
    const struct check_config *configs = rows->items;
    list = (struct check_list){arena_array(&arena, rows->count, sizeof(struct check_call)),
                               rows->count};
    for (size_t i = 0; i < list.count; i++) {
        list.items[i].config = &configs[i];
    }
}

static void run(const char *checks)
{
    load(checks);
    EXPECT_OK(check_run_all(&context, &list, &error), &error);
}

static void expect(size_t at, enum verdict verdict, const char *evidence)
{
    const struct check_call *call = &list.items[at];
    if (call->verdict != verdict || strstr(call->evidence, evidence) == NULL) {
        fail_msg("check %zu: %s, '%s'; expected %s, '%s'", at, verdict_names[call->verdict],
                 call->evidence, verdict_names[verdict], evidence);
    }
    assert_true(strlen(call->evidence) <= 400);
    assert_true(call->attempts >= 1 && call->started > 0 && call->took_ms >= 0);
}

#define ONCE ", retries: 0 }\n"
#define HTTP(text) "    - { http: { " text " }" ONCE
#define COMMAND(text) "    - { command: " text ONCE

/* ---- http -------------------------------------------------------------------------- */

static void good_answers_pass(void **state)
{
    (void)state;
    start_server();
    /* clang-format off */
    run(HTTP("url: \"${base_url}/health\"")
        HTTP("url: \"${base_url}/status\", "
             "expect: { status: 200, jq: '.version == \"${version}\"' }")
        HTTP("url: \"${base_url}/health\", expect: { header: \"X-Version: v2\", body: ok }")
        HTTP("url: \"${base_url}/broken\", expect: { status: [404, 5xx] }")
        HTTP("url: \"${base_url}/moved\", redirects: 1")
        "    - { http: \"${base_url}/health\"" ONCE);
    /* clang-format on */
    expect(0, VERDICT_PASS, "GET http://127.0.0.1:");
    expect(0, VERDICT_PASS, "/health → 200 in ");
    expect(1, VERDICT_PASS, " ms, .version == \"v2\" is true");
    expect(2, VERDICT_PASS, ", X-Version: v2.1, body holds 'ok'");
    expect(3, VERDICT_PASS, "→ 503 in ");
    expect(4, VERDICT_PASS, "→ 200 in ");
    expect(5, VERDICT_PASS, "→ 200 in ");
}

static void wrong_answers_fail(void **state)
{
    (void)state;
    start_server();
    run(HTTP("url: \"${base_url}/broken\"") HTTP("url: \"${base_url}/moved\"")
            HTTP("url: \"${base_url}/status\", expect: { jq: '.version == \"v3\"' }")
                HTTP("url: \"${base_url}/status\", expect: { jq: '.n' }")
                    HTTP("url: \"${base_url}/health\", expect: { header: \"X-Version: v3\" }")
                        HTTP("url: \"${base_url}/health\", expect: { header: \"X-Other: 1\" }")
                            HTTP("url: \"${base_url}/health\", expect: { body: fine }") HTTP(
                                "url: \"${base_url}/nowhere\", expect: { status: [200, 204] }"));
    expect(0, VERDICT_FAIL, "→ 503 in ");
    expect(0, VERDICT_FAIL, "expected 2xx; the answer was 'no disk");
    expect(1, VERDICT_FAIL, "to /health, expected 2xx");
    expect(2, VERDICT_FAIL, ".version == \"v3\" is false; the answer was '{\"version\":\"v2\"");
    expect(3, VERDICT_FAIL, ".n is null");
    expect(4, VERDICT_FAIL, "X-Version: 'v2.1' does not begin with 'v3'");
    expect(5, VERDICT_FAIL, "no header X-Other");
    expect(6, VERDICT_FAIL, "body does not hold 'fine'");
    expect(7, VERDICT_FAIL, "404 in");
    expect(7, VERDICT_FAIL, "expected 200 or 204");
}

static void no_answer_is_unknown(void **state)
{
    (void)state;
    start_server();
    run("    - { http: { url: \"http://127.0.0.1:1/health\" }" ONCE
        "    - { http: { url: \"${base_url}/silent\" }, timeout: 300ms" ONCE HTTP(
            "url: \"${base_url}/garbage\", expect: { jq: .x }")
            HTTP("url: \"${base_url}/health\", expect: { status: fine }")
                HTTP("url: \"${base_url}/health\", ca-file: nothing.pem, client-cert: none.pem"));
    expect(0, VERDICT_UNKNOWN, "GET http://127.0.0.1:1/health: could not connect: ");
    expect(1, VERDICT_UNKNOWN, "/silent: ");
    assert_true(list.items[1].took_ms < TIME_SLACK);
    expect(2, VERDICT_UNKNOWN, "→ 200 in");
    expect(3, VERDICT_UNKNOWN, "expect.status 'fine' is no status");
}

static void an_address_that_is_none_is_unknown(void **state)
{
    (void)state;
    run(HTTP("url: \"${base_url}/health\""));
    expect(0, VERDICT_UNKNOWN, "which is no http address");
}

static void all_of_the_request_is_sent(void **state)
{
    (void)state;
    struct problems problems = {0};
    start_server();
    setenv("CHECK_TOKEN", "s3cr3t-token", 1);
    load(HTTP("url: \"${base_url}/echo\", method: POST, headers: [\"X-App: ${app}\"], "
              "body: \"version=${version}\", token-env: CHECK_TOKEN"));
    assert_int_equal(config_secrets(config, NULL, NULL, &problems), 0);
    EXPECT_OK(check_run_all(&context, &list, &error), &error);
    expect(0, VERDICT_PASS, "POST http://");
    assert_null(strstr(list.items[0].evidence, "s3cr3t"));
    config_forget(config);
}

static void a_failed_check_is_tried_again(void **state)
{
    (void)state;
    start_single_server();
    run("    - { http: { url: \"${base_url}/flaky\" }, retries: 2, retry-delay: 50ms }\n");
    expect(0, VERDICT_PASS, "→ 200");
    assert_int_equal(list.items[0].attempts, 3);
    run("    - { http: { url: \"${base_url}/flaky\" }, retries: 1, retry-delay: 50ms }\n");
    expect(0, VERDICT_FAIL, "→ 503");
    assert_int_equal(list.items[0].attempts, 2);
}

static void all_run_at_once(void **state)
{
    (void)state;
    const char *one = COMMAND("sleep 0.5");
    char checks[1000] = "";
    for (int i = 0; i < 8; i++) {
        strncat(checks, one, sizeof(checks) - strlen(checks) - 1);
    }
    const int64_t begun = loop_mono();
    run(checks);
    assert_int_equal(list.count, 8);
    expect(7, VERDICT_PASS, "'sleep 0.5' ended with code 0 in ");
    assert_true(loop_mono() - begun < 8 * 500);
}

/* ---- command ----------------------------------------------------------------------- */

static void codes_are_verdicts(void **state)
{
    (void)state;
    run(COMMAND("echo first; echo all fine") COMMAND("echo bad; exit 3")
            COMMAND("echo no tool; exit 77") COMMAND("kill -9 $$") COMMAND("./nothing-here a")
                COMMAND("[./nothing-here, a]")
                    COMMAND("\"true\"") "    - { command: sleep 20, timeout: 200ms" ONCE);
    expect(0, VERDICT_PASS, "'echo first; echo all fine' ended with code 0 in ");
    expect(0, VERDICT_PASS, ": all fine");
    expect(1, VERDICT_FAIL, "ended with code 3: bad");
    expect(2, VERDICT_UNKNOWN, "ended with code 77: no tool");
    expect(3, VERDICT_UNKNOWN, "SIGKILL");
    expect(4, VERDICT_UNKNOWN, "code 127");
    expect(5, VERDICT_UNKNOWN, "nothing-here");
    expect(6, VERDICT_PASS, "");
    expect(7, VERDICT_UNKNOWN, "sleep 20");
    assert_true(list.items[7].took_ms < TIME_SLACK);
}

static void variables_reach_commands(void **state)
{
    (void)state;
    variables[3].value = "http://green";
    run(COMMAND("echo \"$app ${version} $base_url\"")
            COMMAND("[echo, \"${image}\", \"${base_url}/x\"]") COMMAND("pwd"));
    expect(0, VERDICT_PASS, ": shop v2 http://green");
    expect(1, VERDICT_PASS, ": registry/shop:v2 http://green/x");
    expect(2, VERDICT_PASS, folder);
}

/* S-118 */
static void a_script_alone_gets_the_base_url(void **state)
{
    (void)state;
    variables[3].value = "http://green";
    load(COMMAND("./smoke.sh") COMMAND("[./smoke.sh]") COMMAND("./smoke.sh $app")
             COMMAND("./smoke.sh || exit 1") COMMAND("\"./smoke.sh ${base_url}/deep\""));
    write_file(in_folder("smoke.sh"), "#!/bin/sh\necho \"$# <$1>\"\n");
    EXPECT_OK(check_run_all(&context, &list, &error), &error);
    expect(0, VERDICT_PASS, ": 1 <http://green>");
    expect(1, VERDICT_PASS, ": 1 <http://green>");
    expect(2, VERDICT_PASS, ": 1 <shop>");
    expect(3, VERDICT_PASS, ": 0 <>");
    expect(4, VERDICT_PASS, ": 1 <http://green/deep>");
    variables[3].value = NULL;
    EXPECT_OK(check_run_all(&context, &list, &error), &error);
    expect(0, VERDICT_PASS, ": 0 <>");
}

static void evidence_is_bounded(void **state)
{
    (void)state;
    run(COMMAND("\"head -c 100000 /dev/zero | tr '\\\\0' x\"")
            COMMAND("\"printf '\\\\033[31mred\\\\377'; exit 1\""));
    expect(0, VERDICT_PASS, "xxxx");
    expect(1, VERDICT_FAIL, "red");
    assert_true(text_utf8_valid(list.items[1].evidence, strlen(list.items[1].evidence)));
}

static void subjects_name_a_check(void **state)
{
    (void)state;
    load(HTTP("url: \"https://shop/health?token=abc\"") HTTP("url: \"${base_url}/x\", method: HEAD")
             COMMAND("./smoke.sh --all") COMMAND("[psql, -c, select 1]"));
    const char *const wanted[] = {"GET https://shop/health", "HEAD ${base_url}/x",
                                  "./smoke.sh --all", "psql -c select 1"};
    for (size_t i = 0; i < 4; i++) {
        const struct check_config *check = list.items[i].config;
        const struct check_driver *driver = check->kind.driver->door;
        const char *subject = driver->subject(check, &arena);
        assert_true(text_starts(subject, wanted[i]));
        assert_null(strstr(subject, "abc"));
    }
}

static void a_signal_stops_all(void **state)
{
    (void)state;
    load(COMMAND("sleep 20; touch late")
             COMMAND("\"true\"") "    - { command: \"false\", retries: 5, retry-delay: 20s }\n");
    const pid_t peer = signal_later(SIGTERM, 400);
    const int64_t begun = loop_mono();
    EXPECT_ERROR(check_run_all(&context, &list, &error), &error, ERROR_CANCELLED, "");
    assert_true(loop_mono() - begun < 10000);
    assert_int_equal(list.items[0].verdict, VERDICT_UNKNOWN);
    assert_int_equal(list.items[1].verdict, VERDICT_PASS);
    assert_int_equal(list.items[2].verdict, VERDICT_UNKNOWN);
    assert_false(file_exists(in_folder("late")));
    end_peer(peer);
}

static void an_empty_list_is_done(void **state)
{
    (void)state;
    load(COMMAND("\"true\""));
    list.count = 0;
    EXPECT_OK(check_run_all(&context, &list, &error), &error);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(good_answers_pass),
        TEST(wrong_answers_fail),
        TEST(no_answer_is_unknown),
        TEST(an_address_that_is_none_is_unknown),
        TEST(all_of_the_request_is_sent),
        TEST(a_failed_check_is_tried_again),
        TEST(all_run_at_once),
        TEST(codes_are_verdicts),
        TEST(variables_reach_commands),
        TEST(a_script_alone_gets_the_base_url),
        TEST(evidence_is_bounded),
        TEST(subjects_name_a_check),
        TEST(a_signal_stops_all),
        TEST(an_empty_list_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
