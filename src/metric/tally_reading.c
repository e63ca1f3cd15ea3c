/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <math.h>
#include <string.h>

static const char *where(const struct metric_query *query, size_t index, struct arena *arena)
{
    return arena_format(arena, "%s of %s", query->slo->name, query->instances[index]->name);
}

static struct reading no_series(const char *selector, const struct metric_query *query,
                                struct arena *arena)
{
    return reading_nothing(NOTHING_NO_DATA,
                           arena_format(arena, "%s: no series %s of %s (%zu instance%s)",
                                        query->slo->name, selector, arm_name(query->arm),
                                        query->count, query->count == 1 ? "" : "s"));
}

/* A misspelt label selects nothing and would read as "no errors". */
static const char *label_unknown(const struct tally_plan *plan)
{
    for (size_t i = 0; plan->bad_named && i < plan->bad.count; i++) {
        const struct om_matcher *matcher = &plan->bad.matchers[i];
        const bool positive = matcher->match == OM_EQUAL || matcher->match == OM_LIKE;
        if (!plan->bad_labels[i] && positive && *matcher->value != '\0') {
            return matcher->label;
        }
    }
    return NULL;
}

static bool errors_known(const struct tally_plan *plan, const struct metric_query *query,
                         const struct tally *tallies, struct arena *arena, struct reading *out)
{
    const char *label = label_unknown(plan);
    if (label) {
        *out = reading_nothing(NOTHING_NO_DATA,
                               arena_format(arena, "%s: no series of %s has the label '%s'",
                                            query->slo->name, plan->bad.name, label));
        return false;
    }
    for (size_t i = 0; i < query->count; i++) {
        if (tallies[i].without_status > 0) {
            const char *why = arena_format(arena,
                                           "%s: %s has none of the labels code, status "
                                           "and status_code: set `bad`",
                                           where(query, i, arena), plan->want.total);
            *out = reading_nothing(NOTHING_NO_DATA, why);
            return false;
        }
    }
    return true;
}

static bool nowhere(const struct metric_query *query, const struct tally *tallies)
{
    for (size_t i = 0; i < query->count; i++) {
        if (tallies[i].main.count > 0) {
            return false;
        }
    }
    return true;
}

static struct reading read_counts(const struct tally_plan *plan, const struct metric_query *query,
                                  const struct tally *tallies, struct arena *arena)
{
    struct reading reading = reading_series(READING_COUNTS, query, arena);
    if (!errors_known(plan, query, tallies, arena, &reading)) {
        return reading;
    }
    for (size_t i = 0; i < query->count; i++) {
        struct series *series = &reading.series[i];
        /* Client libraries make a series at its first event: absent here is none yet. */
        series->bad = tallies[i].bad.sum;
        series->total = tallies[i].main.sum;
        series->started = tallies[i].started;
        if (!counts_possible(series->bad, series->total, where(query, i, arena), arena, &reading)) {
            return reading;
        }
    }
    return reading;
}

static double *bucket_at(const struct tally *tally, double le)
{
    for (size_t i = 0; i < tally->bucket_count; i++) {
        if (tally->les[i] == le) {
            return &tally->buckets[i];
        }
    }
    return NULL;
}

/* Cumulative counts stay true at the bounds that all instances have in common. */
static void common_bounds(const struct metric_query *query, const struct tally *tallies,
                          struct arena *arena, struct reading *reading)
{
    const struct tally *first = NULL;
    for (size_t i = 0; i < query->count && !first; i++) {
        first = tallies[i].main.count > 0 ? &tallies[i] : NULL;
    }
    reading->bounds = arena_array(arena, METRIC_BUCKETS, sizeof(double));
    for (size_t b = 0; first && b < first->bucket_count; b++) {
        bool common = true;
        for (size_t i = 0; i < query->count; i++) {
            common =
                common && (tallies[i].main.count == 0 || bucket_at(&tallies[i], first->les[b]));
        }
        if (common) {
            reading->bounds[reading->bound_count++] = first->les[b];
        }
    }
}

static bool copy_buckets(const struct tally *tally, struct reading *reading, struct series *series,
                         struct arena *arena)
{
    series->buckets = arena_array(arena, METRIC_BUCKETS, sizeof(double));
    series->started = tally->started;
    for (size_t b = 0; b < reading->bound_count && tally->main.count > 0; b++) {
        series->buckets[b] = *bucket_at(tally, reading->bounds[b]);
        if (!isfinite(series->buckets[b]) || series->buckets[b] < 0) {
            return false;
        }
    }
    return true;
}

static const char *histogram_broken(const struct metric_query *query, const struct tally *tallies,
                                    const struct reading *reading, struct arena *arena)
{
    for (size_t i = 0; i < query->count; i++) {
        if (tallies[i].too_many) {
            return arena_format(arena, "%s: more than %d buckets", where(query, i, arena),
                                METRIC_BUCKETS);
        }
    }
    if (reading->bound_count < 2 || !isinf(reading->bounds[reading->bound_count - 1])) {
        return arena_format(arena,
                            "%s: no histogram: buckets with le, up to le=\"+Inf\", are "
                            "missing",
                            query->slo->name);
    }
    return NULL;
}

static struct reading read_histogram(const struct tally_plan *plan,
                                     const struct metric_query *query, const struct tally *tallies,
                                     struct arena *arena)
{
    struct reading reading = reading_series(READING_HISTOGRAM, query, arena);
    common_bounds(query, tallies, arena, &reading);
    const char *broken = histogram_broken(query, tallies, &reading, arena);
    if (broken) {
        return reading_nothing(NOTHING_GARBAGE, broken);
    }
    for (size_t i = 0; i < query->count; i++) {
        if (!copy_buckets(&tallies[i], &reading, &reading.series[i], arena)) {
            return reading_nothing(NOTHING_NAN, arena_format(arena,
                                                             "%s: a bucket is NaN, infinite or "
                                                             "negative",
                                                             where(query, i, arena)));
        }
    }
    for (size_t b = 0; b < reading.bound_count; b++) {
        reading.bounds[b] *= plan->want.scale;
    }
    return reading;
}

static struct reading read_value(const struct tally_plan *plan, const struct metric_query *query,
                                 const struct tally *tallies, struct arena *arena)
{
    double sum = 0;
    for (size_t i = 0; i < query->count; i++) {
        const size_t count = tallies[i].main.count;
        if (count != 1) {
            return reading_nothing(count == 0 ? NOTHING_PARTIAL : NOTHING_MULTI_SERIES,
                                   arena_format(arena, "%s: %s is %zu series, one is needed",
                                                where(query, i, arena), plan->want.value, count));
        }
        sum += tallies[i].main.sum;
    }
    return reading_gauge(
        sum / (double)query->count * plan->want.scale,
        arena_format(arena, "%s: %s is NaN or infinite", query->slo->name, plan->want.value));
}

struct reading tally_reading(const struct tally_plan *plan, const struct metric_query *query,
                             const struct tally *tallies, struct arena *arena)
{
    if (nowhere(query, tallies)) {
        const char *selector = plan->want.kind == WANT_COUNTS      ? plan->want.total
                               : plan->want.kind == WANT_HISTOGRAM ? plan->want.histogram
                                                                   : plan->want.value;
        return no_series(selector, query, arena);
    }
    switch (plan->want.kind) {
    case WANT_COUNTS:
        return read_counts(plan, query, tallies, arena);
    case WANT_HISTOGRAM:
        return read_histogram(plan, query, tallies, arena);
    case WANT_VALUE:
        break;
    }
    return read_value(plan, query, tallies, arena);
}
