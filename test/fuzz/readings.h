/* SPDX-License-Identifier: Apache-2.0
 *
 * What a reading may be, whatever a source answered: for the targets of sources.
 */
#ifndef READINGS_H
#define READINGS_H

#include "../../src/metric/reading.h"
#include "counts.h"
#include "histogram.h"

#include "fuzz.h"

#include <math.h>

/* Finite, not below zero; errors not far beyond requests. */
static inline void check_counts(const struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++) {
        const struct series *one = &reading->series[i];
        struct counter counter = {.target = one->target};
        REQUIRE(one->target != NULL && isfinite(one->bad) && isfinite(one->total));
        REQUIRE(one->bad >= 0 && one->total >= 0 && one->bad <= one->total * 1.01 + 10);
        REQUIRE(isfinite(one->started));
        struct counts delta = counter_delta(&counter, one->bad, one->total, true);
        REQUIRE(delta.bad == one->bad && delta.total == one->total);
    }
}

/* Bounds rise up to +Inf; a quantile is none, or lies within them. */
static inline void check_histogram(const struct reading *reading, struct arena *arena)
{
    struct histogram histogram = {.count = 0};
    double requests = 0;
    REQUIRE(reading->bound_count >= 2 && reading->bound_count <= METRIC_BUCKETS);
    REQUIRE(isinf(reading->bounds[reading->bound_count - 1]));
    for (size_t i = 1; i < reading->bound_count; i++) {
        REQUIRE(reading->bounds[i] > reading->bounds[i - 1]);
    }
    for (int64_t tick = 1; tick <= 2; tick++) {
        for (size_t i = 0; i < reading->count; i++) {
            const struct series *one = &reading->series[i];
            const struct histogram_reading read = {
                .target = one->target,
                .bounds = reading->bounds,
                .cumulative = one->buckets,
                .count = reading->bound_count,
                .at = tick,
            };
            histogram_add(&histogram, arena, &read);
        }
    }
    double p99 = histogram_quantile(&histogram, 2, 10, 0.99, &requests);
    REQUIRE(isnan(p99) || (p99 <= reading->bounds[reading->bound_count - 1] && requests > 0));
    p99 = quantile_of(reading->bounds, reading->series[0].buckets, reading->bound_count, 0.99);
    REQUIRE(isnan(p99) || p99 <= reading->bounds[reading->bound_count - 1]);
}

static inline void check_reading(const struct reading *reading, struct arena *arena)
{
    switch (reading->kind) {
    case READING_NOTHING:
        REQUIRE(reading->why != NULL && reading->why[0] != '\0');
        REQUIRE(reading->nothing >= NOTHING_NO_DATA && reading->nothing <= NOTHING_GARBAGE);
        break;
    case READING_COUNTS:
        check_counts(reading);
        break;
    case READING_HISTOGRAM:
        check_histogram(reading, arena);
        break;
    case READING_GAUGE:
        REQUIRE(isfinite(reading->gauge));
        break;
    }
}

/* An arm of two instances, and an SLO of each kind. */
static const struct instance two_instances[] = {{"a", "blue", "http://10.0.0.1:80", "a"},
                                                {"b", "blue", "http://10.0.0.2:80", "b"}};
static const struct instance *const both[] = {&two_instances[0], &two_instances[1]};

#endif
