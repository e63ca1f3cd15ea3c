/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules turn numbers into a judgement. `threshold` is the rule of the requirements
 * (S-207…S-228, S-271…S-278); the sequential detector will be one more row of rule_table.
 * Pure: no clock, no I/O.
 */
#ifndef RULE_H
#define RULE_H

#include <stdbool.h>
#include <stdint.h>

enum judgement {
    JUDGE_PASS,      /* within the limit, with enough data */
    JUDGE_BREACH,    /* strictly beyond the limit (S-380), with enough data */
    JUDGE_UNDECIDED, /* not enough data yet */
    JUDGE_NODATA     /* nothing was read */
};
extern const char *const judgement_names[]; /* "PASS" "BREACH" "UNDECIDED" "NODATA" */

enum limit_kind {
    LIMIT_CEILING,  /* value > limit breaches: a target that is a maximum */
    LIMIT_FLOOR,    /* value < limit breaches: a target that is a minimum */
    LIMIT_POINTS,   /* value > baseline + limit: absolute points (D-05) */
    LIMIT_INCREASE, /* value > baseline × (1 + limit) */
    LIMIT_DROP      /* value < baseline × (1 - limit) */
};

struct limit {
    enum limit_kind kind;
    double limit; /* in the SLO's unit; POINTS, INCREASE, DROP: ratio */
};

/* What is known at one instant about one SLO. */
struct measurement {
    bool present;    /* false: NODATA */
    double value;    /* candidate */
    double baseline; /* NaN: none; then POINTS, INCREASE and DROP are UNDECIDED */
    double requests; /* candidate requests behind value; gauges: number of samples */
    double min_requests;
};

struct rule_row {
    const char *name; /* "threshold" */
    enum judgement (*judge)(const struct limit *limit, const struct measurement *measured);
};
extern const struct rule_row rule_table[]; /* ended by name NULL */

/* The number that value is compared with, in the SLO's unit; NaN without baseline. */
double limit_value(const struct limit *limit, double baseline);

#endif
