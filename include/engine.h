/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes a run from where it stands to its end, or back. The only writer of the run, and
 * the only caller of drivers that change the world:
 *
 *   for each step: intent → journal → act → read back → result → journal
 *
 * Going back is the same loop over the steps of plan_rollback. The engine knows four
 * tables (workload, router, check, metric) and nothing behind them.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include "arena.h"
#include "check.h"
#include "journal.h"
#include "metric.h"
#include "plan.h"
#include "router.h"
#include "watch.h"
#include "workload.h"

struct source {
    const char *name;
    const struct metric_driver *driver;
    struct metric *metric;
};

/* What is told while it happens; any may be NULL. */
struct observer {
    void (*step)(struct observer *observer, const struct run *run, const struct run_step *step);
    void (*watch)(struct observer *observer, const struct run *run, const struct watch_view *view);
    void (*event)(struct observer *observer, const struct run *run, const struct run_event *event);
    /* Documents and outputs, at NOTIFY and INCIDENT and at every end of a process. */
    int (*publish)(struct observer *observer, const struct run *run, struct error *err);
};

struct engine {
    struct driver_context context;
    struct journal *journal;
    struct run *run;
    const struct workload_driver *workload;
    struct workload *workload_handle;
    const struct router_driver *router;
    struct router *router_handle;
    struct source *sources;
    size_t source_count;
    struct instances instances; /* as the workload listed them at open */
    struct observer *observer;
    struct arena tick; /* reset each tick of a wait or watch */
    struct watch watch;
    const char *who; /* who started us; for signatures */
    const char *how; /* "run", "resume", "promote" … */
    int64_t idle;    /* ms between two looks while waiting; 0: 250 */
    bool resumed;    /* the step at hand was begun by an earlier process */
    bool proven;     /* this process has seen, since it last changed production, what serves */
    bool waited;     /* which had ended so as to wait for a person, and said so */
};

/* Opens the drivers that config names. engine_close is safe after a failure. */
MUST_CHECK int engine_open(struct engine *engine, struct error *err);
void engine_close(struct engine *engine);

/* Reads the world: every instance with version, readiness and share of traffic. */
MUST_CHECK int engine_observe(struct engine *engine, struct arena *arena, struct facts *out,
                              struct error *err);

/* Fills a fresh run, called context.run_id, from the plan; nothing is saved yet. */
void engine_begin(struct engine *engine, const struct plan *plan);

/* Works until the run ends, waits or is held; run->status and exit_code say how. -1 only
 * where the journal could not be written: the world is in the state that err names. */
MUST_CHECK int engine_work(struct engine *engine, struct error *err);

/* Turns the run round: plans the way back, trigger "manual" unless a breach is recorded.
 * ERROR_STATE where there is nothing to go back to. engine_work then walks it. */
struct trigger {
    const char *kind; /* "slo-breach" "smoke-test-failure" "infrastructure" "manual" */
    const char *id;   /* "error-rate", "oom", … */
    const char *detail;
};
MUST_CHECK int engine_turn_back(struct engine *engine, const struct trigger *trigger,
                                struct error *err);

/* `--supersede` by another version: as engine_turn_back, *back true; where there is no way
 * back the run ends here as SUPERSEDED, with its line of the history, *back false. */
MUST_CHECK int engine_supersede(struct engine *engine, const char *by, bool *back,
                                struct error *err);

/* `promote`: signs the step that waits, or ends the watch that is held. */
MUST_CHECK int engine_promote(struct engine *engine, const char *comment, struct error *err);

/* Adds the steps of `retire` to a finished run. ERROR_STATE: too early, or nothing there. */
MUST_CHECK int engine_add_retire(struct engine *engine, bool early, struct error *err);

#endif
