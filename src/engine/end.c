/* SPDX-License-Identifier: Apache-2.0
 *
 * The verdict of a run, and its one line: what happened, why, what to do next.
 */
#include "arena.h"
#include "log.h"
#include "parts.h"

#include <string.h>

static const struct run_step *find_status(const struct run *run, enum direction direction,
                                          enum step_status status)
{
    for (size_t i = 0; i < run->step_count; i++) {
        if (run->steps[i].direction == (int)direction && run->steps[i].status == status)
            return &run->steps[i];
    }
    return NULL;
}

/* Only VERIFY and SMOKE decide whether the way back succeeded (S-259…S-262). */
static const struct run_step *broken_back(const struct run *run)
{
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        bool decides = step->step.kind == STEP_VERIFY || step->step.kind == STEP_SMOKE;
        if (step->direction == BACKWARD && decides && step->status == STATUS_FAILED)
            return step;
    }
    return NULL;
}

static const char *text_or(const char *text, const char *otherwise)
{
    return text == NULL ? otherwise : text;
}

static const char *line_of_rollback(const struct run *run, struct arena *arena)
{
    const struct run_step *broken = broken_back(run);
    if (broken != NULL)
        return arena_format(
            arena, "CRITICAL: Rollback failed - %s: %s; escalate to the incident commander",
            broken->step.title, text_or(broken->error, "no reason given"));
    return arena_format(arena, "%s was rolled back to %s (%s: %s: %s); see the incident draft",
                        run->version, text_or(run->previous, "nothing"), text_or(run->trigger, "-"),
                        text_or(run->trigger_id, "-"), text_or(run->trigger_detail, "-"));
}

static const char *line_of_stop(const struct run *run, struct arena *arena, enum run_status status)
{
    const struct run_step *failed = find_status(run, FORWARD, STATUS_FAILED);
    if (failed == NULL)
        failed = find_status(run, (enum direction)run->direction, STATUS_INTENT);
    const char *title = failed == NULL ? "-" : failed->step.title;
    const char *why = failed == NULL ? "-" : text_or(failed->error, "-");
    switch (status) {
    case RUN_WAITING:
        return arena_format(arena, "%s waits for a person: %s", run->version, title);
    case RUN_REFUSED:
        return arena_format(arena, "%s was not deployed: %s; production is untouched", run->version,
                            why);
    case RUN_BROKEN:
        if (run->headline != NULL) /* of a safe stop: where the traffic is */
            return arena_format(arena, "Infrastructure failure: %s; mend it and run the job again",
                                run->headline);
        return arena_format(arena, "Infrastructure failure: %s: %s; mend it and run the job again",
                            title, why);
    case RUN_FAILED:
        return arena_format(arena,
                            "%s failed before it had traffic: %s: %s; production is untouched",
                            run->version, title, why);
    default:
        return arena_format(arena, "%s: %s: %s", run_status_names[status], title, why);
    }
}

static const char *headline(const struct run *run, struct arena *arena, enum run_status status)
{
    switch (status) {
    case RUN_SUCCEEDED:
        return arena_format(arena, "%s serves 100 %%%s%s", run->version,
                            run->previous == NULL ? "" : " in place of ",
                            text_or(run->previous, ""));
    case RUN_ROLLBACK_FAILED:
        if (broken_back(run) == NULL && run->headline != NULL)
            return run->headline;
        return line_of_rollback(run, arena);
    case RUN_ROLLED_BACK:
        return line_of_rollback(run, arena);
    case RUN_HELD:
    case RUN_CANCELLED:
        return text_or(run->headline, run_status_names[status]);
    case RUN_SUPERSEDED:
        if (run->direction == FORWARD)
            return text_or(run->headline, run_status_names[status]);
        return arena_format(arena, "%s was superseded; %s serves", run->version,
                            text_or(run->previous, "nothing"));
    default:
        return line_of_stop(run, arena, status);
    }
}

void engine_conclude(struct engine *engine, enum run_status status)
{
    struct run *run = engine->run;
    if (status == RUN_SUCCEEDED && run->direction == BACKWARD) {
        status = broken_back(run) == NULL ? RUN_ROLLED_BACK : RUN_ROLLBACK_FAILED;
        if (status == RUN_ROLLED_BACK && text_equal(run->trigger_id, "superseded"))
            status = RUN_SUPERSEDED;
    }
    if (status == RUN_SUCCEEDED && run->direction == FORWARD && !run_is_promoted(run))
        status = RUN_FAILED; /* `retire` of a candidate that never served */
    run->status = (int)status;
    run->headline = headline(run, engine->context.arena, status);
    run->exit_code = run_exit_code(run);
    run->ended = now_wall(engine);
}

int engine_publish(struct engine *engine, struct error *err)
{
    struct observer *observer = engine->observer;
    if (observer == NULL || observer->publish == NULL)
        return 0;
    return observer->publish(observer, engine->run, err);
}

int engine_finish(struct engine *engine, enum run_status status, struct error *err)
{
    struct run *run = engine->run;
    struct error why = {0};
    engine_conclude(engine, status);
    if (run->attempt_count > 0) {
        run->attempts[run->attempt_count - 1].ended = run->ended;
        run->attempts[run->attempt_count - 1].outcome = run_status_names[run->status];
    }
    if (engine_publish(engine, &why) != 0)
        engine_issue(engine, "P3", "the report could not be published: %s", why.message);
    if (run_is_finished((enum run_status)run->status) &&
        journal_history(engine->journal, run, &why) != 0)
        engine_issue(engine, "P3", "the history could not be written: %s", why.message);
    return journal_save(engine->journal, run, err);
}
