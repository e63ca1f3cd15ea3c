/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands on disk beside the state: the guards' record of a command, whose name is the first
 * line; the words of a lock's holder; the history.
 */
#include "fuzz.h"

#include "file.h"

/* The file is the input itself. */
#define file_read read_input
static int read_input(const char *path, size_t max, bool nofollow, struct buf *out,
                      struct error *err);
#include "../../src/cli/history.c"
#include "../../src/engine/journal.c"
#include "../../src/io/record.c"
#undef file_read

static struct slice input;

static int read_input(const char *path, size_t max, bool nofollow, struct buf *out,
                      struct error *err)
{
    (void)path;
    (void)nofollow;
    (void)err;
    buf_init(out, max);
    buf_add(out, input.data, input.length);
    return 0;
}

static const char *holder;

static int refuse_lock(struct store *store, const char *who, struct error *err)
{
    (void)store;
    (void)who;
    return error_set(err, ERROR_CONFLICT, "%s", holder);
}

static int64_t no_time(struct clock *clock)
{
    (void)clock;
    return 1;
}

static void try_record(const char *name)
{
    enum recorded recorded = RECORDED_NEVER;
    int code = -1;
    REQUIRE(process_recorded("", name, &recorded, &code, NULL) == 0);
    REQUIRE(code >= 0 && code <= 999);
    REQUIRE(recorded == RECORDED_ENDED || code == 0 || recorded == RECORDED_BEGUN);
}

static void try_lock(struct arena *arena, const char *words)
{
    struct clock clock = {.mono = no_time, .wall = no_time};
    struct store store = {.lock = refuse_lock, .path = "state.json"};
    struct journal journal = {.store = &store, .arena = arena, .clock = &clock};
    struct error err = {0};
    holder = words;
    REQUIRE(journal_lock(&journal, 0, &err) != 0 && err.kind == ERROR_CONFLICT);
}

static void try_history(const char *text)
{
    struct session session = {.has_run = false};
    struct buf out AUTO_BUF;
    buf_init(&out, HISTORY_MAX);
    print_lines(&session, &out, text);
    REQUIRE(strstr(out.data, "change failure rate") != NULL || out.overflow);
    arena_release(&session.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct slice rest = {(const char *)data, size};
    const char *name = input_line(&arena, &rest);
    input = rest;
    try_record(name);
    try_lock(&arena, name);
    try_history(input_text(&arena, &rest));
    return 0;
}
