/* SPDX-License-Identifier: Apache-2.0
 *
 * `promote`, `rollback`, `retire`: what people ask of a run, from the state alone.
 */
#include "cli.h"

static int open_run(struct session *session, const char *how)
{
    struct error err = {0};
    int code = session_config(session);
    if (code == 0)
        code = session_lock(session);
    if (code == 0)
        code = session_state(session);
    if (code != 0)
        return code;
    if (!session->has_run) {
        error_set(&err, ERROR_STATE, "%s: no run is recorded here", session->journal.store->path);
        return session_fail(session, &err);
    }
    return session_engine(session, session->run.version, how);
}

int command_promote(struct session *session)
{
    struct error err = {0};
    int code = open_run(session, "promote");
    if (code != 0)
        return code;
    session_attempt(session, "promote");
    if (engine_promote(&session->engine, session->inputs.comment, &err) != 0)
        return session_fail(session, &err);
    return session_work(session);
}

int command_rollback(struct session *session)
{
    struct error err = {0};
    int code = open_run(session, "rollback");
    if (code != 0)
        return code;
    const char *comment = session->inputs.comment;
    const char *who = session->engine.who == NULL ? "a person" : session->engine.who;
    struct trigger trigger = {"manual", "manual",
                              arena_format(&session->arena, "asked for by %s%s%s", who,
                                           comment == NULL ? "" : ": ",
                                           comment == NULL ? "" : comment)};
    session_attempt(session, "rollback");
    if (engine_turn_back(&session->engine, &trigger, &err) != 0)
        return session_fail(session, &err);
    return session_work(session);
}

int command_retire(struct session *session)
{
    struct error err = {0};
    int code = open_run(session, "retire");
    if (code != 0)
        return code;
    session_attempt(session, "retire");
    if (engine_add_retire(&session->engine, session->inputs.yes, &err) != 0)
        return session_fail(session, &err);
    return session_work(session);
}
