/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_save and journal_load for most seeds: the state as a copy of the run. One
 * in 128 takes the program's own, with its text, which takes longer than all the rest of a rollout.
 */
#include "sim.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

#define ARENAS_MAX 32
#define DONE_MAX 256

int __real_journal_save(struct journal *journal, struct run *run, struct error *err);
int __wrap_journal_save(struct journal *journal, struct run *run, struct error *err);
int __real_journal_load(struct journal *journal, struct run *out, struct error *err);
int __wrap_journal_load(struct journal *journal, struct run *out, struct error *err);

static struct arena arena; /* of the copy's rows; its texts are in the arenas of the processes */
static struct arena processes[ARENAS_MAX];
static size_t process_count;
static struct run saved;
static bool known, pending;
static uint64_t done[DONE_MAX]; /* of the steps that a save said were done */
static size_t done_count;

static bool is_text(void)
{
    return sim.seed % 128 == 0;
}

static void *copied(struct arena *to, const void *items, size_t count, size_t size)
{
    void *copy = arena_array(to, count + 1, size);
    if (count > 0)
        memcpy(copy, items, count * size);
    return copy;
}

#define COPY(to, out, run, items, item)                                                    \
    ((out)->items = copied((to), (run)->items, (run)->item##_count, sizeof *(run)->items), \
     (out)->item##_capacity = (run)->item##_count)

/* Texts stay where they are: nobody writes into one. */
static void copy_run(struct arena *to, const struct run *run, struct run *out)
{
    *out = *run;
    COPY(to, out, run, steps, step);
    COPY(to, out, run, checks, check);
    COPY(to, out, run, metrics, metric);
    COPY(to, out, run, events, event);
    COPY(to, out, run, signatures, signature);
    COPY(to, out, run, attempts, attempt);
    out->watch.streams =
        copied(to, run->watch.streams, run->watch.count, sizeof *run->watch.streams);
    for (size_t i = 0; i < run->watch.count; i++) {
        struct run_stream *stream = &out->watch.streams[i];
        stream->samples = copied(to, stream->samples, stream->count, sizeof *stream->samples);
    }
}

void saved_print(void)
{
    if (!pending)
        return;
    AUTO_JSON struct json *json = run_save(&saved);
    free(sim.state);
    sim.state = json_print(json, true);
    pending = false;
}

bool saved_is_there(void)
{
    return known || sim.state != NULL;
}

bool saved_has_intent(void)
{
    for (size_t i = 0; known && i < saved.step_count; i++) {
        if (saved.steps[i].status == STATUS_INTENT)
            return true;
    }
    return is_text();
}

/* The last process had asked for a person, and said so, even where it was killed then. */
bool saved_is_waiting(void)
{
    return is_text() || (known && saved.status == RUN_WAITING);
}

void saved_keep(struct arena *process)
{
    if (process_count == ARENAS_MAX)
        abort();
    processes[process_count++] = *process;
    arena_init(process);
}

void saved_forget(void)
{
    for (size_t i = 0; i < process_count; i++)
        arena_release(&processes[i]);
    process_count = 0;
    known = pending = false;
    done_count = 0;
}

void saved_set_aside(void)
{
    known = pending = false;
}

static bool is_known_done(uint64_t name)
{
    for (size_t i = 0; i < done_count; i++) {
        if (done[i] == name)
            return true;
    }
    return false;
}

bool saved_was_done(const struct run_step *step)
{
    return known && step->direction == FORWARD && is_known_done(sim_name(saved.id, step->step.id));
}

static void note_done(const struct run *run)
{
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        if (step->direction != FORWARD || step->status != STATUS_DONE)
            continue;
        uint64_t name = sim_name(run->id, step->step.id);
        if (!is_known_done(name) && done_count < DONE_MAX)
            done[done_count++] = name;
    }
}

int __wrap_journal_save(struct journal *journal, struct run *run, struct error *err)
{
    enum fault fault;
    if (is_text())
        return __real_journal_save(journal, run, err);
    if (call_enter(CALL_WRITE, &fault, err) != 0)
        return error_wrap(err, "the state cannot be saved");
    if (sim.nested || !sim.locked)
        violate(9, "the state is written without the lock");
    run->sequence++;
    run->updated = journal->clock->wall(journal->clock);
    journal->saved = journal->clock->mono(journal->clock);
    arena_reset(&arena);
    copy_run(&arena, run, &saved);
    note_done(run);
    known = pending = true;
    return call_leave(fault, err);
}

int __wrap_journal_load(struct journal *journal, struct run *out, struct error *err)
{
    if (is_text())
        return __real_journal_load(journal, out, err);
    if (!known)
        return error_set(err, ERROR_NOTFOUND, "%s: not there", journal->store->path);
    copy_run(journal->arena, &saved, out);
    return 0;
}
