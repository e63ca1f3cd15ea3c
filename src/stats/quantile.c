/* SPDX-License-Identifier: Apache-2.0 */
#include "counts.h"

#include <math.h>

/* Counts never fall from bucket to bucket; float sums over targets may, by a hair. */
static double up_to(const double *cumulative, size_t index)
{
    double most = 0;
    for (size_t i = 0; i <= index; i++) {
        most = cumulative[i] > most ? cumulative[i] : most;
    }
    return most;
}

static size_t bucket_of(const double *cumulative, size_t count, double rank)
{
    size_t index = 0;
    while (index + 1 < count && cumulative[index] < rank) {
        index++;
    }
    return index;
}

double quantile_of(const double *bounds, const double *cumulative, size_t count, double q)
{
    if (count == 0 || !(q >= 0 && q <= 1)) {
        return NAN;
    }
    const double total = up_to(cumulative, count - 1);
    if (!isfinite(total) || total <= 0) {
        return NAN;
    }
    const double rank = q * total;
    const size_t index = bucket_of(cumulative, count, rank);
    if (isinf(bounds[index])) {
        /* Nothing is known beyond the last finite bound: it is the least the value can be. */
        return index > 0 ? bounds[index - 1] : NAN;
    }
    if (index == 0 && bounds[0] <= 0) {
        return bounds[0];
    }
    const double start = index > 0 ? bounds[index - 1] : 0;
    const double below = index > 0 ? up_to(cumulative, index - 1) : 0;
    const double inside = up_to(cumulative, index) - below;
    if (inside <= 0) {
        return start;
    }
    return start + (bounds[index] - start) * fmin((rank - below) / inside, 1);
}
