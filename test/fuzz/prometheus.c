/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of Prometheus' HTTP API to each kind of query. The first line is the HTTP
 * status, whose remainder by four is the kind.
 */
#include "../../src/metric/prometheus.c"

#include "readings.h"

static const struct config config = {.watch_interval = 10000};
static struct prometheus_settings settings = {
    .url = "http://127.0.0.1:9090", .label = "instance", .scrape_interval = 15000};
static const struct slo_config slos[] = {
    {.name = "error-rate", .kind = SLO_ERROR_RATE, .bad = "e{a=\"1\"}", .total = "t"},
    {.name = "availability", .kind = SLO_AVAILABILITY},
    {.name = "latency-p99", .kind = SLO_LATENCY, .quantile = 0.99},
    {.name = "mine", .kind = SLO_GAUGE, .value = "sum(x)"},
};

static void answer(struct arena *arena, const struct slo_config *slo,
                   const struct operation *operation)
{
    const struct driver_context context = {
        .config = &config, .settings = &settings, .arena = arena};
    struct metric metric = {.context = &context, .settings = &settings};
    struct web_sweep sweep = {.metric = &metric, .arena = arena};
    const struct metric_query query = {slo, ARM_CANDIDATE, both, 2};
    struct task task = {.whole = false};
    start_task(&sweep, &query, &task);
    REQUIRE(sweep.count == 1);
    sweep.pages[0].operation = operation;
    const struct reading reading = finish_task(&sweep, &query, &task);
    check_reading(&reading, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct slice rest = {(const char *)data, size};
    struct operation operation = {.kind = OPERATION_HTTP, .done = true};
    int64_t status = 200;
    if (text_int(input_line(&arena, &rest), &status, NULL) != 0) {
        status = 200;
    }
    operation.http.url = "http://127.0.0.1:9090/api/v1/query";
    operation.reply.status = (int)(status < 0 ? -(status % 1000) : status % 1000);
    buf_init(&operation.reply.body, 1 << 20);
    buf_add(&operation.reply.body, rest.data, rest.length);
    answer(&arena, &slos[operation.reply.status & 3], &operation);
    buf_release(&operation.reply.body);
    return 0;
}
