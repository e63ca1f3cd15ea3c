/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include "arena.h"
#include "fault.h"
#include "file.h"
#include "io.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS 10000
#define RETRY_MS 10
#define HOST_MAX 64

struct talk {
    struct loop *loop;
    const struct exchange *exchange;
    int64_t until;
    int fd;
};

static int check_time(const struct talk *talk, struct error *err)
{
    if (loop_mono() < talk->until) {
        return 0;
    }
    return error_set(err, ERROR_TIMEOUT, "%s: no whole answer in time", talk->exchange->address);
}

static int wait_ready(struct talk *talk, unsigned events, struct error *err)
{
    if (check_time(talk, err) < 0) {
        return -1;
    }
    if (loop_watch(talk->loop, talk->fd, events, err) < 0) {
        return -1;
    }
    return loop_turn(talk->loop, talk->until, err);
}

static int failed(const struct talk *talk, int number, const char *what, struct error *err)
{
    return error_system(err, number, "%s: %s", talk->exchange->address, what);
}

static void hang_up(struct talk *talk)
{
    if (talk->fd >= 0) {
        loop_unwatch(talk->loop, talk->fd);
    }
    fd_cleanup(&talk->fd);
}

static int finish_connect(struct talk *talk, struct error *err)
{
    for (;;) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof(peer);
        int number = 0;
        socklen_t number_size = sizeof(number);
        if (wait_ready(talk, EPOLLOUT, err) < 0) {
            return -1;
        }
        if (getsockopt(talk->fd, SOL_SOCKET, SO_ERROR, &number, &number_size) < 0) {
            number = errno;
        }
        if (number != 0) {
            return failed(talk, number, "could not connect", err);
        }
        /* The turn may have ended for another reason. */
        if (getpeername(talk->fd, (struct sockaddr *)&peer, &size) == 0) {
            return 0;
        }
    }
}

static int connect_to(struct talk *talk, const struct sockaddr *address, socklen_t size,
                      struct error *err)
{
    talk->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (talk->fd < 0) {
        return failed(talk, errno, "no socket", err);
    }
    for (;;) {
        if (connect(talk->fd, address, size) == 0) {
            return 0;
        }
        if (errno == EINPROGRESS) {
            return finish_connect(talk, err);
        }
        if (errno != EAGAIN) {
            return failed(talk, errno, "could not connect", err);
        }
        /* The backlog of a unix socket is full; no event tells when it no longer is. */
        if (check_time(talk, err) < 0 || loop_sleep(talk->loop, loop_mono() + RETRY_MS, err) < 0) {
            return -1;
        }
    }
}

static int connect_unix(struct talk *talk, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(talk->exchange->address);
    if (length >= sizeof(address.sun_path)) {
        return error_set(err, ERROR_CONFIG, "%s: longer than the %zu bytes of a socket path",
                         talk->exchange->address, sizeof(address.sun_path) - 1);
    }
    memcpy(address.sun_path, talk->exchange->address, length);
    return connect_to(talk, (const struct sockaddr *)&address, sizeof(address), err);
}

/* "host:port" or "[v6]:port" */
static int split_address(const char *address, char host[static HOST_MAX], const char **port,
                         struct error *err)
{
    const char *colon = strrchr(address, ':');
    const char *start = address;
    if (colon == NULL || colon == address || colon[1] == '\0') {
        return error_set(err, ERROR_CONFIG, "'%s' is neither a socket path nor host:port", address);
    }
    size_t length = (size_t)(colon - address);
    if (length > 2 && start[0] == '[' && start[length - 1] == ']') {
        start++;
        length -= 2;
    }
    if (length >= HOST_MAX) {
        return error_set(err, ERROR_CONFIG, "'%s': the host is too long", address);
    }
    memcpy(host, start, length);
    host[length] = '\0';
    *port = colon + 1;
    return 0;
}

static int connect_number(struct talk *talk, const char *host, const char *port, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    /* Nothing that could ask a name server: that wait could not be cancelled. */
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        return error_set(err, ERROR_CONFIG, "'%s' is no number address with a port",
                         talk->exchange->address);
    }
    int result = connect_to(talk, found->ai_addr, found->ai_addrlen, err);
    freeaddrinfo(found);
    return result;
}

static int open_talk(struct talk *talk, struct error *err)
{
    char host[HOST_MAX];
    const char *port = NULL;
    if (strchr(talk->exchange->address, '/') != NULL) {
        return connect_unix(talk, err);
    }
    if (split_address(talk->exchange->address, host, &port, err) < 0) {
        return -1;
    }
    if (!text_equal(host, "localhost")) {
        return connect_number(talk, host, port, err);
    }
    struct error first;
    if (connect_number(talk, "127.0.0.1", port, &first) == 0) {
        return 0;
    }
    hang_up(talk);
    if (first.kind == ERROR_NETWORK && connect_number(talk, "::1", port, NULL) == 0) {
        return 0;
    }
    return error_set(err, first.kind, "%s", first.message);
}

static int send_request(struct talk *talk, struct error *err)
{
    size_t sent = 0;
    while (sent < talk->exchange->length) {
        ssize_t put = send(talk->fd, talk->exchange->request + sent, talk->exchange->length - sent,
                           MSG_NOSIGNAL);
        if (put >= 0) {
            sent += (size_t)put;
        } else if (errno != EAGAIN && errno != EINTR) {
            return failed(talk, errno, "connection lost", err);
        } else if (wait_ready(talk, EPOLLOUT, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static int read_answer(struct talk *talk, struct buf *out, struct error *err)
{
    char chunk[8192];
    for (;;) {
        ssize_t got = recv(talk->fd, chunk, sizeof(chunk), 0);
        if (got == 0) {
            return 0;
        }
        if (got > 0) {
            buf_add(out, chunk, (size_t)got);
            if (out->overflow) {
                return error_set(err, ERROR_FORMAT, "%s: answer larger than %zu bytes",
                                 talk->exchange->address, out->max);
            }
            if (loop_signal(talk->loop) != 0) {
                return loop_cancelled(talk->loop, err);
            }
        } else if (errno != EAGAIN && errno != EINTR) {
            return failed(talk, errno, "connection lost", err);
        }
        if ((got < 0 || loop_mono() >= talk->until) && wait_ready(talk, EPOLLIN, err) < 0) {
            return -1;
        }
    }
}

int exchange_run(struct loop *loop, const struct exchange *exchange, struct buf *out,
                 struct error *err)
{
    int64_t timeout = exchange->timeout_ms > 0 ? exchange->timeout_ms : DEFAULT_TIMEOUT_MS;
    struct talk talk = {loop, exchange, loop_mono() + timeout, -1};
    buf_init(out, exchange->max);
    fault_point("exchange.before");
    bool whole = open_talk(&talk, err) == 0 && send_request(&talk, err) == 0 &&
                 read_answer(&talk, out, err) == 0;
    hang_up(&talk);
    fault_point("exchange.after");
    return whole ? 0 : -1;
}
