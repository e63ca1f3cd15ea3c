/* SPDX-License-Identifier: Apache-2.0
 *
 * The messages of the requirements, word for word (S-339…S-363).
 */
#include "arena.h"
#include "report.h"
#include "text.h"

#include <string.h>

#define LINES_MAX 12

struct lines {
    const char **items;
    size_t count;
};

static void add(struct lines *lines, const char *line)
{
    if (lines->count < LINES_MAX)
        lines->items[lines->count++] = line;
}

static const struct run_step *failed_step(const struct run *run)
{
    for (size_t i = 0; i < run->step_count; i++) {
        if (run->steps[i].status == STATUS_FAILED)
            return &run->steps[i];
    }
    for (size_t i = 0; i < run->step_count; i++) {
        if (run->steps[i].status == STATUS_INTENT)
            return &run->steps[i];
    }
    return NULL;
}

static const char *error_of(const struct run_step *step)
{
    return step == NULL || step->error == NULL ? "no reason recorded" : step->error;
}

static void gate_failed(struct lines *lines, struct arena *arena, const struct run *run)
{
    const struct run_step *step = failed_step(run);
    const char *gate = step == NULL || step->step.group == NULL ? "unknown" : step->step.group;
    add(lines, arena_format(arena, "Pre-deployment validation failed: %s", gate));
    add(lines, "Resolve gate failure before proceeding");
    add(lines, "/project:gate-check construction");
    add(lines, "Review quality gate criteria and re-run validation");
}

static void execution_failed(struct lines *lines, struct arena *arena, const struct run *run)
{
    const char *error = error_of(failed_step(run));
    add(lines, arena_format(arena, "Deployment failed: %s", error));
    add(lines, "Review deployment logs, fix issue, re-run deployment");
    if (strcasestr(error, "image") != NULL && strcasestr(error, "not found") != NULL)
        add(lines, "Container image not found: Verify artifact registry and image tags");
}

static void smoke_failed(struct lines *lines, struct arena *arena, const struct run *run,
                         const char *error)
{
    (void)run;
    add(lines, arena_format(arena, "Smoke tests failed: %s", error));
    add(lines, "Review test logs, fix issue, re-run smoke tests");
    add(lines, "If deployed to production, trigger rollback");
    if (strcasestr(error, "health") != NULL)
        add(lines, "API health check failed: Check pod status, logs, network connectivity");
}

static const struct run_metric *metric_named(const struct run *run, const char *slo)
{
    for (size_t i = 0; i < run->metric_count; i++) {
        if (text_equal(run->metrics[i].slo, slo))
            return &run->metrics[i];
    }
    return NULL;
}

static const char *number(struct arena *arena, const struct run_metric *metric, double value)
{
    bool percent = text_equal(metric->unit, "%");
    const char *gap = percent || text_blank(metric->unit) ? "" : " ";
    return arena_format(arena, "%.4g%s%s", percent ? value * 100 : value, gap,
                        metric->unit == NULL ? "" : metric->unit);
}

static void breach_found(struct lines *lines, struct arena *arena, const struct run *run)
{
    const struct run_metric *metric = metric_named(run, run->trigger_id);
    const char *current =
        metric == NULL ? run->trigger_detail : number(arena, metric, metric->value);
    const char *target = metric == NULL ? "-" : number(arena, metric, metric->limit);
    add(lines, arena_format(arena, "SLO breach detected: %s - Current: %s, Target: %s",
                            run->trigger_id, current, target));
    if (metric != NULL && text_equal(metric->kind, "error-rate"))
        add(lines,
            arena_format(arena, "SLO BREACH: Error rate %s exceeds threshold %s", current, target));
    else if (metric != NULL && text_equal(metric->kind, "latency"))
        add(lines, arena_format(arena, "SLO BREACH: Latency p99 %.0fms exceeds threshold %.0fms",
                                metric->value, metric->limit));
    if (run->strategy == STRATEGY_CANARY && metric != NULL &&
        text_equal(metric->kind, "error-rate"))
        add(lines, "ERROR: Canary error rate breach, triggering rollback");
    add(lines, "Automated rollback triggered");
    add(lines, "Declare incident, start root cause analysis");
}

static void rollback_failed(struct lines *lines, struct arena *arena, const struct run *run)
{
    const struct run_step *broken = NULL;
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        bool decides = step->step.kind == STEP_VERIFY || step->step.kind == STEP_SMOKE;
        if (step->direction == BACKWARD && decides && step->status == STATUS_FAILED)
            broken = broken == NULL ? step : broken;
    }
    const char *error = broken != NULL || run->headline == NULL ? error_of(broken) : run->headline;
    static const char prefix[] = "CRITICAL: Rollback failed - ";
    if (text_starts(error, prefix))
        error += sizeof prefix - 1;
    add(lines, arena_format(arena, "%s%s", prefix, error));
    add(lines, "Escalate to Incident Commander immediately");
    add(lines, "1. Declare P0 incident");
    add(lines, "2. Assemble incident response team");
    add(lines, "3. Manual intervention required (e.g., traffic rerouting, emergency maintenance)");
    add(lines, "4. Notify stakeholders of service disruption");
}

static void infrastructure_failed(struct lines *lines, struct arena *arena, const struct run *run)
{
    add(lines, arena_format(arena, "Infrastructure failure: %s", error_of(failed_step(run))));
    add(lines, "Check node health, pod status, network connectivity");
    add(lines, "Resolve infrastructure issue, re-run deployment");
}

static void trigger_lines(struct lines *lines, struct arena *arena, const struct run *run)
{
    if (text_equal(run->trigger, "slo-breach"))
        breach_found(lines, arena, run);
    else if (text_equal(run->trigger, "smoke-test-failure"))
        smoke_failed(lines, arena, run, run->trigger_detail);
    else if (text_equal(run->trigger, "infrastructure"))
        infrastructure_failed(lines, arena, run);
}

static void success_lines(struct lines *lines, const struct run *run)
{
    for (size_t i = 0; i < run->metric_count; i++) {
        if (text_equal(run->metrics[i].judgement, "PASS")) {
            add(lines, "SLO CHECK PASSED: All metrics within targets");
            return;
        }
    }
}

const char *const *report_messages(struct arena *arena, const struct run *run)
{
    struct lines lines = {.items = arena_array(arena, LINES_MAX + 1, sizeof(char *))};
    const struct run_step *step = failed_step(run);
    switch ((enum run_status)run->status) {
    case RUN_SUCCEEDED:
        success_lines(&lines, run);
        break;
    case RUN_REFUSED:
        gate_failed(&lines, arena, run);
        break;
    case RUN_FAILED:
        if (step != NULL && step->step.kind == STEP_SMOKE)
            smoke_failed(&lines, arena, run, error_of(step));
        else
            execution_failed(&lines, arena, run);
        break;
    case RUN_BROKEN:
        infrastructure_failed(&lines, arena, run);
        break;
    case RUN_ROLLED_BACK:
        trigger_lines(&lines, arena, run);
        break;
    case RUN_ROLLBACK_FAILED:
        rollback_failed(&lines, arena, run);
        break;
    default:
        break;
    }
    return lines.items;
}
