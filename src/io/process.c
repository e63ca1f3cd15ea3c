/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"
#include "io.h"

#include "arena.h"
#include "fault.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS 60000
#define DEFAULT_OUTPUT 65536
#define SHOWN_MAX 80
#define LINE_MAX_SHOWN 300
/* Over the time limit and the kill, for a guard that cannot answer. */
#define GUARD_SLACK_MS 3000

struct child {
    pid_t guard;
    int control, output;
    int64_t started, timeout, limit;
    size_t reported;
    struct guard_report report;
    struct error why; /* of a stop */
};

static int guard_lock = -1;

void process_guard_lock(int fd)
{
    guard_lock = fd;
}

void process_result_release(struct process_result *result)
{
    buf_release(&result->output);
}

static void add_shown(struct buf *out, const char *text)
{
    if (out->length > 0) {
        buf_adds(out, " ");
    }
    for (; *text != '\0' && !out->overflow; text++) {
        bool control = (unsigned char)*text < 0x20 || *text == 0x7f;
        buf_add(out, control ? " " : text, 1);
    }
}

const char *process_shown(struct arena *arena, const struct process_spec *spec)
{
    AUTO_BUF struct buf out;
    buf_init(&out, DEFAULT_OUTPUT);
    if (spec->argv == NULL || spec->shell != NULL) {
        add_shown(&out, spec->shell == NULL ? "" : spec->shell);
    } else {
        for (size_t i = 0; spec->argv[i] != NULL; i++) {
            add_shown(&out, spec->argv[i]);
        }
    }
    return text_shown(arena, out.data, out.length, SHOWN_MAX);
}

static const char *last_line(struct arena *arena, const struct buf *output)
{
    size_t end = output->length;
    while (end > 0 && (unsigned char)output->data[end - 1] <= ' ') {
        end--;
    }
    size_t start = end;
    while (start > 0 && output->data[start - 1] != '\n') {
        start--;
    }
    AUTO_BUF struct buf shown;
    buf_init(&shown, LINE_MAX_SHOWN * 4);
    text_to_terminal(&shown, text_shown(arena, output->data + start, end - start, LINE_MAX_SHOWN));
    return arena_text(arena, shown.data);
}

int process_failed(const struct process_spec *spec, const struct process_result *result,
                   struct error *err)
{
    struct arena arena;
    char how[64];
    arena_init(&arena);
    if (result->signal != 0) {
        snprintf(how, sizeof(how), "was ended by %s", signals_name(result->signal));
    } else {
        snprintf(how, sizeof(how), "ended with code %d", result->exit_code);
    }
    const char *line = last_line(&arena, &result->output);
    error_set(err, ERROR_REMOTE, "'%s' %s%s%s", process_shown(&arena, spec), how,
              line[0] == '\0' ? "" : ": ", line);
    arena_release(&arena);
    return -1;
}

static void pass_fault_point(const char *when, const struct process_spec *spec)
{
    struct arena arena;
    arena_init(&arena);
    const char *name = arena_format(&arena, "process.%s %s", when, process_shown(&arena, spec));
    fault_point(name);
    arena_release(&arena);
}

static bool is_overridden(const char *entry, const char *const *variables)
{
    const char *equals = strchr(entry, '=');
    size_t length = equals == NULL ? strlen(entry) : (size_t)(equals - entry) + 1;
    for (size_t i = 0; variables[i] != NULL; i++) {
        if (strncmp(variables[i], entry, length) == 0) {
            return true;
        }
    }
    return false;
}

/* Of two variables of one name the last counts. */
static char **enlarged_environment(struct arena *arena, const char *const *variables)
{
    static const char *const none[] = {NULL};
    size_t old = 0, added = 0, count = 0;
    variables = variables == NULL ? none : variables;
    while (environ != NULL && environ[old] != NULL) {
        old++;
    }
    while (variables[added] != NULL) {
        added++;
    }
    char **result = arena_array(arena, old + added + 1, sizeof(*result));
    for (size_t i = 0; i < old; i++) {
        if (!is_overridden(environ[i], variables)) {
            result[count++] = environ[i];
        }
    }
    for (size_t i = 0; i < added; i++) {
        if (!is_overridden(variables[i], variables + i + 1)) {
            result[count++] = arena_text(arena, variables[i]);
        }
    }
    return result;
}

static char *const *command_line(struct arena *arena, const struct process_spec *spec)
{
    size_t count = 0;
    if (spec->shell != NULL) {
        char **line = arena_array(arena, 4, sizeof(*line));
        line[0] = arena_text(arena, "/bin/sh");
        line[1] = arena_text(arena, "-c");
        line[2] = arena_text(arena, spec->shell);
        return line;
    }
    while (spec->argv[count] != NULL) {
        count++;
    }
    char **copy = arena_array(arena, count + 1, sizeof(*copy));
    for (size_t i = 0; i < count; i++) {
        copy[i] = arena_text(arena, spec->argv[i]);
    }
    return copy;
}

struct channel {
    int control[2], output[2], null, record;
};

static void close_channel(struct channel *channel)
{
    fd_cleanup(&channel->control[0]);
    fd_cleanup(&channel->control[1]);
    fd_cleanup(&channel->output[0]);
    fd_cleanup(&channel->output[1]);
    fd_cleanup(&channel->null);
    fd_cleanup(&channel->record);
}

static int open_channel(const struct process_spec *spec, struct channel *channel, struct error *err)
{
    *channel = (struct channel){{-1, -1}, {-1, -1}, -1, -1};
    channel->null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (channel->null < 0) {
        return error_system(err, errno, "cannot open /dev/null");
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel->control) < 0 ||
        pipe2(channel->output, O_CLOEXEC | O_NONBLOCK) < 0) {
        return error_system(err, errno, "cannot make a pipe");
    }
    return spec->record == NULL ? 0 : file_open_append(spec->record, &channel->record, err);
}

/* Signals stay blocked until the guard ignores them: our handler must not run there. */
static pid_t fork_guard(const struct guard_task *task)
{
    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    pid_t pid = fork();
    if (pid == 0) {
        guard_run(task);
    }
    int number = errno;
    sigprocmask(SIG_SETMASK, &old, NULL);
    errno = number;
    return pid;
}

static pid_t start_guard(const struct process_spec *spec, const struct child *child,
                         const struct channel *channel)
{
    struct arena arena;
    arena_init(&arena);
    struct guard_task task = {
        .argv = command_line(&arena, spec),
        .environment = enlarged_environment(&arena, spec->variables),
        .directory = spec->directory,
        .input = spec->input,
        .max_output = spec->max_output > 0 ? spec->max_output : DEFAULT_OUTPUT,
        .timeout_ms = child->timeout,
        .control = channel->control[1],
        .output = channel->output[1],
        .null = channel->null,
        .lock = guard_lock,
        .record = channel->record,
    };
    if (spec->record != NULL) {
        task.begun = arena_format(&arena, "begun %s\n", spec->record_name);
        task.ended = arena_format(&arena, "ended %s ", spec->record_name);
    }
    pid_t pid = fork_guard(&task);
    int number = errno;
    arena_release(&arena);
    errno = number;
    return pid;
}

static int64_t limit_of(const struct child *child)
{
    int64_t slack = STOP_GRACE_MS + GUARD_SLACK_MS;
    int64_t room = INT64_MAX - child->started - slack;
    return child->timeout > room ? INT64_MAX : child->started + child->timeout + slack;
}

static int start_in(struct loop *loop, struct operation *operation, struct channel *channel,
                    struct error *err)
{
    const struct process_spec *spec = &operation->process;
    struct child child = {.started = loop_mono()};
    child.timeout = spec->timeout_ms > 0 ? spec->timeout_ms : DEFAULT_TIMEOUT_MS;
    child.limit = limit_of(&child);
    if (loop_watch(loop, channel->control[0], EPOLLIN, err) < 0 ||
        loop_watch(loop, channel->output[0], EPOLLIN, err) < 0) {
        return -1;
    }
    child.guard = start_guard(spec, &child, channel);
    if (child.guard < 0) {
        return error_system(err, errno, "cannot start a process");
    }
    child.control = channel->control[0];
    child.output = channel->output[0];
    channel->control[0] = channel->output[0] = -1;
    struct child *state = memory_alloc(sizeof(*state));
    *state = child;
    operation->state = state;
    return 0;
}

int process_start(struct loop *loop, struct operation *operation, struct error *err)
{
    const struct process_spec *spec = &operation->process;
    struct channel channel;
    memset(&operation->result, 0, sizeof(operation->result));
    operation->result.exit_code = -1;
    buf_init(&operation->result.output, spec->max_output > 0 ? spec->max_output : DEFAULT_OUTPUT);
    if (spec->shell == NULL && (spec->argv == NULL || text_blank(spec->argv[0]))) {
        return error_set(err, ERROR_CONFIG, "an empty command");
    }
    pass_fault_point("before", spec);
    int result = open_channel(spec, &channel, err);
    if (result == 0) {
        result = start_in(loop, operation, &channel, err);
    }
    close_channel(&channel);
    return result;
}

int64_t process_limit(const struct operation *operation)
{
    const struct child *child = operation->state;
    return child->limit;
}

pid_t process_guard(const struct operation *operation)
{
    const struct child *child = operation->state;
    return child == NULL ? 0 : child->guard;
}

static void explain_start(const struct process_spec *spec, const struct guard_report *report,
                          struct error *err)
{
    const char *program = spec->shell != NULL ? "/bin/sh" : spec->argv[0];
    if (report->failure == GUARD_DIRECTORY) {
        error_system(err, report->number, "cannot enter folder %s", spec->directory);
    } else if (report->failure == GUARD_RECORD) {
        error_system(err, report->number, "cannot write '%s'", spec->record);
    } else if (report->failure == GUARD_OUTPUT) {
        error_system(err, report->number, "cannot read what '%s' says", program);
    } else if (report->failure == GUARD_LOST) {
        error_system(err, report->number, "cannot learn how '%s' ended", program);
    } else if (report->failure == GUARD_EXEC) {
        error_system(err, report->number, "cannot run '%s'", program);
    } else {
        error_system(err, report->number, "cannot start a process for '%s'", program);
    }
}

static void explain(const struct operation *operation, const struct child *child, struct error *err)
{
    struct arena arena;
    arena_init(&arena);
    const char *shown = process_shown(&arena, &operation->process);
    if (child->reported != sizeof(child->report)) {
        error_set(err, ERROR_REMOTE, "the guard of '%s' was killed", shown);
    } else if (child->report.failure != GUARD_OK) {
        explain_start(&operation->process, &child->report, err);
    } else if (child->report.timed_out) {
        error_set(err, ERROR_TIMEOUT, "'%s' did not end within %s", shown,
                  text_of_duration(&arena, child->timeout));
    } else if (child->report.stopped) {
        error_set(err, child->why.kind, "%s", child->why.message);
    }
    arena_release(&arena);
}

static void take_status(struct process_result *result, int status)
{
    if (status != -1 && WIFEXITED(status)) {
        result->exit_code = WEXITSTATUS(status);
    } else if (status != -1 && WIFSIGNALED(status)) {
        result->signal = WTERMSIG(status);
    }
}

static void finish(struct loop *loop, struct operation *operation)
{
    struct child *child = operation->state;
    struct process_result *result = &operation->result;
    result->took_ms = loop_mono() - child->started;
    result->cut = child->report.cut;
    if (child->reported == sizeof(child->report) && child->report.failure == GUARD_OK) {
        take_status(result, child->report.status);
    }
    explain(operation, child, &result->error);
    loop_unwatch(loop, child->control);
    loop_unwatch(loop, child->output);
    fd_cleanup(&child->control);
    fd_cleanup(&child->output);
    free(child);
    operation->state = NULL;
    operation->done = true;
    pass_fault_point("after", &operation->process);
}

static void read_output(struct operation *operation)
{
    const struct child *child = operation->state;
    struct process_result *result = &operation->result;
    char chunk[16384];
    for (;;) {
        ssize_t got = read(child->output, chunk, sizeof(chunk));
        if (got > 0) {
            buf_add(&result->output, chunk, (size_t)got);
        } else if (got < 0 && errno != EINTR && errno != EAGAIN) {
            error_system(&result->error, errno, "cannot read the output of a command");
            return;
        } else if (got == 0 || errno != EINTR) {
            return;
        }
    }
}

/* True at the end of the guard. */
static bool read_report(struct child *child)
{
    while (child->reported < sizeof(child->report)) {
        ssize_t got = recv(child->control, (char *)&child->report + child->reported,
                           sizeof(child->report) - child->reported, MSG_DONTWAIT);
        if (got > 0) {
            child->reported += (size_t)got;
        } else if (got == 0) {
            return true;
        } else if (errno != EINTR) {
            return errno != EAGAIN;
        }
    }
    return true;
}

void process_step(struct loop *loop, struct operation *operation)
{
    struct child *child = operation->state;
    if (child == NULL) {
        return;
    }
    bool ended = read_report(child);
    read_output(operation); /* all of it was written before the report */
    if (ended) {
        kill(child->guard, SIGKILL); /* it has said all; were it stopped, we would wait long */
        waitpid(child->guard, NULL, 0);
        finish(loop, operation);
    } else if (loop_mono() >= child->limit) {
        struct error why;
        error_set(&why, ERROR_TIMEOUT, "the guard of a command does not answer");
        process_abandon(loop, operation, &why);
    }
}

void process_stop(struct operation *operation, const struct error *why)
{
    struct child *child = operation->state;
    if (child != NULL && child->why.kind == ERROR_NONE) {
        child->why = *why;
        send(child->control, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

void process_abandon(struct loop *loop, struct operation *operation, const struct error *why)
{
    struct child *child = operation->state;
    kill(child->guard, SIGKILL); /* which kills the command, too */
    waitpid(child->guard, NULL, WNOHANG);
    finish(loop, operation);
    operation->result.error = *why;
}
