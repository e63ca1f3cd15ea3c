/* SPDX-License-Identifier: Apache-2.0
 *
 * The one clock. Waits use monotonic time, records use wall time. The simulator and the
 * unit tests put their own functions here; nothing else in the program reads a clock.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include "error.h"

#include <stdint.h>

struct loop;

struct clock {
    int64_t (*mono)(struct clock *clock); /* milliseconds, never goes back */
    int64_t (*wall)(struct clock *clock); /* milliseconds since 1970 UTC */
    /* Waits until mono() >= until. ERROR_CANCELLED when a signal came first. */
    int (*sleep)(struct clock *clock, int64_t until, struct error *err);
    /* The signal that asked us to stop, or 0. A shield (engine's way to safety) hides it. */
    int (*cancelled)(struct clock *clock);
    void (*shield)(struct clock *clock, bool on);
    struct loop *loop; /* of the real clock; else NULL */
};

/* The system's clock, sleeping in `loop`. */
void clock_init(struct clock *clock, struct loop *loop);

#endif
