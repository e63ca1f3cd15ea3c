/* SPDX-License-Identifier: Apache-2.0
 *
 * The gates and smoke groups of deploy.yaml, and one check in them.
 */
#ifndef GATES_H
#define GATES_H

#include "field.h"

enum gate {
    GATE_SECURITY,
    GATE_RELIABILITY,
    GATE_TESTS,
    GATE_APPROVALS,
    GATE_ARTIFACTS,
    GATE_ENVIRONMENT,
    GATE_INCIDENTS,
    GATE_ROLLBACK,
    GATES
};
enum smoke_group {
    SMOKE_CRITICAL_PATH,
    SMOKE_API,
    SMOKE_DATABASE,
    SMOKE_EXTERNAL,
    SMOKE_MONITORING,
    SMOKE_GROUPS
};
extern const char *const gate_names[];  /* "security", … as in deploy.yaml, ended by NULL */
extern const char *const smoke_names[]; /* "critical-path", … */

enum on_unknown { UNKNOWN_BLOCKS, UNKNOWN_WARNS };

struct check_config {
    const char *name;    /* default: made from the driver and its subject */
    const char *role;    /* approvals: "release-manager", …; NULL otherwise */
    int64_t timeout;     /* ms for one attempt, 10 s */
    int64_t retries;     /* further attempts, 2 for smoke, 0 for gates */
    int64_t retry_delay; /* ms, 1 s */
    int on_unknown;      /* enum on_unknown; default UNKNOWN_BLOCKS */
    struct choice kind;
};

#endif
