/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the command workload share: command_settings.c checks what is
 * configured, command_look.c only looks, command.c acts.
 */
#ifndef WORKLOAD_COMMAND_H
#define WORKLOAD_COMMAND_H

#include "workload.h"

struct timeouts {
    int64_t start, stop, update, status, version, hook;
    int64_t down;   /* for a stopped instance to be gone */
    int64_t settle; /* for the wanted version to become ready before it is started anew */
};

struct command_settings {
    struct rows instances; /* struct instance */
    struct command start, stop, update, status, version, promote, retire;
    struct timeouts timeouts;
};

struct workload {
    const struct driver_context *context;
    const struct command_settings *settings;
    struct instances instances;
    unsigned traits;
};

enum life { LIFE_DOWN, LIFE_UP, LIFE_READY, LIFE_UNSEEN };

struct sight {
    enum life life;
    bool broken; /* `status` itself could not be run */
    struct instance_state state;
};

/* What a command is about: an instance, a slot, or neither. */
struct subject {
    const struct instance *instance;
    const char *slot, *version;
    const char *step; /* of the run, for the records; NULL when only looking */
    bool resumed;     /* a killed process had begun this step */
};

extern const struct field command_fields[];
MUST_CHECK int command_open(const struct driver_context *context, struct workload **out,
                            struct error *err);

struct process_spec command_spec(const struct workload *workload, const struct command *command,
                                 const struct subject *subject, struct arena *arena);

/* All of them, out[i] for items[i]; -1 only when cancelled. */
MUST_CHECK int command_look(struct workload *workload, const struct instances *all,
                            struct arena *arena, struct sight *out, struct error *err);
/* One; an error too where its `status` cannot be run: nothing may be decided blindly. */
MUST_CHECK int command_look_at(struct workload *workload, const struct instance *instance,
                               struct arena *arena, struct sight *out, struct error *err);
/* Looks until the instance is as wanted or the time for it is over; *life is the last look. */
MUST_CHECK int command_await(struct workload *workload, const struct instance *instance,
                             enum life wanted, enum life *life, struct error *err);
int command_observe(struct workload *workload, const struct workload_target *of,
                    struct arena *arena, struct workload_state *out, struct error *err);

#endif
