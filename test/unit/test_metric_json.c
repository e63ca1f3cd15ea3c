/* SPDX-License-Identifier: Apache-2.0 */
#include "metric_test.h"

#define JSON "metrics:\n  json: { url: 'http://127.0.0.1:PORT/metrics', timeout: 1s }\nslos:\n"

/* S-152: two addresses, `.error_rate`, a ratio. */
static void test_seed_arms(void **state)
{
    (void)state;
    open_source("json", "metrics:\n  json: { stable: 'http://127.0.0.1:PORT/stable', canary: "
                        "'http://127.0.0.1:PORT/canary' }\nslos:\n"
                        "  error-rate: { max-increase: 2%, unit: ratio }\n");
    put_file("stable", "{\"error_rate\": 0.01}");
    put_file("canary", "{\"error_rate\": \"0.035\"}");
    expect_gauge("error-rate", 0.035);
    assert_false(reading.whole);
    read_arm("error-rate", ARM_STABLE);
    assert_true(reading.kind == READING_GAUGE && reading.gauge == 0.01);
}

/* S-225: an address a metric, `.value`, percent and milliseconds. */
static void test_seed_addresses(void **state)
{
    (void)state;
    open_source("json", "metrics:\n  json: { timeout: 1s }\nslos:\n"
                        "  error_rate: { url: 'http://127.0.0.1:PORT/error_rate', target: 0.1%, "
                        "unit: percent }\n"
                        "  latency_p99: { url: 'http://127.0.0.1:PORT/latency_p99', target: 500ms, "
                        "unit: ms }\n");
    put_file("error_rate", "{\"value\": 0.25}\n");
    put_file("latency_p99", "{\"value\": 480}\n");
    expect_gauge("error_rate", 0.0025);
    assert_true(reading.whole);
    expect_gauge("latency_p99", 480);
}

/* S-121: one page for all; S-222: `.rate`. */
static void test_seed_page(void **state)
{
    (void)state;
    open_source("json", JSON "  error-rate: { target: 1%, unit: percent }\n"
                             "  latency-p99: { target: 500ms, unit: s }\n"
                             "  conversion: { url: 'http://127.0.0.1:PORT/conversion_rate', "
                             "value: .rate, max-drop: 20% }\n");
    put_file("metrics", "{\"error_rate\": 0.5, \"latency_p99\": 0.25}");
    put_file("conversion_rate", "{\"rate\": 3.1}");
    expect_gauge("error-rate", 0.005);
    expect_gauge("latency-p99", 250);
    expect_gauge("conversion", 3.1);
    const struct metric_query queries[] = {query_of("error-rate", ARM_CANDIDATE),
                                           query_of("latency-p99", ARM_CANDIDATE)};
    struct reading both[2];
    write_file(in_folder("requests"), "");
    assert_int_equal(driver->read(metric, queries, 2, both, &arena), 0);
    assert_true(both[0].gauge == 0.005 && both[1].gauge == 250);
    assert_null(strstr(strstr(read_back("requests"), "GET ") + 1, "GET "));
}

static void test_counts(void **state)
{
    (void)state;
    open_source("json", JSON "  error-rate: { bad: .errors, total: .requests }\n"
                             "  throughput: { total: .requests }\n");
    put_file("metrics", "{\"errors\": 3, \"requests\": 1000}");
    read_slo("error-rate");
    expect_series(0, "candidate", 3, 1000);
    assert_int_equal(reading.count, 1);
    read_slo("throughput");
    expect_series(0, "candidate", 0, 1000);
    put_file("metrics", "{\"errors\": 3000, \"requests\": 1000}");
    expect_nothing("error-rate", NOTHING_GARBAGE, "counts more than `total`");
    put_file("metrics", "{\"requests\": 1000}");
    expect_nothing("error-rate", NOTHING_NO_DATA, "jq '.errors'");
}

static void test_per_instance(void **state)
{
    (void)state;
    open_source("json", "metrics:\n  json: { per: instance, path: /stats.json }\nslos:\n"
                        "  error-rate: { bad: .e, total: .n }\n"
                        "  queue: { value: .q, target: 10 }\n");
    put_file("green-1/stats.json", "{\"e\": 1, \"n\": 10, \"q\": 4}");
    put_file("green-2/stats.json", "{\"e\": 2, \"n\": 20, \"q\": 8}");
    read_slo("error-rate");
    expect_series(0, "green-1", 1, 10);
    expect_series(1, "green-2", 2, 20);
    expect_gauge("queue", 6);
    put_file("green-2/stats.json", "{}");
    expect_nothing("queue", NOTHING_PARTIAL, "green-2/stats.json");
    put_file("green-1/stats.json", "{}");
    expect_nothing("queue", NOTHING_NO_DATA, "jq '.q'");
}

static void test_arm_in_address(void **state)
{
    (void)state;
    open_source("json", "metrics:\n  json: { url: 'http://127.0.0.1:PORT/${arm}/${slot}' }\n"
                        "slos:\n  queue: { value: ., target: 10 }\n");
    assert_int_equal(mkdir(in_folder("candidate"), 0755), 0);
    put_file("candidate/green", "9");
    expect_gauge("queue", 9);
    assert_false(reading.whole);
}

static void put_metrics(const char *page)
{
    put_file("metrics", page);
}

/* D-19: jq is content with null; we are not. */
static void test_nothings(void **state)
{
    static const struct page_row rows[] = {
        {"{}", NOTHING_NO_DATA, "/metrics: "},
        {"null", NOTHING_NO_DATA, "queue"},
        {"{\"queue\": null}", NOTHING_NO_DATA, "null"},
        {"{\"queue\": \"\"}", NOTHING_GARBAGE, "jq"},
        {"{\"queue\": \"many\"}", NOTHING_GARBAGE, "jq"},
        {"{\"queue\": [1]}", NOTHING_GARBAGE, "jq"},
        {"{\"queue\": true}", NOTHING_GARBAGE, "jq"},
        {"{\"queue\": {\"value\": 1}}", NOTHING_GARBAGE, "jq"},
        {"<html>Sign in</html>", NOTHING_GARBAGE, "metrics"},
        {"{\"queue\": 1", NOTHING_GARBAGE, "metrics"},
        {"", NOTHING_GARBAGE, "metrics"},
        {"[]", NOTHING_GARBAGE, "jq"},
    };
    (void)state;
    open_source("json", JSON "  queue: { target: 10, value: .queue }\n");
    expect_pages("queue", rows, sizeof(rows) / sizeof(rows[0]), put_metrics);
    put_file("metrics", "{\"queue\": \"NaN\"}");
    read_slo("queue");
    assert_int_equal(reading.kind, READING_NOTHING);
    put_file("metrics", "{\"queue\": 1e999}");
    read_slo("queue");
    assert_int_equal(reading.kind, READING_NOTHING);
}

static void test_hostile(void **state)
{
    static const struct hostile json = {"json", "", "queue", "target: 10, value: ."};
    (void)state;
    expect_all_hostile(&json);
    expect_hostile(&json, "nowhere", NOTHING_UNREACHABLE, "HTTP 404");
    put_file("page", "1");
    put_file("page.head", "HTTP/1.1 500 Oops\r\n");
    expect_hostile(&json, "page", NOTHING_UNREACHABLE, "HTTP 500");
}

static void test_headers(void **state)
{
    (void)state;
    open_source("json", "metrics:\n  json: { url: 'http://127.0.0.1:PORT/metrics', headers: "
                        "['X-Scope-OrgID: shop', 'Accept: application/json'] }\nslos:\n"
                        "  queue: { target: 10, value: . }\n");
    put_file("metrics", "4");
    expect_gauge("queue", 4);
    assert_non_null(strstr(read_back("requests"), "X-Scope-OrgID: shop\r\n"));
}

static void test_refusals(void **state)
{
    (void)state;
    open_source("json", JSON "  error-rate: { target: 0.1% }\n"
                             "  latency-p99: { histogram: .x }\n"
                             "  conversion: { value: '.a |', max-drop: 20% }\n"
                             "  availability: { target: 99%, total: .n }\n"
                             "  throughput: { value: .n }\n");
    expect_refusal("error-rate", "`unit: ratio` (0.02 is 2%) or `unit: percent`");
    expect_refusal("latency-p99", "JSON has none");
    expect_refusal("conversion", "jq");
    expect_refusal("availability", "no `bad`");
    assert_null(refusal("throughput"));
    open_source("json", "metrics:\n  json: { stable: 'http://x' }\nslos:\n"
                        "  throughput: { value: .n }\n"
                        "  queue: { target: 10, url: 'http://x' }\n");
    expect_refusal("throughput", "both `stable` and `canary`");
    assert_null(refusal("queue"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_seed_arms), CASE(test_seed_addresses), CASE(test_seed_page),
        CASE(test_counts),    CASE(test_per_instance),   CASE(test_arm_in_address),
        CASE(test_nothings),  CASE(test_hostile),        CASE(test_headers),
        CASE(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
