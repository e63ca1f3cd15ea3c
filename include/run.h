/* SPDX-License-Identifier: Apache-2.0
 *
 * The run: what was decided, done and seen. Only engine/ changes it; journal.h keeps it on
 * disk; report/ and every subcommand read it. Times are wall milliseconds, 0: not yet.
 */
#ifndef RUN_H
#define RUN_H

#include "inputs.h"
#include "rows.h"

struct json;

#define RUN_SCHEMA 1 /* a file with a larger number is refused */

enum run_status {
    RUN_RUNNING,         /* in work, or killed in work */
    RUN_WAITING,         /* for a human: exit 75 */
    RUN_HELD,            /* undecided, in a safe named state: exit 5 */
    RUN_SUCCEEDED,       /* exit 0 */
    RUN_ROLLED_BACK,     /* exit 2 */
    RUN_REFUSED,         /* a gate said no: exit 3 */
    RUN_FAILED,          /* failed before traffic: exit 4 */
    RUN_BROKEN,          /* infrastructure: exit 6 */
    RUN_SUPERSEDED,      /* exit 7 */
    RUN_ROLLBACK_FAILED, /* exit 8 */
    RUN_CANCELLED        /* exit 130 or 143 */
};
extern const char *const run_status_names[];
bool run_is_finished(enum run_status status); /* false: RUNNING, WAITING, HELD, BROKEN, CANCELLED */

struct run {
    int schema;
    int64_t sequence; /* grows with every write */
    const char *id, *app, *project, *commit, *run_url, *run_key, *environment;
    int strategy; /* enum strategy */
    const char *version, *previous, *image;
    const char *stable_slot, *candidate_slot;
    const char *config_path, *config_hash, *plan_hash;
    const char *guidance;
    struct texts reviewers;
    int64_t started, updated, ended;
    int status; /* enum run_status */
    int exit_code;
    int direction;          /* enum direction */
    const char *headline;   /* one line: what happened, why, what to do next */
    const char *trigger;    /* "slo-breach" "smoke-test-failure" "manual" … (S-319, D-11) */
    const char *trigger_id; /* "error-rate", "oom", "critical-path/login" */
    const char *trigger_detail;
    int64_t breached;  /* wall ms at which the breach was known */
    int64_t acted;     /* wall ms at which the first command of the way back was sent */
    int64_t retire_at; /* wall ms after which `retire` may stop the old slot */
    double availability_ok, availability_polls; /* requests answered well, of all watched */
    int64_t downtime_ms; /* ticks in which more than half of all requests failed */
    int64_t paused_ms;   /* waiting for humans (S-298) */

    struct run_step *steps;
    size_t step_count, step_capacity;
    struct run_check *checks;
    size_t check_count, check_capacity;
    struct run_metric *metrics;
    size_t metric_count, metric_capacity;
    struct run_event *events;
    size_t event_count, event_capacity;
    struct run_signature *signatures;
    size_t signature_count, signature_capacity;
    struct run_attempt *attempts;
    size_t attempt_count, attempt_capacity;
    struct run_watch watch;
};

/* Everything is saved and loaded by one table. load checks the schema number, types and
 * that ids are unique; ERROR_STATE says what is wrong with the file. */
struct json *run_save(const struct run *run);
MUST_CHECK int run_load(const struct json *json, struct run *out, struct arena *arena,
                        struct error *err);

/* Where a process is, and so whose runs it may go on with. NULL: not known, as on a laptop; what
 * one of both sides does not know is not compared. */
struct run_home {
    const char *project, *app, *environment;
};
/* ERROR_STATE where the run was recorded for another one. */
MUST_CHECK int run_check_home(const struct run *run, const struct run_home *home,
                              struct error *err);

/* Growing lists; texts are copied into arena. The returned row is zeroed. */
struct run_step *run_add_step(struct run *run, struct arena *arena, const struct step *step,
                              enum direction direction);
struct run_check *run_add_check(struct run *run, struct arena *arena);
struct run_event *run_add_event(struct run *run, struct arena *arena, int64_t at,
                                enum event_kind kind, const char *text);
struct run_signature *run_add_signature(struct run *run, struct arena *arena);
struct run_attempt *run_add_attempt(struct run *run, struct arena *arena);
struct run_metric *run_metric_of(struct run *run, struct arena *arena, const char *slo);
struct run_step *run_find_step(struct run *run, const char *id);

/* The process exit code of a status (design: exit codes); CANCELLED keeps run.exit_code. */
int run_exit_code(const struct run *run);

#endif
