/* SPDX-License-Identifier: Apache-2.0 */
#include "metric_test.h"

#define SCRAPE "metrics:\n  scrape: { timeout: 2s }\n"

/* One page of the demo kind: two codes, one histogram, the start of the process. */
static void put_page(const char *instance, int good, int bad)
{
    char text[2048];
    snprintf(text, sizeof(text),
             "# TYPE http_requests_total counter\n"
             "http_requests_total{code=\"200\",method=\"get\"} %d\n"
             "http_requests_total{code=\"500\",method=\"get\"} %d\n"
             "http_requests_total{code=\"503\",method=\"post\"} 1\n"
             "# TYPE http_request_duration_seconds histogram\n"
             "http_request_duration_seconds_bucket{path=\"/a\",le=\"0.1\"} 5\n"
             "http_request_duration_seconds_bucket{path=\"/b\",le=\"0.1\"} 2\n"
             "http_request_duration_seconds_bucket{path=\"/a\",le=\"0.5\"} 8\n"
             "http_request_duration_seconds_bucket{path=\"/b\",le=\"0.5\"} 3\n"
             "http_request_duration_seconds_bucket{path=\"/a\",le=\"+Inf\"} 9\n"
             "http_request_duration_seconds_bucket{path=\"/b\",le=\"+Inf\"} 3\n"
             "http_request_duration_seconds_sum 4.5\nhttp_request_duration_seconds_count 12\n"
             "process_start_time_seconds 1700000000.5\nqueue_length 7\n",
             good, bad);
    char path[64];
    snprintf(path, sizeof(path), "%s/metrics", instance);
    put_file(path, text);
}

static void put_text(const char *text)
{
    put_file("green-1/metrics", text);
    put_file("green-2/metrics", text);
}

static void test_defaults(void **state)
{
    (void)state;
    open_source("scrape", SCRAPE "slos:\n  error-rate: { target: 0.1% }\n");
    put_page("blue-1", 1000, 0);
    put_page("blue-2", 2000, 1);
    put_page("green-1", 100, 9);
    put_page("green-2", 200, 4);
    read_slo("error-rate");
    expect_series(0, "green-1", 10, 110);
    expect_series(1, "green-2", 5, 205);
    assert_true(reading.series[0].started == 1700000000.5);
    read_arm("error-rate", ARM_STABLE);
    expect_series(0, "blue-1", 1, 1001);
    expect_series(1, "blue-2", 2, 2002);
}

static void test_histogram(void **state)
{
    (void)state;
    open_source("scrape", SCRAPE "slos:\n  latency-p99: { target: 500ms }\n"
                                 "  latency-p50: { histogram: 'http_request_duration_seconds"
                                 "{path=\"/b\"}', target: 100ms }\n");
    put_page("green-1", 1, 1);
    put_page("green-2", 1, 1);
    read_slo("latency-p99");
    assert_int_equal(reading.kind, READING_HISTOGRAM);
    assert_int_equal(reading.bound_count, 3);
    assert_true(reading.bounds[0] == 100 && reading.bounds[1] == 500 && isinf(reading.bounds[2]));
    assert_int_equal(reading.count, 2);
    const double *buckets = reading.series[1].buckets;
    assert_true(buckets[0] == 7 && buckets[1] == 11 && buckets[2] == 12);
    read_slo("latency-p50");
    buckets = reading.series[0].buckets;
    assert_true(buckets[0] == 2 && buckets[1] == 3 && buckets[2] == 3);
}

/* Instances with other bounds (a new version) are compared where both know the count. */
static void test_common_bounds(void **state)
{
    (void)state;
    open_source("scrape", SCRAPE "slos:\n  latency-p99: { histogram: d_ms }\n");
    put_file("green-1/metrics", "d_ms_bucket{le=\"50\"} 1\nd_ms_bucket{le=\"100\"} 2\n"
                                "d_ms_bucket{le=\"+Inf\"} 3\n");
    put_file("green-2/metrics", "d_ms_bucket{le=\"+Inf\"} 6\nd_ms_bucket{le=\"1e2\"} 5\n"
                                "d_ms_bucket{le=\"70\"} 4\n");
    read_slo("latency-p99");
    assert_int_equal(reading.kind, READING_HISTOGRAM);
    assert_int_equal(reading.bound_count, 2);
    assert_true(reading.bounds[0] == 100 && isinf(reading.bounds[1]));
    assert_true(reading.series[0].buckets[0] == 2 && reading.series[1].buckets[0] == 5);
    /* Not one request yet at the second: no series, and none is what it served. */
    put_file("green-2/metrics", "up 1\n");
    read_slo("latency-p99");
    assert_int_equal(reading.bound_count, 3);
    assert_true(reading.series[1].buckets[2] == 0);
}

static void test_broken_histograms(void **state)
{
    (void)state;
    open_source("scrape", SCRAPE "slos:\n  latency-p99: { histogram: d_ms }\n");
    put_text("d_ms_sum 4\nd_ms_count 2\n");
    expect_nothing("latency-p99", NOTHING_NO_DATA, "no series d_ms");
    put_text("d_ms_bucket{le=\"50\"} 1\nd_ms_bucket{le=\"100\"} 2\n");
    expect_nothing("latency-p99", NOTHING_GARBAGE, "+Inf");
    put_text("d_ms_bucket{le=\"50\"} 1\nd_ms_bucket{le=\"+Inf\"} NaN\n");
    expect_nothing("latency-p99", NOTHING_NAN, "green-1");
    put_text("d_ms_bucket{le=\"fast\"} 1\nd_ms_bucket{quantile=\"1\"} 2\n");
    expect_nothing("latency-p99", NOTHING_GARBAGE, "buckets with le");
    AUTO_BUF struct buf many;
    buf_init(&many, 1 << 16);
    for (int i = 0; i < 70; i++) {
        buf_addf(&many, "d_ms_bucket{le=\"%d\"} %d\n", (i * 37) % 70, i);
    }
    put_text(many.data);
    expect_nothing("latency-p99", NOTHING_GARBAGE, "more than 64 buckets");
}

static void test_selectors(void **state)
{
    (void)state;
    open_source("scrape",
                SCRAPE "slos:\n"
                       "  error-rate: { bad: 'http_requests_total{code=~\"5..\",method=\"get\"}',"
                       " total: 'http_requests_total{method=\"get\"}' }\n"
                       "  conversion: { bad: abandoned_total, total: started }\n"
                       "  throughput: { total: http_requests_total }\n"
                       "  queue: { value: queue_length, target: 10 }\n");
    put_page("green-1", 100, 9);
    put_page("green-2", 200, 4);
    read_slo("error-rate");
    expect_series(0, "green-1", 9, 109);
    read_slo("throughput");
    expect_series(0, "green-1", 0, 110);
    expect_gauge("queue", 7);
    /* OpenMetrics adds `_total` to counters; a series of the very name goes before. */
    put_text("started_total 40\nabandoned_total 4\n");
    read_slo("conversion");
    expect_series(0, "green-1", 4, 40);
    put_text("started_total 40\nstarted 30\nstarted_total{x=\"1\"} 40\nabandoned_total 4\n");
    read_slo("conversion");
    expect_series(0, "green-1", 4, 30);
}

static void test_status_labels(void **state)
{
    (void)state;
    open_source("scrape", SCRAPE "slos:\n  error-rate: { target: 1% }\n");
    put_text("http_requests_total{status=\"200\"} 5\nhttp_requests_total{status=\"502\"} 2\n");
    read_slo("error-rate");
    expect_series(0, "green-1", 2, 7);
    put_text(
        "http_requests_total{status_code=\"5xx\"} 5\nhttp_requests_total{status_code=\"2xx\"} 2\n");
    read_slo("error-rate");
    expect_series(0, "green-1", 5, 7);
    put_text("http_requests_total{code=\"200\",status=\"500\"} 5\n");
    read_slo("error-rate");
    expect_series(0, "green-1", 0, 5);
    put_text("http_requests_total 5\n");
    expect_nothing("error-rate", NOTHING_NO_DATA, "none of the labels code, status");
}

/* No error yet is no series yet; a misspelt label would look the same. */
static void test_misspelt(void **state)
{
    (void)state;
    open_source("scrape", SCRAPE "slos:\n  error-rate: { total: r, bad: 'r{kode=~\"5..\"}' }\n"
                                 "  availability: { target: 99.9%, total: r, bad: errors }\n");
    put_text("r{code=\"200\"} 5\nr{code=\"500\"} 5\n");
    expect_nothing("error-rate", NOTHING_NO_DATA, "no series of r has the label 'kode'");
    read_slo("availability");
    expect_series(0, "green-1", 0, 10);
    put_text("r{code=\"200\"} 5\nr{kode=\"200\"} 5\n");
    read_slo("error-rate");
    expect_series(0, "green-1", 0, 10);
}

static void test_impossible_counts(void **state)
{
    (void)state;
    open_source("scrape", SCRAPE "slos:\n  error-rate: { total: r, bad: b }\n");
    put_text("r 100\nb 90\n");
    read_slo("error-rate");
    put_text("r 100\nb 900\n");
    expect_nothing("error-rate", NOTHING_GARBAGE, "counts more than `total`");
    put_text("r -1\nb 0\n");
    expect_nothing("error-rate", NOTHING_GARBAGE, "below zero");
    put_text("r NaN\nb 0\n");
    expect_nothing("error-rate", NOTHING_NAN, "green-1");
    put_text("r +Inf\nb 0\n");
    expect_nothing("error-rate", NOTHING_NAN, "infinite");
    put_text("other 1\n");
    expect_nothing("error-rate", NOTHING_NO_DATA, "no series r of candidate (2 instances)");
    put_text("");
    expect_nothing("error-rate", NOTHING_NO_DATA, "no series r");
}

static void test_gauges(void **state)
{
    (void)state;
    open_source("scrape", SCRAPE "slos:\n  cpu: { value: cpu, target: 80%, unit: percent }\n");
    put_file("green-1/metrics", "cpu 40\n");
    put_file("green-2/metrics", "cpu 60\n");
    expect_gauge("cpu", 0.5);
    put_file("green-2/metrics", "cpu{core=\"0\"} 60\ncpu{core=\"1\"} 50\n");
    expect_nothing("cpu", NOTHING_MULTI_SERIES, "cpu of green-2: cpu is 2 series");
    put_file("green-2/metrics", "x 1\n");
    expect_nothing("cpu", NOTHING_PARTIAL, "green-2");
    put_file("green-2/metrics", "cpu NaN\n");
    expect_nothing("cpu", NOTHING_NAN, "cpu");
}

static void test_missing_pages(void **state)
{
    (void)state;
    open_source("scrape", SCRAPE "slos:\n  error-rate: { target: 1% }\n");
    put_page("green-1", 10, 0);
    expect_nothing("error-rate", NOTHING_PARTIAL, "green-2: ");
    assert_non_null(strstr(reading.why, "HTTP 404"));
    assert_null(strstr(reading.why, "green-1"));
    put_file("green-2/metrics", "<html>");
    expect_nothing("error-rate", NOTHING_PARTIAL, "no metrics page: line 1");
    put_file("green-1/metrics", "<html>\n");
    expect_nothing("error-rate", NOTHING_GARBAGE, "green-1: http://127.0.0.1");
    instances[2].url = "http://127.0.0.1:1";
    instances[3].url = "http://127.0.0.1:1/x";
    expect_nothing("error-rate", NOTHING_UNREACHABLE, "green-2: GET http://127.0.0.1:1/x/metrics");
    instances[3].url = NULL;
    expect_nothing("error-rate", NOTHING_UNREACHABLE, "green-2: the instance has no URL");
}

static void test_hostile(void **state)
{
    static const struct hostile scrape = {"scrape", "?${instance}", "error-rate", "target: 1%"};
    (void)state;
    expect_all_hostile(&scrape);
    put_file("page", "a 1\n");
    put_file("page.head", "HTTP/1.1 503 Busy\r\n");
    expect_hostile(&scrape, "page", NOTHING_UNREACHABLE, "HTTP 503");
    put_file("page.head", "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n");
    expect_hostile(&scrape, "page", NOTHING_UNREACHABLE, "HTTP 302");
    put_file("page.head", "HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; "
                          "version=1.0.0\r\n");
    expect_hostile(&scrape, "page", NOTHING_GARBAGE, "cut off");
    put_file("page", "a 1\n# EOF\n");
    expect_hostile(&scrape, "page", NOTHING_NO_DATA, "no series http_requests_total");
}

/* One page serves all SLOs of both arms; all pages are fetched together. */
static void test_once_and_together(void **state)
{
    (void)state;
    open_source("scrape", SCRAPE "slos:\n  error-rate: { target: 1% }\n  latency-p99: {}\n"
                                 "  throughput: {}\n");
    put_page("green-1", 10, 0);
    put_page("green-2", 20, 0);
    put_page("blue-1", 30, 0);
    put_page("blue-2", 40, 0);
    struct metric_query queries[6];
    struct reading readings[6];
    static const char *const names[] = {"error-rate", "latency-p99", "throughput"};
    for (size_t i = 0; i < 6; i++) {
        queries[i] = query_of(names[i / 2], i % 2 == 0 ? ARM_STABLE : ARM_CANDIDATE);
    }
    assert_int_equal(driver->read(metric, queries, 6, readings, &arena), 0);
    assert_true(readings[0].series[1].total == 41 && readings[5].series[1].total == 21);
    assert_int_equal(readings[2].kind, READING_HISTOGRAM);
    const char *requests = read_back("requests");
    size_t count = 0;
    for (const char *at = requests; (at = strstr(at, "GET /")) != NULL; at++) {
        count++;
    }
    assert_int_equal(count, 4);
    assert_non_null(strstr(requests, "Accept: text/plain;version=0.0.4"));
}

static void test_one_address(void **state)
{
    (void)state;
    open_source("scrape", "metrics:\n  scrape: { url: 'http://127.0.0.1:PORT/green-1/metrics' }\n"
                          "slos:\n  error-rate: { target: 1% }\n");
    put_page("green-1", 10, 0);
    expect_nothing("error-rate", NOTHING_GARBAGE, "green-1 and green-2 have the same address");
    open_source("scrape", "metrics:\n  scrape: { url: '${base_url}/metrics' }\nurl: http://x\n"
                          "slos:\n  error-rate: { target: 1% }\n");
    put_page("green-2", 20, 0);
    read_slo("error-rate");
    expect_series(1, "green-2", 1, 21);
}

static void test_no_instance(void **state)
{
    (void)state;
    open_source("scrape", SCRAPE "slos:\n  error-rate: { target: 1% }\n");
    struct metric_query query = query_of("error-rate", ARM_CANDIDATE);
    query.count = 0;
    assert_int_equal(driver->read(metric, &query, 1, &reading, &arena), 0);
    assert_int_equal(reading.kind, READING_NOTHING);
    assert_int_equal(reading.nothing, NOTHING_NO_DATA);
}

static void test_refusals(void **state)
{
    (void)state;
    open_source("scrape",
                SCRAPE "slos:\n  error-rate: { total: 'rate(x[5m])', bad: y }\n"
                       "  conversion: { total: x }\n"
                       "  availability: { target: 99%, total: x, bad: 'x{a=~\"(?i)b\"}' }\n"
                       "  queue: { value: 'q{', target: 10 }\n  throughput: {}\n"
                       "  latency-p99: { histogram: d }\n");
    expect_refusal("error-rate", "an expression goes into `value`");
    expect_refusal("conversion", "no `bad`");
    expect_refusal("availability", "the pattern '(?i)b'");
    expect_refusal("queue", "a name is missing");
    expect_refusal("latency-p99", "unit");
    assert_null(refusal("throughput"));
}

static void no_mask(void *context_, const char *value)
{
    (void)context_;
    (void)value;
}

static void test_token(void **state)
{
    struct problems problems = {0};
    (void)state;
    setenv("SCRAPE_TOKEN", "s3cret-token", 1);
    configure("scrape", "metrics:\n  scrape: { token-env: SCRAPE_TOKEN }\n"
                        "slos:\n  error-rate: { target: 1% }\n");
    assert_int_equal(config_secrets(config, no_mask, NULL, &problems), 0);
    EXPECT_OK(driver->open(&context, &metric, &error), &error);
    put_page("green-1", 10, 0);
    put_page("green-2", 10, 0);
    read_slo("error-rate");
    expect_series(0, "green-1", 1, 11);
    assert_non_null(strstr(read_back("requests"), "Authorization: Bearer s3cret-token\r\n"));
    config_forget(config);
}

static void test_cancelled(void **state)
{
    (void)state;
    open_source("scrape", "metrics:\n  scrape: { url: 'http://127.0.0.1:PORT/silent?${instance}', "
                          "timeout: 30s }\nslos:\n  error-rate: { target: 1% }\n");
    const struct metric_query query = query_of("error-rate", ARM_CANDIDATE);
    const pid_t pid = signal_later(SIGTERM, 300);
    assert_int_equal(driver->read(metric, &query, 1, &reading, &arena), -1);
    waitpid(pid, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_defaults),      CASE(test_histogram),
        CASE(test_common_bounds), CASE(test_broken_histograms),
        CASE(test_selectors),     CASE(test_status_labels),
        CASE(test_misspelt),      CASE(test_impossible_counts),
        CASE(test_gauges),        CASE(test_missing_pages),
        CASE(test_hostile),       CASE(test_once_and_together),
        CASE(test_one_address),   CASE(test_no_instance),
        CASE(test_refusals),      CASE(test_cancelled),
        CASE(test_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
