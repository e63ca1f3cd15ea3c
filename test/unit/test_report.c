/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands in the report, section by section (S-288…S-332), and in the messages and
 * other documents.
 */
#include "report_test.h"

static void sections_stand_in_order(void **state)
{
    (void)state;
    turn_back();
    render(DOCUMENT_REPORT);
    assert_true(text_starts(rendered, "# Production Deployment Report\n"));
    EXPECT_IN(NULL, "\n## Deployment Timeline\n", "\n## Strategy Details\n",
              "\n## Pre-Deployment Validation\n", "\n### Quality Gates Status\n",
              "\n### Environment Health\n", "\n### Artifacts\n", "\n## Smoke Test Results\n",
              "\n## SLO Monitoring Results\n", "\n### Error Rate\n", "\n### Latency p99\n",
              "\n### Throughput\n", "\n### Availability\n", "\n## Business Metrics\n",
              "\n### Conversion Rate\n", "\n### User Activity\n", "\n## Issues Encountered\n",
              "\n## Rollback Details\n", "\n## Lessons Learned\n", "\n### What Went Well\n",
              "\n### What Could Improve\n", "\n### Action Items\n", "\n## Runbook Updates\n",
              "\n## Sign-Offs\n", "\n## References\n", "\n---\n");
}

static void the_header_names_the_run(void **state)
{
    (void)state;
    run.project = "acme/shop";
    run.commit = "abc123";
    run.run_url = "https://ci/1";
    run_add_attempt(&run, &arena);
    run_add_attempt(&run, &arena);
    render(DOCUMENT_REPORT);
    EXPECT_IN(NULL, "**SUCCESS**: v2 serves 100 % in place of v1\n", "| **Project** | acme/shop |",
              "| **Version** | v2 (over v1) |", "| **Strategy** | canary |",
              "| **Date** | 2026-11-24 |", "| **Status** | SUCCESS (exit code 0) |",
              "| **Run** | 1795514400-0a1b2c3d, 2 process(es), commit abc123, https\\://ci/1 |");
    EXPECT_IN("## Deployment Timeline", "- **Start Time**: 2026-11-24T10:00:00Z\n",
              "- **End Time**: 2026-11-24T10:01:30Z\n", "- **Duration**: 1.5 minutes\n");
    run.project = NULL;
    render(DOCUMENT_REPORT);
    EXPECT_IN(NULL, "| **Project** | shop |");
}

/* Phases take turns: only the time in their own steps counts. */
static void milestones_have_time_and_duration(void **state)
{
    (void)state;
    add_step(STEP_CHECK, PHASE_VALIDATE, 1, 3);
    add_step(STEP_DEPLOY, PHASE_EXECUTE, 3, 13);
    add_step(STEP_SMOKE, PHASE_SMOKE, 13, 15);
    add_step(STEP_SHIFT, PHASE_EXECUTE, 15, 16);
    add_step(STEP_WATCH, PHASE_WATCH, 16, 676);
    add_step(STEP_SMOKE, PHASE_SMOKE, 676, 679);
    add_step(STEP_PROMOTE, PHASE_COMPLETE, 680, 681);
    add_step(STEP_NOTIFY, PHASE_COMPLETE, 681, 0)->ended = 0;
    render(DOCUMENT_REPORT);
    EXPECT_IN("## Deployment Timeline",
              "| Pre-deployment validation | 2026-11-24T10:00:01Z | 2.0 s |\n",
              "| Deployment execution | 2026-11-24T10:00:03Z | 11.0 s |\n",
              "| Smoke tests | 2026-11-24T10:00:13Z | 5.0 s |\n",
              "| SLO monitoring | 2026-11-24T10:00:16Z | 11m |\n",
              "| Completion/rollback | 2026-11-24T10:11:20Z | 1.0 s |\n",
              "| title 0 | done | 2026-11-24T10:00:01Z | 2.0 s | \\- |\n");
}

static void blue_green_details(void **state)
{
    (void)state;
    run.strategy = STRATEGY_BLUE_GREEN;
    add_step(STEP_DEPLOY, PHASE_EXECUTE, 3, 13);
    add_step(STEP_SHIFT, PHASE_EXECUTE, 15, 16)->step.weight = 1;
    run.retire_at = AT(86400);
    render(DOCUMENT_REPORT);
    EXPECT_IN("## Strategy Details", "- Green deployment: 2026-11-24T10:00:13Z\n",
              "- Traffic cutover: 2026-11-24T10:00:16Z\n",
              "- Blue retirement: N/A (due 2026-11-25T10:00:00Z)\n");
    add_step(STEP_RETIRE, PHASE_COMPLETE, 20, 21);
    run.steps[1].status = STATUS_FAILED;
    render(DOCUMENT_REPORT);
    EXPECT_IN("## Strategy Details", "- Traffic cutover: N/A\n",
              "- Blue retirement: 2026-11-24T10:00:21Z");
}

/* A rollback by hand is no breach of an SLO. */
static void canary_details(void **state)
{
    (void)state;
    static const double weights[] = {0.05, 0.25, 0.5, 1};
    for (int i = 0; i < 4; i++) {
        add_step(STEP_SHIFT, PHASE_EXECUTE, i * 10, i * 10 + 1)->step.weight = weights[i];
    }
    run.steps[3].status = STATUS_SKIPPED;
    run_add_event(&run, &arena, AT(9), EVENT_BREACH, "manual: manual: asked for by ann");
    render(DOCUMENT_REPORT);
    EXPECT_IN("## Strategy Details", "- 1-5%: 2026-11-24T10:00:01Z\n",
              "- 25%: 2026-11-24T10:00:11Z\n", "- 50%: 2026-11-24T10:00:21Z\n",
              "- 100%: not reached\n", "- SLO breaches: 0\n");
    run_add_event(&run, &arena, AT(9), EVENT_BREACH, "slo-breach: error-rate: 4 %");
    render(DOCUMENT_REPORT);
    EXPECT_IN("## Strategy Details", "- SLO breaches: 1\n");
}

static void rolling_details(void **state)
{
    (void)state;
    run.strategy = STRATEGY_ROLLING;
    add_step(STEP_DEPLOY, PHASE_EXECUTE, 1, 2)->step.count = 2;
    add_step(STEP_DEPLOY, PHASE_EXECUTE, 3, 4)->step.count = 2;
    add_step(STEP_DEPLOY, PHASE_EXECUTE, 5, 0)->step.count = 1;
    for (size_t i = 0; i < 3; i++) {
        static const char *names[] = {"web-1", "web-2"};
        run.steps[i].step.instances = names;
    }
    run.steps[2].status = STATUS_PENDING;
    run.paused_ms = 150000;
    render(DOCUMENT_REPORT);
    EXPECT_IN("## Strategy Details", "- Instances updated: 4/5\n", "- Batch size: 2\n",
              "- Pause duration: 2.5 minutes\n");
}

static void only_the_strategy_used_is_shown(void **state)
{
    (void)state;
    static const char *const titles[] = {"", "### Blue-Green", "### Canary", "### Rolling"};
    for (int used = STRATEGY_BLUE_GREEN; used <= STRATEGY_ROLLING; used++) {
        run.strategy = used;
        render(DOCUMENT_REPORT);
        for (int i = STRATEGY_BLUE_GREEN; i <= STRATEGY_ROLLING; i++) {
            assert_int_equal(strstr(rendered, titles[i]) != NULL, i == used);
        }
        expect_none("Rollback Details");
        expect_none("Incident Report");
    }
}

static void gates_and_environment_are_shown(void **state)
{
    (void)state;
    run.image = "registry/shop:v2";
    add_check("security", "scan", PASS, "no high");
    add_check("security", "licences", FAIL, "GPL found");
    add_check("reliability", "staging", PASS, "200");
    add_check("tests", "junit", UNKNOWN, "no file");
    add_check("approvals", "ask", PASS, "yes");
    add_check("environment", "instances", PASS, "2 of 2 serving instances are ready");
    add_check("environment", "nodes", PASS, "3 healthy, 0 unhealthy");
    add_check("incidents", "pager", FAIL, "P1 is open");
    add_check("incidents", "window", PASS, "none");
    add_check("artifacts", "sha256sum -c SHA256SUMS", PASS, "ok");
    add_check("artifacts", "signature", FAIL, "not signed");
    render(DOCUMENT_REPORT);
    EXPECT_IN("### Quality Gates Status", "| Security | FAIL |\n", "| Reliability | PASS |\n",
              "| Test | UNKNOWN |\n", "| Approval | PASS |\n", "- PASS security / scan: no high\n",
              "- FAIL security / licences: GPL found\n", "- UNKNOWN tests / junit: no file\n");
    EXPECT_IN("### Environment Health", "- Nodes: 3 healthy, 0 unhealthy\n",
              "- Pods: 2 of 2 serving instances are ready\n", "- Infrastructure alarms: 1\n");
    EXPECT_IN("### Artifacts", "- Container images: registry/shop:v2\n",
              "- Checksums verified: YES\n", "- Signatures validated: NO\n");
}

static void smoke_groups_are_counted(void **state)
{
    (void)state;
    add_check("critical-path", "login", PASS, "ok");
    add_check("critical-path", "checkout", FAIL, "500 at /pay");
    add_check("api", "health", PASS, "200");
    add_check("database", "select", UNKNOWN, "no answer");
    add_check("external", "payment", PASS, "200");
    add_check("external", "mail", PASS, "200");
    render(DOCUMENT_REPORT);
    EXPECT_IN("## Smoke Test Results", "| Critical Path Tests | 1/2 |\n",
              "| API Endpoint Tests | 1/1 |\n", "| Database Tests | 0/1 |\n",
              "| External Integration Tests | 2/2 |\n", "| Monitoring Tests | not recorded |\n",
              "- **FAIL** critical-path / checkout: 500 at /pay\n",
              "- **UNKNOWN** database / select: no answer\n");
    expect_none("Failures: none");
    run.check_count = 1;
    render(DOCUMENT_REPORT);
    EXPECT_IN("## Smoke Test Results", "Failures: none\n");
}

static void slos_are_compared(void **state)
{
    (void)state;
    struct run_metric *errors = add_metric("error-rate", "error-rate", "%", "BREACH");
    struct run_metric *latency = add_metric("latency-p99", "latency", "ms", "PASS");
    struct run_metric *rate = add_metric("throughput", "throughput", "req/s", "PASS");
    struct run_metric *up = add_metric("availability", "availability", "%", "PASS");
    errors->baseline = 0.001, errors->value = 0.035, errors->worst = 0.05;
    errors->target = 0.001, errors->limit = 0.021, errors->requests = 1000, errors->bad = 35;
    errors->source = "haproxy", errors->detail = "at most 2 points above baseline";
    latency->baseline = 210, latency->value = 230.5, latency->target = 500, latency->limit = 252;
    rate->baseline = 1000, rate->value = 990, rate->target = 900, rate->limit = 700;
    up->target = 0.9995;
    run.availability_ok = 999, run.availability_polls = 1000, run.downtime_ms = 1500;
    render(DOCUMENT_REPORT);
    EXPECT_IN("### Error Rate", "- Baseline: 0.10%\n", "- Post-Deployment: 3.50%\n",
              "- Target: 0.10% (limit 2.10%)\n", "- Status: BREACH\n");
    EXPECT_IN("### Latency p99", "- Baseline: 210.0 ms\n", "- Post-Deployment: 230.5 ms\n",
              "- Target: 500.0 ms (limit 252.0 ms)\n", "- Status: PASS\n");
    EXPECT_IN("### Throughput", "- Baseline: 1000.0 req/s\n", "- Post-Deployment: 990.0 req/s\n",
              "- Target: 900.0 req/s (limit 700.0 req/s)\n", "- Status: PASS\n");
    EXPECT_IN("### Availability", "- Uptime: 99.90%\n", "- Downtime: 1.5 seconds\n",
              "- Target: 99.95%\n", "- Status: BREACH\n",
              "| error-rate | haproxy | 0.10% | 3.50% | 5.00% | 2.10% | 1000 | 35 | BREACH | "
              "at most 2 points above baseline |\n");
    up->target = 0.999;
    render(DOCUMENT_REPORT);
    EXPECT_IN("### Availability", "- Target: 99.90%\n", "- Status: PASS\n");
}

static void business_metrics_are_compared(void **state)
{
    (void)state;
    struct run_metric *conversion = add_metric("conversion", "conversion", "%", "PASS");
    struct run_metric *users = add_metric("user-activity", "activity", "users", "PASS");
    conversion->baseline = 0.04, conversion->value = 0.038;
    users->baseline = 200, users->value = 250;
    render(DOCUMENT_REPORT);
    EXPECT_IN("### Conversion Rate", "- Baseline: 4.00%\n", "- Post-Deployment: 3.80%\n",
              "- Change: -5.0%\n");
    EXPECT_IN("### User Activity", "- Baseline: 200.0 users\n", "- Post-Deployment: 250.0 users\n",
              "- Change: +25.0%\n");
    users->baseline = 0;
    render(DOCUMENT_REPORT);
    EXPECT_IN("### User Activity", "- Change: not recorded\n");
}

static void issues_have_resolutions(void **state)
{
    (void)state;
    struct run_event *issue = run_add_event(&run, &arena, AT(10), EVENT_ISSUE, "weights changed");
    issue->severity = "P2", issue->resolved = AT(14), issue->resolution = "set again";
    run_add_event(&run, &arena, AT(20), EVENT_ISSUE, "no disk")->severity = "P3";
    run_add_event(&run, &arena, AT(20), EVENT_NOTE, "just a note");
    render(DOCUMENT_REPORT);
    EXPECT_IN("## Issues Encountered", "- **P2** weights changed\n", "  - Resolution: set again\n",
              "  - Time to Resolve: 4.0 s\n", "- **P3** no disk\n", "  - Resolution: open\n",
              "  - Time to Resolve: not recorded\n");
    expect_none("just a note");
    run.event_count = 0;
    turn_back();
    render(DOCUMENT_REPORT);
    EXPECT_IN("## Issues Encountered", "- **P1** slo-breach: error-rate: 3.50 %\n",
              "  - Resolution: rolled back automatically\n", "  - Time to Resolve: 1m\n");
}

static void a_rollback_is_told(void **state)
{
    (void)state;
    turn_back();
    run.steps[0].ended = AT(66);
    render(DOCUMENT_REPORT);
    EXPECT_IN("## Rollback Details",
              "- Rollback Trigger: slo-breach (error-rate: 3.50 %, limit 3.00 %)\n",
              "- Rollback Strategy: canary\n", "- Rollback Duration: 0.6 minutes\n",
              "- Rollback Success: YES\n", "- Smoke Tests Post-Rollback: PASS\n",
              "- Breach known 2026-11-24T10:00:30Z, first router command 2026-11-24T10:00:31Z, "
              "old version verified 2026-11-24T10:01:06Z\n");
    EXPECT_IN("## Lessons Learned", "- the breach led to a verified rollback in 36.0 s\n");
}

/* Verified, but the old version does not work: that is no success (S-261). */
static void a_failed_rollback_is_no_success(void **state)
{
    (void)state;
    turn_back();
    run.status = RUN_ROLLBACK_FAILED;
    run.steps[1].status = STATUS_FAILED;
    render(DOCUMENT_REPORT);
    EXPECT_IN("## Rollback Details", "- Rollback Success: NO\n",
              "- Smoke Tests Post-Rollback: FAIL\n");
    expect_none("verified rollback");
    run.steps[0].status = run.steps[1].status = STATUS_PENDING;
    render(DOCUMENT_REPORT);
    EXPECT_IN("## Rollback Details", "- Rollback Duration: not recorded\n",
              "- Rollback Success: NO\n", "- Smoke Tests Post-Rollback: not recorded\n");
}

static void lessons_come_from_the_run(void **state)
{
    (void)state;
    add_check("api", "health", PASS, "200");
    render(DOCUMENT_REPORT);
    EXPECT_IN("### What Went Well", "- all 1 checks gave a clear answer at the first attempt\n",
              "- v2 was promoted without a breach\n");
    EXPECT_IN("### What Could Improve", "- none recorded\n");
    EXPECT_IN("### Action Items", "- [ ] none recorded\n");
    EXPECT_IN("## Runbook Updates", "- none recorded\n");
    run.checks[0].attempts = 3;
    turn_back();
    add_metric("latency-p99", "latency", "ms", "NODATA")->detail = "NO_DATA: no series";
    run_add_event(&run, &arena, AT(20), EVENT_ISSUE, "no disk");
    run.watch.drifts = 2;
    render(DOCUMENT_REPORT);
    expect_none("clear answer");
    expect_none("promoted without");
    EXPECT_IN("### What Could Improve", "- latency-p99 could not be judged (NO_DATA: no series)\n",
              "- check 'health' needed 3 attempts\n", "- no disk\n",
              "- error-rate reached production before it was caught (3.50 %, limit 3.00 %)\n");
    EXPECT_IN("### Action Items",
              "- [ ] find the root cause of 'error-rate' in v2 before it is "
              "deployed again\n",
              "- [ ] make 'latency-p99' readable: NO_DATA: no series\n",
              "- [ ] resolve: no disk\n");
    EXPECT_IN("## Runbook Updates",
              "- agree who may change the router while a deployment runs "
              "(changed 2 times)\n",
              "would have seen 'error-rate'\n");
    run.trigger = run.trigger_id = "manual";
    render(DOCUMENT_REPORT);
    expect_none("before it was caught");
    expect_none("root cause");
    EXPECT_IN("### What Went Well", "- the request of a person led to a verified rollback");
}

static void add_signature(const char *role, const char *who, const char *step)
{
    struct run_signature *signature = run_add_signature(&run, &arena);
    *signature = (struct run_signature){.role = role, .who = who, .step = step, .at = AT(7)};
}

static void signatures_are_named(void **state)
{
    (void)state;
    static const char *people[] = {"legal-liaison", "privacy-officer"};
    add_signature("deployment-manager", "dan", "x");
    add_signature("operations-lead", "olivia", "approve");
    add_signature("batch-validation", "bob", "validate-web-1");
    add_check("approvals", "rm", PASS, "approved by rita")->role = "release-manager";
    add_check("approvals", "re", FAIL, "not approved")->role = "reliability-engineer";
    run.reviewers = (struct texts){people, 2};
    render(DOCUMENT_REPORT);
    EXPECT_IN("## Sign-Offs", "| Deployment Manager | dan | 2026-11-24T10:00:07Z |\n",
              "| Reliability Engineer | not recorded | not recorded |\n",
              "| Operations Lead | olivia | 2026-11-24T10:00:07Z |\n",
              "| Release Manager | approved by rita | 2026-11-24T10:00:05Z |\n",
              "| batch-validation (validate-web-1) | bob | 2026-11-24T10:00:07Z |\n",
              "\nReviewer asked for by the guidance: legal-liaison\n",
              "\nReviewer asked for by the guidance: privacy-officer\n");
}

static void references_and_footer(void **state)
{
    (void)state;
    static const char foot[] = "\n---\n\nGenerated by: Production Deployment Flow\nCommand: "
                               "`/project:flow-deploy-to-production canary v2_rc*1`\n";
    run.version = "v2_rc*1";
    render(DOCUMENT_REPORT);
    EXPECT_IN("## References", "docs/deployment/deployment-plan-v2_rc\\*1.md (missing)\n",
              "docs/deployment/rollback-plan-v2_rc\\*1.md (missing)\n",
              "docs/releases/release-notes-v2_rc\\*1.md (missing)\n");
    assert_string_equal(rendered + strlen(rendered) - strlen(foot), foot);
    turn_back();
    render(DOCUMENT_REPORT);
    EXPECT_IN("## References",
              "- Incident Report: docs/incidents/incident-INC-20261124-0a1b2c3d.md\n");
}

/* A run of which nothing is known yet. */
static void nothing_recorded_is_said(void **state)
{
    (void)state;
    run = (struct run){.id = "x", .app = "shop", .strategy = STRATEGY_CANARY, .version = "v2"};
    render(DOCUMENT_REPORT);
    EXPECT_IN(NULL, "**IN PROGRESS**: in progress\n", "| **Version** | v2 (over none) |",
              "commit not recorded, not recorded |", "- **Start Time**: not recorded\n",
              "- **End Time**: not recorded\n", "- **Duration**: not recorded\n",
              "| Pre-deployment validation | not recorded | not recorded |\n",
              "| Completion/rollback | not recorded | not recorded |\n",
              "| Security | not recorded |\n", "| Approval | not recorded |\n",
              "- Nodes: not recorded\n", "- Pods: not recorded\n",
              "- Infrastructure alarms: not recorded\n", "- Container images: not recorded\n",
              "- Checksums verified: not recorded\n", "- Signatures validated: not recorded\n",
              "| Critical Path Tests | not recorded |\n", "| Monitoring Tests | not recorded |\n");
    EXPECT_IN("### Error Rate", "- Baseline: not recorded\n", "- Post-Deployment: not recorded\n",
              "- Target: not recorded (limit not recorded)\n", "- Status: not recorded\n");
    EXPECT_IN("### Availability", "- Uptime: not recorded\n", "- Downtime: not recorded\n",
              "- Target: not recorded\n", "- Status: not recorded\n");
    EXPECT_IN("### User Activity", "- Change: not recorded\n");
    EXPECT_IN("## Issues Encountered", "None.\n");
    EXPECT_IN("## Sign-Offs", "| Release Manager | not recorded | not recorded |\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_report, end_report)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sections_stand_in_order),
        TEST(the_header_names_the_run),
        TEST(milestones_have_time_and_duration),
        TEST(blue_green_details),
        TEST(canary_details),
        TEST(rolling_details),
        TEST(only_the_strategy_used_is_shown),
        TEST(gates_and_environment_are_shown),
        TEST(smoke_groups_are_counted),
        TEST(slos_are_compared),
        TEST(business_metrics_are_compared),
        TEST(issues_have_resolutions),
        TEST(a_rollback_is_told),
        TEST(a_failed_rollback_is_no_success),
        TEST(lessons_come_from_the_run),
        TEST(signatures_are_named),
        TEST(references_and_footer),
        TEST(nothing_recorded_is_said),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
