/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts versions onto instances. A driver is one file in src/workload/ and one row in
 * src/catalog.c. Every verb is idempotent: it observes, and does only what is missing, so
 * that it may be called again after a crash at any point.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include "driver.h"

struct workload; /* the driver's own */

struct instance_state {
    struct instance instance;
    bool running;        /* something answers for it */
    bool ready;          /* it says that it can serve */
    bool unseen;         /* it could not be asked: running and ready are not known to be false */
    const char *version; /* as the instance itself tells (S-256); NULL: unknown */
    int restarts;        /* since it was deployed; -1: cannot be seen */
    int oom_kills;       /* -1: cannot be seen */
    const char *detail;  /* last line of evidence, for messages */
};

struct workload_state {
    struct instance_state *items;
    size_t count;
};

/* What a verb acts on, or looks at. */
struct workload_target {
    const char *slot;         /* NULL: the instances named */
    const char *const *names; /* rolling: these only */
    size_t count;
    const char *version; /* to be put there */
    const char *step;    /* id of the step, for the records of its commands */
    bool resumed;        /* a killed process had begun this: observe longer */
};

enum workload_traits {
    WORKLOAD_SLOTS = 1,    /* two slots of equal size that take turns: blue-green, canary */
    WORKLOAD_IN_PLACE = 2, /* instances are updated one by one: rolling */
    WORKLOAD_COPY = 4,     /* promote updates the stable objects; the candidate then goes */
    WORKLOAD_SHIFTS = 8    /* a controller moves the traffic itself; no `traffic:` */
};

struct workload_driver {
    /* Checks settings against each other; no I/O beyond reading. *out lives in the arena. */
    int (*open)(const struct driver_context *context, struct workload **out, struct error *err);
    unsigned (*traits)(const struct workload *workload); /* bits of workload_traits */
    /* Every instance, as far as it is known without asking anybody. */
    const struct instances *(*instances)(const struct workload *workload);
    /* Every instance, or those of `of` alone where it is not NULL, in file order; who could not
     * be asked is there, and unseen. Reads only. -1 only where nothing at all can be said. */
    int (*observe)(struct workload *workload, const struct workload_target *of, struct arena *arena,
                   struct workload_state *out, struct error *err);
    /* Starts target.version on every instance of the slot that does not run it yet. */
    int (*deploy)(struct workload *workload, const struct workload_target *target,
                  struct error *err);
    /* Replaces what runs on the named instances by target.version. */
    int (*update)(struct workload *workload, const struct workload_target *target,
                  struct error *err);
    /* The candidate becomes the stable one (in SLOTS: nothing but the user's hook). */
    int (*promote)(struct workload *workload, const struct workload_target *target,
                   struct error *err);
    /* Takes a failed candidate away (SLOTS), or puts target.version back (IN_PLACE). */
    int (*undo)(struct workload *workload, const struct workload_target *target, struct error *err);
    /* Stops a slot that no longer serves. */
    int (*retire)(struct workload *workload, const struct workload_target *target,
                  struct error *err);
    void (*close)(struct workload *workload);
};

#endif
