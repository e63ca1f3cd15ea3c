/* SPDX-License-Identifier: Apache-2.0
 *
 * A real Prometheus server that reads pages of this test, and impostors.
 */
#include "metric_test.h"

#include "../../src/metric/promql.h"

static pid_t prometheus;
static int prometheus_port;

/* ---- the real one ----------------------------------------------------------------- */

static void write_prometheus(void)
{
    AUTO_BUF struct buf text;
    buf_init(&text, 1 << 16);
    buf_adds(&text, "global: { scrape_interval: 1s, scrape_timeout: 1s }\nscrape_configs:\n");
    for (size_t i = 0; i < 4; i++) {
        buf_addf(&text,
                 "- job_name: %s\n  metrics_path: /%s/metrics\n  static_configs:\n"
                 "  - targets: ['127.0.0.1:%d']\n    labels: { instance: %s, pod: pod-%zu }\n",
                 instances[i].name, instances[i].name, port, instances[i].name, i);
    }
    write_file(in_folder("prometheus.yml"), text.data);
}

static void start_prometheus(void)
{
    char config_flag[192], data_flag[192], listen_flag[64];
    write_prometheus();
    close(listen_tcp(AF_INET, &prometheus_port));
    snprintf(config_flag, sizeof(config_flag), "--config.file=%s", in_folder("prometheus.yml"));
    snprintf(data_flag, sizeof(data_flag), "--storage.tsdb.path=%s", in_folder("data"));
    snprintf(listen_flag, sizeof(listen_flag), "--web.listen-address=127.0.0.1:%d",
             prometheus_port);
    prometheus = fork_peer();
    if (prometheus == 0) {
        const int fd = open(in_folder("prometheus.log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        dup2(fd, 1);
        dup2(fd, 2);
        execlp("prometheus", "prometheus", config_flag, data_flag, listen_flag, (char *)NULL);
        _exit(127);
    }
}

static void put_page(const char *instance, const char *format, int number)
{
    char path[64], text[4096];
    snprintf(path, sizeof(path), "%s/metrics", instance);
    char *at = text;
    for (; *format != '\0' && at < text + sizeof(text) - 16; format++) {
        if (*format == '@') {
            at += snprintf(at, 16, "%d", number);
        } else if (*format == '~') {
            at += snprintf(at, 16, "%lld", (long long)(loop_wall() - 100000));
        } else {
            *at++ = *format;
        }
    }
    *at = '\0';
    put_file(path, text);
}

#define PAGE                                                                                  \
    "http_requests_total{code=\"200\",path=\"/\"} @00\n"                                      \
    "http_requests_total{code=\"200\",path=\"/x\"} @0\nhttp_requests_total{code=\"500\"} @\n" \
    "rpc_total{status=\"200\"} 50\nrpc_total{status=\"503\"} @\nbare_total 5\n"               \
    "http_request_duration_seconds_bucket{path=\"/\",le=\"0.1\"} 1\n"                         \
    "http_request_duration_seconds_bucket{path=\"/x\",le=\"0.1\"} 2\n"                        \
    "http_request_duration_seconds_bucket{path=\"/\",le=\"0.5\"} 4\n"                         \
    "http_request_duration_seconds_bucket{path=\"/x\",le=\"0.5\"} 4\n"                        \
    "http_request_duration_seconds_bucket{path=\"/\",le=\"+Inf\"} 5\n"                        \
    "http_request_duration_seconds_bucket{path=\"/x\",le=\"+Inf\"} 5\nlatency @\nodd NaN\n"   \
    "aged_total 5 ~\n"

#define SLOS                                                                                       \
    "slos:\n  error-rate: { target: 1% }\n  latency-p99: { target: 500ms }\n  throughput: {}\n"    \
    "  availability: { target: 99%, total: rpc_total, bad: 'rpc_total{status=~\"5..\"}' }\n"       \
    "  conversion: { total: rpc_total, bad: 'rpc_total{stat=\"503\"}' }\n"                         \
    "  gone: { total: gone_total, max-drop: 10% }\n  aged: { total: aged_total, max-drop: 10% }\n" \
    "  sum: { value: 'sum(latency{instance=~\"${instance}\"})', target: 10 }\n"                    \
    "  scalar: { value: 'scalar(vector(42))', target: 10 }\n"                                      \
    "  constant: { value: '1e3', target: 10 }\n"                                                   \
    "  many: { value: 'latency', target: 10 }\n"                                                   \
    "  range: { value: 'latency[1m]', target: 10 }\n"                                              \
    "  text: { value: '\"words\"', target: 10 }\n"                                                 \
    "  wrong: { value: 'sum(latency', target: 10 }\n"                                              \
    "  clash: { value: 'latency * on(job) group_left rpc_total', target: 10 }\n"                   \
    "  none: { value: 'sum(nowhere)', target: 10 }\n"                                              \
    "  nan: { value: 'sum(odd)', target: 10 }\n"                                                   \
    "  divided: { value: 'vector(0) / vector(0)', target: 10 }\n"                                  \
    "  windowed: { value: 'max(max_over_time(latency{instance=\"green-1\"}[${window}]))', "        \
    "target: 10 }\n"

static void open_real(const char *extra)
{
    char yaml[8192];
    snprintf(yaml, sizeof(yaml), "metrics:\n  prometheus: { url: 'http://127.0.0.1:%d'%s }\n%s",
             prometheus_port, extra, SLOS);
    open_source("prometheus", yaml);
}

static const char *target_errors(void)
{
    char url[96];
    struct http_reply reply;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/api/v1/targets", prometheus_port);
    const struct http_request request = {.url = url};
    const int result = http_fetch(loop, &request, &reply, &error);
    const char *text = result == 0 ? arena_text(&arena, reply.body.data) : error.message;
    http_reply_release(&reply);
    return text;
}

/* Until all four instances were read. */
static void await_scrapes(const char *slo)
{
    for (int i = 0; i < 900; i++) {
        read_slo(slo);
        const bool both = reading.kind == READING_COUNTS;
        if (both && read_arm(slo, ARM_STABLE).kind == READING_COUNTS) {
            return;
        }
        usleep(100000);
    }
    fail_msg("prometheus reads nothing: %s\n%s", reading.why, target_errors());
}

static void check_counts(void)
{
    read_slo("error-rate");
    expect_series(0, "green-1", 3, 333);
    expect_series(1, "green-2", 4, 444);
    read_arm("error-rate", ARM_STABLE);
    expect_series(0, "blue-1", 1, 111);
    expect_series(1, "blue-2", 2, 222);
    read_slo("throughput");
    expect_series(1, "green-2", 0, 444);
    read_slo("availability");
    expect_series(0, "green-1", 3, 53);
    expect_nothing("conversion", NOTHING_NO_DATA, "no series of rpc_total has the label 'stat'");
    expect_nothing("gone", NOTHING_NO_DATA, "no series gone_total");
}

static void check_histogram(void)
{
    read_slo("latency-p99");
    assert_int_equal(reading.kind, READING_HISTOGRAM);
    assert_true(reading.bound_count == 3 && reading.bounds[0] == 100 && reading.bounds[1] == 500);
    assert_true(isinf(reading.bounds[2]));
    const double *buckets = reading.series[1].buckets;
    assert_true(buckets[0] == 3 && buckets[1] == 8 && buckets[2] == 10);
}

static void check_values(void)
{
    expect_gauge("sum", 7);
    assert_false(reading.whole);
    expect_gauge("scalar", 42);
    assert_true(reading.whole);
    expect_gauge("constant", 1000);
    expect_gauge("windowed", 3);
    expect_nothing("many", NOTHING_MULTI_SERIES, "gives 4 series, {__name__=\"latency\"");
    expect_nothing("range", NOTHING_GARBAGE, "wrap it in rate()");
    expect_nothing("text", NOTHING_GARBAGE, "a text");
    expect_nothing("wrong", NOTHING_GARBAGE, "bad_data: ");
    expect_nothing("clash", NOTHING_GARBAGE, "execution: ");
    expect_nothing("none", NOTHING_NO_DATA, "sum(nowhere)");
    expect_nothing("nan", NOTHING_NAN, "sum(odd)");
    expect_nothing("divided", NOTHING_NAN, "vector(0)");
}

/* Instances told apart by another label, which holds their name in the load balancer. */
static void check_label(void)
{
    instances[2].server = "pod-2";
    instances[3].server = "pod-3";
    open_real(", label: pod");
    read_slo("error-rate");
    expect_series(0, "green-1", 3, 333);
    expect_series(1, "green-2", 4, 444);
    instances[3].server = "pod-9";
    expect_nothing("error-rate", NOTHING_PARTIAL,
                   "no series http_requests_total with pod of green-2");
    instances[2].server = "pod-8";
    expect_nothing("error-rate", NOTHING_NO_DATA, "no series http_requests_total of candidate");
    instances[2].server = instances[3].server = NULL;
    open_real("");
}

static void await_nothing(const char *slo, enum nothing nothing)
{
    for (int i = 0; i < 900; i++) {
        read_slo(slo);
        if (reading.kind == READING_NOTHING && reading.nothing == nothing) {
            return;
        }
        usleep(100000);
    }
    fail_msg("never %s but: %s", nothing_names[nothing], reading.why ? reading.why : "a reading");
}

/* Old samples, an instance that is gone, then the server itself. */
static void check_decay(void)
{
    read_slo("aged");
    assert_int_equal(reading.nothing, NOTHING_STALE);
    assert_non_null(strstr(reading.why, "the newest sample of green-1 is 1"));
    unlink(in_folder("green-2/metrics"));
    await_nothing("error-rate", NOTHING_PARTIAL);
    assert_non_null(strstr(reading.why, "green-2"));
    end_peer(prometheus);
    prometheus = 0;
    expect_nothing("error-rate", NOTHING_UNREACHABLE, "could not connect");
}

static void test_real(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        put_page(instances[i].name, PAGE, i + 1);
    }
    start_prometheus();
    open_real("");
    await_scrapes("error-rate");
    check_counts();
    check_histogram();
    check_values();
    check_label();
    check_decay();
}

static int end_real(void **state)
{
    if (prometheus > 0) {
        end_peer(prometheus);
    }
    prometheus = 0;
    return metric_end(state);
}

/* ---- impostors -------------------------------------------------------------------- */

#define FAKE                                                                                      \
    "metrics:\n  prometheus: { url: 'http://127.0.0.1:PORT/p/', timeout: 1s, "                    \
    "headers: ['X-Scope-OrgID: shop'] }\nslos:\n  error-rate: { target: 1%, total: r, bad: e }\n" \
    "  queue: { value: q, target: 10 }\n"

static void put_answer(const char *text)
{
    assert_true(mkdir(in_folder("p"), 0755) == 0 || errno == EEXIST);
    assert_true(mkdir(in_folder("p/api"), 0755) == 0 || errno == EEXIST);
    assert_true(mkdir(in_folder("p/api/v1"), 0755) == 0 || errno == EEXIST);
    put_file("p/api/v1/query", text);
}

#define VECTOR(series) \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" series "]}}"

static void test_answers(void **state)
{
    static const struct page_row rows[] = {
        {"<html>Sign in</html>", NOTHING_GARBAGE, "not from Prometheus"},
        {"", NOTHING_GARBAGE, "not from Prometheus"},
        {"[]", NOTHING_GARBAGE, "not from Prometheus"},
        {"{\"status\":\"success\"}", NOTHING_GARBAGE, "no result"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":{}}}",
         NOTHING_GARBAGE, "no result"},
        {"{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"query timed out\"}",
         NOTHING_UNREACHABLE, "timeout: query timed out"},
        {"{\"status\":\"error\"}", NOTHING_UNREACHABLE, "error: ?"},
        {"{\"status\":\"success\",\"isPartial\":true,\"data\":{}}", NOTHING_PARTIAL, "storage"},
        {"{\"status\":\"success\",\"warnings\":[\"store a is down\"],\"data\":{\"resultType\":"
         "\"vector\",\"result\":[]}}",
         NOTHING_PARTIAL, "store a is down"},
        {VECTOR(""), NOTHING_NO_DATA, "q"},
        {VECTOR("{\"metric\":{},\"histogram\":[1,{\"count\":\"5\"}]}"), NOTHING_GARBAGE,
         "a native histogram"},
        {VECTOR("{\"metric\":{},\"value\":[1]}"), NOTHING_GARBAGE, "without value"},
        {VECTOR("{\"metric\":{},\"value\":[1,5]}"), NOTHING_GARBAGE, "without value"},
        {VECTOR("{\"metric\":{},\"value\":[1,\"five\"]}"), NOTHING_GARBAGE, "without value"},
        {VECTOR("{\"metric\":{\"a\":1},\"value\":[1,\"5\"]}"), NOTHING_GARBAGE, "labels"},
        {VECTOR("{\"metric\":{},\"value\":[1,\"+Inf\"]}"), NOTHING_NAN, "q"},
        {VECTOR("7"), NOTHING_GARBAGE, "without value"},
    };
    (void)state;
    open_source("prometheus", FAKE);
    expect_pages("queue", rows, sizeof(rows) / sizeof(rows[0]), put_answer);
    put_answer(VECTOR("{\"metric\":{\"a\":\"b\"},\"value\":[1.5,\"-5e-1\"]}"));
    expect_gauge("queue", -0.5);
}

static void test_status(void **state)
{
    (void)state;
    open_source("prometheus", FAKE);
    put_answer("{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error\"}");
    put_file("p/api/v1/query.head", "HTTP/1.1 400 Bad Request\r\n");
    expect_nothing("queue", NOTHING_GARBAGE, "bad_data: parse error");
    put_answer("{\"status\":\"error\",\"errorType\":\"unavailable\",\"error\":\"starting\"}");
    put_file("p/api/v1/query.head", "HTTP/1.1 503 Unavailable\r\n");
    expect_nothing("queue", NOTHING_UNREACHABLE, "unavailable: starting");
    put_answer("<h1>Bad gateway</h1>");
    put_file("p/api/v1/query.head", "HTTP/1.1 502 Bad Gateway\r\n");
    expect_nothing("queue", NOTHING_UNREACHABLE, "HTTP 502");
    put_file("p/api/v1/query.head", "HTTP/1.1 401 Unauthorized\r\n");
    expect_nothing("queue", NOTHING_UNREACHABLE, "HTTP 401");
}

/* An answer to counts with series that nobody asked for, or none that can be. */
static void test_series(void **state)
{
    (void)state;
    open_source("prometheus", FAKE);
    put_answer(VECTOR("{\"metric\":{\"instance\":\"mars\",\"deploy_part\":\"main\"},"
                      "\"value\":[9,\"5\"]}"));
    expect_nothing("error-rate", NOTHING_GARBAGE, "not asked for");
    put_answer(
        "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"2\"]}}");
    expect_nothing("error-rate", NOTHING_GARBAGE, "a scalar");
#define SERIES(name, part, value)                                    \
    "{\"metric\":{\"instance\":\"" name "\",\"deploy_part\":\"" part \
    "\"},\"value\":[1000,\"" value "\"]}"
    put_answer(VECTOR(SERIES("green-1", "main", "NaN") "," SERIES("green-2", "main", "5")));
    expect_nothing("error-rate", NOTHING_NAN, "green-1");
    put_answer(VECTOR(SERIES("green-1", "main", "7") "," SERIES("green-2", "main", "5") "," SERIES(
        "green-2", "time", "930")));
    expect_nothing("error-rate", NOTHING_STALE, "green-2 is 70 s old");
    put_answer(VECTOR(SERIES("green-1", "main", "7") "," SERIES("green-2", "main", "5") "," SERIES(
        "green-2", "bad", "2") "," SERIES("green-2", "time", "941") "," SERIES("green-1", "label99",
                                                                               "941")));
    read_slo("error-rate");
    expect_series(0, "green-1", 0, 7);
    expect_series(1, "green-2", 2, 5);
}

static void test_hostile(void **state)
{
    /* The rest of the address becomes a query string. */
    static const struct hostile fake = {"prometheus", "?", "queue", "value: q, target: 10"};
    (void)state;
    expect_all_hostile(&fake);
}

static void test_request(void **state)
{
    (void)state;
    open_source("prometheus", FAKE);
    put_answer(VECTOR(""));
    read_slo("error-rate");
    const char *request = read_back("requests");
    assert_non_null(strstr(request, "POST /p/api/v1/query HTTP/1.1\r\n"));
    assert_non_null(strstr(request, "\r\nX-Scope-OrgID: shop\r\n"));
    assert_non_null(strstr(request, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
    assert_non_null(strstr(request, "\r\n\r\nquery=label_replace%28sum%20by%20%28instance%29%20%28"
                                    "r%7Binstance%3D~%22green-1%7C"));
    assert_non_null(strstr(request, "&timeout=1000ms&partial_response=false"));
}

/* What the user and the world name cannot leave its quotes. */
static void test_quoting(void **state)
{
    static struct instance odd = {
        .name = "a.b\"}) or vector(1) # \\", .url = "https://[::1]/x?y=1", .server = "s+1\n"};
    static const struct instance *const list[] = {&odd};
    const struct want want = {
        .kind = WANT_COUNTS, .total = "r{p=\"x\\\"\\\\\",q!~\"5..\"}", .bad = "e", .scale = 1};
    struct tally_plan plan;
    (void)state;
    open_source("prometheus", FAKE);
    const struct metric_query query = {slo_named("error-rate"), ARM_CANDIDATE, list, 1};
    EXPECT_OK(tally_parse(&want, &arena, &plan, &error), &error);
    assert_string_equal(promql_pattern(&query, &arena),
                        "a\\\\.b\\\"\\\\}\\\\) or vector\\\\(1\\\\) # \\\\\\\\|"
                        "\\\\[::1\\\\]:443|s\\\\+1\\n");
    const char *text = promql_of(&plan, "pod", &query, &arena);
    assert_non_null(strstr(text, ",p=\"x\\\"\\\\\",q!~\"5..\"}"));
    assert_non_null(strstr(text, " or label_replace(max by (pod) (timestamp(r{pod=~\""));
    assert_non_null(strstr(text, " or label_replace(sum by (pod) (e{pod=~\""));
    assert_string_equal(promql_names(&odd, &arena)[1], "[::1]:443");
    odd.url = "http://user.example:8080#f";
    assert_string_equal(promql_names(&odd, &arena)[1], "user.example:8080");
    odd.url = "http://shop.example/a:b";
    assert_string_equal(promql_names(&odd, &arena)[1], "shop.example:80");
}

static void test_refusals(void **state)
{
    (void)state;
    open_source("prometheus",
                "metrics:\n  prometheus: { url: 'http://p' }\nslos:\n"
                "  error-rate: { total: 'rate(x[5m])', bad: y }\n"
                "  availability: { target: 99%, total: x, bad: 'x{a=~\"(?i)b\\\\d\"}' }\n"
                "  latency-p99: { value: 'histogram_quantile(0.99, x)', target: 1s }\n");
    expect_refusal("error-rate", "goes into `value`");
    /* The pattern is Prometheus' own matter. */
    assert_null(refusal("availability"));
    expect_refusal("latency-p99", "`unit: ms` or `unit: s`");
    configure("prometheus", "metrics:\n  prometheus: { url: 'http://p', label: 'a{b=\"c\"}' }\n");
    EXPECT_ERROR(driver->open(&context, &metric, &error), &error, ERROR_CONFIG, "no label's name");
    configure("prometheus", "metrics:\n  prometheus: { url: 'http://p', label: 'a) or (b' }\n");
    EXPECT_ERROR(driver->open(&context, &metric, &error), &error, ERROR_CONFIG, "no label's name");
    metric = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_real, metric_begin, end_real),
        CASE(test_answers),
        CASE(test_status),
        CASE(test_series),
        CASE(test_hostile),
        CASE(test_request),
        CASE(test_quoting),
        CASE(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
