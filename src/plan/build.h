/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of plan/: what the strategies share.
 */
#ifndef PLAN_BUILD_H
#define PLAN_BUILD_H

#include "arena.h"
#include "plan.h"
#include "text.h"

#define SHARE_TOLERANCE 0.001

struct builder {
    struct arena *arena;
    const struct config *config;
    const struct facts *facts; /* NULL on the way back */
    const struct focus *focus; /* or NULL */
    struct plan *plan;         /* being built */
};

struct names {
    const char **items;
    size_t count;
};

/* steps.c: adds one step with the phase and deadline of its kind; id is made unique. */
struct step *plan_step(struct builder *b, enum step_kind kind, const char *id);
void plan_note(struct builder *b, const char *text);
const char *plan_join(struct arena *arena, const struct names *names);
struct names plan_slot_names(const struct builder *b, const char *slot);
const char *plan_touches(struct arena *arena, const struct names *names);
void plan_set_names(struct builder *b, struct step *step, struct names names);
const char *plan_traffic(struct arena *arena, double weight);
const char *plan_says_so(struct arena *arena, size_t count, const char *version);
const char *plan_count(struct arena *arena, size_t count, const char *noun);

/* smoke.c */
size_t plan_smoke_count(const struct config *config);
int64_t plan_checks_deadline(const struct rows *groups, size_t count);
/* Nothing where no smoke test is configured. */
struct step *plan_smoke(struct builder *b, const char *id, const char *url, const char *why);

/* plan.c: beginning and end of every forward plan. */
void plan_begin(struct builder *b);
void plan_watch(struct builder *b, const char *id, int64_t duration, const char *reason);
void plan_promote(struct builder *b, const char *title, const char *reason);
void plan_notify(struct builder *b, const char *id);

/* slots.c: the parts of blue-green and canary. */
int slots_begin(struct builder *b, struct error *err);
void slots_deploy(struct builder *b);
void slots_shift(struct builder *b, double weight, const char *reason);
void slots_watch(struct builder *b, double weight, int64_t duration);
void slots_finish(struct builder *b, const char *promoted);

/* One file a strategy. */
int plan_blue_green(struct builder *b, struct error *err);
int plan_canary(struct builder *b, struct error *err);
int plan_rolling(struct builder *b, struct error *err);

#endif
