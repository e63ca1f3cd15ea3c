/* SPDX-License-Identifier: Apache-2.0
 *
 * `finalize`: the CI's last word after the step that deploys, which may have been killed.
 */
#include "cli.h"

int command_finalize(struct session *session)
{
    int code = session_state(session);
    if (code != 0 || !session->has_run)
        return code;
    AUTO_BUF struct buf out;
    buf_init(&out, 256 * 1024);
    report_status(&out, &session->arena, &session->run);
    session_print(out.data);
    /* A run that ended by itself has published everything already. */
    if (session->run.status != RUN_RUNNING)
        return 0;
    code = session_config(session);
    if (code == 0)
        code = session_state(session); /* now that we know what it must be like */
    if (code != 0)
        return code;
    struct error err = {0};
    if (publish_files(&session->observer, &session->run, &err) != 0)
        return session_fail(session, &err);
    log_annotate(session->log, LOG_WARN, NULL, 0,
                 "the process of this run was killed; run the job again: it goes on where it was");
    publish_ci(session);
    return 0;
}
