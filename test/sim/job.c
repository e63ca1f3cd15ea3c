/* SPDX-License-Identifier: Apache-2.0
 *
 * One seed: a job that is run until its run has ended, and what must hold whenever a process ends.
 */
#include "sim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROCESSES 7
#define HEALING 9
#define LONGEST_MS 1800000
#define GRACE_MS 7500

#define BIT(fault) (1U << (fault))
#define CRASHES (BIT(FAULT_CRASH_BEFORE) | BIT(FAULT_CRASH_AFTER))
#define NETWORK                                                                            \
    (BIT(FAULT_LOST_CALL) | BIT(FAULT_LOST_REPLY) | BIT(FAULT_LATE) | BIT(FAULT_PARTIAL) | \
     BIT(FAULT_STALE))

static const unsigned classes[] = {
    0,
    CRASHES,
    CRASHES | BIT(FAULT_SECOND),
    NETWORK,
    CRASHES | BIT(FAULT_CANCEL) | BIT(FAULT_SECOND),
    CRASHES | BIT(FAULT_PERSON),
    CRASHES | BIT(FAULT_NO_DATA) | BIT(FAULT_FLAP) | BIT(FAULT_DISK),
    CRASHES | BIT(FAULT_NO_DATA) | BIT(FAULT_JUMP),
    ~0U,
};
#define CLASSES (sizeof classes / sizeof classes[0])

static enum strategy strategy;
static bool pure;  /* nobody asked for anything but the job */
static int wanted; /* the version of the last job */

enum verb { RUN, PROMOTE, ROLLBACK, RETIRE, SUPERSEDE };
static const char *const command_names[] = {"run", "promote", "rollback", "retire", "supersede"};

static struct log *quiet_log(void)
{
    static int nowhere = -1;
    if (nowhere < 0)
        nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    return log_open(sim.trace ? 1 : nowhere, LOG_PLAIN, sim.trace ? LOG_INFO : LOG_ERROR, false);
}

static void session_begin(struct session *session, enum verb command, int version)
{
    memset(session, 0, sizeof *session);
    arena_init(&session->arena);
    session->inputs.strategy = strategy;
    session->inputs.version = sim.now.truth[version].name;
    session->inputs.supersede = command == SUPERSEDE;
    session->inputs.yes = true;
    session->log = quiet_log();
    clock_of_sim(&session->clock);
    session->config = config_of_sim(sim_hash(50, 0, 0));
    session->journal.store = store_of_sim();
    session->journal.arena = &session->arena;
    session->journal.clock = &session->clock;
}

static int work(struct session *session, enum verb command)
{
    switch (command) {
    case PROMOTE:
        return command_promote(session);
    case ROLLBACK:
        return command_rollback(session);
    case RETIRE:
        return command_retire(session);
    case RUN:
    case SUPERSEDE:
        break;
    }
    return command_run(session);
}

/* Only the journal's own words: what the codes mean, written down once more. */
static int code_of(const struct run *run)
{
    static const int codes[] = {
        [RUN_RUNNING] = -1,    [RUN_WAITING] = 75,        [RUN_HELD] = 5,       [RUN_SUCCEEDED] = 0,
        [RUN_ROLLED_BACK] = 2, [RUN_REFUSED] = 3,         [RUN_FAILED] = 4,     [RUN_BROKEN] = 6,
        [RUN_SUPERSEDED] = 7,  [RUN_ROLLBACK_FAILED] = 8, [RUN_CANCELLED] = 143};
    return codes[run->status];
}

static void check_serves(int invariant, int version, const char *who)
{
    /* What somebody stopped serves nobody, whatever its share. */
    if (version > 0 && !world_has_moved() && world_share(version) + world_share(0) < 0.999)
        violate(invariant, "%s, but %s has %.3f of the traffic", who, sim.now.truth[version].name,
                world_share(version));
}

/* "v1 on blue serves 100 %" in a headline is a promise. */
static void check_headline(const struct run *run)
{
    const char *end = run->headline == NULL ? NULL : strstr(run->headline, " serves 100 %");
    if (end == NULL)
        return;
    for (const char *at = end; at > run->headline && end - at < 20; at--) {
        if (at[-1] == 'v' && at[0] >= '1' && at[0] <= '3') {
            check_serves(8, at[0] - '0', run->headline);
            return;
        }
    }
}

static void check_time(int64_t begun, int code)
{
    bool late = (sim.seen & (BIT(FAULT_LATE) | BIT(FAULT_PERSON))) != 0;
    if (!late && sim.now.mono - begun > LONGEST_MS)
        violate(5, "the process took %lld s", (long long)(sim.now.mono - begun) / 1000);
    if (!late && code == 143 && sim.now.mono - sim.signalled_at > GRACE_MS)
        violate(5, "%lld ms from the signal to the end",
                (long long)(sim.now.mono - sim.signalled_at));
}

static void check_end(const struct session *session, int code)
{
    struct session again;
    struct error err = {0};
    const struct run *run = &session->run;
    bool disk = (sim.seen & BIT(FAULT_DISK)) != 0;
    session_begin(&again, RUN, 2);
    bool there = journal_load(&again.journal, &again.run, &err) == 0;
    if (saved_is_there() && !there)
        violate(8, "the state cannot be read: %s", err.message);
    if (run->id != NULL && there && !disk && code != 7 && code != 1 &&
        text_equal(again.run.id, run->id)) {
        if (again.run.status != run->status)
            violate(8, "the state says %s, the process %s", run_status_names[again.run.status],
                    run_status_names[run->status]);
        if (code != 6 && code_of(&again.run) != code)
            violate(8, "exit %d, but the state says %s", code, run_status_names[again.run.status]);
    }
    if (code == 0)
        check_serves(3, wanted, "exit 0");
    if (code == 2 && run->previous != NULL)
        check_serves(3, version_index(run->previous), "exit 2");
    if (code == 5 || code == 143 || code == 3 || code == 4)
        check_headline(run);
    session_close(&again);
}

/* The exit code; -1: crashed. */
static int process(enum verb command, int version)
{
    struct session session;
    int64_t begun = sim.now.mono;
    sim.process++;
    sim.calls = 0;
    sim.delivered_here = 0;
    sim.ghost = sim.shielded = sim.locked = false;
    sim.signal = 0;
    session_begin(&session, command, version);
    sim.session = &session;
    trace("--- %s %s", command_names[command], sim.now.truth[version].name);
    int code = work(&session, command);
    trace("--- %s: %d (%s)", sim.ghost ? "crashed" : "ended", code,
          session.run.id == NULL ? "no run" : run_status_names[session.run.status]);
    if (!sim.ghost && command != RETIRE) {
        check_time(begun, code);
        check_end(&session, code);
    }
    bool crashed = sim.ghost;
    sim.ghost = true; /* closing has no effect */
    saved_keep(&session.arena);
    session_close(&session);
    sim.session = NULL;
    sim.ghost = false;
    world_advance(1000);
    if ((sim.allowed & BIT(FAULT_PERSON)) != 0 && sim_below(57, (uint64_t)sim.process, 0, 3) == 0) {
        sim.seen |= BIT(FAULT_PERSON);
        world_person();
    }
    return crashed ? -1 : code;
}

int process_nested(void)
{
    struct session session;
    const struct session *outer = sim.session;
    if (!sim.locked)
        return 0;
    sim.nested = true;
    session_begin(&session, RUN, 1 + (int)sim_below(51, (uint64_t)sim.calls, 0, 3));
    sim.session = &session;
    int code = command_run(&session);
    if (code != 7)
        violate(9, "a second run ended with %d beside the first", code);
    session_close(&session);
    sim.session = outer;
    sim.nested = false;
    return 0;
}

/* The same job, run again: it still wants to supersede. */
static enum verb again(void)
{
    return wanted == 3 ? SUPERSEDE : RUN;
}

/* What somebody does after a process has ended so. */
static enum verb next_command(int code, bool free)
{
    uint64_t dice = sim_below(52, (uint64_t)sim.process, 0, 20);
    if (code == 8)
        return ROLLBACK;
    if (!free || dice > 6)
        return again();
    if (dice < 2 && (code == 75 || code == 5))
        return PROMOTE;
    return dice < 5 ? ROLLBACK : SUPERSEDE;
}

static bool is_over(int code)
{
    return code == 0 || code == 2 || code == 3 || code == 4;
}

static int go_on(int code, bool free)
{
    for (int i = 0; i < PROCESSES && sim.violation == 0 && !is_over(code); i++) {
        enum verb command = i == 0 ? RUN : next_command(code, free);
        pure = pure && command == RUN;
        sim.person_decided = sim.person_decided || command == PROMOTE;
        if (command == SUPERSEDE && wanted != 3) {
            wanted = 3;
            sim.waits = 0;
        }
        code = process(command, wanted);
        sim.waits += saved_is_waiting();
    }
    return code;
}

/* When nothing goes wrong any more the run comes to its end, whatever had happened. */
static int heal(int code)
{
    sim.allowed = 0;
    for (int i = 0; i < HEALING && sim.violation == 0 && !is_over(code); i++) {
        code = process(code == 8 ? ROLLBACK : again(), wanted);
        sim.waits += saved_is_waiting();
    }
    return code;
}

/* Some are bad where this deploy.yaml does not look. */
static bool is_seen_bad(const struct truth *truth)
{
    const struct config *config = config_of_sim(sim_hash(50, 0, 0));
    bool watched = sim.now.slots || config->rolling_watch > 0;
    if (config->rollback_on != (1U << (ON_UNHEALTHY + 1)) - 1 || truth->slow)
        return false;
    if (truth->smoke_fails && !truth->never_ready && !truth->crashes && truth->errors <= 0)
        return config->smoke[SMOKE_CRITICAL_PATH].count > 0;
    return truth->never_ready || watched;
}

static void check_verdict(int code)
{
    const struct truth *truth = &sim.now.truth[wanted];
    bool good = truth->errors <= 0 && !truth->never_ready && !truth->smoke_fails &&
                !truth->crashes && !truth->slow;
    bool blind = sim.now.rate < 50; /* or so few requests that it is held */
    if (!is_over(code) && !blind && !(code == 5) && (sim.seen & BIT(FAULT_PERSON)) == 0)
        violate(5, "the run has no end: %d", code);
    if (!pure || blind || (sim.seen & ~(CRASHES | BIT(FAULT_SECOND))) != 0)
        return;
    if (sim.now.gate_fails && config_of_sim(sim_hash(50, 0, 0))->gates[GATE_SECURITY].count > 0) {
        if (code != 3)
            violate(6, "a gate says no, and the job ends with %d", code);
    } else if (good && code != 0 && !sim.now.gate_fails) {
        violate(6, "a good version, only crashes, and the job ends with %d", code);
    } else if (!good && code != 2 && code != 4 && is_seen_bad(truth)) {
        violate(6, "a bad version, only crashes, and the job ends with %d", code);
    }
}

static void forget(void)
{
    saved_forget();
    free(sim.state);
    free(sim.history);
    sim.state = sim.history = NULL;
}

void job_run(uint64_t seed)
{
    sim.seed = seed;
    uint64_t class = sim_below(53, 0, 0, CLASSES);
    sim.process = 0;
    sim.seen = 0;
    sim.violation = 0;
    sim.struck_count = 0;
    sim.person_decided = sim.nested = false;
    sim.waits = 0;
    sim.delivered = 0;
    world_begin(&sim.now);
    sim.before = sim.now;
    sim.allowed = classes[class];
    sim.chance = (unsigned)sim_below(54, 0, 0, 3) * 150 + 30;
    strategy = !sim.now.slots                ? STRATEGY_ROLLING
               : sim.now.copies_back         ? STRATEGY_CANARY
               : sim_below(55, 0, 0, 2) == 0 ? STRATEGY_CANARY
                                             : STRATEGY_BLUE_GREEN;
    pure = true;
    wanted = 2;
    int code = go_on(-1, class >= 4);
    code = heal(code);
    if (sim.violation == 0)
        check_verdict(code);
    if (code == 0 && sim.violation == 0 && sim_below(56, 0, 0, 4) == 0)
        process(RETIRE, wanted);
    forget();
}
