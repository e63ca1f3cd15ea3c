/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters to differences to windows. Pure: no clock, no I/O; time is what the caller says.
 */
#ifndef COUNTS_H
#define COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* What happened in one arm between two polls. Doubles: sources may scale. */
struct counts {
    double bad, total;
};

/* The last value of one target's counters. */
struct counter {
    const char *target;
    double bad, total;
    bool seen;
};

/* now - last; a counter that went back was restarted and counts from 0; the first sight of
 * a target gives 0, or everything it has when `born` (it was started within this stage). */
struct counts counter_delta(struct counter *last, double bad, double total, bool born);

/* The most recent samples of one arm; oldest are dropped. Plain data: saved in the journal. */
#define WINDOW_SAMPLES 720
struct sample {
    int64_t at;     /* monotonic or wall ms, but always the same */
    double seconds; /* of time behind counts; 0: a first sight */
    struct counts counts;
    double gauge; /* gauges: the value; NaN: none */
};
struct window {
    struct sample *items; /* WINDOW_SAMPLES of them, a ring */
    size_t first, count;
};
void window_init(struct window *window, struct arena *arena);
/* A full ring merges its two oldest samples, so that no count is lost. */
void window_add(struct window *window, const struct sample *sample);
void window_clear(struct window *window);
/* Sum over (now - length, now]; *seconds is the sum of their seconds. */
struct counts window_sum(const struct window *window, int64_t now, int64_t length, double *seconds);
/* Mean of the gauges in the window; false: none. */
bool window_gauge(const struct window *window, int64_t now, int64_t length, double *out);

/* The quantile q (0 … 1) of cumulative bucket counts, interpolated inside its bucket as
 * Prometheus' histogram_quantile does; NaN where there is nothing. bounds rise, the last
 * may be infinite. */
double quantile_of(const double *bounds, const double *cumulative, size_t count, double q);

#endif
