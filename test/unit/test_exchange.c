/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"
#include "io_test.h"

#include <sys/prctl.h>

/* What a peer does with a connection. */
enum manner { ANSWER, SILENT, FLOOD, SLOW, RESET, ECHO_ALL };

static struct loop *loop;
static struct buf answer;
static pid_t peer = -1;

static int set_up(void **state)
{
    (void)state;
    memset(&error, 0, sizeof(error));
    memset(&answer, 0, sizeof(answer));
    peer = -1;
    return loop_open(&loop, &error);
}

static int tear_down(void **state)
{
    (void)state;
    if (peer > 0) {
        end_peer(peer);
    }
    buf_release(&answer);
    loop_free(loop);
    return 0;
}

static void put(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0) {
        return;
    }
}

/* Reads until a newline. */
static void read_line(int fd, char *line, size_t room)
{
    size_t used = 0;
    while (used + 1 < room && recv(fd, line + used, 1, 0) == 1 && line[used] != '\n') {
        used++;
    }
    line[used] = '\0';
}

static void echo_all(int fd)
{
    char chunk[4096];
    size_t total = 0;
    ssize_t got;
    while (total < 3000000 && (got = recv(fd, chunk, sizeof(chunk), 0)) > 0) {
        total += (size_t)got;
    }
    snprintf(chunk, sizeof(chunk), "%zu", total);
    put(fd, chunk);
}

static void serve_one(int fd, enum manner manner)
{
    char line[256] = "";
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    if (manner == ECHO_ALL) {
        echo_all(fd);
        return;
    }
    read_line(fd, line, sizeof(line));
    if (manner == ANSWER) {
        put(fd, "you said: ");
        usleep(20000);
        put(fd, line);
    } else if (manner == SILENT) {
        sleep(60);
    } else if (manner == RESET) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    }
    while (manner == FLOOD && send(fd, line, sizeof(line), MSG_NOSIGNAL) > 0) {
    }
    while (manner == SLOW && send(fd, "x", 1, MSG_NOSIGNAL) > 0) {
        usleep(50000);
    }
}

static void start_peer(int listener, enum manner manner)
{
    assert_true(listener >= 0);
    peer = fork_peer();
    if (peer == 0) {
        for (;;) {
            int fd = accept(listener, NULL, NULL);
            if (fd >= 0) {
                serve_one(fd, manner);
                close(fd);
            }
        }
    }
    close(listener);
}

static int talk(const char *address, const char *request, size_t max, int64_t timeout_ms)
{
    struct exchange exchange = {address, request, strlen(request), max, timeout_ms};
    buf_release(&answer);
    return exchange_run(loop, &exchange, &answer, &error);
}

static void over_a_unix_socket(void **state)
{
    const char *path = in_folder("s1");
    (void)state;
    start_peer(listen_unix(path, 16), ANSWER);
    assert_int_equal(talk(path, "show info\n", 1000, 5000), 0);
    assert_string_equal(answer.data, "you said: show info");
    assert_int_equal(talk(path, "again\n", 1000, 5000), 0);
    assert_string_equal(answer.data, "you said: again");
}

static void over_tcp_by_number_and_localhost(void **state)
{
    int port = 0;
    char address[64];
    (void)state;
    start_peer(listen_tcp(AF_INET, &port), ANSWER);
    snprintf(address, sizeof(address), "127.0.0.1:%d", port);
    assert_int_equal(talk(address, "one\n", 1000, 5000), 0);
    assert_string_equal(answer.data, "you said: one");
    snprintf(address, sizeof(address), "localhost:%d", port);
    assert_int_equal(talk(address, "two\n", 1000, 5000), 0);
    assert_string_equal(answer.data, "you said: two");
}

static void over_ipv6(void **state)
{
    int port = 0;
    char address[64];
    (void)state;
    int listener = listen_tcp(AF_INET6, &port);
    if (listener < 0) {
        skip();
    }
    start_peer(listener, ANSWER);
    snprintf(address, sizeof(address), "[::1]:%d", port);
    assert_int_equal(talk(address, "six\n", 1000, 5000), 0);
    assert_string_equal(answer.data, "you said: six");
    snprintf(address, sizeof(address), "localhost:%d", port); /* the second try */
    assert_int_equal(talk(address, "local\n", 1000, 5000), 0);
    assert_string_equal(answer.data, "you said: local");
}

static void bad_addresses_are_told(void **state)
{
    static const char *const bad[] = {"nothing",      ":9999",   "host.example:1", "1.2.3.4:",
                                      "127.0.0.1:xy", "[::1:80", "127.0.0.1:http"};
    char path[300];
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(talk(bad[i], "x", 10, 1000), -1);
        assert_int_equal(error.kind, ERROR_CONFIG);
        assert_non_null(strstr(error.message, bad[i]));
    }
    memset(path, 'a', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(talk(path, "x", 10, 1000), -1);
    assert_int_equal(error.kind, ERROR_CONFIG);
}

static void nobody_there(void **state)
{
    int port = 0;
    char address[64];
    (void)state;
    assert_int_equal(talk(in_folder("no-socket"), "x", 10, 1000), -1);
    assert_int_equal(error.kind, ERROR_NOTFOUND);
    close(listen_unix(in_folder("stale"), 1));
    assert_int_equal(talk(in_folder("stale"), "x", 10, 1000), -1);
    assert_int_equal(error.kind, ERROR_NETWORK);
    close(listen_tcp(AF_INET, &port));
    snprintf(address, sizeof(address), "127.0.0.1:%d", port);
    assert_int_equal(talk(address, "x", 10, 1000), -1);
    assert_int_equal(error.kind, ERROR_NETWORK);
    assert_non_null(strstr(error.message, "could not connect"));
    snprintf(address, sizeof(address), "localhost:%d", port);
    assert_int_equal(talk(address, "x", 10, 1000), -1);
    assert_int_equal(error.kind, ERROR_NETWORK);
}

static void a_silent_peer_ends_at_the_deadline(void **state)
{
    const char *path = in_folder("s2");
    (void)state;
    start_peer(listen_unix(path, 16), SILENT);
    int64_t start = loop_mono();
    assert_int_equal(talk(path, "x\n", 10, 200), -1);
    assert_int_equal(error.kind, ERROR_TIMEOUT);
    assert_true(loop_mono() - start >= 200 && loop_mono() - start < 200 + TIME_SLACK);
}

static void a_slow_peer_ends_at_the_deadline(void **state)
{
    const char *path = in_folder("s3");
    (void)state;
    start_peer(listen_unix(path, 16), SLOW);
    int64_t start = loop_mono();
    assert_int_equal(talk(path, "x\n", 10000, 300), -1);
    assert_int_equal(error.kind, ERROR_TIMEOUT);
    assert_true(loop_mono() - start < 300 + TIME_SLACK);
}

static void a_flood_is_cut(void **state)
{
    const char *path = in_folder("s4");
    (void)state;
    start_peer(listen_unix(path, 16), FLOOD);
    assert_int_equal(talk(path, "xyz\n", 5000, 5000), -1);
    assert_int_equal(error.kind, ERROR_FORMAT);
    assert_non_null(strstr(error.message, "larger than 5000 bytes"));
    assert_true(answer.length <= 5000);
}

static void a_reset_is_told(void **state)
{
    int port = 0;
    char address[64];
    (void)state;
    start_peer(listen_tcp(AF_INET, &port), RESET);
    snprintf(address, sizeof(address), "127.0.0.1:%d", port);
    assert_int_equal(talk(address, "x\n", 10, 5000), -1);
    assert_int_equal(error.kind, ERROR_NETWORK);
}

static void a_long_request_is_sent_whole(void **state)
{
    const char *path = in_folder("s5");
    char *request = malloc(3000001);
    (void)state;
    memset(request, 'q', 3000000);
    request[3000000] = '\0';
    start_peer(listen_unix(path, 16), ECHO_ALL);
    assert_int_equal(talk(path, request, 100, 20000), 0);
    assert_string_equal(answer.data, "3000000");
    free(request);
}

static void a_signal_cancels(void **state)
{
    const char *path = in_folder("s6");
    (void)state;
    start_peer(listen_unix(path, 16), SILENT);
    pid_t sender = signal_later(SIGTERM, 100);
    int64_t start = loop_mono();
    assert_int_equal(talk(path, "x\n", 10, 30000), -1);
    assert_int_equal(error.kind, ERROR_CANCELLED);
    assert_string_equal(error.message, "cancelled by SIGTERM");
    assert_true(loop_mono() - start < TIME_SLACK);
    waitpid(sender, NULL, 0);
}

static void a_full_backlog_is_waited_for(void **state)
{
    const char *path = in_folder("s7");
    int fds[8];
    size_t count = 0;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)state;
    int listener = listen_unix(path, 0);
    memcpy(address.sun_path, path, strlen(path));
    do {
        fds[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    } while (connect(fds[count], (struct sockaddr *)&address, sizeof(address)) == 0 && ++count < 7);
    assert_int_equal(talk(path, "x\n", 10, 200), -1);
    assert_int_equal(error.kind, ERROR_TIMEOUT);
    for (size_t i = 0; i <= count; i++) {
        close(fds[i]);
    }
    start_peer(listener, ANSWER);
    assert_int_equal(talk(path, "x\n", 100, 5000), 0);
    assert_string_equal(answer.data, "you said: x");
}

static void other_operations_go_on_meanwhile(void **state)
{
    const char *path = in_folder("s8");
    struct operation child = {.kind = OPERATION_PROCESS, .process = {.shell = "echo hi"}};
    (void)state;
    start_peer(listen_unix(path, 16), SILENT);
    assert_int_equal(loop_start(loop, &child, &error), 0);
    assert_int_equal(talk(path, "x\n", 10, 600), -1);
    assert_true(child.done);
    int64_t start = loop_mono();
    assert_int_equal(loop_wait(loop, start + 20000, &error), 0); /* the news was kept */
    assert_true(loop_mono() - start < 10000);
    operation_release(&child);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(over_a_unix_socket),
        TEST(over_tcp_by_number_and_localhost),
        TEST(over_ipv6),
        TEST(bad_addresses_are_told),
        TEST(nobody_there),
        TEST(a_silent_peer_ends_at_the_deadline),
        TEST(a_slow_peer_ends_at_the_deadline),
        TEST(a_flood_is_cut),
        TEST(a_reset_is_told),
        TEST(a_long_request_is_sent_whole),
        TEST(a_signal_cancels),
        TEST(a_full_backlog_is_waited_for),
        TEST(other_operations_go_on_meanwhile),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
