/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KINDS 1024

static uint64_t pick(uint64_t number, uint64_t what, uint64_t limit)
{
    uint64_t x = (number + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ what * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 29) * UINT64_C(0x94d049bb133111eb);
    return (x ^ x >> 32) % limit;
}

static void write_slos(struct buf *out, uint64_t n)
{
    static const char *const more[] = {
        "  latency-p99: {target: 500ms, window: 30s}\n",
        "  latency-p99: {max-increase: 50%, window: 30s}\n",
        "  throughput: {max-drop: 60%, window: 30s}\n",
        "  availability: {target: 95%, window: 30s}\n",
        "  conversion: {max-drop: 50%, window: 30s, required: false}\n",
        "  queue: {value: q, target: 50, window: 30s}\n",
        "  queue: {value: q, max-increase: 100%, tolerance: 10%, window: 30s, required: false}\n",
    };
    uint64_t which = pick(n, 12, 14);
    buf_addf(out, "slos:\n  error-rate: {%s, window: 30s}\n",
             pick(n, 15, 5) == 0 ? "max-increase: 2%" : "target: 1%");
    if (which < sizeof more / sizeof more[0])
        buf_adds(out, more[which]);
}

static void write_yaml(struct buf *out, uint64_t n)
{
    static const char *const steps[] = {
        "[{weight: 100%, watch: 20s}]",
        "[{weight: 25%, watch: 10s}, {weight: 100%, watch: 20s}]",
        "[{weight: 5%, watch: 20s}, {weight: 50%, watch: 10s}, {weight: 100%, watch: 10s}]",
    };
    buf_adds(out, "app: shop\nworkload: {sim: {on: true}}\ntraffic: {sim: {on: true}}\n"
                  "metrics: {sim: {on: true}}\n");
    if (pick(n, 1, 2))
        buf_adds(out, "url: http://shop.test\n");
    buf_addf(out, "strategies:\n  canary: {steps: %s, sign-off: %s}\n", steps[pick(n, 2, 3)],
             pick(n, 3, 4) == 0 ? "true" : "false");
    buf_addf(out, "  blue-green: {watch: %llus, sign-off: %s, retire-after: 1h}\n",
             (unsigned long long)(10 + pick(n, 4, 20)), pick(n, 5, 4) == 0 ? "true" : "false");
    buf_addf(out, "  rolling: {batch: 1, validate: %s, watch: %s}\n",
             pick(n, 6, 3) == 0 ? "manual" : "auto", pick(n, 7, 4) == 0 ? "0s" : "10s");
    if (pick(n, 8, 2))
        buf_adds(out, "gates:\n  security: {name: gate, sim: {on: true}}\n");
    if (pick(n, 9, 4))
        buf_adds(out, "smoke:\n  critical-path: {name: smoke, sim: {on: true}, retries: 1}\n");
    write_slos(out, n);
    buf_addf(out, "watch: {interval: 2s, min-requests: %llu, baseline: 4s, hold: 30s%s}\n",
             (unsigned long long)(5 + pick(n, 10, 10)), pick(n, 13, 6) == 0 ? ", warmup: 2s" : "");
    buf_adds(out, "ready-timeout: 10s\n");
    static const char *const on[] = {"[slo, smoke]", "[crash-loop, oom, unhealthy]"};
    uint64_t which = pick(n, 14, 12);
    if (which < 2)
        buf_addf(out, "rollback: {on: %s}\n", on[which]);
    else if (pick(n, 11, 3) == 0)
        buf_adds(out, "rollback: {keep: 1h}\n");
}

static struct config *load(uint64_t number)
{
    static struct arena arena;
    char path[] = "/tmp/sim-deploy-XXXXXX";
    AUTO_BUF struct buf text;
    struct problems problems = {0};
    struct error err = {0};
    struct config *config = NULL;
    buf_init(&text, 8192);
    write_yaml(&text, number);
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, text.data, text.length) != (ssize_t)text.length)
        abort();
    close(fd);
    const struct config_source source = {.path = path, .directory = "."};
    if (config_load(&arena, &source, &config, &problems, &err) != 0) {
        fprintf(stderr, "%s\n%s", err.message, text.data);
        abort();
    }
    unlink(path);
    return config;
}

struct config *config_of_sim(uint64_t number)
{
    static struct config *known[KINDS];
    number %= KINDS;
    if (known[number] == NULL)
        known[number] = load(number);
    return known[number];
}
