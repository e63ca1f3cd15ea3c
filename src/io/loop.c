/* SPDX-License-Identifier: Apache-2.0 */
#include "io.h"

#include "arena.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Over the kill of a stopped group, for the guard's answer. */
#define STOP_SLACK_MS 2500

struct loop {
    struct http_engine *http;
    int poll_fd; /* epoll: everything but the transfers, as one descriptor for their poll */
    struct operation **running;
    size_t count, capacity;
    bool fresh; /* something got done that no loop_wait has told yet */
    bool shielded;
};

static struct loop *current;

/* Without the time nothing that waits would ever end. Called in signal handlers, too. */
_Noreturn static void clock_gone(void)
{
    static const char message[] = "deploy-action: the clock cannot be read\n";
    ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
    (void)written; /* nobody is left to be told */
    _exit(6);
}

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    if (clock_gettime(id, &now) < 0) {
        clock_gone();
    }
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t loop_mono(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t loop_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

/* A descriptor of ours numbered 0 to 2 would be taken for the terminal by somebody. */
static int fill_standard_descriptors(struct error *err)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd) {
            return error_system(err, errno, "cannot open /dev/null");
        }
    }
    return 0;
}

int loop_watch(struct loop *loop, int fd, unsigned events, struct error *err)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(loop->poll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ||
        (errno == EEXIST && epoll_ctl(loop->poll_fd, EPOLL_CTL_MOD, fd, &event) == 0)) {
        return 0;
    }
    return error_system(err, errno, "cannot watch a descriptor");
}

void loop_unwatch(struct loop *loop, int fd)
{
    epoll_ctl(loop->poll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static int open_parts(struct loop *loop, struct error *err)
{
    loop->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->poll_fd < 0) {
        return error_system(err, errno, "cannot make an epoll descriptor");
    }
    if (loop_watch(loop, signals_wake_fd(), EPOLLIN, err) < 0) {
        return -1;
    }
    return http_engine_open(&loop->http, err);
}

int loop_open(struct loop **out, struct error *err)
{
    if (fill_standard_descriptors(err) < 0 || signals_install(err) < 0) {
        return -1;
    }
    struct loop *loop = memory_alloc(sizeof(*loop));
    memset(loop, 0, sizeof(*loop));
    current = loop;
    if (open_parts(loop, err) < 0) {
        loop_free(loop);
        return -1;
    }
    *out = loop;
    return 0;
}

/* All are asked before any is waited for: their graces run side by side. */
static void stop_together(struct loop *loop, struct operation *operations, size_t count)
{
    struct error why;
    loop_cancelled(loop, &why);
    for (size_t i = 0; i < count; i++) {
        if (operations[i].kind == OPERATION_PROCESS) {
            process_stop(&operations[i], &why);
        }
    }
    for (size_t i = 0; i < count; i++) {
        loop_stop(loop, &operations[i]);
    }
}

void loop_free(struct loop *loop)
{
    if (loop == NULL) {
        return;
    }
    while (loop->count > 0) {
        loop_stop(loop, loop->running[0]);
    }
    http_engine_free(loop->http);
    fd_cleanup(&loop->poll_fd);
    free(loop->running);
    free(loop);
    current = NULL;
    signals_restore();
}

int loop_signal(const struct loop *loop)
{
    return loop->shielded ? 0 : signals_first();
}

void loop_shield(struct loop *loop, bool on)
{
    loop->shielded = on;
}

int loop_cancelled(const struct loop *loop, struct error *err)
{
    int number = loop_signal(loop);
    if (number == 0) {
        return error_set(err, ERROR_CANCELLED, "stopped");
    }
    return error_set(err, ERROR_CANCELLED, "cancelled by %s", signals_name(number));
}

static void remember(struct loop *loop, struct operation *operation)
{
    if (loop->count == loop->capacity) {
        loop->capacity = loop->capacity == 0 ? 8 : loop->capacity * 2;
        loop->running = memory_resize(loop->running, loop->capacity * sizeof(*loop->running));
    }
    loop->running[loop->count++] = operation;
}

static int64_t saturated_sum(int64_t a, int64_t b)
{
    return b > INT64_MAX - a ? INT64_MAX : a + b;
}

static int start_wait(struct operation *operation)
{
    int64_t *until = memory_alloc(sizeof(*until));
    *until = saturated_sum(loop_mono(), operation->wait_ms);
    operation->state = until;
    return 0;
}

static int start_kind(struct loop *loop, struct operation *operation, struct error *err)
{
    switch (operation->kind) {
    case OPERATION_HTTP:
        return http_start(loop->http, operation, err);
    case OPERATION_PROCESS:
        return process_start(loop, operation, err);
    case OPERATION_WAIT:
        return start_wait(operation);
    case OPERATION_NONE:
        break;
    }
    return error_set(err, ERROR_BUG, "an operation without a kind");
}

int loop_start(struct loop *loop, struct operation *operation, struct error *err)
{
    if (operation->state != NULL) {
        return error_set(err, ERROR_BUG, "an operation started twice");
    }
    operation->done = false;
    if (start_kind(loop, operation, err) < 0) {
        operation->done = true;
        return -1;
    }
    remember(loop, operation);
    return 0;
}

static bool is_guard(const struct loop *loop, pid_t pid)
{
    for (size_t i = 0; i < loop->count; i++) {
        if (loop->running[i]->kind == OPERATION_PROCESS && process_guard(loop->running[i]) == pid) {
            return true;
        }
    }
    return false;
}

/* As PID 1 of a container every orphan becomes our child. Guards are left for their own
 * operation to collect. */
static void reap_strangers(const struct loop *loop)
{
    if (getpid() != 1) {
        return;
    }
    for (;;) {
        siginfo_t info;
        memset(&info, 0, sizeof(info));
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0 ||
            is_guard(loop, info.si_pid)) {
            return;
        }
        waitpid(info.si_pid, NULL, WNOHANG);
    }
}

static void step_wait(struct operation *operation)
{
    const int64_t *until = operation->state;
    if (loop_mono() >= *until) {
        free(operation->state);
        operation->state = NULL;
        operation->done = true;
    }
}

static void forget_done(struct loop *loop)
{
    size_t kept = 0;
    for (size_t i = 0; i < loop->count; i++) {
        if (loop->running[i]->done) {
            loop->fresh = true;
        } else {
            loop->running[kept++] = loop->running[i];
        }
    }
    loop->count = kept;
}

static void step(struct loop *loop)
{
    http_step(loop->http);
    for (size_t i = 0; i < loop->count; i++) {
        if (loop->running[i]->kind == OPERATION_PROCESS) {
            process_step(loop, loop->running[i]);
        } else if (loop->running[i]->kind == OPERATION_WAIT) {
            step_wait(loop->running[i]);
        }
    }
    reap_strangers(loop);
    forget_done(loop);
}

static int64_t first_limit(const struct loop *loop, int64_t until)
{
    for (size_t i = 0; i < loop->count; i++) {
        const struct operation *operation = loop->running[i];
        int64_t limit = INT64_MAX; /* transfers bring their own to the poll */
        if (operation->kind == OPERATION_PROCESS) {
            limit = process_limit(operation);
        } else if (operation->kind == OPERATION_WAIT) {
            limit = *(const int64_t *)operation->state;
        }
        until = limit < until ? limit : until;
    }
    return until;
}

static void poll_and_step(struct loop *loop, int64_t until)
{
    int64_t left = first_limit(loop, until) - loop_mono();
    left = left < 0 ? 0 : left > INT_MAX ? INT_MAX : left;
    http_poll(loop->http, loop->poll_fd, (int)left);
    signals_drain();
    step(loop);
}

int loop_turn(struct loop *loop, int64_t until, struct error *err)
{
    if (loop_signal(loop) != 0) {
        return loop_cancelled(loop, err);
    }
    poll_and_step(loop, until);
    return loop_signal(loop) != 0 ? loop_cancelled(loop, err) : 0;
}

int loop_wait(struct loop *loop, int64_t until, struct error *err)
{
    step(loop);
    for (;;) {
        if (loop_signal(loop) != 0) {
            return loop_cancelled(loop, err);
        }
        if (loop->fresh || loop_mono() >= until) {
            loop->fresh = false;
            return 0;
        }
        poll_and_step(loop, until);
    }
}

int loop_sleep(struct loop *loop, int64_t until, struct error *err)
{
    do {
        if (loop_turn(loop, until, err) < 0) {
            return -1;
        }
    } while (loop_mono() < until);
    return 0;
}

static void stop_process(struct loop *loop, struct operation *operation, const struct error *why)
{
    process_stop(operation, why);
    int64_t limit = loop_mono() + STOP_GRACE_MS + STOP_SLACK_MS;
    while (!operation->done && loop_mono() < limit) {
        poll_and_step(loop, limit);
    }
    if (!operation->done) {
        process_abandon(loop, operation, why);
    }
}

void loop_stop(struct loop *loop, struct operation *operation)
{
    if (operation->state == NULL) {
        return;
    }
    struct error why;
    loop_cancelled(loop, &why);
    if (operation->kind == OPERATION_HTTP) {
        http_drop(loop->http, operation, &why);
    } else if (operation->kind == OPERATION_PROCESS) {
        stop_process(loop, operation, &why);
    } else {
        free(operation->state);
        operation->state = NULL;
        operation->done = true;
    }
    bool fresh = loop->fresh;
    forget_done(loop);
    loop->fresh = fresh; /* the caller knows */
}

void operation_release(struct operation *operation)
{
    if (operation->state != NULL && current != NULL) {
        loop_stop(current, operation);
    }
    http_reply_release(&operation->reply);
    process_result_release(&operation->result);
}

static void keep_start_error(struct operation *operation, const struct error *err)
{
    if (operation->kind == OPERATION_HTTP) {
        operation->reply.error = *err;
    } else if (operation->kind == OPERATION_PROCESS) {
        operation->result.error = *err;
        operation->result.exit_code = -1;
    }
}

int loop_run_all(struct loop *loop, struct operation *operations, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct error own;
        if (loop_start(loop, &operations[i], &own) < 0) {
            keep_start_error(&operations[i], &own);
        }
    }
    for (size_t i = 0; i < count; i++) {
        while (!operations[i].done) {
            if (loop_wait(loop, INT64_MAX, err) < 0) {
                stop_together(loop, operations, count);
                return -1;
            }
        }
    }
    return 0;
}

int http_fetch(struct loop *loop, const struct http_request *request, struct http_reply *reply,
               struct error *err)
{
    struct operation operation = {.kind = OPERATION_HTTP, .http = *request};
    int result = loop_run_all(loop, &operation, 1, err);
    *reply = operation.reply;
    if (result == 0 && reply->error.kind != ERROR_NONE) {
        return error_set(err, reply->error.kind, "%s", reply->error.message);
    }
    return result;
}

int process_run(struct loop *loop, const struct process_spec *spec, struct process_result *result,
                struct error *err)
{
    struct operation operation = {.kind = OPERATION_PROCESS, .process = *spec};
    int outcome = loop_run_all(loop, &operation, 1, err);
    *result = operation.result;
    if (outcome == 0 && result->error.kind != ERROR_NONE) {
        return error_set(err, result->error.kind, "%s", result->error.message);
    }
    return outcome;
}
