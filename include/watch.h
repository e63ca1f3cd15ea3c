/* SPDX-License-Identifier: Apache-2.0
 *
 * Judging a candidate while it serves: every tick reads each SLO for both arms, keeps the
 * windows, asks the rules, and looks at the instances themselves (crash loop, OOM kills,
 * failing health) and at the router (has somebody changed the weights?).
 */
#ifndef WATCH_H
#define WATCH_H

#include "arena.h"
#include "counts.h"
#include "histogram.h"
#include "metric.h"
#include "rule.h"
#include "run.h"

struct engine;

#define WATCH_TARGETS 64 /* counters kept per arm; more instances share the last */

/* One SLO in one arm. */
struct stream {
    struct window window;
    struct histogram histogram;
    struct counter *counters;
    size_t counter_count;
    struct counts latest; /* of the last tick */
    int64_t read_at;      /* wall ms of the last reading that was no NOTHING; 0: none */
    bool whole;           /* the last reading was about the whole service, not this arm */
    bool restarted;       /* in the last reading a counter had begun anew */
    bool seen;            /* read at least once since this process began */
    enum nothing nothing; /* of the last reading, where kind is NOTHING */
    enum reading_kind kind;
    const char *why;
};

/* One SLO. */
struct gauge_line {
    const struct slo_config *slo;
    const struct source *source;
    struct stream arms[3]; /* enum arm */
    enum judgement judgement;
    double value, baseline, limit, requests;
    const char *detail; /* the rule that decided, in words; lives until the next tick */
};

struct watch {
    struct gauge_line *lines;
    size_t count;
    struct arena arena; /* of the streams */
    int64_t stage_ms;   /* planned length of the stage at hand */
    double weight;      /* of the stage; 1 where it is not about weights */
    int *restarts;      /* per instance, at most five minutes ago … */
    int *restarts_half; /* … and at most half of that; they take turns */
    int64_t restart_at; /* wall ms of the last turn */
    size_t restart_count;
    bool unasked; /* the last look at the candidate's instances saw none of them */
};

/* What a person on call wants to see while waiting. */
struct watch_line {
    const char *slo, *unit, *detail;
    double value, baseline, limit, requests;
    enum judgement judgement;
};
struct watch_view {
    const char *title; /* "25 % on green (v2)" */
    const char *next;  /* title of the step after it */
    double weight;
    int64_t elapsed, duration; /* ms */
    bool holding;              /* over time, waiting for data */
    int64_t hold_left;         /* ms */
    const struct watch_line *lines;
    size_t count;
};

/* What a step's action came to. */
enum outcome {
    OUTCOME_DONE,
    OUTCOME_FAILED,  /* err says why */
    OUTCOME_REFUSED, /* a gate said no */
    OUTCOME_BREACH,  /* the trigger is in run->trigger… */
    OUTCOME_WAIT,    /* for a human */
    OUTCOME_HOLD,    /* undecided */
    OUTCOME_CANCELLED
};

/* Sources for every SLO; a problem's text where no source can measure one. */
MUST_CHECK int watch_open(struct engine *engine, struct error *err);
void watch_close(struct engine *engine);

/* STEP_BASELINE and STEP_WATCH. */
enum outcome watch_baseline(struct engine *engine, struct run_step *step, struct error *err);
enum outcome watch_stage(struct engine *engine, struct run_step *step, struct error *err);

#endif
