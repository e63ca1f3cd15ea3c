/* SPDX-License-Identifier: Apache-2.0
 *
 * One step of a plan: what the plan prints, the engine does, the journal keeps and the
 * report tells.
 */
#ifndef STEP_H
#define STEP_H

#include "json.h"

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

enum phase {
    PHASE_VALIDATE,
    PHASE_EXECUTE,
    PHASE_SMOKE,
    PHASE_WATCH,
    PHASE_COMPLETE,
    PHASE_ROLLBACK
};
extern const char *const phase_names[];

struct step {
    const char *id; /* unique in the run: "shift-25", "update-web-2", "undo-web-2" */
    enum step_kind kind;
    enum phase phase;    /* of the report's milestones */
    const char *target;  /* "default": one target today */
    const char *title;   /* "shift 25 % of traffic to green" */
    const char *reason;  /* "canary stage 2 of 4" */
    const char *touches; /* "router", "green-1, green-2", "nothing" */
    const char *slot;    /* acted on; NULL: by instance */
    const char **instances;
    size_t count;
    const char *version;  /* DEPLOY, READY, UNDO, VERIFY: what must run there after it */
    const char *group;    /* CHECK: name of the gate */
    const char *base_url; /* SMOKE, VERIFY */
    double weight;        /* SHIFT, WATCH: share of the candidate, 0 … 1; -1: not about it */
    int state;            /* SHIFT of instances: enum traffic_state as int; -1: by weight */
    int64_t duration;     /* ms it takes by design; 0: as long as needed */
    int64_t deadline;     /* ms after which it has failed */
    bool production;      /* SMOKE: after the candidate has production traffic */
};

struct steps {
    struct step *items;
    size_t count, capacity;
};
extern const struct json_field step_fields[]; /* of struct step: plan_json and the journal */

#endif
