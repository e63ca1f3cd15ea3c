/* SPDX-License-Identifier: Apache-2.0
 *
 * One question to the world: PASS, FAIL or UNKNOWN, with evidence. Gates and smoke tests
 * are lists of checks. A driver is one file in src/check/ and one row in src/catalog.c:
 * `start` puts the first operation on the call, `step` reads what came of it and sets the
 * verdict or puts another operation. check_run_all() runs many at once, with deadlines and
 * retries, so that a driver holds no loop, no timer and no retry of its own.
 */
#ifndef CHECK_H
#define CHECK_H

#include "driver.h"
#include "loop.h"

enum verdict { VERDICT_NONE, VERDICT_PASS, VERDICT_FAIL, VERDICT_UNKNOWN };
extern const char *const verdict_names[]; /* "none" "PASS" "FAIL" "UNKNOWN", ended by NULL */

struct check_call {
    const struct check_config *config;
    const void *settings; /* of the driver */
    const struct driver_context *context;
    struct operation operation; /* kind OPERATION_NONE: nothing to wait for */
    int stage;                  /* the driver's own */
    /* the answer */
    enum verdict verdict;
    const char *evidence; /* what was read, from where; masked by the caller */
    int attempts;
    int64_t started, took_ms; /* wall ms; ms */
};

struct check_driver {
    /* "GET http://…/health" for plan, report and default name. */
    const char *(*subject)(const struct check_config *config, struct arena *arena);
    int (*start)(struct check_call *call, struct error *err);
    int (*step)(struct check_call *call, struct error *err);
};

/* Runs all at once, each attempt within its timeout, failed ones again as configured.
 * A driver's error (network, timeout, format) is UNKNOWN with the message as evidence.
 * Calls live in the caller's array; -1 only when cancelled (all operations are stopped). */
struct check_list {
    struct check_call *items;
    size_t count;
};
MUST_CHECK int check_run_all(const struct driver_context *context, struct check_list *calls,
                             struct error *err);

#endif
