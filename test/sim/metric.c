/* SPDX-License-Identifier: Apache-2.0
 *
 * What the simulated world tells of its requests: counts, latencies and one number.
 */
#include "sim.h"

#include "metric.h"

#include <math.h>
#include <string.h>

#define BOUNDS 4
#define SLOW_SHARE 0.2

static int open_metric(const struct driver_context *context, struct metric **out, struct error *err)
{
    (void)context, (void)err;
    *out = NULL;
    return 0;
}

static const char *refuses(const struct metric *metric, const struct slo_config *slo,
                           struct arena *arena)
{
    (void)metric, (void)arena;
    return slo->kind == SLO_ACTIVITY ? "the world does not know its users" : NULL;
}

static void tell_latency(const struct copy *copy, struct series *series, struct arena *arena)
{
    bool slow = sim.now.truth[copy->version].slow;
    double quick = copy->total * (slow ? 1 - SLOW_SHARE : 1);
    series->buckets = arena_array(arena, BOUNDS, sizeof *series->buckets);
    series->buckets[0] = series->buckets[1] = floor(quick);
    series->buckets[2] = series->buckets[3] = floor(copy->total);
    trace("%s: %.0f of %.0f are quick", copy->is.name, floor(quick), floor(copy->total));
}

/* What the candidate was seen to answer, for the invariants. */
static void deliver(const struct metric_query *query, const struct copy *copy)
{
    static double last[COPIES];
    double *before = &last[copy - sim.now.copies], total = floor(copy->total);
    double more = query->arm == ARM_CANDIDATE && total > *before ? total - *before : 0;
    sim.delivered += more;
    sim.delivered_here += more;
    *before = total;
}

static void tell_copies(const struct metric_query *query, struct reading *out, struct arena *arena)
{
    out->series = arena_array(arena, query->count + 1, sizeof *out->series);
    out->count = query->count;
    for (size_t i = 0; i < query->count; i++) {
        for (int j = 0; j < sim.now.count; j++) {
            const struct copy *copy = &sim.now.copies[j];
            if (strcmp(copy->is.name, query->instances[i]->name) != 0)
                continue;
            out->series[i] = (struct series){
                .target = copy->is.name, .bad = floor(copy->bad), .total = floor(copy->total)};
            if (out->kind == READING_HISTOGRAM)
                tell_latency(copy, &out->series[i], arena);
            if (query->slo->kind == SLO_ERROR_RATE)
                deliver(query, copy);
        }
    }
}

static double number_of(enum arm arm)
{
    const struct run *run = &sim.session->run;
    bool slow = sim.now.truth[version_index(run->version)].slow;
    return arm == ARM_CANDIDATE && slow ? 100 : 10;
}

static void tell(const struct metric_query *query, struct reading *out, struct arena *arena)
{
    static double bounds[BOUNDS] = {100, 500, 1000, INFINITY};
    *out = (struct reading){.kind = READING_COUNTS, .why = "the world's counters"};
    if (query->slo->kind == SLO_GAUGE) {
        out->kind = READING_GAUGE;
        out->gauge = number_of(query->arm);
        out->whole = sim.seed % 2 == 0;
        return;
    }
    if (query->slo->kind == SLO_LATENCY) {
        out->kind = READING_HISTOGRAM;
        out->bounds = bounds;
        out->bound_count = BOUNDS;
    }
    tell_copies(query, out, arena);
}

static int read_metric(struct metric *metric, const struct metric_query *queries, size_t count,
                       struct reading *out, struct arena *arena)
{
    enum fault fault;
    struct error err;
    (void)metric;
    if (call_enter(CALL_METRIC, &fault, &err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (fault == FAULT_NO_DATA)
            out[i] = (struct reading){.kind = READING_NOTHING, .nothing = NOTHING_UNREACHABLE};
        else
            tell(&queries[i], &out[i], arena);
    }
    return 0;
}

static void close_metric(struct metric *metric)
{
    (void)metric;
}

const struct metric_driver sim_metric = {open_metric, refuses, read_metric, close_metric};
