/* SPDX-License-Identifier: Apache-2.0
 *
 * What every driver is given, and the words all rooms share about instances.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include "config.h"
#include "process.h"

#include <stdint.h>

struct clock;
struct log;
struct loop;

/* Lives as long as the driver. `arena` lives to the end of the run. */
struct driver_context {
    const struct config *config;
    const void *settings; /* the driver's own struct, bound by its field table */
    struct arena *arena;
    struct clock *clock;
    struct loop *loop; /* NULL in the simulator, whose drivers do no I/O */
    struct log *log;
    const struct variable *variables; /* app, version, image, base_url of this run */
    const char *run_id;               /* NULL: nothing is run yet */
    const char *records;              /* file for process_spec.record; NULL: none is kept */
};

/* One running copy of the application, as the workload driver knows it. */
struct instance {
    const char *name;   /* "green-1" */
    const char *slot;   /* "green"; NULL in a rolling workload */
    const char *url;    /* its own base URL; NULL: none */
    const char *server; /* its name in the router; default: name */
};

struct instances {
    struct instance *items;
    size_t count;
};

enum arm { ARM_STABLE, ARM_CANDIDATE, ARM_ALL };

/* One of the user's commands, to run in the project directory: words are expanded, and every
 * variable of the run stands in its environment too. A variable of `more` (NULL: none) goes
 * before one of the run. Lives in arena; the time limit is the caller's. */
struct process_spec driver_process(const struct driver_context *context,
                                   const struct command *command, const struct variable *more,
                                   struct arena *arena);
/* The run's variables behind those of `more`, for field_expand. */
const struct variable *driver_variables(const struct driver_context *context,
                                        const struct variable *more, struct arena *arena);
/* A copy that lives as long as the run, for drivers to hold. */
const struct driver_context *driver_keep(const struct driver_context *context);
bool command_given(const struct command *command);
/* A line of a command's output without the white space around it; "" where there is none. */
const char *output_first_line(const struct buf *output, struct arena *arena);
const char *output_last_line(const struct buf *output, struct arena *arena);
/* A relative path in deploy.yaml is meant from the project directory. NULL: NULL. */
const char *driver_path(const struct driver_context *context, const char *path,
                        struct arena *arena);

#endif
