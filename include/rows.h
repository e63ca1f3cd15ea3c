/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run is made of: its steps, answers, numbers, events, signatures and processes. Times
 * are wall milliseconds, 0: not yet.
 */
#ifndef ROWS_H
#define ROWS_H

#include "step.h"

enum step_status {
    STATUS_PENDING,
    STATUS_INTENT,
    STATUS_DONE,
    STATUS_FAILED,
    STATUS_SKIPPED,
    STATUS_UNDONE,
    STATUS_UNKNOWN
};
extern const char *const step_status_names[];

enum direction { FORWARD, BACKWARD };

struct run_step {
    struct step step;
    enum step_status status;
    int direction; /* enum direction */
    int64_t started, ended;
    int attempts;
    const char *evidence; /* one line: what was read back from the world */
    const char *error;    /* why it failed */
};

/* One check's answer. */
struct run_check {
    const char *step, *group, *name, *role;
    int verdict; /* enum verdict as int */
    const char *evidence;
    int64_t at, took_ms;
    int attempts;
};

/* One SLO's line in the report. NaN: not recorded. */
struct run_metric {
    const char *slo, *kind, *unit, *source;
    double baseline, value, worst, limit, target;
    double bad, requests; /* candidate, over the whole watch */
    double baseline_requests;
    const char *judgement; /* "PASS" "BREACH" "UNDECIDED" "NODATA" "not judged" */
    const char *detail;    /* the rule in words, or the name of the nothing */
    int64_t window;
};

enum event_kind { EVENT_NOTE, EVENT_ISSUE, EVENT_RESOLVED, EVENT_BREACH, EVENT_HUMAN };
extern const char *const event_kind_names[];
struct run_event {
    int64_t at;
    int kind;             /* enum event_kind */
    const char *severity; /* ISSUE: "P0" … "P3" */
    const char *text;
    int64_t resolved; /* ISSUE: when; 0: open */
    const char *resolution;
};

/* Who said yes, and when (S-326, D-23). */
struct run_signature {
    const char *role, *who, *step, *comment;
    int64_t at;
};

/* One process that worked on this run. */
struct run_attempt {
    const char *host, *how; /* "run", "resume", "promote", "rollback" … */
    int64_t pid, started, ended;
    const char *outcome; /* "deployed", "killed", … */
};

/* The state of a watch that survives a kill: one row for each SLO and arm. */
#define RUN_SAMPLES 60
struct run_sample {
    int64_t at;
    double seconds, bad, total, gauge;
};
struct run_stream {
    const char *slo;
    int arm;                    /* enum arm */
    struct run_sample *samples; /* at most RUN_SAMPLES, older ones merged */
    size_t count;
};
struct run_watch {
    const char *step;     /* which WATCH it belongs to; NULL: none */
    int64_t begun;        /* wall ms of the first poll at this weight */
    int64_t observed_ms;  /* time really watched; gaps of a kill do not count */
    int64_t nodata_since; /* wall ms; 0: data is there */
    int drifts;           /* times the router was found changed */
    struct run_stream *streams;
    size_t count;
};

#endif
