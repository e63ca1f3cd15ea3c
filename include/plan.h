/* SPDX-License-Identifier: Apache-2.0
 *
 * A strategy as a pure expansion: configuration + facts → a list of steps. Nothing here
 * reads a file, a clock or the world; the same steps are printed by `plan`, run by the
 * engine and told by the report.
 */
#ifndef PLAN_H
#define PLAN_H

#include "config.h"
#include "inputs.h"
#include "json.h"

struct arena;
struct buf;
struct json;

enum step_kind {
    STEP_CHECK,    /* one gate: all its checks at once */
    STEP_BASELINE, /* read every SLO before anything is touched */
    STEP_DEPLOY,   /* put `version` on the slot, or on the instances of a batch */
    STEP_READY,    /* wait until those say that they are ready, and are `version` */
    STEP_SMOKE,    /* the five smoke groups against base_url */
    STEP_SHIFT,    /* traffic: candidate share `weight`, or instances to `state` */
    STEP_WATCH,    /* judge the SLOs for `duration` */
    STEP_VALIDATE, /* a human looks at the batch (S-156): exit 75 until promoted or re-run */
    STEP_APPROVE,  /* sign-off before the end (S-247): the same */
    STEP_PROMOTE,  /* the candidate is the stable version from here on */
    STEP_RETIRE,   /* stop what no longer serves */
    STEP_NOTIFY,   /* outputs, summary, report */
    STEP_UNDO,     /* the way back: old version on these instances, or candidate away */
    STEP_VERIFY,   /* read from the world that the old version serves 100 % */
    STEP_INCIDENT, /* draft the incident report */
    STEP_KINDS
};
extern const char *const step_kind_names[]; /* "check", … ended by NULL */

enum phase { PHASE_VALIDATE, PHASE_EXECUTE, PHASE_SMOKE, PHASE_WATCH, PHASE_COMPLETE,
             PHASE_ROLLBACK };
extern const char *const phase_names[];

struct step {
    const char *id;        /* unique in the run: "shift-25", "update-web-2", "undo-web-2" */
    enum step_kind kind;
    enum phase phase;      /* of the report's milestones */
    const char *target;    /* "default": one target today */
    const char *title;     /* "shift 25 % of traffic to green" */
    const char *reason;    /* "canary stage 2 of 4" */
    const char *touches;   /* "router", "green-1, green-2", "nothing" */
    const char *slot;      /* acted on; NULL: by instance */
    const char **instances;
    size_t count;
    const char *version;   /* DEPLOY, READY, UNDO, VERIFY: what must run there after it */
    const char *group;     /* CHECK: name of the gate */
    const char *base_url;  /* SMOKE, VERIFY */
    double weight;         /* SHIFT, WATCH: share of the candidate, 0 … 1; -1: not about it */
    int state;             /* SHIFT of instances: enum traffic_state as int; -1: by weight */
    int64_t duration;      /* ms it takes by design; 0: as long as needed */
    int64_t deadline;      /* ms after which it has failed */
    bool production;       /* SMOKE: after the candidate has production traffic */
};

struct steps {
    struct step *items;
    size_t count, capacity;
};
extern const struct json_field step_fields[]; /* of struct step: plan_json and the journal */

/* What plan/ must know of the doors above it; equal to enum workload_traits and enum
 * traffic_state there. */
enum { FACT_SLOTS = 1, FACT_IN_PLACE = 2, FACT_COPY = 4 };
enum { STATE_READY, STATE_DRAIN };

/* What was observed before planning. */
struct fact_instance {
    const char *name, *slot, *url, *version; /* version NULL: unknown or down */
    bool running, ready;
    double share;          /* of production traffic now */
};
struct facts {
    unsigned traits;             /* of the workload */
    struct fact_instance *instances;
    size_t count;
    const char *stable_slot;     /* SLOTS: the one with the traffic; NULL: none or unclear */
    const char *stable_version;  /* what production serves; NULL: nothing yet */
    const char *unclear;         /* why the facts allow no plan; NULL: they do */
};

/* Derives stable_slot, stable_version, unclear from instances. Both slots serving, or
 * several versions in one slot, is unclear ("blue serves 40 % and green 60 %: …"). */
void facts_derive(struct arena *arena, struct facts *facts);

struct plan_request {
    const struct config *config;
    const struct facts *facts;
    enum strategy strategy;
    const char *version;
    const struct focus *focus;   /* of the guidance; may be NULL. Adds reviewers, never
                                    shortens a safety window (D-03) */
};

/* The way forward. ERROR_STATE where the facts allow none; version already serving: 0
 * steps and *nothing_to_do set. */
struct plan {
    struct steps steps;
    bool nothing_to_do;
    enum strategy strategy;
    const char *version, *previous; /* previous: what the way back goes to; NULL: first ever */
    const char *stable_slot, *candidate_slot;
    struct texts notes;          /* what a reader should know and no step says */
    char hash[65];               /* SHA-256 of the printed steps */
};
MUST_CHECK int plan_build(struct arena *arena, const struct plan_request *request,
                          struct plan *out, struct error *err);

/* The way back from a run that has done `done` of its steps (bit per step: true = DONE,
 * INTENT or FAILED, that is: may have changed the world). Works from facts that may be old:
 * every step in it is idempotent. Ends in VERIFY, SMOKE, INCIDENT. */
struct rollback_request {
    const struct config *config;
    enum strategy strategy;
    const char *version, *previous;        /* the failed one, and what to go back to */
    const char *stable_slot, *candidate_slot;
    const char *stable_url;                /* smoke tests where deploy.yaml has no url; or NULL */
    const struct steps *steps;
    const bool *touched;
};
void plan_rollback(struct arena *arena, const struct rollback_request *request,
                   struct steps *out);

/* The steps of `retire`: stop the slot that does not serve. */
void plan_retire(struct arena *arena, const struct config *config, const char *slot,
                 struct steps *out);

/* For people: one numbered line a step; and for machines. */
void plan_print(struct buf *out, const struct plan *plan);
struct json *plan_json(const struct plan *plan);

#endif
