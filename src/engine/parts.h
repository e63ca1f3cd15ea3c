/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the engine share among themselves. Nobody else includes it.
 */
#ifndef PARTS_H
#define PARTS_H

#include "clock.h"
#include "engine.h"

/* Short ways to the clock. */
int64_t now_wall(const struct engine *engine);
int64_t now_mono(const struct engine *engine);
MUST_CHECK int engine_sleep(struct engine *engine, int64_t ms, struct error *err);

/* CANCELLED when err says so, else FAILED. */
enum outcome outcome_of(const struct error *err);

/* An event that the observer is told about too. */
struct run_event *engine_event(struct engine *engine, enum event_kind kind, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* An issue of the report with its severity ("P0" … "P3"). */
struct run_event *engine_issue(struct engine *engine, const char *severity, const char *format, ...)
    PRINTF_LIKE(3, 4);
void engine_tell_step(struct engine *engine, const struct run_step *step);

/* traffic.c */
double traffic_expected(const struct run *run); /* candidate's share by the journal */
bool run_has_slots(const struct run *run);
bool run_is_promoted(const struct run *run); /* back.c */
MUST_CHECK int traffic_apply(struct engine *engine, double weight, struct error *err);
MUST_CHECK int traffic_set_state(struct engine *engine, const struct step *step, struct error *err);
/* Waits until none of the instances of `step` (or its slot) has an open connection; a
 * deadline that passes is only noted. ERROR_STATE where its slot still has traffic. */
MUST_CHECK int traffic_drained(struct engine *engine, const struct step *step, struct error *err);
/* 0: as the journal says; 1: somebody changed it, *what in tick arena; -1: unreadable. */
MUST_CHECK int traffic_drift(struct engine *engine, const char **what, struct error *err);
/* Puts production into the state that is safe to leave alone; says which in *named. */
MUST_CHECK int traffic_make_safe(struct engine *engine, const char **named, struct error *err);
/* The share of a slot now; -1 with err. */
double traffic_of_slot(struct engine *engine, const char *slot, struct error *err);

/* act.c: one action a step kind. */
typedef enum outcome action(struct engine *engine, struct run_step *step, struct error *err);
extern action *const step_actions[STEP_KINDS];

/* settle.c: ends a run whose steps are all done, by what is in production. */
MUST_CHECK int engine_settle_end(struct engine *engine, struct error *err);
/* gate.c */
action act_check, act_smoke;
/* place.c */
action act_deploy, act_ready, act_undo, act_retire, act_promote, act_verify, act_shift;
/* human.c */
action act_validate, act_approve;
void engine_sign(struct engine *engine, struct run_step *step, const char *comment);
const char *step_role(const struct run_step *step);

/* place.c: the instances of a step, as the workload is asked for them; a look at them. */
struct workload_target step_target(const struct step *step);
MUST_CHECK int step_observe(struct engine *engine, const struct step *step,
                            struct workload_state *out, struct error *err);
/* Waits up to `wait` ms for router and instances to say that the version serves everything; -1:
 * they do not, err says what they say, or that they cannot be read. */
MUST_CHECK int place_serves(struct engine *engine, const char *version, int64_t wait,
                            struct error *err);

/* trigger.c: crash loop, OOM kill, failing health of the candidate: true with the trigger
 * recorded in the run. Without `health` an instance that is not ready (yet) is no reason. */
/* Restarts count from here on. */
void trigger_begin(struct engine *engine, const struct step *step);
bool trigger_fires(struct engine *engine, const struct workload_state *state, bool health);
/* The same after a look at the instances of the step; one that fails is no reason. */
bool trigger_look(struct engine *engine, const struct step *step);
void trigger_record(struct engine *engine, const struct trigger *trigger);

/* measure.c: one poll of every source; the windows of a new stage begin empty. */
void measure_tick(struct engine *engine);
void measure_reset(struct engine *engine);
/* NaN: nothing there. *requests: how many are behind it (gauges: readings). */
double measure_value(const struct gauge_line *line, enum arm arm, int64_t now, double *requests);
double measure_needed(const struct engine *engine, const struct gauge_line *line);
const char *slo_kind_name(enum slo_kind kind);
const char *slo_unit(const struct slo_config *slo); /* "%" "ms" "req/s" "users" "" */

/* judge.c: asks the rules; keeps what the report shows. */
void measure_judge(struct engine *engine);
void measure_record(struct engine *engine, bool last);
void measure_baseline(struct engine *engine);
const char *measure_shown(struct arena *arena, const char *unit, double value);

/* windows.c: the windows in the run, so that a killed watch goes on. */
void windows_keep(struct engine *engine);
void windows_begin(struct engine *engine, bool goes_on); /* before the first windows_keep */

/* settle.c: saves an outcome other than DONE with what follows from it. *ended: this process's
 * work is over. -1: the journal could not be written. */
MUST_CHECK int engine_settle(struct engine *engine, struct run_step *step, enum outcome outcome,
                             struct error *why, bool *ended);

/* end.c */
void engine_conclude(struct engine *engine, enum run_status status);
MUST_CHECK int engine_publish(struct engine *engine, struct error *err);
MUST_CHECK int engine_finish(struct engine *engine, enum run_status status, struct error *err);

#endif
