/* SPDX-License-Identifier: Apache-2.0
 *
 * `version`, `schema`, `reference`, `init`.
 */
#include "cli.h"
#include "file.h"
#include "json.h"
#include "version.h"

#include <string.h>

int command_version(struct session *session)
{
    session_print(
        arena_format(&session->arena, "deploy-action %s (%s)\n", program_version, program_commit));
    return 0;
}

int command_schema(struct session *session)
{
    (void)session;
    AUTO_JSON struct json *schema = config_schema();
    session_print_json(schema, true);
    return 0;
}

int command_reference(struct session *session)
{
    (void)session;
    AUTO_BUF struct buf out;
    buf_init(&out, 1024 * 1024);
    config_reference(&out);
    session_print(out.data);
    return 0;
}

int command_init(struct session *session)
{
    struct error err = {0};
    const char *path = session->inputs.file;
    if (file_exists(path)) {
        error_set(&err, ERROR_USAGE, "%s: exists already, and is left as it is", path);
        return session_fail(session, &err);
    }
    const char *text = config_example();
    if (file_write(path, text, strlen(text), &err) != 0)
        return session_fail(session, &err);
    session_print(arena_format(&session->arena,
                               "%s written; edit it, then try `deploy-action validate` and "
                               "`deploy-action plan canary <version>`\n",
                               path));
    return 0;
}
