/* SPDX-License-Identifier: Apache-2.0 */
#include "counts.h"

#include <math.h>

static bool countable(double value)
{
    return isfinite(value) && value >= 0;
}

struct counts counter_delta(struct counter *last, double bad, double total, bool born)
{
    const struct counts none = {0, 0};
    if (!countable(bad) || !countable(total)) {
        return none; /* not a sample: the next one spans the gap */
    }
    struct counts delta = {bad, total};
    if (!last->seen) {
        delta = born ? delta : none;
    } else if (bad >= last->bad && total >= last->total) {
        delta = (struct counts){bad - last->bad, total - last->total};
    }
    last->bad = bad;
    last->total = total;
    last->seen = true;
    return delta;
}
