/* SPDX-License-Identifier: Apache-2.0
 *
 * `plan`, `status`, `report`, `validate`: looking without touching.
 */
#include "cli.h"
#include "json.h"
#include "plan.h"

#define OUTPUT_MAX (4 * 1024 * 1024)

static int print_json(struct json *json)
{
    session_print_json(json, true);
    json_free(json);
    return 0;
}

static int no_run(struct session *session)
{
    session_print(
        arena_format(&session->arena, "no run is recorded in %s\n", session->journal.store->path));
    return 0;
}

int command_plan(struct session *session)
{
    struct error err = {0};
    struct facts facts = {0};
    struct plan plan = {0};
    struct focus focus = {0};
    int code = session_config(session);
    if (code == 0)
        code = session_engine(session, session->inputs.version, "plan");
    if (code != 0)
        return code;
    if (engine_observe(&session->engine, &session->arena, &facts, &err) != 0)
        return session_fail(session, &err);
    guidance_focus(&session->arena, session->inputs.guidance, &focus);
    struct plan_request request = {session->config, &facts, session->inputs.strategy,
                                   session->inputs.version, &focus};
    if (plan_build(&session->arena, &request, &plan, &err) != 0)
        return session_fail(session, &err);
    if (session->inputs.json)
        return print_json(plan_json(&plan));
    AUTO_BUF struct buf out;
    buf_init(&out, OUTPUT_MAX);
    plan_print(&out, &plan);
    session_print(out.data);
    return 0;
}

int command_validate(struct session *session)
{
    int code = session_config(session);
    /* What only the drivers know; opening them touches nothing. */
    if (code == 0)
        code = session_engine(session, session->inputs.version, "validate");
    if (code != 0)
        return code;
    session_print(arena_format(&session->arena, "%s is valid\n", session->config->path));
    return 0;
}

int command_status(struct session *session)
{
    int code = session_state(session);
    if (code != 0)
        return code;
    if (!session->has_run)
        return no_run(session);
    if (session->inputs.json)
        return print_json(run_save(&session->run));
    AUTO_BUF struct buf out;
    buf_init(&out, OUTPUT_MAX);
    report_status(&out, &session->arena, &session->run);
    session_print(out.data);
    return 0;
}

int command_report(struct session *session)
{
    struct error err = {0};
    int code = session_config(session);
    if (code == 0)
        code = session_state(session);
    if (code != 0)
        return code;
    if (!session->has_run)
        return no_run(session);
    if (session->inputs.json)
        return print_json(report_model(&session->arena, &session->run, session->config));
    struct report_request request = {&session->run, session->config, DOCUMENT_REPORT};
    AUTO_BUF struct buf out;
    buf_init(&out, OUTPUT_MAX);
    if (report_render(&session->arena, &request, &out, &err) != 0)
        return session_fail(session, &err);
    session_print(out.data);
    return 0;
}
