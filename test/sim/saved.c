/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_save for fifteen seeds of sixteen; the others, and every load, take the program's own.
 */
#include "sim.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

int __real_journal_save(struct journal *journal, struct run *run, struct error *err);
int __wrap_journal_save(struct journal *journal, struct run *run, struct error *err);

static struct arena arena;
static struct run saved;
static bool pending;

static void *copied(const void *items, size_t count, size_t size)
{
    void *copy = arena_array(&arena, count + 1, size);
    if (count > 0)
        memcpy(copy, items, count * size);
    return copy;
}

/* Texts stay where they are: nobody writes into one. */
static void keep(const struct run *run)
{
    arena_reset(&arena);
    saved = *run;
    saved.steps = copied(run->steps, run->step_count, sizeof *run->steps);
    saved.checks = copied(run->checks, run->check_count, sizeof *run->checks);
    saved.metrics = copied(run->metrics, run->metric_count, sizeof *run->metrics);
    saved.events = copied(run->events, run->event_count, sizeof *run->events);
    saved.signatures = copied(run->signatures, run->signature_count, sizeof *run->signatures);
    saved.attempts = copied(run->attempts, run->attempt_count, sizeof *run->attempts);
    saved.watch.streams = copied(run->watch.streams, run->watch.count, sizeof *run->watch.streams);
    for (size_t i = 0; i < run->watch.count; i++) {
        struct run_stream *stream = &saved.watch.streams[i];
        stream->samples = copied(stream->samples, stream->count, sizeof *stream->samples);
    }
    pending = true;
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

int __wrap_journal_save(struct journal *journal, struct run *run, struct error *err)
{
    enum fault fault;
    if (sim.seed % 16 == 0)
        return __real_journal_save(journal, run, err);
    if (call_enter(CALL_WRITE, &fault, err) != 0)
        return error_wrap(err, "the state cannot be saved");
    if (sim.nested || !sim.locked)
        violate(9, "the state is written without the lock");
    run->sequence++;
    run->updated = journal->clock->wall(journal->clock);
    journal->saved = journal->clock->mono(journal->clock);
    keep(run);
    return call_leave(fault, err);
}
