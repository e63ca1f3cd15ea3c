/* SPDX-License-Identifier: Apache-2.0
 *
 * `run`: begin, or go on with, or answer from, what the state file says.
 */
#include "cli.h"

#include <string.h>

static int refuse(struct session *session, enum error_kind kind, const char *what)
{
    struct error err = {0};
    error_set(&err, kind, "%s", what);
    return session_fail(session, &err);
}

static void take_facts(struct session *session)
{
    struct run *run = &session->run;
    const struct inputs *inputs = &session->inputs;
    run->strategy = (int)inputs->strategy;
    run->version = inputs->version;
    run->project = session->facts.project;
    run->commit = session->facts.commit;
    run->run_url = session->facts.run_url;
    run->run_key = session->facts.run_key;
    run->environment = session->facts.environment;
    for (size_t i = 0; session->variables[i].name != NULL; i++) {
        if (strcmp(session->variables[i].name, "image") == 0)
            run->image = session->variables[i].value;
    }
}

static void take_guidance(struct session *session, struct focus *focus)
{
    const char *guidance = session->inputs.guidance;
    if (text_blank(guidance))
        return;
    guidance_focus(&session->arena, guidance, focus);
    session->run.guidance = guidance;
    session->run.reviewers = focus->reviewers;
    log_line(session->log, LOG_INFO,
             "✓ Guidance applied: Adjusted priorities and agent assignments");
}

/* Only --restart comes here; old NULL: unreadable. */
static int keep_old(struct session *session, const struct run *old)
{
    struct error err = {0};
    const char *kept = NULL;
    if (journal_replace(&session->journal, old, &kept, &err) != 0)
        return session_fail(session, &err);
    log_line(session->log, LOG_WARN, "%s; its state is kept as %s",
             old == NULL ? "the state of the run before this one cannot be read"
                         : arena_format(&session->arena, "%s is left unfinished (%s)", old->version,
                                        run_status_names[old->status]),
             kept);
    return 0;
}

/* The line of a run that ended where the history could not be written. */
static void tell_old(struct session *session, const struct run *old)
{
    struct error err = {0};
    if (journal_history(&session->journal, old, &err) != 0)
        log_line(session->log, LOG_WARN, "history: %s", err.message);
}

/* Nothing is overwritten that the history does not tell of. */
static int replace_old(struct session *session, const struct run *old, bool nothing_to_do)
{
    if (session->unreadable)
        return keep_old(session, NULL);
    if (!session->has_run)
        return 0;
    if (run_is_finished((enum run_status)old->status)) {
        tell_old(session, old);
        return 0;
    }
    return nothing_to_do ? 0 : keep_old(session, old);
}

static int begin(struct session *session)
{
    struct error err = {0};
    struct facts facts = {0};
    struct plan plan = {0};
    struct focus focus = {0};
    struct run old = session->run;
    memset(&session->run, 0, sizeof session->run);
    int code = session_engine(session, session->inputs.version, "run");
    if (code != 0)
        return code;
    if (engine_observe(&session->engine, &session->arena, &facts, &err) != 0)
        return session_fail(session, &err);
    take_facts(session);
    take_guidance(session, &focus);
    struct plan_request request = {session->config, &facts, session->inputs.strategy,
                                   session->inputs.version, &focus};
    if (plan_build(&session->arena, &request, &plan, &err) != 0)
        return session_fail(session, &err);
    code = replace_old(session, &old, plan.nothing_to_do);
    if (code != 0)
        return code;
    if (plan.nothing_to_do) {
        log_line(session->log, LOG_INFO, "%s serves 100 %% already; nothing to do",
                 session->inputs.version);
        return 0;
    }
    engine_begin(&session->engine, &plan);
    session_attempt(session, "run");
    return session_work(session);
}

static int resume(struct session *session)
{
    struct run *run = &session->run;
    int code = session_engine(session, run->version, "resume");
    if (code != 0)
        return code;
    struct run_event *event = run_add_event(
        run, &session->arena, session->clock.wall(&session->clock), EVENT_NOTE,
        arena_format(&session->arena, "resumed (was %s)", run_status_names[run->status]));
    if (session->observer.event != NULL)
        session->observer.event(&session->observer, run, event);
    if (!text_equal(run->config_hash, session->config->hash))
        run_add_event(run, &session->arena, session->clock.wall(&session->clock), EVENT_NOTE,
                      "deploy.yaml has changed since the run began; the plan is the old one");
    session_attempt(session, "resume");
    return session_work(session);
}

/* The old run is rolled back first; then the new one begins from what is observed. */
static int supersede(struct session *session)
{
    struct error err = {0};
    struct run *run = &session->run;
    bool back = false;
    const char *by = session->inputs.version;
    if (text_equal(run->version, by) && session->facts.commit != NULL)
        by = arena_format(&session->arena, "%s of %s", by, session->facts.commit);
    int code = session_engine(session, run->version, "supersede");
    if (code != 0)
        return code;
    session_attempt(session, "supersede");
    if (engine_supersede(&session->engine, by, &back, &err) != 0)
        return session_fail(session, &err);
    if (back)
        code = session_work(session);
    else
        log_line(session->log, LOG_INFO, "%s", run->headline);
    if (run->status != RUN_SUPERSEDED && run->status != RUN_ROLLED_BACK)
        return code;
    engine_close(&session->engine);
    memset(&session->engine, 0, sizeof session->engine);
    session->engine_opened = false;
    return begin(session);
}

/* What was judged under the same name was built from something else. */
static bool is_other_commit(const struct session *session)
{
    const char *recorded = session->run.commit, *here = session->facts.commit;
    return recorded != NULL && here != NULL && !text_equal(recorded, here);
}

static int answer_finished(struct session *session)
{
    const struct run *run = &session->run;
    bool same = text_equal(run->version, session->inputs.version);
    /* A verdict is about a commit, too; but a way back that failed is about production. */
    if (is_other_commit(session) && run->status != RUN_ROLLBACK_FAILED)
        same = false;
    /* Production was untouched, or another version is wanted: a new run. */
    if (!same || run->status == RUN_REFUSED || run->status == RUN_FAILED ||
        run->status == RUN_SUPERSEDED)
        return begin(session);
    if (run->status == RUN_SUCCEEDED)
        return begin(session); /* observes, and says so when there is nothing to do */
    log_annotate(session->log, LOG_ERROR, NULL, 0, run->headline);
    log_line(session->log, LOG_ERROR,
             run->status == RUN_ROLLBACK_FAILED
                 ? "recorded verdict; `deploy-action rollback` tries the way back again"
                 : "recorded verdict; --restart deploys this version anew");
    return run_exit_code(run);
}

static int refuse_commit(struct session *session)
{
    const struct run *run = &session->run;
    return refuse(session, ERROR_STATE,
                  arena_format(&session->arena,
                               "%s: %s is unfinished (%s) and of commit %.12s, and this is %.12s: "
                               "run the job of that commit again, `promote` or `rollback` it, or "
                               "roll it back first with --supersede",
                               session->journal.store->path, run->version,
                               run_status_names[run->status], run->commit, session->facts.commit));
}

static int answer_unfinished(struct session *session)
{
    const struct run *run = &session->run;
    if (!text_equal(run->version, session->inputs.version)) {
        if (session->inputs.supersede)
            return supersede(session);
        return refuse(session, ERROR_CONFLICT,
                      arena_format(&session->arena,
                                   "%s is unfinished (%s): finish it first, or roll it back with "
                                   "--supersede",
                                   run->version, run_status_names[run->status]));
    }
    if (is_other_commit(session))
        return session->inputs.supersede ? supersede(session) : refuse_commit(session);
    if (run->strategy != (int)session->inputs.strategy)
        return refuse(session, ERROR_CONFLICT,
                      arena_format(&session->arena, "%s is being deployed as %s: go on with that",
                                   run->version, strategy_names[run->strategy]));
    return resume(session);
}

int command_run(struct session *session)
{
    int code = session_config(session);
    if (code == 0 && session->inputs.interactive)
        code = interactive_ask(session);
    if (code == 0)
        code = session_lock(session);
    if (code == 0)
        code = session_state(session);
    if (code != 0)
        return code < 0 ? 0 : code;
    if (!session->has_run || session->inputs.restart)
        return begin(session);
    return run_is_finished((enum run_status)session->run.status) ? answer_finished(session)
                                                                 : answer_unfinished(session);
}
