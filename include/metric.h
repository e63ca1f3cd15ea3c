/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads one SLO's numbers for one arm. Sources give raw counters per target (instance),
 * never rates: stats/ takes the differences and sees restarts. A driver is one file in
 * src/metric/ and one row in src/catalog.c. Reading nothing is an answer with a name.
 */
#ifndef METRIC_H
#define METRIC_H

#include "driver.h"

struct metric; /* the driver's own */

enum reading_kind {
    READING_NOTHING,
    READING_COUNTS,    /* cumulative bad and total per target */
    READING_HISTOGRAM, /* cumulative counts per bucket and target */
    READING_GAUGE      /* one number in the SLO's unit */
};

enum nothing {
    NOTHING_NO_DATA,      /* no such series, empty answer, null */
    NOTHING_NAN,          /* the source itself said NaN or Inf */
    NOTHING_MULTI_SERIES, /* several series where one number was asked for (D-07) */
    NOTHING_PARTIAL,      /* some targets answered, some did not */
    NOTHING_STALE,        /* older than two scrape intervals */
    NOTHING_UNREACHABLE,  /* no answer, an error, too slow */
    NOTHING_GARBAGE       /* an answer that could not be understood */
};
extern const char *const nothing_names[]; /* "NO_DATA", "NAN", … ended by NULL */

#define METRIC_BUCKETS 64

struct series {
    const char *target; /* instance name */
    double bad, total;  /* READING_COUNTS; errors missing beside a total: 0 */
    double *buckets;    /* READING_HISTOGRAM: cumulative count at each bound */
    double started;     /* wall s at which the target's counters began; 0: unknown */
};

struct reading {
    enum reading_kind kind;
    enum nothing nothing;  /* READING_NOTHING */
    struct series *series; /* COUNTS, HISTOGRAM; one a target */
    size_t count;
    double *bounds; /* HISTOGRAM: upper bounds in ms, rising; the last may be Inf */
    size_t bound_count;
    double gauge;
    bool whole;      /* of the whole service: the source does not tell arms apart */
    const char *why; /* one line: the query or address, and what was wrong */
    int64_t at;      /* wall ms of the measurement */
};

struct metric_query {
    const struct slo_config *slo;
    enum arm arm;
    const struct instance *const *instances; /* of that arm */
    size_t count;
};

struct metric_driver {
    int (*open)(const struct driver_context *context, struct metric **out, struct error *err);
    /* NULL where the source can measure the SLO, else why not ("the load balancer knows
     * means only, not 'latency-p99': use scrape or prometheus"). Pure. */
    const char *(*refuses)(const struct metric *metric, const struct slo_config *slo,
                           struct arena *arena);
    /* Answers all queries at once, in parallel; readings live in arena. -1 only when
     * cancelled: everything else is READING_NOTHING. */
    int (*read)(struct metric *metric, const struct metric_query *queries, size_t count,
                struct reading *out, struct arena *arena);
    void (*close)(struct metric *metric);
};

#endif
