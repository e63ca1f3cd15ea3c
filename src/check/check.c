/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "arena.h"
#include "clock.h"

#include <string.h>

#define EVIDENCE_MAX 400
#define GRACE_MS \
    2000 /* an operation ends itself at its time limit; this is for one that does not */

const char *const verdict_names[] = {"none", "PASS", "FAIL", "UNKNOWN", NULL};

enum phase { RUNNING, RESTING, OVER };

/* One call on its way. */
struct track {
    struct check_call *call;
    enum phase phase;
    int64_t until; /* RUNNING: the deadline of this attempt; RESTING: when the next begins */
    int64_t begun;
};

struct tracks {
    const struct driver_context *context;
    struct track *items;
    size_t count;
};

static int64_t mono(const struct tracks *tracks)
{
    struct clock *clock = tracks->context->clock;
    return clock->mono(clock);
}

static const struct check_driver *driver_of(const struct check_call *call)
{
    return call->config->kind.driver->door;
}

static void answer(struct check_call *call, enum verdict verdict, const char *evidence)
{
    call->verdict = verdict;
    call->evidence = evidence;
}

static void stop_operation(const struct tracks *tracks, struct check_call *call)
{
    if (call->operation.kind != OPERATION_NONE) {
        if (!call->operation.done) {
            loop_stop(tracks->context->loop, &call->operation);
        }
        operation_release(&call->operation);
        call->operation = (struct operation){.kind = OPERATION_NONE};
    }
}

/* The attempt is over: cuts the evidence, and decides whether there is another. */
static void conclude(const struct tracks *tracks, struct track *track)
{
    struct check_call *call = track->call;
    stop_operation(tracks, call);
    if (call->verdict == VERDICT_NONE) {
        answer(call, VERDICT_UNKNOWN, "the check came to no verdict");
    }
    const char *evidence = call->evidence ? call->evidence : "";
    call->evidence = text_shown(call->context->arena, evidence, strlen(evidence), EVIDENCE_MAX);
    call->took_ms = mono(tracks) - track->begun;
    track->phase = OVER;
    if (call->verdict != VERDICT_PASS && call->attempts <= call->config->retries) {
        track->phase = RESTING;
        track->until = mono(tracks) + call->config->retry_delay;
    }
}

static void conclude_error(const struct tracks *tracks, struct track *track,
                           const struct error *err)
{
    answer(track->call, VERDICT_UNKNOWN, arena_text(track->call->context->arena, err->message));
    conclude(tracks, track);
}

/* After start or step: a verdict, or an operation to wait for. */
static void go_on(const struct tracks *tracks, struct track *track)
{
    struct check_call *call = track->call;
    struct error err;
    if (call->verdict != VERDICT_NONE || call->operation.kind == OPERATION_NONE) {
        conclude(tracks, track);
    } else if (loop_start(tracks->context->loop, &call->operation, &err) < 0) {
        call->operation.kind = OPERATION_NONE;
        conclude_error(tracks, track, &err);
    }
}

static void begin(const struct tracks *tracks, struct track *track)
{
    struct check_call *call = track->call;
    struct error err;
    answer(call, VERDICT_NONE, NULL);
    call->operation = (struct operation){.kind = OPERATION_NONE};
    call->stage = 0;
    call->attempts++;
    track->phase = RUNNING;
    track->until = mono(tracks) + call->config->timeout + GRACE_MS;
    if (driver_of(call)->start(call, &err) < 0) {
        call->operation.kind = OPERATION_NONE;
        conclude_error(tracks, track, &err);
        return;
    }
    go_on(tracks, track);
}

/* Something came of the operation: the driver reads it, and may have put another. */
static void step(const struct tracks *tracks, struct track *track)
{
    struct check_call *call = track->call;
    struct operation done = call->operation;
    struct error err;
    const int outcome = driver_of(call)->step(call, &err);
    operation_release(&done);
    if (call->verdict != VERDICT_NONE || outcome < 0 || call->operation.done) {
        call->operation = (struct operation){.kind = OPERATION_NONE};
    }
    if (outcome < 0) {
        conclude_error(tracks, track, &err);
    } else {
        go_on(tracks, track);
    }
}

static void look_at(const struct tracks *tracks, struct track *track)
{
    if (track->phase == RESTING && mono(tracks) >= track->until) {
        begin(tracks, track);
    }
    if (track->phase != RUNNING) {
        return;
    }
    if (track->call->operation.done) {
        step(tracks, track);
    } else if (mono(tracks) >= track->until) {
        answer(track->call, VERDICT_UNKNOWN, "no answer in time");
        conclude(tracks, track);
    }
}

/* What all of them wait for next; *running: an operation is among it. False: all are over. */
static bool next_wait(const struct tracks *tracks, int64_t *until, bool *running)
{
    bool open = false;
    *until = INT64_MAX;
    *running = false;
    for (size_t i = 0; i < tracks->count; i++) {
        const struct track *track = &tracks->items[i];
        if (track->phase == OVER) {
            continue;
        }
        const bool ready = track->phase == RUNNING && track->call->operation.done;
        const int64_t at = ready ? mono(tracks) : track->until;
        open = true;
        *running = *running || track->phase == RUNNING;
        *until = at < *until ? at : *until;
    }
    return open;
}

static int work(const struct tracks *tracks, struct error *err)
{
    struct clock *clock = tracks->context->clock;
    int64_t until = 0;
    bool running = false;
    while (next_wait(tracks, &until, &running)) {
        if (mono(tracks) < until) {
            const int outcome = running ? loop_wait(tracks->context->loop, until, err)
                                        : clock->sleep(clock, until, err);
            if (outcome < 0) {
                return -1;
            }
        }
        for (size_t i = 0; i < tracks->count; i++) {
            look_at(tracks, &tracks->items[i]);
        }
    }
    return 0;
}

static void abandon(const struct tracks *tracks)
{
    for (size_t i = 0; i < tracks->count; i++) {
        if (tracks->items[i].phase != OVER) {
            stop_operation(tracks, tracks->items[i].call);
            answer(tracks->items[i].call, VERDICT_UNKNOWN, "cancelled");
        }
    }
}

int check_run_all(const struct driver_context *context, struct check_list *calls, struct error *err)
{
    __attribute__((cleanup(arena_release))) struct arena arena;
    arena_init(&arena);
    const struct tracks tracks = {context, arena_array(&arena, calls->count, sizeof(struct track)),
                                  calls->count};
    for (size_t i = 0; i < calls->count; i++) {
        struct check_call *call = &calls->items[i];
        struct clock *clock = context->clock;
        call->context = context;
        call->settings = call->config->kind.settings;
        call->started = clock->wall(clock);
        call->attempts = 0;
        tracks.items[i] = (struct track){.call = call, .begun = mono(&tracks)};
        begin(&tracks, &tracks.items[i]);
    }
    const int outcome = work(&tracks, err);
    if (outcome < 0) {
        abandon(&tracks);
    }
    return outcome;
}
