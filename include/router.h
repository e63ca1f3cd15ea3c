/* SPDX-License-Identifier: Apache-2.0
 *
 * Moves traffic between instances. A driver is one file in src/router/ and one row in
 * src/catalog.c. `shift` is given the whole wanted state, writes what differs, reads it
 * back, and fails unless the world now is what was wanted.
 */
#ifndef ROUTER_H
#define ROUTER_H

#include "driver.h"

struct router; /* the driver's own */

enum traffic_state { TRAFFIC_READY, TRAFFIC_DRAIN, TRAFFIC_MAINTENANCE };

struct route {
    struct instance instance;
    enum traffic_state state;
    double share;        /* 0 … 1 of all requests; of all routes together 1, or all 0 */
    bool known;          /* observe: the router knows this instance */
    int64_t connections; /* observe: open now; -1: unknown */
};

struct traffic {
    struct route *items;
    size_t count;
};

struct router_driver {
    int (*open)(const struct driver_context *context, const struct instances *instances,
                struct router **out, struct error *err);
    /* What the router does now, for every instance given to open. */
    int (*observe)(struct router *router, struct arena *arena, struct traffic *out,
                   struct error *err);
    /* Idempotent. Never passes through a state in which a share is larger than in both the
     * old and the wanted state. Afterwards no share exceeds the wanted one by more than the
     * router's own resolution, and never upwards for an instance wanted at 0. */
    int (*shift)(struct router *router, const struct traffic *wanted, struct error *err);
    void (*close)(struct router *router);
};

/* Integer weights (0 … max) a for each of m candidate and b for each of n stable servers,
 * such that m·a / (m·a + n·b) is the largest share not above `share`; share 0 gives a = 0,
 * share 1 gives b = 0. Pure. */
struct weights {
    int candidate, stable;
};
struct weights router_weights(double share, int m, int n, int max);

/* The share of `slot` in traffic, 0 … 1. */
double traffic_share(const struct traffic *traffic, const char *slot);

#endif
