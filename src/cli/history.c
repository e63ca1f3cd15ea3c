/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "file.h"
#include "json.h"

#include <string.h>

#define HISTORY_MAX (8 * 1024 * 1024)
#define TIME_MAX 253402300800000.0 /* the year 10000 */

struct tally {
    int all, deployed, back;
};

/* 0 where it is none that a run can have written. */
static int64_t time_of(const struct json *line, const char *key)
{
    double number = 0;
    bool known = json_number(json_get(line, key), &number) && number > 0 && number < TIME_MAX;
    return known ? (int64_t)number : 0;
}

static const char *word_of(const struct json *line, const char *key)
{
    const char *text = json_text(json_get(line, key));
    return text == NULL ? "-" : text;
}

static void print_line(struct session *session, struct buf *out, const char *text, size_t length,
                       struct tally *tally)
{
    AUTO_JSON struct json *line = NULL;
    if (length == 0 || json_parse(text, length, &line, NULL) != 0)
        return;
    const char *status = word_of(line, "status");
    tally->all++;
    tally->deployed += strcmp(status, "succeeded") == 0 ? 1 : 0;
    tally->back += strncmp(status, "roll", 4) == 0 ? 1 : 0;
    int64_t started = time_of(line, "started"), ended = time_of(line, "ended");
    const char *kept = json_text(json_get(line, "kept"));
    buf_addf(out, "%s  %-16s %-11s %-15s over %-16s %s%s%s\n",
             text_of_time(&session->arena, started), word_of(line, "version"),
             word_of(line, "strategy"), status, word_of(line, "previous"),
             text_of_duration(&session->arena, (ended - started) / 1000 * 1000),
             kept == NULL ? "" : ", state kept as ", kept == NULL ? "" : kept);
}

/* What others wrote into the file is left out, or escaped anew. */
static void print_json(const char *text)
{
    while (*text != '\0') {
        const char *end = strchrnul(text, '\n');
        AUTO_JSON struct json *line = NULL;
        if (json_parse(text, (size_t)(end - text), &line, NULL) == 0)
            session_print_json(line, false);
        text = *end == '\0' ? end : end + 1;
    }
}

static void print_lines(struct session *session, struct buf *out, const char *text)
{
    struct tally tally = {0};
    while (*text != '\0') {
        const char *end = strchrnul(text, '\n');
        print_line(session, out, text, (size_t)(end - text), &tally);
        text = *end == '\0' ? end : end + 1;
    }
    int released = tally.deployed + tally.back;
    buf_addf(out, "%d runs, %d deployed, %d rolled back; change failure rate %.1f %%\n", tally.all,
             tally.deployed, tally.back, released == 0 ? 0.0 : 100.0 * tally.back / released);
}

int command_history(struct session *session)
{
    struct error err = {0};
    session_journal(session);
    const char *path = session->journal.store->path;
    const char *slash = strrchr(path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - path) + 1;
    const char *file = arena_format(&session->arena, "%.*shistory.jsonl", folder, path);
    AUTO_BUF struct buf text = {0};
    if (file_read(file, HISTORY_MAX, true, &text, &err) != 0) {
        if (err.kind != ERROR_NOTFOUND)
            return session_fail(session, &err);
        session_print("no run has ended here yet\n");
        return 0;
    }
    if (session->inputs.json) {
        print_json(text.data);
        return 0;
    }
    AUTO_BUF struct buf out;
    buf_init(&out, HISTORY_MAX);
    print_lines(session, &out, text.data);
    session_print(out.data);
    return 0;
}
