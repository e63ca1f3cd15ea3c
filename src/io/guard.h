/* SPDX-License-Identifier: Apache-2.0
 *
 * The guard: the forked copy of us that runs one command. See process.h.
 */
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guard_task {
    char *const *argv;
    char **environment;
    const char *directory;
    const char *input;
    size_t max_output;
    int64_t timeout_ms;
    int control;               /* socket: a byte from us means stop, a guard_report comes back */
    int output;                /* pipe to us, non-blocking */
    int null;                  /* /dev/null */
    int lock;                  /* -1: none */
    int record;                /* -1: none */
    const char *begun, *ended; /* whole line; line without its code */
};

enum guard_failure {
    GUARD_OK,
    GUARD_SETUP,
    GUARD_RECORD,
    GUARD_DIRECTORY,
    GUARD_EXEC,
    GUARD_OUTPUT,
    GUARD_LOST
};

struct guard_report {
    enum guard_failure failure;
    int number; /* errno of the failure */
    int status; /* as from waitpid; -1: the command could not be ended */
    bool timed_out, stopped, cut;
};

/* Called in the child of fork with all signals blocked. Never returns. Only calls that
 * are safe after fork with threads: no allocation, no stdio. */
void guard_run(const struct guard_task *task) __attribute__((noreturn));

#endif
