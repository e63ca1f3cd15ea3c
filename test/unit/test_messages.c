/* SPDX-License-Identifier: Apache-2.0
 *
 * The messages of the requirements, word for word (S-153, S-226…S-228, S-339…S-363), the
 * word of each end (D-12), and what `status` prints.
 */
#include "report_test.h"

static struct run_step *failed_step(enum step_kind kind, const char *error)
{
    struct run_step *step = add_step(kind, PHASE_EXECUTE, 1, 2);
    step->status = STATUS_FAILED;
    step->error = error;
    return step;
}

static void gate_messages(void **state)
{
    (void)state;
    run.status = RUN_REFUSED;
    add_step(STEP_CHECK, PHASE_VALIDATE, 0, 1)->step.group = "security";
    failed_step(STEP_CHECK, "approvals: ask: FAIL: no")->step.group = "approvals";
    EXPECT_MESSAGES("Pre-deployment validation failed: approvals",
                    "Resolve gate failure before proceeding", "/project:gate-check construction",
                    "Review quality gate criteria and re-run validation");
}

static void execution_messages(void **state)
{
    (void)state;
    run.status = RUN_FAILED;
    struct run_step *step = failed_step(STEP_DEPLOY, "green-1: no disk");
    EXPECT_MESSAGES("Deployment failed: green-1: no disk",
                    "Review deployment logs, fix issue, re-run deployment");
    step->error = "Image shop:v2 not found";
    EXPECT_MESSAGES("Deployment failed: Image shop:v2 not found",
                    "Review deployment logs, fix issue, re-run deployment",
                    "Container image not found: Verify artifact registry and image tags");
}

static void smoke_messages(void **state)
{
    (void)state;
    run.status = RUN_FAILED;
    struct run_step *step = failed_step(STEP_SMOKE, "critical-path/login: FAIL: 500");
    EXPECT_MESSAGES("Smoke tests failed: critical-path/login: FAIL: 500",
                    "Review test logs, fix issue, re-run smoke tests",
                    "If deployed to production, trigger rollback");
    step->error = "api/GET /health: FAIL: 503";
    EXPECT_MESSAGES("Smoke tests failed: api/GET /health: FAIL: 503",
                    "Review test logs, fix issue, re-run smoke tests",
                    "If deployed to production, trigger rollback",
                    "API health check failed: Check pod status, logs, network connectivity");
    turn_back();
    run.trigger = "smoke-test-failure";
    run.trigger_detail = "critical-path/login: FAIL: 500";
    EXPECT_MESSAGES("Smoke tests failed: critical-path/login: FAIL: 500",
                    "Review test logs, fix issue, re-run smoke tests",
                    "If deployed to production, trigger rollback");
}

static void breach_messages(void **state)
{
    (void)state;
    turn_back();
    struct run_metric *errors = add_metric("error-rate", "error-rate", "%", "BREACH");
    errors->value = 0.035, errors->limit = 0.03;
    EXPECT_MESSAGES("SLO breach detected: error-rate - Current: 3.5%, Target: 3%",
                    "SLO BREACH: Error rate 3.5% exceeds threshold 3%",
                    "ERROR: Canary error rate breach, triggering rollback",
                    "Automated rollback triggered", "Declare incident, start root cause analysis");
    run.strategy = STRATEGY_BLUE_GREEN;
    run.trigger_id = "latency-p99";
    struct run_metric *latency = add_metric("latency-p99", "latency", "ms", "BREACH");
    latency->value = 612.4, latency->limit = 500;
    EXPECT_MESSAGES("SLO breach detected: latency-p99 - Current: 612.4 ms, Target: 500 ms",
                    "SLO BREACH: Latency p99 612ms exceeds threshold 500ms",
                    "Automated rollback triggered", "Declare incident, start root cause analysis");
    run.trigger_id = "queue";
    struct run_metric *queue = add_metric("queue", "gauge", "", "BREACH");
    queue->value = 12, queue->limit = 10;
    EXPECT_MESSAGES("SLO breach detected: queue - Current: 12, Target: 10",
                    "Automated rollback triggered", "Declare incident, start root cause analysis");
}

static void rollback_failure_messages(void **state)
{
    (void)state;
    turn_back();
    run.status = RUN_ROLLBACK_FAILED;
    run.steps[1].status = STATUS_FAILED;
    run.steps[1].error = "api/health: FAIL: 500";
#define URGENT                                                                 \
    "Escalate to Incident Commander immediately", "1. Declare P0 incident",    \
        "2. Assemble incident response team",                                  \
        "3. Manual intervention required (e.g., traffic rerouting, emergency " \
        "maintenance)",                                                        \
        "4. Notify stakeholders of service disruption"
    EXPECT_MESSAGES("CRITICAL: Rollback failed - api/health: FAIL: 500", URGENT);
    run.steps[0].status = STATUS_FAILED;
    run.steps[0].error = "'blue-1' is down";
    EXPECT_MESSAGES("CRITICAL: Rollback failed - 'blue-1' is down", URGENT);
    run.step_count = 0;
    run.headline = "CRITICAL: Rollback failed - there is no older version";
    EXPECT_MESSAGES("CRITICAL: Rollback failed - there is no older version", URGENT);
}

static void infrastructure_messages(void **state)
{
    (void)state;
    run.status = RUN_BROKEN;
    failed_step(STEP_SHIFT, "no such socket")->status = STATUS_INTENT;
    EXPECT_MESSAGES("Infrastructure failure: no such socket",
                    "Check node health, pod status, network connectivity",
                    "Resolve infrastructure issue, re-run deployment");
    turn_back();
    run.trigger = "infrastructure";
    EXPECT_MESSAGES("Infrastructure failure: no such socket",
                    "Check node health, pod status, network connectivity",
                    "Resolve infrastructure issue, re-run deployment");
}

static void success_message(void **state)
{
    (void)state;
    assert_null(report_messages(&arena, &run)[0]);
    add_metric("throughput", "throughput", "req/s", "NODATA");
    assert_null(report_messages(&arena, &run)[0]);
    add_metric("error-rate", "error-rate", "%", "PASS");
    EXPECT_MESSAGES("SLO CHECK PASSED: All metrics within targets");
    turn_back();
    run.trigger = "manual";
    assert_null(report_messages(&arena, &run)[0]);
}

/* D-12 */
static void every_status_has_its_word(void **state)
{
    (void)state;
    static const struct {
        enum run_status status;
        const char *word;
    } rows[] = {{RUN_SUCCEEDED, "SUCCESS"},      {RUN_ROLLED_BACK, "ROLLBACK"},
                {RUN_SUPERSEDED, "ROLLBACK"},    {RUN_REFUSED, "FAILED"},
                {RUN_FAILED, "FAILED"},          {RUN_BROKEN, "FAILED"},
                {RUN_ROLLBACK_FAILED, "FAILED"}, {RUN_RUNNING, "IN PROGRESS"},
                {RUN_WAITING, "WAITING"},        {RUN_HELD, "HELD"},
                {RUN_CANCELLED, "CANCELLED"}};
    assert_int_equal(sizeof rows / sizeof rows[0], RUN_CANCELLED + 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run.status = (int)rows[i].status;
        render(DOCUMENT_REPORT);
        EXPECT_IN(NULL, arena_format(&arena, "**%s**: ", rows[i].word),
                  arena_format(&arena, "| **Status** | %s (exit code 0) |", rows[i].word));
    }
}

static void status_fits_a_terminal(void **state)
{
    (void)state;
    AUTO_BUF struct buf out;
    buf_init(&out, 65536);
    run.status = RUN_WAITING;
    run.headline = "v2 waits for a person: sign";
    add_step(STEP_DEPLOY, PHASE_EXECUTE, 1, 2)->evidence = "ready";
    add_step(STEP_APPROVE, PHASE_COMPLETE, 2, 0)->status = STATUS_INTENT;
    add_step(STEP_PROMOTE, PHASE_COMPLETE, 0, 0)->status = STATUS_PENDING;
    report_status(&out, &arena, &run);
    assert_string_equal(
        out.data, "shop v2 over v1, canary: waiting\nv2 waits for a person: sign\n"
                  "run 1795514400-0a1b2c3d, started 2026-11-24T10:00:00Z, 0 processes so far\n"
                  "\n  [x] title 0                                      ready\n"
                  "  [>] title 1                                      \n"
                  "  [ ] title 2                                      \n"
                  "\nnext: `deploy-action promote` to go on, `deploy-action rollback` to go "
                  "back\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_report, end_report)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gate_messages),   TEST(execution_messages),        TEST(smoke_messages),
        TEST(breach_messages), TEST(rollback_failure_messages), TEST(infrastructure_messages),
        TEST(success_message), TEST(every_status_has_its_word), TEST(status_fits_a_terminal),
    };
    return cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}
