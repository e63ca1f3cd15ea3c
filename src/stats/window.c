/* SPDX-License-Identifier: Apache-2.0 */
#include "counts.h"

#include "arena.h"

#include <math.h>

void window_init(struct window *window, struct arena *arena)
{
    window->items = arena_array(arena, WINDOW_SAMPLES, sizeof(*window->items));
    window_clear(window);
}

void window_clear(struct window *window)
{
    window->first = 0;
    window->count = 0;
}

static struct sample *sample_at(const struct window *window, size_t index)
{
    return &window->items[(window->first + index) % WINDOW_SAMPLES];
}

static double merged_gauge(double older, double newer)
{
    if (!isfinite(older)) {
        return newer;
    }
    return isfinite(newer) ? (older + newer) / 2 : older;
}

static void make_room(struct window *window)
{
    const struct sample *older = sample_at(window, 0);
    struct sample *newer = sample_at(window, 1);
    newer->counts.bad += older->counts.bad;
    newer->counts.total += older->counts.total;
    newer->seconds += older->seconds;
    newer->gauge = merged_gauge(older->gauge, newer->gauge);
    window->first = (window->first + 1) % WINDOW_SAMPLES;
    window->count--;
}

void window_add(struct window *window, const struct sample *sample)
{
    if (window->count >= WINDOW_SAMPLES) {
        make_room(window);
    }
    *sample_at(window, window->count) = *sample;
    window->count++;
}

/* Index of the first sample after `from`. */
static size_t first_after(const struct window *window, int64_t from)
{
    size_t index = 0;
    while (index < window->count && sample_at(window, index)->at <= from) {
        index++;
    }
    return index;
}

struct counts window_sum(const struct window *window, int64_t now, int64_t length, double *seconds)
{
    struct counts sum = {0, 0};
    double time = 0;
    for (size_t i = first_after(window, now - length); i < window->count; i++) {
        const struct sample *sample = sample_at(window, i);
        if (sample->at <= now) {
            sum.bad += sample->counts.bad;
            sum.total += sample->counts.total;
            time += sample->seconds;
        }
    }
    if (seconds) {
        *seconds = time;
    }
    return sum;
}

bool window_gauge(const struct window *window, int64_t now, int64_t length, double *out)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = first_after(window, now - length); i < window->count; i++) {
        const struct sample *sample = sample_at(window, i);
        if (sample->at <= now && isfinite(sample->gauge)) {
            sum += sample->gauge;
            count++;
        }
    }
    if (count == 0) {
        return false;
    }
    *out = sum / (double)count;
    return true;
}
