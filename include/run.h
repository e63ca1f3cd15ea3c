/* SPDX-License-Identifier: Apache-2.0
 *
 * The run: what was decided, done and seen. Only engine/ changes it; journal.h keeps it on
 * disk; report/ and every subcommand read it. Times are wall milliseconds, 0: not yet.
 */
#ifndef RUN_H
#define RUN_H

#include "plan.h"

struct json;

#define RUN_SCHEMA 1 /* a file with a larger number is refused */

enum step_status {
    STATUS_PENDING, STATUS_INTENT, STATUS_DONE, STATUS_FAILED, STATUS_SKIPPED,
    STATUS_UNDONE, STATUS_UNKNOWN
};
extern const char *const step_status_names[];

enum run_status {
    RUN_RUNNING,          /* in work, or killed in work */
    RUN_WAITING,          /* for a human: exit 75 */
    RUN_HELD,             /* undecided, in a safe named state: exit 5 */
    RUN_SUCCEEDED,        /* exit 0 */
    RUN_ROLLED_BACK,      /* exit 2 */
    RUN_REFUSED,          /* a gate said no: exit 3 */
    RUN_FAILED,           /* failed before traffic: exit 4 */
    RUN_BROKEN,           /* infrastructure: exit 6 */
    RUN_SUPERSEDED,       /* exit 7 */
    RUN_ROLLBACK_FAILED,  /* exit 8 */
    RUN_CANCELLED         /* exit 130 or 143 */
};
extern const char *const run_status_names[];
bool run_is_finished(enum run_status status); /* false: RUNNING, WAITING, HELD, BROKEN, CANCELLED */

enum direction { FORWARD, BACKWARD };

struct run_step {
    struct step step;
    enum step_status status;
    int direction;             /* enum direction */
    int64_t started, ended;
    int attempts;
    const char *evidence;      /* one line: what was read back from the world */
    const char *error;         /* why it failed */
};

/* One check's answer. */
struct run_check {
    const char *step, *group, *name, *role;
    int verdict;               /* enum verdict as int */
    const char *evidence;
    int64_t at, took_ms;
    int attempts;
};

/* One SLO's line in the report. NaN: not recorded. */
struct run_metric {
    const char *slo, *kind, *unit, *source;
    double baseline, value, worst, limit, target;
    double bad, requests;      /* candidate, over the whole watch */
    double baseline_requests;
    const char *judgement;     /* "PASS" "BREACH" "UNDECIDED" "NODATA" "not judged" */
    const char *detail;        /* the rule in words, or the name of the nothing */
    int64_t window;
};

enum event_kind { EVENT_NOTE, EVENT_ISSUE, EVENT_RESOLVED, EVENT_BREACH, EVENT_HUMAN };
extern const char *const event_kind_names[];
struct run_event {
    int64_t at;
    int kind;                  /* enum event_kind */
    const char *severity;      /* ISSUE: "P0" … "P3" */
    const char *text;
    int64_t resolved;          /* ISSUE: when; 0: open */
    const char *resolution;
};

/* Who said yes, and when (S-326, D-23). */
struct run_signature {
    const char *role, *who, *step, *comment;
    int64_t at;
};

/* One process that worked on this run. */
struct run_attempt {
    const char *host, *how;    /* "run", "resume", "promote", "rollback" … */
    int64_t pid, started, ended;
    const char *outcome;       /* "deployed", "killed", … */
};

/* The state of a watch that survives a kill: one row for each SLO and arm. */
#define RUN_SAMPLES 60
struct run_sample { int64_t at; double seconds, bad, total, gauge; };
struct run_stream {
    const char *slo;
    int arm;                   /* enum arm */
    struct run_sample *samples; /* at most RUN_SAMPLES, older ones merged */
    size_t count;
};
struct run_watch {
    const char *step;          /* which WATCH it belongs to; NULL: none */
    int64_t begun;             /* wall ms of the first poll at this weight */
    int64_t observed_ms;       /* time really watched; gaps of a kill do not count */
    int64_t nodata_since;      /* wall ms; 0: data is there */
    int drifts;                /* times the router was found changed */
    struct run_stream *streams;
    size_t count;
};

struct run {
    int schema;
    int64_t sequence;          /* grows with every write */
    const char *id, *app, *project, *commit, *run_url, *run_key, *environment;
    int strategy;              /* enum strategy */
    const char *version, *previous, *image;
    const char *stable_slot, *candidate_slot;
    const char *config_path, *config_hash, *plan_hash;
    const char *guidance;
    struct texts reviewers;
    int64_t started, updated, ended;
    int status;                /* enum run_status */
    int exit_code;
    int direction;             /* enum direction */
    const char *headline;      /* one line: what happened, why, what to do next */
    const char *trigger;       /* "slo-breach" "smoke-test-failure" "manual" … (S-319, D-11) */
    const char *trigger_id;    /* "error-rate", "oom", "critical-path/login" */
    const char *trigger_detail;
    int64_t breached;          /* wall ms at which the breach was known */
    int64_t acted;             /* wall ms at which the first command of the way back was sent */
    int64_t retire_at;         /* wall ms after which `retire` may stop the old slot */
    double availability_ok, availability_polls; /* requests answered well, of all watched */
    int64_t downtime_ms;       /* ticks in which more than half of all requests failed */
    int64_t paused_ms;         /* waiting for humans (S-298) */

    struct run_step *steps;        size_t step_count, step_capacity;
    struct run_check *checks;      size_t check_count, check_capacity;
    struct run_metric *metrics;    size_t metric_count, metric_capacity;
    struct run_event *events;      size_t event_count, event_capacity;
    struct run_signature *signatures; size_t signature_count, signature_capacity;
    struct run_attempt *attempts;  size_t attempt_count, attempt_capacity;
    struct run_watch watch;
};

/* Everything is saved and loaded by one table. load checks the schema number, types and
 * that ids are unique; ERROR_STATE says what is wrong with the file. */
struct json *run_save(const struct run *run);
MUST_CHECK int run_load(const struct json *json, struct run *out, struct arena *arena,
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
