/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"
#include "io.h"

static int64_t system_mono(struct clock *clock)
{
    (void)clock;
    return loop_mono();
}

static int64_t system_wall(struct clock *clock)
{
    (void)clock;
    return loop_wall();
}

static int system_sleep(struct clock *clock, int64_t until, struct error *err)
{
    return loop_sleep(clock->loop, until, err);
}

static int system_cancelled(struct clock *clock)
{
    return loop_signal(clock->loop);
}

static void system_shield(struct clock *clock, bool on)
{
    loop_shield(clock->loop, on);
}

void clock_init(struct clock *clock, struct loop *loop)
{
    *clock = (struct clock){
        .mono = system_mono,
        .wall = system_wall,
        .sleep = system_sleep,
        .cancelled = system_cancelled,
        .shield = system_shield,
        .loop = loop,
    };
}
