/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include "arena.h"
#include "clock.h"
#include "file.h"
#include "json.h"
#include "seal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCK_LOOK_MS 100
#define SEAL_BYTES 256

int journal_load(struct journal *journal, struct run *out, struct error *err)
{
    AUTO_BUF struct buf text = {0};
    if (journal->store->read(journal->store, &text, err) != 0)
        return -1;
    AUTO_JSON struct json *json = NULL;
    struct error why = {0};
    memset(out, 0, sizeof *out);
    if ((journal->key != NULL && seal_check(journal->key, &text, &why) != 0) ||
        json_parse(text.data, text.length, &json, &why) != 0 ||
        run_load(json, out, journal->arena, &why) != 0)
        return error_set(err, ERROR_STATE,
                         "%s: %s; look at what is in production, then put a copy of the file back "
                         "or start over with --restart",
                         journal->store->path, why.message);
    return 0;
}

int journal_save(struct journal *journal, struct run *run, struct error *err)
{
    run->sequence++;
    run->updated = journal->clock->wall(journal->clock);
    AUTO_JSON struct json *json = run_save(run);
    char *text = json_print(json, true);
    AUTO_BUF struct buf sealed;
    buf_init(&sealed, strlen(text) + SEAL_BYTES);
    if (journal->key != NULL)
        seal_put(journal->key, text, &sealed);
    else
        buf_adds(&sealed, text);
    int result = journal->store->write(journal->store, sealed.data, sealed.length, err);
    free(text);
    if (result != 0) {
        run->sequence--;
        return error_wrap(err, "the state cannot be saved");
    }
    journal->saved = journal->clock->mono(journal->clock);
    return 0;
}

/* "host pid": the lock's holder, so that a dead one can be told from a working one. */
static bool holder_is_dead(const char *words)
{
    char host[256], mine[256] = "";
    long pid = 0;
    const char *open = strrchr(words, '(');
    if (open == NULL || sscanf(open, "(%255s %ld)", host, &pid) != 2 || pid <= 0)
        return false;
    if (gethostname(mine, sizeof mine - 1) != 0 || strcmp(mine, host) != 0)
        return false;
    return kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

int journal_lock(struct journal *journal, int64_t wait, struct error *err)
{
    char host[256] = "", who[320];
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        snprintf(host, sizeof host, "unknown");
    snprintf(who, sizeof who, "(%s %ld)", host, (long)getpid());
    struct clock *clock = journal->clock;
    int64_t until = clock->mono(clock) + wait;
    for (;;) {
        struct error why = {0};
        if (journal->store->lock(journal->store, who, &why) == 0)
            return 0;
        if (why.kind != ERROR_CONFLICT)
            return error_set(err, why.kind, "%s", why.message);
        if (!holder_is_dead(why.message) || clock->mono(clock) >= until)
            return error_set(err, ERROR_CONFLICT, "another run is at work: %s", why.message);
        if (clock->sleep(clock, clock->mono(clock) + LOCK_LOOK_MS, err) != 0)
            return -1;
    }
}

void journal_unlock(struct journal *journal)
{
    journal->store->unlock(journal->store);
}
