/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t sim_hash(uint64_t tag, uint64_t a, uint64_t b)
{
    return mix(mix(mix(mix(sim.seed) ^ tag) ^ a) ^ b);
}

uint64_t sim_below(uint64_t tag, uint64_t a, uint64_t b, uint64_t limit)
{
    return sim_hash(tag, a, b) % limit;
}

uint64_t sim_name(const char *run, const char *step)
{
    uint64_t hash = 1469598103934665603U;
    for (const char *at = run; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 1099511628211U;
    for (const char *at = step; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 1099511628211U;
    return hash;
}
