/* SPDX-License-Identifier: Apache-2.0
 *
 * What commands print as numbers: one number or two, or a nothing with its name.
 */
#include "../../src/metric/command.c"

#include "readings.h"

static void try_slo(struct arena *arena, const struct slo_config *slo,
                    const struct operation *operation)
{
    const struct metric_query query = {slo, ARM_CANDIDATE, both, 2};
    struct operation copy = *operation;
    struct task task;
    REQUIRE(plan_of(slo, arena, &task) == NULL);
    task.operations[LINE_MAIN] = &copy;
    task.operations[LINE_BAD] = task.lines[LINE_BAD] != NULL ? &copy : NULL;
    const struct reading reading = finish_task(&task, &query, arena);
    check_reading(&reading, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct slo_config slos[] = {
        {.name = "error-rate", .kind = SLO_ERROR_RATE, .total = "./both"},
        {.name = "errors", .kind = SLO_ERROR_RATE, .total = "./total", .bad = "./bad"},
        {.name = "gauge", .kind = SLO_GAUGE, .value = "./value"},
    };
    struct arena arena AUTO_ARENA = {0};
    struct operation operation = {.kind = OPERATION_PROCESS, .process.shell = "./both"};
    buf_init(&operation.result.output, 1 << 20);
    buf_add(&operation.result.output, (const char *)data, size);
    for (size_t i = 0; i < sizeof slos / sizeof slos[0]; i++) {
        try_slo(&arena, &slos[i], &operation);
    }
    buf_release(&operation.result.output);
    return 0;
}
