/* SPDX-License-Identifier: Apache-2.0
 *
 * deploy.yaml as tables. What a driver's section may hold stands in the driver's own file.
 */
#include "binder.h"

#define AT(member) offsetof(struct config, member)
#define STEP(member) offsetof(struct canary_step, member)
#define CHECK(member) offsetof(struct check_config, member)
#define SLO(member) offsetof(struct slo_config, member)

#define SHORTEST 100     /* ms; no watch or window is shorter */
#define ANY_CHANGE 10000 /* % */

const char *const gate_names[] = {"security",  "reliability", "tests",
                                  "approvals", "artifacts",   "environment",
                                  "incidents", "rollback",    NULL};
const char *const smoke_names[] = {"critical-path", "api",        "database",
                                   "external",      "monitoring", NULL};

static const char *const on_unknown_names[] = {"block", "warn", NULL};
static const char *const mode_names[] = {"auto", "absolute", "relative", NULL};
static const char *const validate_names[] = {"manual", "auto", NULL};
static const char *const rollback_names[] = {"slo", "smoke",     "crash-loop",
                                             "oom", "unhealthy", NULL};
static const char *const report_names[] = {"summary", "file", "comment", NULL};

/* One row is one thought: what, how, and the sentence for people. */
/* clang-format off */

#define CHECK_ROWS(tries)                                                                     \
    {.name = "name", .type = FIELD_TEXT, .offset = CHECK(name),                               \
     .doc = "What the check is called; made from the driver and its subject where absent."},  \
    {.name = "role", .type = FIELD_TEXT, .offset = CHECK(role),                               \
     .doc = "Whose approval this is: release-manager, security-gatekeeper, …."},              \
    {.name = "timeout", .type = FIELD_DURATION, .offset = CHECK(timeout), .def = "10s",       \
     .min = SHORTEST, .doc = "The longest wait for one attempt."},                            \
    {.name = "retries", .type = FIELD_INT, .offset = CHECK(retries), .def = (tries),          \
     .max = 100, .doc = "Further attempts after a failed one."},                              \
    {.name = "retry-delay", .type = FIELD_DURATION, .offset = CHECK(retry_delay),             \
     .def = "1s", .doc = "The pause before a further attempt."},                              \
    {.name = "on-unknown", .type = FIELD_ENUM, .offset = CHECK(on_unknown), .def = "block",   \
     .names = on_unknown_names,                                                               \
     .doc = "When the answer could not be read: block, or warn and go on."},                  \
    {.name = NULL}

static const struct field gate_check_fields[] = {CHECK_ROWS("0")};
static const struct field smoke_check_fields[] = {CHECK_ROWS("2")};

const struct field *const check_tables[2] = {gate_check_fields, smoke_check_fields};

static const struct field step_fields[] = {
    {.name = "weight", .type = FIELD_PERCENT, .offset = STEP(weight), .required = true,
     .doc = "The candidate's share of the traffic; rising, and 100% in the last step."},
    {.name = "watch", .type = FIELD_DURATION, .offset = STEP(watch), .required = true,
     .min = SHORTEST, .doc = "How long the SLOs are judged at this weight."},
    {.name = NULL}};

static const struct field canary_fields[] = {
    {.name = "steps", .type = FIELD_ROWS, .offset = AT(canary_steps), .fields = step_fields,
     .size = sizeof(struct canary_step),
     .def = "[{weight: 5%, watch: 10m}, {weight: 25%, watch: 10m}, {weight: 50%, watch: 10m}, "
            "{weight: 100%, watch: 30m}]",
     .doc = "The stages of the traffic."},
    {.name = "sign-off", .type = FIELD_BOOL, .offset = AT(canary_sign_off), .def = "false",
     .doc = "Wait for a human before the candidate becomes the stable version."},
    {.name = NULL}};

static const struct field blue_green_fields[] = {
    {.name = "watch", .type = FIELD_DURATION, .offset = AT(blue_green_watch), .def = "15m",
     .min = SHORTEST, .doc = "How long the SLOs are judged after the cutover."},
    {.name = "retire-after", .type = FIELD_DURATION, .offset = AT(retire_after), .def = "24h",
     .doc = "How long the old slot stays on standby before `retire` may stop it."},
    {.name = "sign-off", .type = FIELD_BOOL, .offset = AT(sign_off), .def = "false",
     .doc = "Wait for a human before the new slot becomes the stable one."},
    {.name = NULL}};

static const struct field rolling_fields[] = {
    {.name = "batch", .type = FIELD_INT, .offset = AT(batch), .def = "1", .min = 1, .max = 1000,
     .doc = "Instances that are updated at a time."},
    {.name = "validate", .type = FIELD_ENUM, .offset = AT(validate), .def = "manual",
     .names = validate_names,
     .doc = "After each batch: wait for a human (manual), or go on when smoke passes (auto)."},
    {.name = "watch", .type = FIELD_DURATION, .offset = AT(rolling_watch), .def = "5m",
     .doc = "How long the SLOs are judged after each batch; 0s: not at all."},
    {.name = NULL}};

static const struct field strategies_fields[] = {
    {.name = "canary", .type = FIELD_SECTION, .fields = canary_fields,
     .doc = "A growing share of the traffic goes to the candidate."},
    {.name = "blue-green", .type = FIELD_SECTION, .fields = blue_green_fields,
     .doc = "All traffic moves to the idle slot at once."},
    {.name = "rolling", .type = FIELD_SECTION, .fields = rolling_fields,
     .doc = "Instances are updated in place, batch by batch."},
    {.name = NULL}};

#define GATE(text, index, sentence)                                                           \
    {.name = (text), .type = FIELD_CHECKS, .offset = AT(gates[index]),                        \
     .fields = gate_check_fields, .size = sizeof(struct check_config), .doc = (sentence)}
#define SMOKE(text, index, sentence)                                                          \
    {.name = (text), .type = FIELD_CHECKS, .offset = AT(smoke[index]),                        \
     .fields = smoke_check_fields, .size = sizeof(struct check_config), .doc = (sentence)}

static const struct field gates_fields[] = {
    GATE("security", GATE_SECURITY, "No vulnerability is high or critical."),
    GATE("reliability", GATE_RELIABILITY, "The SLOs were met in staging."),
    GATE("tests", GATE_TESTS, "All integration tests passed."),
    GATE("approvals", GATE_APPROVALS, "The people who must approve have approved."),
    GATE("artifacts", GATE_ARTIFACTS, "What is deployed exists and is what was built."),
    GATE("environment", GATE_ENVIRONMENT, "Production is healthy before it is touched."),
    GATE("incidents", GATE_INCIDENTS, "No incident and no maintenance window is open."),
    GATE("rollback", GATE_ROLLBACK, "The way back was tested in staging."),
    {.name = NULL}};

static const struct field smoke_fields[] = {
    SMOKE("critical-path", SMOKE_CRITICAL_PATH, "The most important journeys of users."),
    SMOKE("api", SMOKE_API, "The endpoints answer as they must."),
    SMOKE("database", SMOKE_DATABASE, "The database can be reached, read and written."),
    SMOKE("external", SMOKE_EXTERNAL, "Payment, mail and other outside services answer."),
    SMOKE("monitoring", SMOKE_MONITORING, "Metrics are collected and logs flow."),
    {.name = NULL}};

const struct field slo_fields[] = {
    {.name = "source", .type = FIELD_TEXT, .offset = SLO(source),
     .doc = "The metric source to ask; the first that can measure it where absent."},
    {.name = "bad", .type = FIELD_TEXT, .offset = SLO(bad),
     .doc = "The source's selector of the events that are bad."},
    {.name = "total", .type = FIELD_TEXT, .offset = SLO(total),
     .doc = "The source's selector of all events."},
    {.name = "histogram", .type = FIELD_TEXT, .offset = SLO(histogram),
     .doc = "The source's histogram of latencies."},
    {.name = "value", .type = FIELD_TEXT, .offset = SLO(value),
     .doc = "The source's selector of one number: a jq program, a query or a series."},
    {.name = "url", .type = FIELD_URL, .offset = SLO(url),
     .doc = "Another address for this SLO alone (json source)."},
    {.name = "unit", .type = FIELD_TEXT, .offset = SLO(unit),
     .doc = "How the source writes `value`, or the bounds of `histogram`: ratio (0.02 is 2%), "
            "percent (2 is 2%), ms, s or req/s."},
    {.name = "target", .type = FIELD_QUANTITY, .offset = SLO(target),
     .doc = "The absolute limit, with its unit: 0.1%, 500ms, 1000 req/s."},
    {.name = "max-increase", .type = FIELD_PERCENT, .offset = SLO(max_increase), .min = -1,
     .max = ANY_CHANGE,
     .doc = "The most it may rise above the baseline; none: no such rule. Default: 2% (points) "
            "for error-rate, 20% for latency."},
    {.name = "max-drop", .type = FIELD_PERCENT, .offset = SLO(max_drop), .min = -1,
     .max = ANY_CHANGE,
     .doc = "The most it may fall below the baseline; none: no such rule. Default: 30% for "
            "throughput and user-activity, 20% for conversion."},
    {.name = "tolerance", .type = FIELD_PERCENT, .offset = SLO(tolerance), .min = -1,
     .max = ANY_CHANGE,
     .doc = "Expected at the end: within this of the baseline, else a warning; none: no such "
            "expectation. Default: 10% for throughput."},
    {.name = "mode", .type = FIELD_ENUM, .offset = SLO(mode), .def = "auto", .names = mode_names,
     .doc = "Whether max-increase and max-drop are absolute points or relative to the baseline; "
            "auto: absolute for error-rate, else relative."},
    {.name = "window", .type = FIELD_DURATION, .offset = SLO(window), .min = SHORTEST,
     .alias = "measurement_window",
     .doc = "The time that is judged at once; longer than 1d: reported only. Default: 10m for "
            "throughput, 15m for conversion and user-activity, else 5m."},
    {.name = "min-requests", .type = FIELD_INT, .offset = SLO(min_requests),
     .doc = "Requests a window needs before it is judged; watch.min-requests where absent."},
    {.name = "required", .type = FIELD_BOOL, .offset = SLO(required), .def = "true",
     .doc = "Missing data holds the run."},
    {.name = NULL}};

static const struct field watch_fields[] = {
    {.name = "interval", .type = FIELD_DURATION, .offset = AT(watch_interval), .def = "5s",
     .min = SHORTEST, .doc = "The time between two measurements."},
    {.name = "min-requests", .type = FIELD_INT, .offset = AT(min_requests), .def = "100",
     .doc = "Requests a window needs before it is judged."},
    {.name = "baseline", .type = FIELD_DURATION, .offset = AT(baseline_window), .def = "30s",
     .doc = "How long the stable version is measured before anything is touched."},
    {.name = "hold", .type = FIELD_DURATION, .offset = AT(hold), .def = "15m",
     .doc = "How long a stage waits for missing data before the run is held (exit 5)."},
    {.name = "warmup", .type = FIELD_DURATION, .offset = AT(warmup), .def = "0s",
     .doc = "How long a candidate's first traffic is not judged."},
    {.name = NULL}};

static const struct field rollback_fields[] = {
    {.name = "on", .type = FIELD_ENUMS, .offset = AT(rollback_on), .names = rollback_names,
     .def = "[slo, smoke, crash-loop, oom, unhealthy]",
     .doc = "What rolls back by itself."},
    {.name = "keep", .type = FIELD_DURATION, .offset = AT(keep), .def = "0s",
     .doc = "How long a failed candidate is kept for diagnosis, without traffic."},
    {.name = NULL}};

static const struct field report_fields[] = {
    {.name = "to", .type = FIELD_TEXTS, .offset = AT(report_to), .names = report_names,
     .def = "[summary, file]", .doc = "Where the report goes: summary, file, comment."},
    {.name = "path", .type = FIELD_TEXT, .offset = AT(report_path), .def = ".deploy/report.md",
     .doc = "The report's file."},
    {.name = "incident", .type = FIELD_TEXT, .offset = AT(incident_path), .def = "docs/incidents",
     .doc = "The folder of incident reports."},
    {.name = "template", .type = FIELD_TEXT, .offset = AT(template_path),
     .doc = "A template of your own in place of the built-in one."},
    {.name = NULL}};

const struct field config_fields[] = {
    {.name = "app", .type = FIELD_TEXT, .offset = AT(app), .required = true,
     .doc = "The name of what is deployed."},
    {.name = "url", .type = FIELD_URL, .offset = AT(url),
     .doc = "Production's base address, ${base_url} in checks."},
    {.name = "image", .type = FIELD_TEXT, .offset = AT(image),
     .doc = "The image or artifact, ${image} in commands; may hold ${version}."},
    {.name = "workload", .type = FIELD_DRIVER, .offset = AT(workload), .room = "workload",
     .required = true, .doc = "What puts versions onto instances."},
    {.name = "traffic", .type = FIELD_DRIVER, .offset = AT(traffic), .room = "router",
     .required = true, .doc = "What moves the traffic."},
    {.name = "metrics", .type = FIELD_DRIVERS, .offset = AT(metrics), .room = "metric",
     .required = true, .doc = "Where the SLOs are measured; one source at least."},
    {.name = "strategies", .type = FIELD_SECTION, .fields = strategies_fields,
     .doc = "How each strategy goes about it."},
    {.name = "gates", .type = FIELD_SECTION, .fields = gates_fields,
     .doc = "What must hold before production is touched."},
    {.name = "smoke", .type = FIELD_SECTION, .fields = smoke_fields,
     .doc = "The smoke tests, before and after traffic."},
    {.name = "slos", .type = FIELD_NAMED, .offset = AT(slos), .fields = slo_fields,
     .size = sizeof(struct slo_config),
     .doc = "What is watched. Default: error-rate, throughput and, where a source can, "
            "latency-p99."},
    {.name = "watch", .type = FIELD_SECTION, .fields = watch_fields,
     .doc = "How the SLOs are watched."},
    {.name = "ready-timeout", .type = FIELD_DURATION, .offset = AT(ready_timeout), .def = "10m",
     .min = SHORTEST, .doc = "How long a new version may take to become ready."},
    {.name = "rollback", .type = FIELD_SECTION, .fields = rollback_fields,
     .doc = "When and how the old version comes back."},
    {.name = "report", .type = FIELD_SECTION, .fields = report_fields,
     .doc = "What is written down, and where."},
    {.name = "state-key-env", .type = FIELD_SECRET, .offset = AT(state_key),
     .doc = "The environment variable with a key of 16 bytes or more that seals the state: one "
            "that others wrote, by way of an artifact or a cache, is refused."},
    {.name = "mask-env", .type = FIELD_TEXTS, .offset = AT(mask_env),
     .doc = "Names of environment variables that hold secrets of your commands: kept out of logs, "
            "reports and the state. A name such as API_TOKEN or DB_PASSWORD is known without it."},
    {.name = NULL}};

/* clang-format on */
