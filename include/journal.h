/* SPDX-License-Identifier: Apache-2.0
 *
 * The run on disk. Saved before and after every change of the world; one writer at a time.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include "run.h"

struct clock;

/* Where the bytes live. The simulator has its own, with torn and lost writes. */
struct store {
    /* ERROR_NOTFOUND where there is none yet; out is initialised here. */
    int (*read)(struct store *store, struct buf *out, struct error *err);
    /* Whole or not at all, durable on return. */
    int (*write)(struct store *store, const char *data, size_t length, struct error *err);
    /* ERROR_CONFLICT with the holder's words. */
    int (*lock)(struct store *store, const char *who, struct error *err);
    void (*unlock)(struct store *store);
    /* Moves what is there to another name, as it is; then there is none here. */
    int (*set_aside)(struct store *store, const char *name, struct error *err);
    const char *path; /* for messages */
};

/* A JSON file, locked by `<path>.lock`; missing folders are created. */
struct store *store_file(struct arena *arena, const char *path);

struct journal {
    struct store *store;
    struct arena *arena;
    struct clock *clock;
    const char *key; /* of the seal that the state must have; NULL: none */
    int64_t saved;   /* monotonic ms of the last write */
};

/* ERROR_NOTFOUND: no run yet; ERROR_STATE: a file that cannot be trusted, with what to do. */
MUST_CHECK int journal_load(struct journal *journal, struct run *out, struct error *err);

/* sequence + 1, updated = now, written. After -1 nothing of the change may be done: the
 * world is still what the file says. */
MUST_CHECK int journal_save(struct journal *journal, struct run *run, struct error *err);

/* The lock, waiting up to `wait` ms while its holder is a command that a killed run of
 * this machine left behind. ERROR_CONFLICT: another run is at work. */
MUST_CHECK int journal_lock(struct journal *journal, int64_t wait, struct error *err);
void journal_unlock(struct journal *journal);

/* One line of `.deploy/history.jsonl` beside the state: version, strategy, verdict, times
 * (S-283, S-286). A run that has a line with this verdict gets no second one. */
MUST_CHECK int journal_history(const struct journal *journal, const struct run *run,
                               struct error *err);

/* Before a new run takes the place of one that is unfinished, or of a state that cannot be
 * read (run NULL): a line of the history, superseded or unreadable, and the file kept beside
 * as `<path>.<wall ms>.old`, its name in *kept (journal's arena). */
MUST_CHECK int journal_replace(struct journal *journal, const struct run *run, const char **kept,
                               struct error *err);

#endif
