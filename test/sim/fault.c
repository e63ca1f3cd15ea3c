/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <signal.h>
#include <stdio.h>

struct sim sim;

const char *const fault_names[] = {
    "none",   "crash before", "crash after", "lost call", "lost reply",
    "late",   "partial",      "stale",       "cancel",    "second run",
    "person", "clock jump",   "no data",     "disk full", "flap",
};

#define BIT(fault) (1U << (fault))

static const char *const call_names[] = {"read",   "verb",  "shift", "check",
                                         "metric", "write", "sleep"};

static const unsigned possible[] = {
    [CALL_READ] = BIT(FAULT_CRASH_BEFORE) | BIT(FAULT_LOST_CALL) | BIT(FAULT_LATE) |
                  BIT(FAULT_STALE) | BIT(FAULT_PARTIAL) | BIT(FAULT_CANCEL) | BIT(FAULT_SECOND) |
                  BIT(FAULT_PERSON) | BIT(FAULT_JUMP),
    [CALL_VERB] = BIT(FAULT_CRASH_BEFORE) | BIT(FAULT_CRASH_AFTER) | BIT(FAULT_LOST_CALL) |
                  BIT(FAULT_LOST_REPLY) | BIT(FAULT_LATE) | BIT(FAULT_PARTIAL) | BIT(FAULT_CANCEL) |
                  BIT(FAULT_SECOND) | BIT(FAULT_PERSON),
    [CALL_SHIFT] = BIT(FAULT_CRASH_BEFORE) | BIT(FAULT_CRASH_AFTER) | BIT(FAULT_LOST_CALL) |
                   BIT(FAULT_LOST_REPLY) | BIT(FAULT_LATE) | BIT(FAULT_PARTIAL) |
                   BIT(FAULT_CANCEL) | BIT(FAULT_SECOND) | BIT(FAULT_PERSON),
    [CALL_CHECK] =
        BIT(FAULT_CRASH_BEFORE) | BIT(FAULT_LOST_CALL) | BIT(FAULT_CANCEL) | BIT(FAULT_FLAP),
    [CALL_METRIC] =
        BIT(FAULT_CRASH_BEFORE) | BIT(FAULT_NO_DATA) | BIT(FAULT_CANCEL) | BIT(FAULT_PERSON),
    [CALL_WRITE] =
        BIT(FAULT_CRASH_BEFORE) | BIT(FAULT_CRASH_AFTER) | BIT(FAULT_DISK) | BIT(FAULT_SECOND),
    [CALL_SLEEP] = BIT(FAULT_CRASH_BEFORE) | BIT(FAULT_CANCEL) | BIT(FAULT_SECOND) |
                   BIT(FAULT_PERSON) | BIT(FAULT_JUMP),
};

void trace(const char *format, ...)
{
    if (!sim.trace)
        return;
    va_list arguments;
    va_start(arguments, format);
    printf("  %3d.%-5lld %9.1f s  ", sim.process, (long long)sim.calls,
           (double)sim.now.mono / 1000);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

void violate(int invariant, const char *format, ...)
{
    if (sim.violation != 0 || sim.ghost)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sim.words, sizeof sim.words, format, arguments);
    va_end(arguments);
    sim.violation = invariant;
    trace("VIOLATION %d: %s", invariant, sim.words);
}

/* Of the step that is at work. */
static const char *step_of(void)
{
    const struct run *run = &sim.session->run;
    for (size_t i = 0; i < run->step_count; i++) {
        if (run->steps[i].status == STATUS_INTENT)
            return run->steps[i].step.id;
    }
    return "between steps";
}

static bool is_off(int64_t place)
{
    for (size_t i = 0; i < sim.off_count; i++) {
        if (sim.off[i] == place)
            return true;
    }
    return false;
}

static enum fault one_of(unsigned faults, uint64_t dice)
{
    unsigned left = (unsigned)__builtin_popcount(faults);
    for (uint64_t skip = left == 0 ? 0 : dice % left; skip > 0; skip--)
        faults &= faults - 1; /* without the lowest */
    return left == 0 ? FAULT_NONE : (enum fault)__builtin_ctz(faults);
}

static enum fault choose(enum call call)
{
    uint64_t process = (uint64_t)sim.process, number = (uint64_t)sim.calls;
    int64_t place = (int64_t)sim.process * CALLS_MAX + sim.calls;
    /* There are few calls between the promotion and the end. */
    unsigned chance = sim.now.promoted != 0 ? 6 * sim.chance : sim.chance;
    if (sim.nested || sim_below(1, process, number, 10000) >= chance || is_off(place))
        return FAULT_NONE;
    enum fault fault = one_of(possible[call] & sim.allowed, sim_hash(2, process, number));
    if (fault == FAULT_NONE)
        return FAULT_NONE;
    sim.seen |= BIT(fault);
    if (sim.struck_count < OFF_MAX) {
        sim.struck_as[sim.struck_count] = fault;
        sim.struck[sim.struck_count++] = place;
    }
    trace("fault: %s", fault_names[fault]);
    return fault;
}

static int crash(struct error *err)
{
    sim.ghost = true;
    return error_set(err, ERROR_CANCELLED, "crashed");
}

static int cancelled(struct error *err)
{
    return error_set(err, ERROR_CANCELLED, "cancelled by SIGTERM");
}

int call_enter(enum call call, enum fault *fault, struct error *err)
{
    *fault = FAULT_NONE;
    if (sim.ghost || (sim.signal != 0 && !sim.shielded && call != CALL_WRITE))
        return cancelled(err);
    if (++sim.calls >= CALLS_MAX) {
        violate(5, "no end after %d calls", CALLS_MAX);
        return crash(err);
    }
    if (call != CALL_SLEEP)
        trace("%s, %s%s", step_of(), call_names[call], sim.nested ? " of another job" : "");
    if (call != CALL_WRITE && call != CALL_SLEEP)
        world_advance(10 + (int64_t)sim_below(3, (uint64_t)sim.process, (uint64_t)sim.calls, 100));
    *fault = choose(call);
    switch (*fault) {
    case FAULT_CRASH_BEFORE:
        return crash(err);
    case FAULT_LOST_CALL:
        return error_set(err, ERROR_NETWORK, "connection lost");
    case FAULT_LATE:
        world_advance(20000);
        return error_set(err, ERROR_TIMEOUT, "no answer in time");
    case FAULT_DISK:
        return error_set(err, ERROR_STATE, "no space left");
    case FAULT_CANCEL:
        sim.signal = SIGTERM;
        sim.signalled_at = sim.now.mono;
        return sim.shielded ? 0 : cancelled(err);
    case FAULT_SECOND:
        return process_nested();
    case FAULT_PERSON:
        world_person();
        return 0;
    case FAULT_JUMP:
        sim.now.jumped += ((int64_t)sim_below(4, (uint64_t)sim.calls, 0, 7200) - 3600) * 1000;
        return 0;
    default:
        return 0;
    }
}

int call_leave(enum fault fault, struct error *err)
{
    if (fault == FAULT_CRASH_AFTER)
        return crash(err);
    if (fault == FAULT_LOST_REPLY || fault == FAULT_PARTIAL)
        return error_set(err, ERROR_NETWORK, "connection lost before the answer");
    return 0;
}
