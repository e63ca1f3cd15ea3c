/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DRAIN_GRACE_MS 200 /* for output after the command's own end */
#define LOOK_AGAIN_MS 20   /* at a group that is being ended */
#define KILL_SLACK_MS 500  /* until a killed group is given up */
#define DESCRIPTORS_MAX 65536

enum pipe_end { OUT_READ, OUT_WRITE, IN_READ, IN_WRITE, EXEC_READ, EXEC_WRITE, PIPE_ENDS };

struct guard {
    const struct guard_task *task;
    struct guard_report report;
    pid_t command;
    int pipes[PIPE_ENDS];
    bool parent_gone;
    bool ended;             /* the command itself */
    int64_t limit;          /* of the command */
    int64_t drain_until;    /* set when ended */
    int64_t stopping_since; /* 0: not being stopped */
    bool killed;
    bool dry;          /* the last look into the pipe found nothing */
    const char *input; /* what is left to write */
    size_t input_left;
    size_t kept; /* bytes of output taken for the parent */
    size_t pending_from, pending_to;
    char pending[65536];
};

static struct guard self;

/* In the guard nothing of the parent may stay open: who waits for the end of the parent's
 * stdout or of its lock would wait for us. */
static void close_range_slowly(unsigned from, unsigned to)
{
    struct rlimit limit;
    unsigned end = DESCRIPTORS_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < end) {
        end = (unsigned)limit.rlim_cur;
    }
    for (unsigned fd = from; fd <= to && fd < end; fd++) {
        close((int)fd);
    }
}

static void close_between(unsigned from, unsigned to)
{
    if (from <= to && syscall(SYS_close_range, from, to, 0) < 0) {
        close_range_slowly(from, to);
    }
}

static void close_all_but(const int *keep, size_t count)
{
    unsigned from = 3;
    for (;;) {
        unsigned next = UINT_MAX;
        for (size_t i = 0; i < count; i++) {
            if (keep[i] >= (int)from && (unsigned)keep[i] < next) {
                next = (unsigned)keep[i];
            }
        }
        if (next == UINT_MAX) {
            close_between(from, UINT_MAX);
            return;
        }
        close_between(from, next - 1);
        from = next + 1;
    }
}

static void close_end(enum pipe_end end)
{
    if (self.pipes[end] >= 0) {
        close(self.pipes[end]);
    }
    self.pipes[end] = -1;
}

static void on_child(int number)
{
    (void)number; /* only to wake the poll */
}

static int set_signals(void (*handler)(int), void (*at_child)(int))
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ, SIGCHLD};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction action = {.sa_handler = numbers[i] == SIGCHLD ? at_child : handler};
        sigemptyset(&action.sa_mask);
        if (sigaction(numbers[i], &action, NULL) < 0) {
            return -1;
        }
    }
    return 0;
}

static void fail(enum guard_failure failure, int number)
{
    self.report.failure = failure;
    self.report.number = number;
}

static int open_pipe(enum pipe_end read_end, enum pipe_end own_end)
{
    if (pipe2(&self.pipes[read_end], O_CLOEXEC) < 0) {
        return -1;
    }
    return fcntl(self.pipes[own_end], F_SETFL, O_NONBLOCK);
}

static int open_pipes(void)
{
    memset(self.pipes, -1, sizeof(self.pipes));
    if (open_pipe(OUT_READ, OUT_READ) < 0 || open_pipe(EXEC_READ, EXEC_READ) < 0) {
        return -1;
    }
    return self.input == NULL ? 0 : open_pipe(IN_READ, IN_WRITE);
}

static void give_up(enum guard_failure failure)
{
    int words[2] = {(int)failure, errno};
    if (write(self.pipes[EXEC_WRITE], words, sizeof(words)) < 0) {
        _exit(126);
    }
    _exit(127);
}

static void become_command(const struct guard_task *task, pid_t guard)
{
    sigset_t none;
    int input = self.pipes[IN_READ] >= 0 ? self.pipes[IN_READ] : task->null;
    sigemptyset(&none);
    /* Without its guard a command would run on beside the next run; without a group of its own,
     * or deaf to signals, it could not be stopped. */
    if (setpgid(0, 0) < 0 || set_signals(SIG_DFL, SIG_DFL) < 0 ||
        sigprocmask(SIG_SETMASK, &none, NULL) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
        give_up(GUARD_SETUP);
    }
    if (getppid() != guard) {
        _exit(127);
    }
    if (dup2(input, 0) < 0 || dup2(self.pipes[OUT_WRITE], 1) < 0 ||
        dup2(self.pipes[OUT_WRITE], 2) < 0) {
        give_up(GUARD_SETUP);
    }
    if (task->directory != NULL && chdir(task->directory) < 0) {
        give_up(GUARD_DIRECTORY);
    }
    environ = task->environment; /* before the lookup: PATH may be one of the variables */
    execvp(task->argv[0], task->argv);
    give_up(GUARD_EXEC);
}

static int start_command(const struct guard_task *task)
{
    pid_t guard = getpid();
    if (open_pipes() < 0) {
        return -1;
    }
    self.command = fork();
    if (self.command < 0) {
        return -1;
    }
    if (self.command == 0) {
        become_command(task, guard);
    }
    setpgid(self.command, self.command);
    close_end(OUT_WRITE);
    close_end(IN_READ);
    close_end(EXEC_WRITE);
    return 0;
}

static void signal_group(int number)
{
    /* The child's own setpgid has happened, or ours has. */
    kill(-self.command, number);
}

static void begin_stop(int64_t now)
{
    if (self.stopping_since == 0) {
        self.stopping_since = now;
        signal_group(SIGTERM);
        signal_group(SIGCONT);
    }
}

static void take_exec(void)
{
    int words[2];
    ssize_t got = read(self.pipes[EXEC_READ], words, sizeof(words));
    if (got == (ssize_t)sizeof(words)) {
        fail((enum guard_failure)words[0], words[1]);
    }
    if (got >= 0) {
        close_end(EXEC_READ);
    }
}

static void give_input(void)
{
    ssize_t put = write(self.pipes[IN_WRITE], self.input, self.input_left);
    if (put >= 0) {
        self.input += put;
        self.input_left -= (size_t)put;
    }
    if (self.input_left == 0 || (put < 0 && errno != EAGAIN && errno != EINTR)) {
        close_end(IN_WRITE);
    }
}

static void keep_output(size_t got)
{
    size_t room = self.task->max_output - self.kept;
    if (got > room) {
        self.report.cut = true;
        got = room;
    }
    self.kept += got;
    self.pending_from = 0;
    self.pending_to = self.parent_gone ? 0 : got;
}

static void take_output(void)
{
    if (self.pipes[OUT_READ] < 0 || self.pending_to > 0) {
        return;
    }
    ssize_t got = read(self.pipes[OUT_READ], self.pending, sizeof(self.pending));
    self.dry = got < 0;
    if (got > 0) {
        keep_output((size_t)got);
    } else if (got == 0) {
        close_end(OUT_READ);
    } else if (errno != EAGAIN && errno != EINTR) {
        fail(GUARD_OUTPUT, errno);
        close_end(OUT_READ);
    }
}

/* Should it be there all the same, it must not take what it got for all of the output. */
static void lose_parent(int number)
{
    fail(GUARD_OUTPUT, number);
    self.parent_gone = true;
    self.pending_from = self.pending_to = 0;
}

static void pass_on(void)
{
    if (self.pending_to == 0) {
        return;
    }
    ssize_t put = write(self.task->output, self.pending + self.pending_from,
                        self.pending_to - self.pending_from);
    if (put < 0 && errno != EAGAIN && errno != EINTR) {
        lose_parent(errno);
    } else if (put > 0) {
        self.pending_from += (size_t)put;
        if (self.pending_from == self.pending_to) {
            self.pending_from = self.pending_to = 0;
        }
    }
}

/* The end of the parent is no order: its command goes on. */
static void take_order(int64_t now)
{
    char byte;
    if (self.parent_gone) {
        return;
    }
    ssize_t got = recv(self.task->control, &byte, 1, MSG_DONTWAIT);
    if (got == 1 && !self.ended) {
        self.report.stopped = true;
        begin_stop(now);
    } else if (got == 1) {
        self.drain_until = now;
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        lose_parent(got == 0 ? EPIPE : errno);
    }
}

/* Of orphans, too: we are their subreaper. */
static void take_ends(int64_t now)
{
    int status;
    for (;;) {
        pid_t pid = waitpid(-1, &status, WNOHANG);
        bool lost = pid < 0 && !self.ended; /* nothing would ever wake us again */
        if (lost) {
            fail(GUARD_LOST, errno);
        }
        if (pid == self.command || lost) {
            self.report.status = lost ? -1 : status;
            self.ended = true;
            self.drain_until = now + DRAIN_GRACE_MS;
        }
        if (pid <= 0) {
            return;
        }
    }
}

static void take_time(int64_t now)
{
    if (self.stopping_since == 0 && !self.ended && now >= self.limit) {
        self.report.timed_out = true;
        begin_stop(now);
    }
    if (self.stopping_since != 0 && !self.killed && now >= self.stopping_since + STOP_GRACE_MS) {
        self.killed = true;
        signal_group(SIGKILL);
    }
}

static bool is_group_gone(int64_t now)
{
    if (now >= self.stopping_since + STOP_GRACE_MS + KILL_SLACK_MS) {
        return true;
    }
    return self.ended && kill(-self.command, 0) < 0 && errno == ESRCH;
}

static bool is_over(int64_t now)
{
    if (self.pending_to > 0) {
        return false;
    }
    if (self.stopping_since != 0) {
        return is_group_gone(now);
    }
    /* Not dry: we were slow ourselves. A daemon that goes on writing ends it with `cut`. */
    bool drained = now >= self.drain_until && (self.dry || self.report.cut);
    return self.ended && (self.pipes[OUT_READ] < 0 || drained);
}

static int64_t next_look(int64_t now)
{
    if (self.stopping_since != 0) {
        return now + LOOK_AGAIN_MS;
    }
    if (self.pending_to > 0 && self.ended) {
        return now + DRAIN_GRACE_MS; /* the parent's time, not ours */
    }
    return self.ended ? self.drain_until : self.limit;
}

static struct pollfd watch(int fd, short events, bool wanted)
{
    return (struct pollfd){.fd = wanted ? fd : -1, .events = events};
}

static void wait_for_something(int64_t now)
{
    sigset_t none;
    struct pollfd fds[] = {
        watch(self.task->control, POLLIN, !self.parent_gone),
        watch(self.task->output, POLLOUT, self.pending_to > 0),
        watch(self.pipes[OUT_READ], POLLIN, self.pending_to == 0),
        watch(self.pipes[IN_WRITE], POLLOUT, true),
        watch(self.pipes[EXEC_READ], POLLIN, true),
    };
    int64_t left = next_look(now) - now;
    left = left < 0 ? 0 : left;
    struct timespec timeout = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
    sigemptyset(&none);
    ppoll(fds, sizeof(fds) / sizeof(fds[0]), &timeout, &none);
}

static void turn(void)
{
    int64_t now = loop_mono();
    wait_for_something(now);
    now = loop_mono();
    take_order(now);
    if (self.pipes[EXEC_READ] >= 0) {
        take_exec();
    }
    if (self.pipes[IN_WRITE] >= 0) {
        give_input();
    }
    /* Ends first: what is in the pipe then is all that the command wrote. */
    take_ends(now);
    take_output();
    pass_on();
    take_time(now);
}

/* All signals stay blocked, but for the time of the poll: the command must come out of the
 * fork with them blocked, or a SIGTERM before its own set-up would fall to our SIG_IGN. */
static int prepare(const struct guard_task *task)
{
    const int keep[] = {task->control, task->output, task->null, task->lock, task->record};
    self.task = task;
    self.report.status = -1;
    if (set_signals(SIG_IGN, on_child) < 0 || setsid() < 0) {
        return -1;
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* or else init reaps what is left of a group */
    prctl(PR_SET_NAME, "deploy-guard");
    self.input = task->input;
    self.input_left = task->input == NULL ? 0 : strlen(task->input);
    for (int fd = 0; fd <= 2; fd++) {
        if (dup2(task->null, fd) < 0) {
            return -1;
        }
    }
    close_all_but(keep, sizeof(keep) / sizeof(keep[0]));
    return 0;
}

static int record(const char *line, size_t length)
{
    int fd = self.task->record;
    return fd < 0 || (fd_write(fd, line, length) == 0 && fd_sync(fd) == 0) ? 0 : -1;
}

static void record_end(void)
{
    int status = self.report.status, code = 255;
    char line[512];
    size_t length = self.task->ended == NULL ? 0 : strlen(self.task->ended);
    if ((self.report.failure == GUARD_OK || self.report.failure == GUARD_OUTPUT) && status != -1) {
        code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    if (length == 0 || length > sizeof(line) - 8 || self.report.failure == GUARD_LOST) {
        return;
    }
    memcpy(line, self.task->ended, length);
    line[length++] = (char)('0' + code / 100 % 10);
    line[length++] = (char)('0' + code / 10 % 10);
    line[length++] = (char)('0' + code % 10);
    line[length++] = '\n';
    record(line, length); /* without it, a command that was only begun is looked at */
}

static void run(void)
{
    /* What nobody would know of is not done: it could be done twice. */
    if (record(self.task->begun, self.task->begun == NULL ? 0 : strlen(self.task->begun)) < 0) {
        fail(GUARD_RECORD, errno);
        return;
    }
    if (start_command(self.task) < 0) {
        fail(GUARD_SETUP, errno);
        return;
    }
    int64_t now = loop_mono();
    self.limit = self.task->timeout_ms > INT64_MAX - now ? INT64_MAX : now + self.task->timeout_ms;
    while (!is_over(loop_mono())) {
        turn();
    }
    if (self.pipes[EXEC_READ] >= 0) {
        take_exec();
    }
}

static void send_report(void)
{
    const char *data = (const char *)&self.report;
    for (size_t sent = 0; sent < sizeof(self.report);) {
        ssize_t put =
            send(self.task->control, data + sent, sizeof(self.report) - sent, MSG_NOSIGNAL);
        if (put < 0 && errno != EINTR) {
            return; /* nobody is left to be told */
        }
        sent += put < 0 ? 0 : (size_t)put;
    }
}

void guard_run(const struct guard_task *task)
{
    if (prepare(task) == 0) {
        run();
    } else {
        fail(GUARD_SETUP, errno);
    }
    record_end();
    send_report();
    _exit(0);
}
