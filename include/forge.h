/* SPDX-License-Identifier: Apache-2.0
 *
 * The CI that called us: who, where, and where its results go. One file a CI, one row
 * each; `local` is the terminal.
 */
#ifndef FORGE_H
#define FORGE_H

#include "log.h"

#include <stddef.h>

struct arena;

/* What the environment says about this job. NULL: not known. */
struct forge_facts {
    const char *project; /* "org/shop" */
    const char *commit, *ref;
    const char *actor; /* who started the job */
    const char *run_url;
    const char *run_key; /* stable over re-runs of this pipeline */
    const char *environment;
};

struct forge_output {
    const char *name, *value;
};

struct forge_driver {
    const char *name;
    enum log_style style;
    bool (*detect)(void); /* from the environment alone */
    void (*facts)(struct arena *arena, struct forge_facts *out);
    /* Job outputs ("verdict", "version", "exit-code", "report", "state"). */
    int (*outputs)(const struct forge_output *outputs, size_t count, struct error *err);
    /* The report where the CI shows it; cut with a notice when it is larger than the CI takes. */
    int (*summary)(const char *markdown, size_t length, struct error *err);
};

/* The first that detects itself; never NULL. */
const struct forge_driver *forge_here(void);

#endif
