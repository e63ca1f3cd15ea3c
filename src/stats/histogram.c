/* SPDX-License-Identifier: Apache-2.0 */
#include "histogram.h"

#include "arena.h"
#include "counts.h"

#include <math.h>
#include <string.h>

static void bounds_set(struct histogram *histogram, const struct histogram_reading *reading,
                       size_t count)
{
    memcpy(histogram->bounds, reading->bounds, count * sizeof reading->bounds[0]);
    histogram->bound_count = count;
    histogram->target_count = 0;
    histogram_clear(histogram);
}

static bool bounds_same(const struct histogram *histogram, const struct histogram_reading *reading,
                        size_t count)
{
    if (histogram->bound_count != count)
        return false;
    return memcmp(histogram->bounds, reading->bounds, count * sizeof reading->bounds[0]) == 0;
}

static struct histogram_target *target_of(struct histogram *histogram, struct arena *arena,
                                          const char *name)
{
    for (size_t i = 0; i < histogram->target_count; i++) {
        if (strcmp(histogram->targets[i].name, name) == 0)
            return &histogram->targets[i];
    }
    if (histogram->target_count == histogram->target_capacity)
        histogram->targets = arena_grow(arena, histogram->targets, histogram->target_count,
                                        &histogram->target_capacity, sizeof *histogram->targets);
    struct histogram_target *target = &histogram->targets[histogram->target_count++];
    memset(target, 0, sizeof *target);
    target->name = arena_text(arena, name);
    return target;
}

static struct histogram_slot *slot_for(struct histogram *histogram,
                                       const struct histogram_reading *reading)
{
    if (histogram->count > 0) {
        size_t last = (histogram->first + histogram->count - 1) % HISTOGRAM_SLOTS;
        if (reading->at - histogram->slots[last].at < reading->slot_ms)
            return &histogram->slots[last];
    }
    if (histogram->count == HISTOGRAM_SLOTS)
        histogram->first = (histogram->first + 1) % HISTOGRAM_SLOTS;
    else
        histogram->count++;
    size_t index = (histogram->first + histogram->count - 1) % HISTOGRAM_SLOTS;
    memset(&histogram->slots[index], 0, sizeof histogram->slots[index]);
    histogram->slots[index].at = reading->at;
    return &histogram->slots[index];
}

void histogram_add(struct histogram *histogram, struct arena *arena,
                   const struct histogram_reading *reading)
{
    size_t count = reading->count < HISTOGRAM_BUCKETS ? reading->count : HISTOGRAM_BUCKETS;
    if (count == 0)
        return;
    if (histogram->slots == NULL)
        histogram->slots = arena_array(arena, HISTOGRAM_SLOTS, sizeof *histogram->slots);
    if (!bounds_same(histogram, reading, count))
        bounds_set(histogram, reading, count);
    struct histogram_target *target = target_of(histogram, arena, reading->target);
    struct histogram_slot *slot = slot_for(histogram, reading);
    /* One bucket that went back means that the process restarted: all count from 0. */
    bool restarted = false;
    for (size_t i = 0; i < count; i++)
        restarted = restarted || reading->cumulative[i] < target->last[i];
    for (size_t i = 0; i < count; i++) {
        double before = restarted ? 0 : target->last[i];
        if (target->seen)
            slot->counts[i] += reading->cumulative[i] - before;
        target->last[i] = reading->cumulative[i];
    }
    target->seen = true;
}

void histogram_clear(struct histogram *histogram)
{
    histogram->first = 0;
    histogram->count = 0;
}

double histogram_quantile(const struct histogram *histogram, int64_t now, int64_t length, double q,
                          double *requests)
{
    double sum[HISTOGRAM_BUCKETS] = {0};
    for (size_t i = 0; i < histogram->count; i++) {
        const struct histogram_slot *slot =
            &histogram->slots[(histogram->first + i) % HISTOGRAM_SLOTS];
        if (slot->at <= now - length || slot->at > now)
            continue;
        for (size_t j = 0; j < histogram->bound_count; j++)
            sum[j] += slot->counts[j];
    }
    *requests = histogram->bound_count > 0 ? sum[histogram->bound_count - 1] : 0;
    if (*requests <= 0)
        return NAN;
    return quantile_of(histogram->bounds, sum, histogram->bound_count, q);
}
