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
#include "step.h"

struct arena;
struct buf;
struct json;

/* What plan/ must know of the doors above it; equal to enum workload_traits and enum
 * traffic_state there. */
enum { FACT_SLOTS = 1, FACT_IN_PLACE = 2, FACT_COPY = 4 };
enum { STATE_READY, STATE_DRAIN };

/* What was observed before planning. */
struct fact_instance {
    const char *name, *slot, *url, *version; /* version NULL: unknown or down */
    bool running, ready;
    double share;       /* of production traffic now */
    const char *detail; /* why it is not ready or has no version; NULL: unknown */
    bool unseen;        /* it could not be asked: it may run */
};
struct facts {
    unsigned traits; /* of the workload */
    struct fact_instance *instances;
    size_t count;
    const char *stable_slot;    /* SLOTS: the one with the traffic; NULL: none or unclear */
    const char *stable_version; /* what production serves; NULL: nothing yet */
    const char *unclear;        /* why the facts allow no plan; NULL: they do */
};

/* Derives stable_slot, stable_version, unclear from instances. Both slots serving, several
 * versions in one slot, or nobody seen to run while somebody could not be asked, is unclear
 * ("blue serves 40 % and green 60 %: …"). */
void facts_derive(struct arena *arena, struct facts *facts);

struct plan_request {
    const struct config *config;
    const struct facts *facts;
    enum strategy strategy;
    const char *version;
    const struct focus *focus; /* of the guidance; may be NULL. Adds reviewers, never
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
    struct texts notes; /* what a reader should know and no step says */
    char hash[65];      /* SHA-256 of the printed steps */
};
MUST_CHECK int plan_build(struct arena *arena, const struct plan_request *request, struct plan *out,
                          struct error *err);

/* The way back from a run that has done `done` of its steps (bit per step: true = DONE,
 * INTENT or FAILED, that is: may have changed the world). Works from facts that may be old:
 * every step in it is idempotent. Ends in VERIFY, SMOKE, INCIDENT. */
struct rollback_request {
    const struct config *config;
    enum strategy strategy;
    const char *version, *previous; /* the failed one, and what to go back to */
    const char *stable_slot, *candidate_slot;
    const char *stable_url; /* smoke tests where deploy.yaml has no url; or NULL */
    const struct steps *steps;
    const bool *touched;
};
void plan_rollback(struct arena *arena, const struct rollback_request *request, struct steps *out);

/* The steps of `retire`: stop the slot that does not serve. */
void plan_retire(struct arena *arena, const struct config *config, const char *slot,
                 struct steps *out);

/* For people: one numbered line a step; and for machines. */
void plan_print(struct buf *out, const struct plan *plan);
struct json *plan_json(const struct plan *plan);

#endif
