/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop: intent → journal → act → read back → result → journal.
 */
#include "arena.h"
#include "fault.h"
#include "log.h"
#include "parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int64_t now_wall(const struct engine *engine)
{
    return engine->context.clock->wall(engine->context.clock);
}

int64_t now_mono(const struct engine *engine)
{
    return engine->context.clock->mono(engine->context.clock);
}

int engine_sleep(struct engine *engine, int64_t ms, struct error *err)
{
    struct clock *clock = engine->context.clock;
    return clock->sleep(clock, clock->mono(clock) + ms, err);
}

enum outcome outcome_of(const struct error *err)
{
    return err->kind == ERROR_CANCELLED ? OUTCOME_CANCELLED : OUTCOME_FAILED;
}

static struct run_event *add_event(struct engine *engine, enum event_kind kind,
                                   const char *severity, const char *text)
{
    struct run_event *event =
        run_add_event(engine->run, engine->context.arena, now_wall(engine), kind, text);
    event->severity = severity;
    if (engine->observer != NULL && engine->observer->event != NULL)
        engine->observer->event(engine->observer, engine->run, event);
    return event;
}

struct run_event *engine_event(struct engine *engine, enum event_kind kind, const char *format, ...)
{
    char text[ERROR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return add_event(engine, kind, NULL, text);
}

struct run_event *engine_issue(struct engine *engine, const char *severity, const char *format, ...)
{
    char text[ERROR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return add_event(engine, EVENT_ISSUE, severity, text);
}

void engine_tell_step(struct engine *engine, const struct run_step *step)
{
    if (engine->observer != NULL && engine->observer->step != NULL)
        engine->observer->step(engine->observer, engine->run, step);
}

/* The journal cannot be written: what it says last must stay true enough to go on from.
 * Users come first, so production is made safe all the same; the next run reads the world
 * before it acts. */
static int journal_lost(struct engine *engine, struct error *err)
{
    const char *named = NULL;
    struct error why = {0};
    struct clock *clock = engine->context.clock;
    clock->shield(clock, true);
    if (traffic_make_safe(engine, &named, &why) != 0)
        return error_wrap(err, "%s; and production could not be made safe: %s",
                          engine->journal->store->path, why.message);
    return error_wrap(err, "%s; %s", engine->journal->store->path, named);
}

static struct run_step *next_step(struct run *run)
{
    for (size_t i = 0; i < run->step_count; i++) {
        struct run_step *step = &run->steps[i];
        if (step->direction == run->direction &&
            (step->status == STATUS_PENDING || step->status == STATUS_INTENT))
            return step;
    }
    return NULL;
}

static int save_intent(struct engine *engine, struct run_step *step, struct error *err)
{
    engine->resumed = step->status == STATUS_INTENT;
    step->status = STATUS_INTENT;
    step->attempts++;
    if (step->started == 0)
        step->started = now_wall(engine);
    if (journal_save(engine->journal, engine->run, err) != 0)
        return -1;
    engine_tell_step(engine, step);
    return 0;
}

static void note_result(struct engine *engine, struct run_step *step, enum outcome outcome,
                        const struct error *why)
{
    if (outcome == OUTCOME_DONE)
        step->status = STATUS_DONE;
    else if (outcome != OUTCOME_WAIT && outcome != OUTCOME_HOLD && outcome != OUTCOME_CANCELLED)
        step->status = STATUS_FAILED;
    if (step->status != STATUS_INTENT)
        step->ended = now_wall(engine);
    if (outcome != OUTCOME_DONE && why->kind != ERROR_NONE)
        step->error = arena_text(engine->context.arena, why->message);
    else if (outcome == OUTCOME_DONE)
        step->error = NULL;
    engine_tell_step(engine, step);
}

/* After a kill, a cancel or a hold the world may be elsewhere: the candidate must still be
 * well before it is given its traffic again. */
static enum outcome resume_world(struct engine *engine, struct run_step *step, struct error *err)
{
    struct run *run = engine->run;
    const char *what = NULL;
    double weight = traffic_expected(run);
    if (run->direction == BACKWARD || step->step.kind == STEP_SHIFT)
        return OUTCOME_DONE;
    if (run_has_slots(run) && weight > 0) {
        struct step candidate = {.slot = run->candidate_slot};
        if (trigger_look(engine, &candidate))
            return OUTCOME_BREACH;
    }
    int drift = traffic_drift(engine, &what, err);
    if (drift < 0)
        return outcome_of(err);
    if (drift == 0)
        return OUTCOME_DONE;
    engine_event(engine, EVENT_NOTE, "set again after the interruption: %s", what);
    int result = run_has_slots(run) ? traffic_apply(engine, weight, err)
                                    : traffic_set_state(engine, NULL, err);
    return result == 0 ? OUTCOME_DONE : outcome_of(err);
}

static bool changes_nothing_yet(const struct run *run)
{
    for (size_t i = 0; i < run->step_count; i++) {
        enum step_kind kind = run->steps[i].step.kind;
        if ((kind == STEP_SHIFT || kind == STEP_DEPLOY) && run->steps[i].status != STATUS_PENDING)
            return false;
    }
    return true;
}

/* One step up to its result. A failure is saved together with what follows from it, by
 * engine_settle: a kill between the two would leave a failed step behind that nobody answered.
 * -1: the journal could not be written. */
static int do_step(struct engine *engine, struct run_step *step, bool first, enum outcome *outcome,
                   struct error *why)
{
    if (save_intent(engine, step, why) != 0)
        return -1;
    arena_reset(&engine->tick);
    *outcome = OUTCOME_DONE;
    if (first && !changes_nothing_yet(engine->run))
        *outcome = resume_world(engine, step, why);
    if (*outcome == OUTCOME_DONE)
        *outcome = step_actions[step->step.kind](engine, step, why);
    note_result(engine, step, *outcome, why);
    struct error lost = {0};
    if (*outcome == OUTCOME_DONE && journal_save(engine->journal, engine->run, &lost) != 0)
        return error_set(why, lost.kind, "after '%s': %s", step->step.title, lost.message);
    return 0;
}

int engine_work(struct engine *engine, struct error *err)
{
    struct run *run = engine->run;
    engine->waited = run->status == RUN_WAITING;
    run->status = RUN_RUNNING;
    for (bool first = true;; first = false) {
        struct run_step *step = next_step(run);
        if (step == NULL)
            return engine_settle_end(engine, err);
        enum outcome outcome = OUTCOME_DONE;
        struct error why = {0};
        if (do_step(engine, step, first, &outcome, &why) != 0) {
            error_set(err, why.kind, "%s", why.message);
            return journal_lost(engine, err);
        }
        bool more = outcome == OUTCOME_DONE && next_step(run) != NULL;
        if (more && engine->context.clock->cancelled(engine->context.clock) != 0)
            outcome = OUTCOME_CANCELLED;
        bool ended = false;
        if (outcome != OUTCOME_DONE && engine_settle(engine, step, outcome, &why, &ended) != 0) {
            error_set(err, why.kind, "%s", why.message);
            return journal_lost(engine, err);
        }
        if (ended)
            return 0;
    }
}

/* The report tells the verdict; the state does not before engine_finish, or a kill in between
 * would leave an ended run that the history does not know. */
static enum outcome act_notify(struct engine *engine, struct run_step *step, struct error *err)
{
    (void)err;
    struct error why = {0};
    engine_conclude(engine, RUN_SUCCEEDED);
    if (engine_publish(engine, &why) != 0)
        engine_issue(engine, "P3", "the report could not be published: %s", why.message);
    engine->run->status = RUN_RUNNING;
    engine->run->ended = 0;
    step->evidence = "report written";
    return OUTCOME_DONE;
}

static enum outcome act_incident(struct engine *engine, struct run_step *step, struct error *err)
{
    enum outcome outcome = act_notify(engine, step, err);
    step->evidence = "incident drafted";
    return outcome;
}

action *const step_actions[STEP_KINDS] = {
    [STEP_CHECK] = act_check,     [STEP_BASELINE] = watch_baseline, [STEP_DEPLOY] = act_deploy,
    [STEP_READY] = act_ready,     [STEP_SMOKE] = act_smoke,         [STEP_SHIFT] = act_shift,
    [STEP_WATCH] = watch_stage,   [STEP_VALIDATE] = act_validate,   [STEP_APPROVE] = act_approve,
    [STEP_PROMOTE] = act_promote, [STEP_RETIRE] = act_retire,       [STEP_NOTIFY] = act_notify,
    [STEP_UNDO] = act_undo,       [STEP_VERIFY] = act_verify,       [STEP_INCIDENT] = act_incident,
};
