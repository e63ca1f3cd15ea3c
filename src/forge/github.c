/* SPDX-License-Identifier: Apache-2.0 */
#include "forges.h"

#include "arena.h"
#include "text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* GitHub shows nothing at all of a summary above 1 MiB, and loses some just below it. */
#define SUMMARY_MAX ((size_t)900 * 1024)
#define OUTPUT_MAX ((size_t)1 << 20)

static const char cut_notice[] =
    "\n\n> [!WARNING]\n> The report is larger than GitHub shows and was cut here. "
    "The whole report is in the artifact of this run.\n";

static bool github_detect(void)
{
    return forge_env_is("GITHUB_ACTIONS", "true");
}

static const char *run_url(struct arena *arena, const char *run)
{
    const char *server = forge_env("GITHUB_SERVER_URL");
    const char *project = forge_env("GITHUB_REPOSITORY");
    if (!run || !project) {
        return NULL;
    }
    return arena_format(arena, "%s/%s/actions/runs/%s", server ? server : "https://github.com",
                        project, run);
}

/* The runner's own key to artifacts and caches, which steps of a workflow do not get: nor do
 * the commands that we run. */
static void forget_runtime_token(void)
{
    char *value = getenv("ACTIONS_RUNTIME_TOKEN");
    if (value) {
        explicit_bzero(value, strlen(value)); /* where /proc/PID/environ shows it */
        unsetenv("ACTIONS_RUNTIME_TOKEN");
    }
}

static void github_facts(struct arena *arena, struct forge_facts *out)
{
    const char *run = forge_env("GITHUB_RUN_ID");
    forget_runtime_token();
    *out = (struct forge_facts){
        .project = forge_env_text(arena, "GITHUB_REPOSITORY", NULL),
        .commit = forge_env_text(arena, "GITHUB_SHA", NULL),
        .ref = forge_env_text(arena, "GITHUB_REF_NAME", "GITHUB_REF"),
        .actor = forge_env_text(arena, "GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"),
        .run_url = run_url(arena, run),
        .run_key = run ? arena_format(arena, "github-%s", run) : NULL,
    };
}

static int output_path(const char *variable, const char **out, struct error *err)
{
    *out = forge_env(variable);
    if (!*out) {
        return error_set(err, ERROR_NOTFOUND, "%s is not set, although GITHUB_ACTIONS is",
                         variable);
    }
    return 0;
}

/* `name<<DELIMITER`: the value is text whatever it holds, as long as it does not hold a
 * delimiter that nobody can guess. */
static int add_output(struct buf *out, const struct forge_output *output, struct error *err)
{
    char random[2 * FORGE_RANDOM + 1];
    const char *value = output->value ? output->value : "";
    for (const char *at = output->name; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && *at != '-' && *at != '_') {
            return error_set(err, ERROR_BUG, "'%s' is no name of an output", output->name);
        }
    }
    do {
        if (forge_random(random, err) != 0) {
            return -1;
        }
    } while (strstr(value, random));
    buf_addf(out, "%s<<deploy_%s\n", output->name, random);
    buf_adds(out, value);
    buf_addf(out, "\ndeploy_%s\n", random);
    return 0;
}

static int github_outputs(const struct forge_output *outputs, size_t count, struct error *err)
{
    const char *path;
    if (output_path("GITHUB_OUTPUT", &path, err) != 0) {
        return -1;
    }
    AUTO_BUF struct buf text;
    buf_init(&text, OUTPUT_MAX);
    for (size_t i = 0; i < count; i++) {
        if (add_output(&text, &outputs[i], err) != 0) {
            return -1;
        }
    }
    if (text.overflow) {
        return error_set(err, ERROR_FORMAT, "job outputs above the 1 MiB that GitHub takes");
    }
    return forge_append(path, text.data, text.length, err);
}

static size_t size_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_size > 0 ? (size_t)status.st_size : 0;
}

/* Behind the last whole line within room. */
static size_t cut_at_line(const char *text, size_t room)
{
    while (room > 0 && text[room - 1] != '\n') {
        room--;
    }
    return room;
}

/* True where a ``` block is open at the end of text. */
static bool fence_open(const char *text, size_t length)
{
    bool open = false;
    const char *end = text + length;
    while (text < end) {
        open ^= end - text >= 3 && memcmp(text, "```", 3) == 0;
        const char *next = memchr(text, '\n', (size_t)(end - text));
        text = next ? next + 1 : end;
    }
    return open;
}

static int append_cut(const char *path, const char *markdown, size_t room, struct error *err)
{
    const size_t extra = sizeof(cut_notice) + 8;
    if (room < extra) {
        return 0;
    }
    AUTO_BUF struct buf text;
    buf_init(&text, SUMMARY_MAX);
    buf_add(&text, markdown, cut_at_line(markdown, room - extra));
    if (fence_open(text.data, text.length)) {
        buf_adds(&text, "```\n");
    }
    buf_adds(&text, cut_notice);
    return forge_append(path, text.data, text.length, err);
}

static int github_summary(const char *markdown, size_t length, struct error *err)
{
    const char *path;
    if (output_path("GITHUB_STEP_SUMMARY", &path, err) != 0) {
        return -1;
    }
    const size_t there = size_of(path);
    const size_t room = there < SUMMARY_MAX ? SUMMARY_MAX - there : 0;
    if (length > room) {
        return append_cut(path, markdown, room, err);
    }
    return forge_append(path, markdown, length, err);
}

const struct forge_driver forge_github = {
    .name = "github",
    .style = LOG_GITHUB,
    .detect = github_detect,
    .facts = github_facts,
    .outputs = github_outputs,
    .summary = github_summary,
};
