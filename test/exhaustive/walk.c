/* SPDX-License-Identifier: Apache-2.0
 *
 * All crashes of the journal: a run of three steps, intent, effect and result, over the program's
 * own journal, store, files and lock. It is cut off at every call, by a kill or by a loss of
 * power; whatever that may leave behind is gone on with, and cut off everywhere once more.
 */
#include "arena.h"
#include "clock.h"
#include "journal.h"
#include "run.h"

#include "disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEPS 3
#define DEPTH 2

enum mark { MARK_BEGUN, MARK_SAVED, MARK_EFFECT };

struct world {
    int effects[STEPS];
};

static struct {
    unsigned long long states, probes, violations;
} total;
static struct disk disks[DEPTH];
static char folders[DEPTH + 1][64], paths[DEPTH + 1][96];
static const char *holder; /* the state whose lock is held */

static void clean(void)
{
    for (int i = 0; i <= DEPTH; i++) {
        disk_empty(folders[i]);
        rmdir(folders[i]);
    }
}

static int tell(void)
{
    printf("%s - %llu states walked, %llu violations; the lock was asked for %llu times\n",
           total.violations == 0 ? "ok" : "not ok", total.states, total.violations, total.probes);
    return total.violations != 0;
}

static void violation(const char *what, int64_t number)
{
    printf("# not so: %s (%lld)\n", what, (long long)number);
    if (++total.violations < 10)
        return;
    clean();
    exit(tell());
}

static int64_t zero(struct clock *clock)
{
    (void)clock;
    return 1000;
}

static int no_sleep(struct clock *clock, int64_t until, struct error *err)
{
    (void)clock, (void)until;
    return error_set(err, ERROR_TIMEOUT, "no time");
}

static int never(struct clock *clock)
{
    (void)clock;
    return 0;
}

static struct clock still = {.mono = zero, .wall = zero, .sleep = no_sleep, .cancelled = never};

static void new_run(struct run *run, struct arena *arena)
{
    static const char *const ids[STEPS] = {"deploy", "shift", "promote"};
    *run = (struct run){.schema = RUN_SCHEMA,
                        .id = "1-1",
                        .app = "shop",
                        .strategy = STRATEGY_CANARY,
                        .version = "v2",
                        .previous = "v1",
                        .started = 1000,
                        .status = RUN_RUNNING};
    for (int i = 0; i < STEPS; i++) {
        struct step step = {.id = ids[i], .kind = STEP_DEPLOY, .title = ids[i], .weight = -1};
        step.state = -1;
        run_add_step(run, arena, &step, FORWARD);
    }
}

/* Nobody else gets the lock while one works. */
static void try_lock(void)
{
    struct arena arena = {0};
    struct error err = {0};
    struct store *store = store_file(&arena, holder);
    total.probes++;
    if (store->lock(store, "another", &err) == 0) {
        violation("two runs hold the lock", 0);
        store->unlock(store);
    } else if (err.kind != ERROR_CONFLICT) {
        violation("the lock is refused as something else", err.kind);
    }
    arena_release(&arena);
}

static void save(struct journal *journal, struct run *run)
{
    struct error err = {0};
    disk_mark(MARK_BEGUN, run->sequence + 1);
    if (journal_save(journal, run, &err) != 0)
        violation(err.message, run->sequence);
    disk_mark(MARK_SAVED, run->sequence);
}

static void work(struct journal *journal, struct run *run, struct world *world)
{
    for (int i = 0; i < STEPS; i++) {
        struct run_step *step = &run->steps[i];
        if (step->status == STATUS_DONE)
            continue;
        bool resumed = step->status == STATUS_INTENT;
        step->status = STATUS_INTENT;
        if (!resumed)
            save(journal, run);
        if (!resumed || world->effects[i] == 0) { /* a resumed step observes first */
            world->effects[i]++;
            disk_mark(MARK_EFFECT, i);
        }
        step->status = STATUS_DONE;
        save(journal, run);
    }
}

/* One process, from whatever is in its folder up to the end. */
static void process(const char *path, struct world *world)
{
    struct arena arena = {0};
    struct error err = {0};
    struct run run = {0};
    struct journal journal = {.store = store_file(&arena, path), .arena = &arena, .clock = &still};
    if (journal_lock(&journal, 0, &err) != 0) {
        violation(err.message, 0);
        arena_release(&arena);
        return;
    }
    holder = path;
    disk_probe = try_lock;
    if (journal_load(&journal, &run, &err) != 0) {
        if (err.kind != ERROR_NOTFOUND)
            violation(err.message, err.kind);
        new_run(&run, &arena);
    }
    work(&journal, &run, world);
    disk_probe = NULL;
    journal_unlock(&journal);
    arena_release(&arena);
}

struct after {
    int depth;
    size_t cut;
    struct world begun; /* as it was when the process began */
    int64_t first;      /* the sequence that it found; 0: none */
};

static void walk(int depth, const struct world *begun, int64_t first);

/* What is left must be the last save that returned, or one that was under way. */
static void check(const struct after *after, const struct run *run, const struct world *world)
{
    const struct disk *disk = &disks[after->depth];
    int64_t saved = after->first, begun = after->first;
    for (size_t i = 0; i < after->cut; i++) {
        const struct op *op = &disk->ops[i];
        if (op->kind == OP_MARK && op->mark == MARK_SAVED)
            saved = op->number;
        else if (op->kind == OP_MARK && op->mark == MARK_BEGUN)
            begun = op->number;
    }
    if (run->sequence < saved)
        violation("a save that had returned is lost", run->sequence);
    if (run->sequence > begun)
        violation("a save that nobody made", run->sequence);
    for (int i = 0; i < STEPS; i++) {
        int status = run->sequence == 0 ? STATUS_PENDING : run->steps[i].status;
        if (world->effects[i] > 0 && status == STATUS_PENDING)
            violation("an effect without an intent", i);
        if (world->effects[i] == 0 && status == STATUS_DONE)
            violation("a result without an effect", i);
    }
}

static struct world world_at(const struct after *after)
{
    struct world world = after->begun;
    for (size_t i = 0; i < after->cut; i++) {
        const struct op *op = &disks[after->depth].ops[i];
        if (op->kind == OP_MARK && op->mark == MARK_EFFECT)
            world.effects[op->number]++;
    }
    return world;
}

static void found(void *context)
{
    const struct after *after = context;
    struct arena arena = {0};
    struct error err = {0};
    struct run run = {0};
    struct journal journal = {
        .store = store_file(&arena, paths[after->depth + 1]), .arena = &arena, .clock = &still};
    struct world world = world_at(after);
    total.states++;
    if (journal_load(&journal, &run, &err) != 0) {
        if (err.kind != ERROR_NOTFOUND)
            violation(err.message, (int64_t)after->cut);
        memset(&run, 0, sizeof run);
    }
    check(after, &run, &world);
    int64_t sequence = run.sequence;
    arena_release(&arena);
    walk(after->depth + 1, &world, sequence);
}

/* From the folder of this depth; at the last one only up to the end. */
static void walk(int depth, const struct world *begun, int64_t first)
{
    struct world world = *begun;
    disk_watch(depth < DEPTH ? &disks[depth] : NULL, folders[depth]);
    process(paths[depth], &world);
    disk_watch(NULL, NULL);
    for (int i = 0; i < STEPS; i++) {
        if (world.effects[i] != 1)
            violation("an effect that is not there once", world.effects[i]);
    }
    struct after after = {.depth = depth, .begun = *begun, .first = first};
    for (after.cut = 0; depth < DEPTH && after.cut <= disks[depth].count; after.cut++)
        disk_crash(&disks[depth], after.cut, folders[depth + 1], found, &after);
}

int main(void)
{
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    struct world none = {{0}};
    for (int i = 0; i <= DEPTH; i++) {
        snprintf(folders[i], sizeof folders[i], "%s/walk-%ld-%d", base, (long)getpid(), i);
        snprintf(paths[i], sizeof paths[i], "%.63s/state.json", folders[i]);
        if (mkdir(folders[i], 0700) != 0)
            return 2;
    }
    printf("1..1\n");
    walk(0, &none, 0);
    clean();
    return tell();
}
