/* SPDX-License-Identifier: Apache-2.0
 *
 * A sliding window over cumulative bucket counters of several targets: differences per
 * target and tick, kept in at most HISTOGRAM_SLOTS slots. Pure.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

#define HISTOGRAM_SLOTS 64
#define HISTOGRAM_BUCKETS 64

struct histogram_slot {
    int64_t at;
    double counts[HISTOGRAM_BUCKETS]; /* cumulative over bounds, of this slot's time */
};

struct histogram_target {
    const char *name;
    double last[HISTOGRAM_BUCKETS];
    bool seen;
};

struct histogram {
    double bounds[HISTOGRAM_BUCKETS];
    size_t bound_count;
    struct histogram_slot *slots; /* a ring, allocated at the first add */
    size_t first, count;
    struct histogram_target *targets;
    size_t target_count, target_capacity;
};

/* One reading of one target. Other bounds than before: the window starts anew. `slot_ms`:
 * readings closer together than this share a slot. */
struct histogram_reading {
    const char *target;
    const double *bounds, *cumulative;
    size_t count;
    int64_t at, slot_ms;
};
void histogram_add(struct histogram *histogram, struct arena *arena,
                   const struct histogram_reading *reading);
void histogram_clear(struct histogram *histogram); /* the window; targets keep their last */

/* The quantile over (now - length, now] and the number of requests behind it; NaN and 0
 * where there is none. */
double histogram_quantile(const struct histogram *histogram, int64_t now, int64_t length, double q,
                          double *requests);

#endif
