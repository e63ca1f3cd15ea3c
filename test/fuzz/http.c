/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole HTTP answers, status line and headers included, through the real client: a thread sends
 * the input to whoever asks. What is kept of them is short, printable and capped. A first byte
 * of `r` lets redirects be followed.
 */
#include "loop.h"

#include "fuzz.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BODY_MAX = 4096, CONNECTIONS_MAX = 4, ANSWER_MAX = 1 << 16 };

static struct {
    int listener;
    char path[64];
    struct loop *loop;
    pthread_mutex_t mutex; /* of the answer */
    char answer[ANSWER_MAX];
    size_t length;
} server = {.listener = -1, .mutex = PTHREAD_MUTEX_INITIALIZER};

static void put_answer(struct slice text)
{
    pthread_mutex_lock(&server.mutex);
    server.length = text.length < ANSWER_MAX ? text.length : ANSWER_MAX;
    memcpy(server.answer, text.data, server.length);
    pthread_mutex_unlock(&server.mutex);
}

static void send_answer(int fd)
{
    char copy[ANSWER_MAX];
    pthread_mutex_lock(&server.mutex);
    size_t length = server.length;
    memcpy(copy, server.answer, length);
    pthread_mutex_unlock(&server.mutex);
    ssize_t sent = send(fd, copy, length, MSG_NOSIGNAL);
    (void)sent; /* who does not listen is served as well */
}

/* One request, one answer, for as long as connections come. */
static void *serve(void *unused)
{
    char request[4096];
    (void)unused;
    for (;;) {
        int fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            continue;
        }
        ssize_t got = recv(fd, request, sizeof request, 0);
        if (got > 0) {
            send_answer(fd);
        }
        shutdown(fd, SHUT_WR);
        while (got > 0) {
            got = recv(fd, request, sizeof request, 0);
        }
        close(fd);
    }
    return NULL;
}

static void remove_socket(void)
{
    unlink(server.path);
}

static void open_server(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    pthread_t thread;
    struct error err = {0};
    snprintf(server.path, sizeof server.path, "/tmp/fuzz-http-%d", (int)getpid());
    memcpy(address.sun_path, server.path, strlen(server.path));
    unlink(server.path);
    server.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(server.listener, (const struct sockaddr *)&address, sizeof address) == 0);
    REQUIRE(listen(server.listener, CONNECTIONS_MAX) == 0 && atexit(remove_socket) == 0);
    REQUIRE(pthread_create(&thread, NULL, serve, NULL) == 0);
    REQUIRE(loop_open(&server.loop, &err) == 0);
}

static void check_reply(const struct http_reply *reply)
{
    const char *const kept[] = {reply->content_type, reply->location, reply->header};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        REQUIRE(strlen(kept[i]) < 512 && strpbrk(kept[i], "\r\n\t\x1b\x7f") == NULL);
    }
    REQUIRE(reply->body.length <= BODY_MAX);
    REQUIRE(reply->retry_after_ms >= -1 && reply->retry_after_ms <= INT64_C(86400000));
    REQUIRE(reply->took_ms >= 0 && reply->took_ms <= 20000);
    if (reply->error.kind != ERROR_NONE) {
        REQUIRE(reply->body.length == 0 && reply->error.message[0] != '\0');
        REQUIRE(reply->error.kind != ERROR_BUG && reply->error.kind != ERROR_CONFIG);
    } else {
        REQUIRE(reply->status >= 100 && reply->status <= 999);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_reply reply = {0};
    struct error err = {0};
    size_t skip = size > 0;
    if (server.listener < 0) {
        open_server();
    }
    put_answer((struct slice){(const char *)data + skip, size - skip});
    const struct http_request request = {
        .url = "http://shop.test/page",
        .unix_socket = server.path,
        .want_header = "X-Version",
        .max_bytes = BODY_MAX,
        .timeout_ms = 5000,
        .redirects = skip && data[0] == 'r' ? 2 : 0,
    };
    if (http_fetch(server.loop, &request, &reply, &err) != 0) {
        REQUIRE(reply.error.kind != ERROR_NONE);
    }
    check_reply(&reply);
    http_status_error(&request, &reply, &err);
    REQUIRE(text_utf8_valid(err.message, strlen(err.message)));
    http_reply_release(&reply);
    return 0;
}
