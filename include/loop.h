/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread, one poll: transfers, child processes, timers and signals.
 *
 * Work is started as operations and waited for together:
 *   1. fill operation.http or operation.process (or .until for a pure wait) and set kind;
 *   2. loop_start() each;
 *   3. loop_wait() until operation.done, with a deadline;
 *   4. read operation.reply or operation.result; operation_release().
 * Every operation has its own time limit, so that a wait always ends. A signal makes
 * loop_wait return ERROR_CANCELLED; the caller then loop_stop()s what it started.
 */
#ifndef LOOP_H
#define LOOP_H

#include "http.h"
#include "process.h"

struct loop;

enum operation_kind { OPERATION_NONE, OPERATION_HTTP, OPERATION_PROCESS, OPERATION_WAIT };

struct operation {
    enum operation_kind kind;
    struct http_request http;
    struct process_spec process;
    int64_t wait_ms; /* OPERATION_WAIT */
    bool done;
    struct http_reply reply;      /* OPERATION_HTTP, once done */
    struct process_result result; /* OPERATION_PROCESS, once done */
    void *state;                  /* the loop's own while running */
};

/* Installs handlers for SIGINT, SIGTERM and SIGHUP, ignores SIGPIPE. One loop a process. */
MUST_CHECK int loop_open(struct loop **out, struct error *err);
void loop_free(struct loop *loop);

MUST_CHECK int loop_start(struct loop *loop, struct operation *operation, struct error *err);
/* Returns 0 as soon as any started operation is newly done, or at `until` (monotonic ms).
 * ERROR_CANCELLED on a signal, unless shielded. */
MUST_CHECK int loop_wait(struct loop *loop, int64_t until, struct error *err);
/* Ends it now: a transfer is dropped; a child's whole process group gets SIGTERM and, when
 * it is still there after 1 s, SIGKILL. Sets done. */
void loop_stop(struct loop *loop, struct operation *operation);
void operation_release(struct operation *operation);

/* The first signal received, or 0; 0 while shielded. A second signal ends the process at
 * once with 128 + its number (the journal on disk is valid at every instant). */
int loop_signal(const struct loop *loop);
void loop_shield(struct loop *loop, bool on);
int64_t loop_mono(void);
int64_t loop_wall(void);

/* Start, wait for and return one; `err` also when the transfer or child itself failed. */
MUST_CHECK int http_fetch(struct loop *loop, const struct http_request *request,
                          struct http_reply *reply, struct error *err);
MUST_CHECK int process_run(struct loop *loop, const struct process_spec *spec,
                           struct process_result *result, struct error *err);
/* All at once; returns -1 only when cancelled; each operation holds its own outcome. */
MUST_CHECK int loop_run_all(struct loop *loop, struct operation *operations, size_t count,
                            struct error *err);

#endif
