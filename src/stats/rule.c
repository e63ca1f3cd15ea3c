/* SPDX-License-Identifier: Apache-2.0 */
#include "rule.h"

#include <math.h>
#include <stddef.h>

const char *const judgement_names[] = {"PASS", "BREACH", "UNDECIDED", "NODATA", NULL};

double limit_value(const struct limit *limit, double baseline)
{
    switch (limit->kind) {
    case LIMIT_CEILING:
    case LIMIT_FLOOR:
        return limit->limit;
    case LIMIT_POINTS:
        return baseline + limit->limit;
    case LIMIT_INCREASE:
        return baseline * (1 + limit->limit);
    case LIMIT_DROP:
        return baseline * (1 - limit->limit);
    }
    return NAN;
}

/* S-380: equal passes. 0.06 + 0.02 is not 0.08 in binary, and 4 of 50 must not breach it. */
static bool beyond(double value, double limit)
{
    const double rounding = 1e-12 * fmax(fabs(value), fabs(limit));
    return value - limit > rounding;
}

static enum judgement threshold_judge(const struct limit *limit, const struct measurement *measured)
{
    if (!measured->present || !isfinite(measured->value)) {
        return JUDGE_NODATA;
    }
    const double bound = limit_value(limit, measured->baseline);
    if (!(measured->requests >= measured->min_requests) || !isfinite(bound)) {
        return JUDGE_UNDECIDED;
    }
    const bool floor = limit->kind == LIMIT_FLOOR || limit->kind == LIMIT_DROP;
    const bool breach = floor ? beyond(bound, measured->value) : beyond(measured->value, bound);
    return breach ? JUDGE_BREACH : JUDGE_PASS;
}

const struct rule_row rule_table[] = {
    {"threshold", threshold_judge},
    {NULL, NULL},
};
