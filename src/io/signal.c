/* SPDX-License-Identifier: Apache-2.0 */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* timeout(1) signals its child and then the child's group: the same signal twice within
 * microseconds is one wish, not two. */
#define REPEAT_MS 100

static atomic_int received;
static _Atomic int64_t received_at;
static int wake[2] = {-1, -1};

static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ, SIGCHLD};
#define HANDLED (sizeof(handled) / sizeof(handled[0]))
static struct sigaction before[HANDLED];

static void on_signal(int number)
{
    int saved = errno;
    int first = 0;
    int64_t now = loop_mono();
    if (atomic_compare_exchange_strong(&received, &first, number)) {
        atomic_store(&received_at, now);
    } else if (number != first || now - atomic_load(&received_at) >= REPEAT_MS) {
        _exit(128 + number);
    }
    if (write(wake[1], "", 1) < 0) {
        errno = saved;
    }
    errno = saved;
}

static int install_one(size_t index)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    action.sa_handler = on_signal;
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
    sigaddset(&action.sa_mask, SIGHUP);
    if (handled[index] == SIGPIPE || handled[index] == SIGXFSZ) {
        /* Whoever writes is told by the call, and can still bring production to safety. */
        action.sa_handler = SIG_IGN;
    } else if (handled[index] == SIGCHLD) {
        /* A parent may have left it ignored; children's statuses would vanish. */
        action.sa_handler = SIG_DFL;
    }
    if (sigaction(handled[index], NULL, &before[index]) < 0) {
        return -1;
    }
    if (handled[index] == SIGHUP && before[index].sa_handler == SIG_IGN) {
        return 0; /* nohup(1) */
    }
    return sigaction(handled[index], &action, NULL);
}

int signals_install(struct error *err)
{
    if (wake[0] >= 0) {
        return error_set(err, ERROR_BUG, "a second loop in one process");
    }
    if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0) {
        return error_system(err, errno, "cannot make a pipe");
    }
    atomic_store(&received, 0);
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < HANDLED; i++) {
        if (install_one(i) < 0) {
            return error_system(err, errno, "cannot handle %s", signals_name(handled[i]));
        }
        sigaddset(&set, handled[i]);
    }
    if (sigprocmask(SIG_UNBLOCK, &set, NULL) < 0) {
        return error_system(err, errno, "cannot unblock signals");
    }
    return 0;
}

void signals_restore(void)
{
    for (size_t i = 0; i < HANDLED; i++) {
        sigaction(handled[i], &before[i], NULL);
    }
    close(wake[0]);
    close(wake[1]);
    wake[0] = wake[1] = -1;
}

int signals_first(void)
{
    return atomic_load(&received);
}

int signals_wake_fd(void)
{
    return wake[0];
}

void signals_drain(void)
{
    char bytes[16];
    while (read(wake[0], bytes, sizeof(bytes)) > 0) {
    }
}

const char *signals_name(int number)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
        {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"}, {SIGILL, "SIGILL"},
        {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},   {SIGKILL, "SIGKILL"},
        {SIGSEGV, "SIGSEGV"}, {SIGPIPE, "SIGPIPE"}, {SIGALRM, "SIGALRM"}, {SIGTERM, "SIGTERM"},
        {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}, {SIGXCPU, "SIGXCPU"}, {SIGSYS, "SIGSYS"},
    };
    static char other[32];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].number == number) {
            return names[i].name;
        }
    }
    snprintf(other, sizeof(other), "signal %d", number);
    return other;
}
