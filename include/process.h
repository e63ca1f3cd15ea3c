/* SPDX-License-Identifier: Apache-2.0
 *
 * The user's commands, as data.
 *
 * A command runs in its own process group under a guard: a copy of this process that
 * holds the run's lock until the command has ended, and drains its output. So a command
 * outlives a SIGKILL of ours unharmed, and no second run starts beside it.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include "text.h"

#include <stddef.h>

struct process_spec {
    const char *const *argv;      /* ended by NULL; argv[0] is looked up in PATH */
    const char *shell;            /* instead of argv: a line for /bin/sh -c */
    const char *const *variables; /* "name=value" added to the environment, ended by NULL */
    const char *directory;        /* NULL: the current one */
    const char *input;            /* for stdin; NULL: /dev/null */
    int64_t timeout_ms;           /* 0: 60 s; then the group is ended as in loop_stop */
    size_t max_output;            /* of stdout and stderr together kept; 0: 64 KiB */
    /* A file to which the guard appends "begun NAME" before the command and "ended NAME
     * CODE" after it (128 + signal), on disk before it goes on, whether we still live or
     * not. NULL: none. */
    const char *record, *record_name;
};

struct process_result {
    int exit_code; /* -1: ended by a signal or not started */
    int signal;
    struct buf output; /* stdout and stderr as they came, the first max_output */
    bool cut;          /* more was written than kept */
    int64_t took_ms;
    struct error error; /* kind ERROR_NONE when it ran and ended by itself */
};

void process_result_release(struct process_result *result);

/* What `record` says of the last command of that name. */
enum recorded { RECORDED_NEVER, RECORDED_BEGUN, RECORDED_ENDED };
MUST_CHECK int process_recorded(const char *record, const char *record_name, enum recorded *out,
                                int *code, struct error *err);

/* argv or shell line for a message, cut at 80 bytes. */
const char *process_shown(struct arena *arena, const struct process_spec *spec);

/* The error of a command that ended with a code other than 0 or by a signal, with the
 * last line it wrote. Always -1. */
int process_failed(const struct process_spec *spec, const struct process_result *result,
                   struct error *err);

/* The descriptor of the lock that guards hold open; -1: none (the default). */
void process_guard_lock(int fd);

#endif
