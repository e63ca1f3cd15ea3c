/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine in a simulated, hostile world. One seed is one rollout: a production that serves, a
 * version that is good or not, and a job that is run, killed, cancelled and run again while calls
 * fail, answers are lost and people interfere. The program is linked as it is; only its catalogue
 * of drivers, its clock, its state file and its terminal are ours.
 */
#ifndef SIM_H
#define SIM_H

#include "cli.h"

#include <stdarg.h>

#define COPIES 6
#define VERSIONS 4 /* "v1" serves at first; "v2" is deployed, "v3" may follow */
#define CALLS_MAX 20000
#define OFF_MAX 64

/* What can go wrong at one call. A verb that has returned takes no effect any more: the drivers
 * promise that, with their time limits and guards. */
enum fault {
    FAULT_NONE,
    FAULT_CRASH_BEFORE, /* of us */
    FAULT_CRASH_AFTER,
    FAULT_LOST_CALL,  /* no effect, an error */
    FAULT_LOST_REPLY, /* the effect, and an error */
    FAULT_LATE,       /* no effect, and the deadline passes */
    FAULT_PARTIAL,    /* some instances only, and an error */
    FAULT_STALE,      /* a read that tells what was before the last change */
    FAULT_CANCEL,     /* a signal */
    FAULT_SECOND,     /* another job begins */
    FAULT_PERSON,     /* somebody changes production */
    FAULT_JUMP,       /* of the wall clock */
    FAULT_NO_DATA,    /* a metric without an answer */
    FAULT_DISK,       /* the state cannot be written */
    FAULT_FLAP,       /* a check that fails for once */
    FAULTS
};
extern const char *const fault_names[];

enum call { CALL_READ, CALL_VERB, CALL_SHIFT, CALL_CHECK, CALL_METRIC, CALL_WRITE, CALL_SLEEP };

/* What is true of a version. */
struct truth {
    const char *name;
    double errors; /* share of its requests that fail */
    bool never_ready, smoke_fails, crashes, slow;
};

struct copy {
    struct instance is;
    int version; /* index of truth; 0: nothing runs */
    int64_t ready_at;
    int64_t restarts;
    double total, bad, share;
    int state;               /* enum traffic_state */
    bool seen_ready, smoked; /* since the engine started it */
};

struct world {
    struct truth truth[VERSIONS];
    struct copy copies[COPIES];
    int count;
    bool slots;
    bool copies_back; /* the candidate is a copy beside: `promote` updates what it stands for */
    double rate;      /* requests a second */
    int64_t mono, jumped;
    bool stale;                             /* the last look at the router told what was before */
    int64_t person_at, asked_at, routed_at; /* counts of calls: the last change, the last looks */
    bool gate_fails;
    uint64_t promoted; /* sim_name of the last run that was */
};

struct sim {
    uint64_t seed;
    struct world now, before; /* before: the last change, for stale reads */
    /* the process at work */
    int process;
    int64_t calls;
    bool ghost; /* it has crashed: nothing that it does counts any more */
    bool shielded, nested;
    int signal;
    int64_t signalled_at;
    bool locked;
    const struct session *session;
    /* the file */
    char *state, *history;
    /* what was done to it */
    unsigned allowed; /* bit per fault */
    unsigned chance;  /* of one at a call, of 10000 */
    unsigned seen;    /* bit per fault that struck */
    bool person_decided;
    int waits;             /* processes of this version that ended to wait for a person */
    double delivered;      /* requests of the candidate that a metric told, since the last shift */
    double delivered_here; /* … and since the process began: latencies are not kept */
    bool lied;             /* the metric's last answer was none */
    /* the verdict */
    int violation; /* number of the invariant; 0: none */
    char words[300];
    int64_t off[OFF_MAX]; /* faults not to inject: process * CALLS_MAX + call */
    size_t off_count;
    int64_t struck[OFF_MAX];
    enum fault struck_as[OFF_MAX];
    size_t struck_count;
    bool trace;
};
extern struct sim sim;

/* random.c: numbers that depend on the seed, a tag and two more numbers only, so that leaving
 * out one fault does not change the others. */
uint64_t sim_hash(uint64_t tag, uint64_t a, uint64_t b);
uint64_t sim_name(const char *run, const char *step); /* of a step of a run */
uint64_t sim_below(uint64_t tag, uint64_t a, uint64_t b, uint64_t limit);

/* fault.c: before and after what a call does; -1 with err where it fails there. */
int call_enter(enum call call, enum fault *fault, struct error *err);
int call_leave(enum fault fault, struct error *err);
void violate(int invariant, const char *format, ...) PRINTF_LIKE(2, 3);
void trace(const char *format, ...) PRINTF_LIKE(1, 2);

/* world.c */
void world_begin(struct world *world);
void world_advance(int64_t ms);
void world_person(void);
double world_share(int version);
bool world_has_moved(void); /* by somebody, since instances and router were both looked at */
bool copy_is_ready(const struct copy *copy);
int version_index(const char *name);
void copy_start(struct copy *copy, int version);
/* After each change of the traffic: no candidate has more than it may. */
void world_check_traffic(void);

/* metric.c */
extern const struct metric_driver sim_metric;

/* outside.c */
void clock_of_sim(struct clock *clock);
struct store *store_of_sim(void);

/* saved.c: what the last save wrote, as text only when somebody reads it. */
void saved_print(void);
bool saved_is_there(void);
void saved_set_aside(void);
bool saved_has_intent(void); /* both true, too, where the state is kept as text */
bool saved_is_waiting(void);
/* An earlier save said that this forward step is done. */
bool saved_was_done(const struct run_step *step);
/* Takes over what a process had in its arena; `forget` at the end of the seed. */
void saved_keep(struct arena *process);
void saved_forget(void);

/* deploy_yaml.c: one of a few hundred configurations, read as deploy.yaml is. */
struct config *config_of_sim(uint64_t number);

/* job.c */
void job_run(uint64_t seed);
int process_nested(void);

#endif
