/* SPDX-License-Identifier: Apache-2.0
 *
 * One line of `slos:`.
 */
#ifndef SLO_H
#define SLO_H

#include "field.h"

enum slo_kind {
    SLO_ERROR_RATE,
    SLO_LATENCY,
    SLO_THROUGHPUT,
    SLO_AVAILABILITY,
    SLO_CONVERSION,
    SLO_ACTIVITY,
    SLO_GAUGE
};
enum slo_mode { MODE_AUTO, MODE_ABSOLUTE, MODE_RELATIVE };

/* One line of `slos:`. kind follows from the name (error-rate or error_rate, latency-p99,
 * throughput, availability, conversion, user-activity; anything else: gauge). */
struct slo_config {
    const char *name;
    enum slo_kind kind;
    double quantile;    /* SLO_LATENCY: 0.99 for p99 */
    const char *source; /* name of a metric driver; NULL: the first that can */
    const char *bad, *total, *histogram, *value; /* the source's own selectors; NULL: default */
    const char *url;        /* json source only: another address for this SLO */
    const char *unit;       /* of `value` and `histogram` as the source gives them: "ratio"
                                  "percent" "ms" "s" "req/s"; NULL: not told */
    struct quantity target; /* absolute limit; set false: none */
    double max_increase;    /* ratio; negative: no such rule. 0.02 and mode absolute: points */
    double max_drop;        /* ratio below baseline; negative: no such rule */
    double tolerance;       /* end-of-run expectation, ± ratio (D-08); negative: none */
    int mode;               /* enum slo_mode; AUTO: absolute for error rate, else relative */
    int64_t window;         /* ms, detection window; alias measurement_window */
    int64_t min_requests;   /* -1: watch.min-requests */
    bool required;          /* missing data holds the run (default true) */
    bool report_only;       /* measured and reported, never a trigger (windows > 1 d) */
    struct place place;
};

#endif
