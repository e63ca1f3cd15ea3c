/* SPDX-License-Identifier: Apache-2.0
 *
 * An HTTP server that behaves as the path says, well or badly: one process a connection.
 * And the client's side that its tests share.
 */
#ifndef HTTP_TEST_H
#define HTTP_TEST_H

#include "io_test.h"

#include <poll.h>

static struct loop *loop;
static struct http_reply reply;
static pid_t server;
static int port, other_port, connection; /* connection: number of, in the server */

/* 100,000 zero bytes, packed */
static const unsigned char bomb[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1, 0x31, 0x01, 0x00,
    0x00, 0x00, 0xc2, 0xa0, 0xf5, 0x4f, 0x6d, 0x0d, 0x0f, 0xa0, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x80, 0x57, 0x03, 0x7d, 0x95, 0x11, 0xd4, 0xa0, 0x86, 0x01, 0x00,
};

static void put(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0) {
        _exit(0);
    }
}

static void answer(int fd, const char *status, const char *headers, const char *body)
{
    char head[2048];
    snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status,
             strlen(body), headers);
    put(fd, head);
    put(fd, body);
}

static void redirect(int fd, int status, const char *to)
{
    char head[512], line[64];
    snprintf(line, sizeof(line), "%d Moved", status);
    snprintf(head, sizeof(head), "Location: %s\r\n", to);
    answer(fd, line, head, "moved");
}

static void redirect_to_port(int fd, int to)
{
    char url[128];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/echo", to);
    redirect(fd, 302, url);
}

static void flood_body(int fd, const char *head)
{
    char chunk[1024 + 8];
    put(fd, head);
    for (;;) {
        snprintf(chunk, sizeof(chunk), "400\r\n%1024d\r\n", 0);
        put(fd, chunk);
    }
}

static void drip(int fd)
{
    put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    for (;;) {
        put(fd, "x");
        usleep(50000);
    }
}

static void send_bomb(int fd)
{
    char head[128];
    snprintf(head, sizeof(head),
             "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
             sizeof(bomb));
    put(fd, head);
    if (send(fd, bomb, sizeof(bomb), MSG_NOSIGNAL) < 0) {
        _exit(0);
    }
}

static void send_number(int fd, int number)
{
    char text[32];
    snprintf(text, sizeof(text), "%d", number);
    answer(fd, "200 OK", "", text);
}

static void flood_headers(int fd)
{
    put(fd, "HTTP/1.1 200 OK\r\n");
    for (;;) {
        put(fd, "X-Flood: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n");
    }
}

static bool is_for(const char *request, const char *path)
{
    const char *start = strchr(request, ' ');
    return start != NULL && strncmp(start + 1, path, strlen(path)) == 0;
}

/* These end the connection. */
static bool serve_badly(int fd, const char *request)
{
    if (is_for(request, "/silent")) {
        sleep(60);
    } else if (is_for(request, "/drip")) {
        drip(fd);
    } else if (is_for(request, "/endless")) {
        flood_body(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    } else if (is_for(request, "/headers")) {
        flood_headers(fd);
    } else if (is_for(request, "/garbage")) {
        put(fd, "SSH-2.0-nothing like it\r\n");
    } else if (is_for(request, "/short")) {
        put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    } else if (is_for(request, "/head")) {
        put(fd,
            is_for(request, "/head-line") ? "HTTP/1.1 200 OK" : "HTTP/1.1 200 OK\r\nX-One: 1\r\n");
    } else if (is_for(request, "/badzip")) {
        put(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope");
    } else {
        return is_for(request, "/nothing");
    }
    return true;
}

static void serve_redirect(int fd, const char *request)
{
    if (is_for(request, "/to/same")) {
        redirect(fd, 302, "/echo");
    } else if (is_for(request, "/to/self")) {
        redirect(fd, 301, "/to/self");
    } else if (is_for(request, "/to/other")) {
        redirect_to_port(fd, other_port);
    } else if (is_for(request, "/to/file")) {
        redirect(fd, 302, "file:///etc/passwd");
    } else if (is_for(request, "/to/name")) {
        redirect(fd, 302, "http://localhost.attacker.invalid/echo");
    }
}

static void serve_well(int fd, const char *request)
{
    if (is_for(request, "/echo") || is_for(request, "http://")) {
        answer(fd, "200 OK", "Content-Type: text/plain\r\n", request);
    } else if (is_for(request, "/to/")) {
        serve_redirect(fd, request);
    } else if (is_for(request, "/count")) {
        send_number(fd, connection);
    } else if (is_for(request, "/bomb")) {
        send_bomb(fd);
    } else if (is_for(request, "/later")) {
        answer(fd, "429 Too Many", "Retry-After: 7\r\n", "{\"message\":\"slow down\"}");
    } else if (is_for(request, "/much-later")) {
        answer(fd, "503 No", "Retry-After: 99999999999\r\n", "");
    } else if (is_for(request, "/created")) {
        answer(fd, "201 Created", "Location:  /things/1\x01\r\n", "");
    } else if (is_for(request, "/empty")) {
        put(fd, "HTTP/1.1 204 No Content\r\n\r\n");
    } else if (is_for(request, "/early")) {
        put(fd, "HTTP/1.1 103 Early Hints\r\nLocation: /wrong\r\nRetry-After: 9\r\n\r\n");
        answer(fd, "200 OK", "", "late");
    } else {
        answer(fd, "404 Not Found", "Content-Type: text/html\r\n", "<h1>no</h1>");
    }
}

static bool read_request(int fd, char *request, size_t room)
{
    size_t used = 0, body = 0;
    for (;;) {
        ssize_t got = recv(fd, request + used, room - 1 - used, 0);
        if (got <= 0) {
            return false;
        }
        used += (size_t)got;
        request[used] = '\0';
        const char *end = strstr(request, "\r\n\r\n");
        const char *length = strstr(request, "Content-Length: ");
        body = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
        if (end != NULL && used >= (size_t)(end - request) + 4 + body) {
            return true;
        }
    }
}

static void serve_connection(int fd)
{
    char request[8192];
    while (read_request(fd, request, sizeof(request))) {
        if (serve_badly(fd, request)) {
            return;
        }
        serve_well(fd, request);
    }
}

static void serve_all(struct pollfd *listeners, nfds_t count)
{
    signal(SIGCHLD, SIG_IGN);
    while (poll(listeners, count, -1) > 0) {
        for (nfds_t i = 0; i < count; i++) {
            int fd =
                (listeners[i].revents & POLLIN) != 0 ? accept(listeners[i].fd, NULL, NULL) : -1;
            connection += fd >= 0;
            if (fd >= 0 && fork() == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                serve_connection(fd);
                _exit(0);
            }
            if (fd >= 0) {
                close(fd);
            }
        }
    }
}

static inline int start_server(void **state)
{
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
                                          "all_proxy",  "ALL_PROXY",   "SSL_CERT_FILE"};
    if (enter_folder(state) < 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++) {
        unsetenv(proxies[i]);
    }
    struct pollfd listeners[3] = {
        {.fd = listen_tcp(AF_INET, &port), .events = POLLIN},
        {.fd = listen_tcp(AF_INET, &other_port), .events = POLLIN},
        {.fd = listen_unix(in_folder("http.sock"), 16), .events = POLLIN},
    };
    server = fork_peer();
    if (server == 0) {
        serve_all(listeners, 3);
        _exit(0);
    }
    for (size_t i = 0; i < 3; i++) {
        close(listeners[i].fd);
    }
    return 0;
}

static inline int end_server(void **state)
{
    end_peer(server);
    return leave_folder(state);
}

static inline int set_up(void **state)
{
    (void)state;
    memset(&error, 0, sizeof(error));
    memset(&reply, 0, sizeof(reply));
    return loop_open(&loop, &error);
}

static inline int tear_down(void **state)
{
    (void)state;
    http_reply_release(&reply);
    loop_free(loop);
    return 0;
}

static inline const char *url_of(const char *path)
{
    static char urls[16][256];
    static unsigned next;
    char *url = urls[next++ % 16];
    snprintf(url, sizeof(urls[0]), "http://127.0.0.1:%d%s", port, path);
    return url;
}

static inline int fetch(const struct http_request *request)
{
    http_reply_release(&reply);
    return http_fetch(loop, request, &reply, &error);
}

static inline int get(const char *path)
{
    const struct http_request request = {.url = url_of(path), .timeout_ms = 8000};
    return fetch(&request);
}

static inline bool has(const char *text)
{
    return strstr(reply.body.data, text) != NULL;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
