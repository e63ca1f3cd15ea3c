/* SPDX-License-Identifier: Apache-2.0 */
#include "forges.h"

#include "arena.h"
#include "file.h"

#include <ctype.h>
#include <string.h>

/* GitLab refuses a dotenv report above 5 KB whole. */
#define DOTENV_MAX ((size_t)5000)

static bool gitlab_detect(void)
{
    return forge_env_is("GITLAB_CI", "true");
}

static void gitlab_facts(struct arena *arena, struct forge_facts *out)
{
    const char *pipeline = forge_env("CI_PIPELINE_ID");
    *out = (struct forge_facts){
        .project = forge_env_text(arena, "CI_PROJECT_PATH", NULL),
        .commit = forge_env_text(arena, "CI_COMMIT_SHA", NULL),
        .ref = forge_env_text(arena, "CI_COMMIT_REF_NAME", "CI_COMMIT_TAG"),
        .actor = forge_env_text(arena, "GITLAB_USER_LOGIN", "GITLAB_USER_NAME"),
        .run_url = forge_env_text(arena, "CI_JOB_URL", "CI_PIPELINE_URL"),
        .run_key = pipeline ? arena_format(arena, "gitlab-%s", pipeline) : NULL,
        .environment = forge_env_text(arena, "CI_ENVIRONMENT_NAME", NULL),
    };
}

/* "exit-code" becomes DEPLOY_EXIT_CODE: variables of later jobs live in one name space
 * with everybody's, and take letters, digits and `_` only. */
static void add_variable(struct buf *out, const struct forge_output *output)
{
    buf_adds(out, "DEPLOY_");
    for (const char *at = output->name; *at != '\0'; at++) {
        const char letter = isalnum((unsigned char)*at) ? (char)toupper((unsigned char)*at) : '_';
        buf_add(out, &letter, 1);
    }
    buf_add(out, "=", 1);
    for (const char *at = output->value ? output->value : ""; *at != '\0'; at++) {
        const char letter = iscntrl((unsigned char)*at) ? ' ' : *at;
        buf_add(out, &letter, 1);
    }
    buf_add(out, "\n", 1);
}

static int write_outputs(const char *folder, const struct buf *text, struct error *err)
{
    AUTO_BUF struct buf path;
    buf_init(&path, 4096);
    buf_addf(&path, "%s/outputs.env", folder);
    if (path.overflow) {
        return error_set(err, ERROR_USAGE, "CI_PROJECT_DIR is too long");
    }
    if (file_make_folder(folder, err) != 0 ||
        file_write(path.data, text->data, text->length, err) != 0) {
        return -1;
    }
    file_give(path.data);
    return 0;
}

static int gitlab_outputs(const struct forge_output *outputs, size_t count, struct error *err)
{
    AUTO_BUF struct buf text;
    buf_init(&text, DOTENV_MAX);
    for (size_t i = 0; i < count; i++) {
        add_variable(&text, &outputs[i]);
    }
    if (text.overflow) {
        return error_set(err, ERROR_FORMAT, "job outputs above the 5 KB that GitLab takes");
    }
    AUTO_BUF struct buf folder;
    buf_init(&folder, 4096);
    const char *project = forge_env("CI_PROJECT_DIR");
    buf_addf(&folder, "%s%s.deploy", project ? project : "", project ? "/" : "");
    return write_outputs(folder.data, &text, err);
}

/* GitLab has no page for it: report.md is an artifact of the job. */
static int gitlab_summary(const char *markdown, size_t length, struct error *err)
{
    (void)markdown;
    (void)length;
    (void)err;
    return 0;
}

const struct forge_driver forge_gitlab = {
    .name = "gitlab",
    .style = LOG_GITLAB,
    .detect = gitlab_detect,
    .facts = gitlab_facts,
    .outputs = gitlab_outputs,
    .summary = gitlab_summary,
};
