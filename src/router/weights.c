/* SPDX-License-Identifier: Apache-2.0 */
#include "router.h"

#include "text.h"

#include <math.h>

#define EXACT 1e-9 /* 0.05 is no binary number: this much above it is still 0.05 */

/* The largest a with m·a / (m·a + n·b) <= share. */
static int candidate_for(double share, int m, int64_t stable, int max)
{
    const double most = share * (double)stable / ((1 - share) * m);
    const double whole = floor(most + EXACT * (1 + most));
    return whole >= max ? max : (int)whole;
}

struct weights router_weights(double share, int m, int n, int max)
{
    struct weights best = {0, 1};
    if (!(share > 0) || m <= 0) {
        return best;
    }
    if (share >= 1 - EXACT || n <= 0) {
        return (struct weights){1, 0};
    }
    for (int b = 1; b <= max; b++) {
        const int a = candidate_for(share, m, (int64_t)n * b, max);
        if ((int64_t)a * best.stable > (int64_t)best.candidate * b) {
            best = (struct weights){a, b};
        }
    }
    return best;
}

double traffic_share(const struct traffic *traffic, const char *slot)
{
    double share = 0;
    for (size_t i = 0; i < traffic->count; i++) {
        if (text_equal(traffic->items[i].instance.slot, slot)) {
            share += traffic->items[i].share;
        }
    }
    return share;
}
