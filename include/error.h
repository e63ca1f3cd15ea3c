/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors are values: what kind, and one line for a person.
 *
 * Every fallible function returns 0, or -1 with *err set; on success *err is
 * not touched. Messages are lower case without a full stop, quote their
 * subject and start with the place: `deploy.yaml:12:5: unknown strategy
 * 'canry' (did you mean 'canary'?)`. They never hold a secret.
 */
#ifndef ERROR_H
#define ERROR_H

#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

enum error_kind {
    ERROR_NONE,
    ERROR_USAGE,     /* the command line or an action input is wrong */
    ERROR_CONFIG,    /* deploy.yaml is wrong */
    ERROR_AUTH,      /* credentials refused (HTTP 401) */
    ERROR_DENIED,    /* not allowed (HTTP 403, EACCES) */
    ERROR_NOTFOUND,  /* the thing named does not exist */
    ERROR_CONFLICT,  /* somebody else holds or changed it */
    ERROR_TIMEOUT,   /* a deadline passed */
    ERROR_NETWORK,   /* no connection, connection lost */
    ERROR_RATELIMIT, /* asked to come back later (HTTP 429) */
    ERROR_REMOTE,    /* the other side failed (HTTP 5xx, command exit code) */
    ERROR_FORMAT,    /* an answer could not be understood, or is too large */
    ERROR_STATE,     /* the state file or the world is not what it must be */
    ERROR_GATE,      /* a gate said no */
    ERROR_CANCELLED, /* a signal asked us to stop */
    ERROR_BUG,       /* our own invariant is broken */
    ERROR_KINDS
};

#define ERROR_MESSAGE_MAX 1024 /* bytes with the NUL; longer text is cut at a code point */

struct error {
    enum error_kind kind;
    char message[ERROR_MESSAGE_MAX];
};

/* Sets kind and message; always returns -1, so that `return error_set(…)` is the idiom.
 * err may be NULL: the error is then only counted as a failure. */
int error_set(struct error *err, enum error_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* As error_set, with `: ` and the text of errno `number` appended. Kind follows from
 * number (ENOENT: NOTFOUND, EACCES and EPERM: DENIED, ETIMEDOUT: TIMEOUT, ENOSPC, EROFS
 * and EDQUOT: STATE, ECONN*: NETWORK; else REMOTE). */
int error_system(struct error *err, int number, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts context and `: ` before the message, kind unchanged; returns -1.
 * At most one wrap a floor. */
int error_wrap(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* "network", "gate", …; never NULL. */
const char *error_kind_name(enum error_kind kind);

/* True where the same call may succeed when tried again unchanged. */
bool error_is_transient(enum error_kind kind);

/* The process exit code for an error of this kind that stopped a command before anything
 * was touched (docs: exit codes): USAGE and CONFIG 1, GATE 3, CONFLICT 7, CANCELLED 130,
 * everything else 6. */
int error_exit_code(enum error_kind kind);

#endif
