/* SPDX-License-Identifier: Apache-2.0
 *
 * The history: one line a run and verdict, and the way an unfinished or unreadable state is
 * put aside for a new run.
 */
#include "arena.h"
#include "clock.h"
#include "file.h"
#include "journal.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

#define HISTORY_MAX (8 * 1024 * 1024)
#define UNREADABLE "unreadable" /* the status of a line whose state could not be read */

static const char *history_path(const struct journal *journal)
{
    const char *path = journal->store->path;
    const char *slash = strrchr(path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - path) + 1;
    return arena_format(journal->arena, "%.*shistory.jsonl", folder, path);
}

static struct json *line_of(const struct run *run)
{
    struct json *line = json_object();
    json_set_name(line, "id", run->id);
    json_set_name(line, "app", run->app);
    json_set_name(line, "version", run->version);
    json_set_name(line, "previous", run->previous);
    json_set_name(line, "strategy", strategy_names[run->strategy]);
    json_set_name(line, "status", run_status_names[run->status]);
    json_set_name(line, "trigger", run->trigger);
    json_set_text(line, "trigger_id", run->trigger_id);
    json_set_name(line, "commit", run->commit);
    json_set_text(line, "run_url", run->run_url);
    json_set_number(line, "exit_code", run->exit_code);
    json_set_number(line, "started", (double)run->started);
    json_set_number(line, "ended", (double)run->ended);
    return line;
}

static bool says(const char *text, size_t length, const struct run *run)
{
    AUTO_JSON struct json *line = NULL;
    if (length == 0 || json_parse(text, length, &line, NULL) != 0)
        return false;
    return text_equal(json_text(json_get(line, "id")), run->id) &&
           text_equal(json_text(json_get(line, "status")), run_status_names[run->status]);
}

/* A process that was killed between this line and its state writes both again; `retire` ends
 * a run that has ended. */
static bool is_told(const char *path, const struct run *run)
{
    AUTO_BUF struct buf text = {0};
    if (file_read(path, HISTORY_MAX, true, &text, NULL) != 0)
        return false;
    for (const char *line = text.data; *line != '\0';) {
        const char *end = strchrnul(line, '\n');
        if (says(line, (size_t)(end - line), run))
            return true;
        line = *end == '\0' ? end : end + 1;
    }
    return false;
}

static int append(const char *path, const struct json *line, struct error *err)
{
    char *text = json_print(line, false);
    int result = file_append(path, text, err);
    if (result == 0)
        file_give(path);
    free(text);
    return result;
}

int journal_history(const struct journal *journal, const struct run *run, struct error *err)
{
    const char *path = history_path(journal);
    if (is_told(path, run))
        return 0;
    AUTO_JSON struct json *line = line_of(run);
    return append(path, line, err);
}

static const char *free_name(const struct journal *journal, int64_t now)
{
    const char *path = journal->store->path, *name = NULL;
    do {
        name = arena_format(journal->arena, "%s.%lld.old", path, (long long)now++);
    } while (file_exists(name));
    return name;
}

static struct json *line_of_replaced(const struct run *run, int64_t now)
{
    if (run == NULL) {
        struct json *line = json_object();
        json_set_name(line, "status", UNREADABLE);
        json_set_number(line, "started", (double)now);
        json_set_number(line, "ended", (double)now);
        return line;
    }
    struct run ended = *run;
    ended.status = RUN_SUPERSEDED;
    ended.exit_code = run_exit_code(&ended);
    ended.ended = now;
    if (ended.trigger == NULL) {
        ended.trigger = "manual";
        ended.trigger_id = "restarted";
    }
    return line_of(&ended);
}

/* The line comes first: a kill between the two leaves a state that is put aside again, never
 * one that nobody tells of. */
int journal_replace(struct journal *journal, const struct run *run, const char **kept,
                    struct error *err)
{
    int64_t now = journal->clock->wall(journal->clock);
    const char *path = history_path(journal);
    const char *name = free_name(journal, now);
    const char *slash = strrchr(name, '/');
    AUTO_JSON struct json *line = line_of_replaced(run, now);
    json_set_name(line, "kept", slash == NULL ? name : slash + 1);
    struct run told = {.id = run == NULL ? NULL : run->id, .status = RUN_SUPERSEDED};
    if ((run == NULL || !is_told(path, &told)) && append(path, line, err) != 0)
        return -1;
    if (journal->store->set_aside(journal->store, name, err) != 0)
        return -1;
    *kept = name;
    return 0;
}
