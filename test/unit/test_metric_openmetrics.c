/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include "../../src/metric/tally.h"
#include "arena.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct arena arena;
static struct error err;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

/* ---- pages ------------------------------------------------------------------------ */

/* Every sample as one line, so that a page is compared whole. */
static void write_down(void *context, const struct om_sample *sample)
{
    struct buf *out = context;
    buf_adds(out, sample->name);
    for (size_t i = 0; i < sample->label_count; i++) {
        buf_addf(out, " %s=[%s]", sample->labels[i].name, sample->labels[i].value);
    }
    buf_addf(out, " %g\n", sample->value);
}

static int scan(const char *page, bool openmetrics, const char **seen)
{
    AUTO_BUF struct buf out;
    buf_init(&out, 1 << 20);
    /* Exactly as long as it is, so that reading on is found. */
    const size_t length = strlen(page);
    char *copy = malloc(length > 0 ? length : 1);
    memcpy(copy, page, length);
    const int result =
        om_scan(&(struct om_page){copy, length, openmetrics}, write_down, &out, &err);
    free(copy);
    *seen = arena_text(&arena, out.data);
    return result;
}

static void expect_samples(const char *page, bool openmetrics, const char *wanted)
{
    const char *seen = NULL;
    EXPECT_OK(scan(page, openmetrics, &seen), &err);
    assert_string_equal(seen, wanted);
}

static void expect_wrong(const char *page, const char *why)
{
    const char *seen = NULL;
    EXPECT_ERROR(scan(page, false, &seen), &err, ERROR_FORMAT, why);
}

static void test_text_format(void **state)
{
    (void)state;
    expect_samples("# HELP http_requests_total The \\\\ number\n"
                   "# TYPE http_requests_total counter\n"
                   "http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n"
                   "http_requests_total{method=\"post\",code=\"400\"}    3 1395066363000\n"
                   "\n# just a comment\n#\n   \n"
                   "msdos_file_access_time_seconds{path=\"C:\\\\DIR\\\\FILE.TXT\",error=\"Cannot "
                   "find file:\\n\\\"FILE.TXT\\\"\"} 1.458255915e9\n"
                   "metric_without_timestamp_and_labels 12.47\n"
                   "something_weird{problem=\"division by zero\"} +Inf -3982045\n"
                   "a:b_1\t{ x = \"1\" , y=\"\" , } \t -1.5E-3\n",
                   false,
                   "http_requests_total method=[post] code=[200] 1027\n"
                   "http_requests_total method=[post] code=[400] 3\n"
                   "msdos_file_access_time_seconds path=[C:\\DIR\\FILE.TXT] error=[Cannot find "
                   "file:\n\"FILE.TXT\"] 1.45826e+09\n"
                   "metric_without_timestamp_and_labels 12.47\n"
                   "something_weird problem=[division by zero] inf\n"
                   "a:b_1 x=[1] y=[] -0.0015\n");
    expect_samples("", false, "");
    expect_samples("a NaN\r\nb{} -Inf\r\n", false, "a nan\nb -inf\n");
    expect_samples("a{l=\"}, # {\"} 1\n", false, "a l=[}, # {] 1\n");
}

static void test_openmetrics(void **state)
{
    const char *seen = NULL;
    (void)state;
    expect_samples(
        "# TYPE foo histogram\n# UNIT foo seconds\n"
        "foo_bucket{le=\"0.1\"} 8 # {trace_id=\"abc\"} 0.054\n"
        "foo_bucket{le=\"+Inf\"} 17 1520879607.789 # {trace_id=\"K} 9\"} 9.8 1520879607.7\n"
        "foo_count 17\nfoo_created 1520430000.123\n# EOF\n",
        true,
        "foo_bucket le=[0.1] 8\nfoo_bucket le=[+Inf] 17\nfoo_count 17\n"
        "foo_created 1.52043e+09\n");
    expect_samples("a_total 1\n# EOF", true, "a_total 1\n");
    EXPECT_ERROR(scan("a_total 1\n", true, &seen), &err, ERROR_FORMAT, "cut off");
    EXPECT_ERROR(scan("a_total 1\n# EOF\nb 1\n", true, &seen), &err, ERROR_FORMAT, "after # EOF");
}

static void test_garbage(void **state)
{
    (void)state;
    expect_wrong("<html><body>Sign in</body></html>\n", "line 1: no name of a metric: '<html>");
    expect_wrong("{\"status\":\"ok\"}\n", "no name of a metric");
    expect_wrong("a 1\nb 2", "line 2: the page ends within a line");
    expect_wrong("a 1\nb\n", "line 2: no number");
    expect_wrong("a 1 2 3\n", "something after the time");
    expect_wrong("a 1x\n", "no number");
    expect_wrong("a 0x10\n", "no number");
    expect_wrong("a nan(1)\n", "no number");
    expect_wrong("a infinity\n", "no number");
    expect_wrong("a --1\n", "no number");
    expect_wrong("a 1 later\n", "neither a time");
    expect_wrong("9a 1\n", "no name");
    expect_wrong("a{ 1\n", "label=");
    expect_wrong("a{x} 1\n", "label=");
    expect_wrong("a{x=} 1\n", "label=");
    expect_wrong("a{x=y} 1\n", "label=");
    expect_wrong("a{x=\"y} 1\n", "closing quote");
    expect_wrong("a{x=\"y\\\n", "closing quote");
    expect_wrong("a{x=\"y\" z=\"1\"} 1\n", "no `,` or `}`");
    expect_wrong("a{x=\"y\"\n", "no `,` or `}`");
    expect_wrong("a{,} 1\n", "label=");
    expect_wrong("a\x01\xff{} 1\n", "no number");
}

static char *repeat(const char *text, size_t count)
{
    const size_t length = strlen(text);
    char *out = arena_alloc(&arena, count * length + 1);
    for (size_t i = 0; i < count; i++) {
        memcpy(out + i * length, text, length);
    }
    return out;
}

static void test_limits(void **state)
{
    const char *seen = NULL;
    (void)state;
    EXPECT_OK(scan(repeat("a 1\n", OM_SERIES_MAX), false, &seen), &err);
    expect_wrong(repeat("a 1\n", OM_SERIES_MAX + 1), "more than 20000 series");
    const char *labels = repeat("a=\"b\",", OM_LABELS_MAX);
    EXPECT_OK(scan(arena_format(&arena, "m{%s} 1\n", labels), false, &seen), &err);
    expect_wrong(arena_format(&arena, "m{%sc=\"d\"} 1\n", labels), "more than 64 labels");
    const char *value = repeat("v", OM_LINE_MAX - 10);
    EXPECT_OK(scan(arena_format(&arena, "m{x=\"%s\"} 1\n", value), false, &seen), &err);
    expect_wrong(arena_format(&arena, "m{x=\"%sxx\"} 1\n", value), "longer than 64 KiB");
    /* Nothing of the escapes outgrows the line's room. */
    const char *escapes = repeat("\\\\", OM_LINE_MAX / 2 - 5);
    EXPECT_OK(scan(arena_format(&arena, "m{x=\"%s\"} 1\n", escapes), false, &seen), &err);
}

/* Half a page, or one with any byte changed, is read or refused, never worse. */
static void test_any_damage(void **state)
{
    const char *page =
        "# TYPE r counter\nr_total{code=\"5\\\"0\",le=\"+Inf\"} 1.5e3 17 # {a=\"b\"} 1\n"
        "r_count 7\n# EOF\n";
    const char *seen = NULL;
    const size_t length = strlen(page);
    (void)state;
    for (size_t cut = 0; cut <= length; cut++) {
        (void)scan(arena_text_n(&arena, page, cut), false, &seen);
    }
    for (size_t at = 0; at < length; at++) {
        for (int byte = 1; byte < 256; byte++) {
            char *changed = arena_text(&arena, page);
            changed[at] = (char)byte;
            (void)scan(changed, byte % 2 == 0, &seen);
        }
        arena_reset(&arena);
    }
}

/* ---- selectors -------------------------------------------------------------------- */

static enum om_selected selects(const char *text, const struct om_sample *sample)
{
    struct om_selector selector;
    EXPECT_OK(om_selector_parse(text, &arena, &selector, &err), &err);
    EXPECT_OK(om_selector_compile(&selector, &err), &err);
    const enum om_selected selected = om_selects(&selector, sample);
    om_selector_release(&selector);
    return selected;
}

static void test_selectors(void **state)
{
    const struct om_sample sample = {
        .name = "http_requests_total",
        .label_count = 4,
        .labels = {{"code", "503"}, {"path", "/a\"b\\c"}, {"env", "prod"}, {"dos", "c:\\n\n"}},
    };
    static const char *const yes[] = {
        "http_requests_total",
        " http_requests_total { } ",
        "http_requests_total{code=\"503\"}",
        "http_requests_total{code=~\"5..\",}",
        "http_requests_total{code=~'5[0-9]{2}'}",
        "http_requests_total{code!~\"[1234]..\",env!=\"dev\"}",
        "http_requests_total{path=\"/a\\\"b\\\\c\"}",
        "http_requests_total{code=~\"500|503\"}",
        "http_requests_total{missing=\"\"}",
        "http_requests_total{dos=\"c:\\\\n\\n\"}",
        "http_requests_total{missing=~\".*\"}",
        "http_requests_total{missing!=\"x\"}",
        "http_requests_total{env=~\"prod|\"}",
        "http_requests_total{path=~\"/a.+\"}",
        "http_requests_total{missing=~\"\"}",
    };
    static const char *const no[] = {
        "http_requests_tota",
        "http_requests_total_",
        "http_requests_total{code=\"50\"}",
        "http_requests_total{code=~\"5\"}",
        "http_requests_total{code=~\"0\"}",
        "http_requests_total{code=~\"5..\",env=\"dev\"}",
        "http_requests_total{code!=\"503\"}",
        "http_requests_total{missing=~\".+\"}",
        "http_requests_total{code!~\".*\"}",
        "http_requests_total{code=~\"5|3\"}",
        "http_requests_total{missing!=\"\"}",
        "http_requests_total{code!~\"[]()*5]+[^{}4]{2}|(x{3}){2,}\"}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (selects(yes[i], &sample) != OM_EXACTLY) {
            fail_msg("not selected by %s", yes[i]);
        }
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        if (selects(no[i], &sample) != OM_NOT) {
            fail_msg("selected by %s", no[i]);
        }
    }
    assert_int_equal(selects("http_requests", &sample), OM_AS_TOTAL);
}

static void test_wrong_selectors(void **state)
{
    static const struct {
        const char *text, *why;
    } wrong[] = {
        {"", "a name is missing"},
        {"{code=\"5\"}", "a name is missing"},
        {"rate(http_requests_total[5m])", "goes into `value`"},
        {"http_requests_total[5m]", "goes into `value`"},
        {"a / b", "goes into `value`"},
        {"a{code}", "one of = != =~ !~"},
        {"a{code=}", "a quoted text is missing"},
        {"a{code=5}", "a quoted text is missing"},
        {"a{code=\"5}", "closing quote"},
        {"a{code=\"5\\", "an escape"},
        {"a{code=\"\\d\"}", "an escape"},
        {"a{code=\"5\"", "`,` or `}`"},
        {"a{code=\"5\";}", "`,` or `}`"},
        {"a{code=\"5\"", "its end"},
    };
    struct om_selector selector;
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        EXPECT_ERROR(om_selector_parse(wrong[i].text, &arena, &selector, &err), &err, ERROR_CONFIG,
                     wrong[i].why);
    }
}

static void test_wrong_patterns(void **state)
{
    static const char *const wrong[] = {
        "\\\\d+",    "(?i)ok",       "5.*?",    "5+?",
        "a??",       "[[:digit:]]",  "[abc",    "a{1000}",
        "a{1,100}",  "a{",           "a{x}",    "(a",
        "a**",       "x\\\\",        "a)",      ")(",
        "){9,}{99}", "a{2}{3}",      "a{}",     "a{,2}",
        "a{1,2,3}",  "*a",           "(*a)",    "a|+",
        "a}",        "[a[:digit:]]", "[\\\\d]", "((a{99}){99}){99}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct om_selector selector;
        const char *text = arena_format(&arena, "m{l=~\"%s\"}", wrong[i]);
        EXPECT_OK(om_selector_parse(text, &arena, &selector, &err), &err);
        EXPECT_ERROR(om_selector_compile(&selector, &err), &err, ERROR_CONFIG, "the pattern");
        om_selector_release(&selector);
    }
    struct om_selector selector;
    const char *text = arena_format(&arena, "m{l=~\"%s\"}", repeat("x", 501));
    EXPECT_OK(om_selector_parse(text, &arena, &selector, &err), &err);
    EXPECT_ERROR(om_selector_compile(&selector, &err), &err, ERROR_CONFIG, "longer than 500");
    om_selector_release(&selector);
}

/* ---- what an SLO asks ------------------------------------------------------------- */

static const struct want_defaults defaults = {"http_requests_total",
                                              "http_request_duration_seconds", true};

static struct slo_config slo_of(const char *name, enum slo_kind kind)
{
    return (struct slo_config){
        .name = name, .kind = kind, .quantile = 0.99, .max_increase = -1, .max_drop = -1};
}

static void expect_refused(struct slo_config slo, const char *why)
{
    struct want want;
    const char *refused = want_of(&slo, &defaults, &arena, &want);
    assert_non_null(refused);
    if (!strstr(refused, why)) {
        fail_msg("'%s' does not hold '%s'", refused, why);
    }
}

static struct want expect_want(struct slo_config slo)
{
    struct want want;
    const char *refused = want_of(&slo, &defaults, &arena, &want);
    if (refused) {
        fail_msg("%s", refused);
    }
    return want;
}

static void test_wants(void **state)
{
    struct slo_config slo = slo_of("error-rate", SLO_ERROR_RATE);
    (void)state;
    assert_true(expect_want(slo).bad_by_status);
    assert_string_equal(expect_want(slo).total, "http_requests_total");
    slo.bad = "errors_total";
    assert_string_equal(expect_want(slo).bad, "errors_total");
    assert_false(expect_want(slo).bad_by_status);
    slo = slo_of("latency-p99", SLO_LATENCY);
    assert_int_equal(expect_want(slo).kind, WANT_HISTOGRAM);
    assert_true(expect_want(slo).scale == 1000);
    slo.histogram = "rpc_ms{path=\"_seconds\"}";
    assert_true(expect_want(slo).scale == 1);
    slo.histogram = "rpc_duration";
    expect_refused(slo, "add `unit: s` or `unit: ms`");
    slo.unit = "s";
    assert_true(expect_want(slo).scale == 1000);
    slo.unit = "percent";
    expect_refused(slo, "cannot come in `unit: percent`");
    slo = slo_of("throughput", SLO_THROUGHPUT);
    slo.bad = "ignored";
    assert_null(expect_want(slo).bad);
    assert_false(expect_want(slo).bad_by_status);
    expect_refused(slo_of("conversion", SLO_CONVERSION), "needs `total`");
    slo = slo_of("conversion", SLO_CONVERSION);
    slo.total = "checkouts_total";
    expect_refused(slo, "no `bad`");
    expect_refused(slo_of("queue", SLO_GAUGE), "needs `value`");
}

/* D-06: a unit that decides something is never guessed. */
static void test_units(void **state)
{
    struct slo_config slo = slo_of("error-rate", SLO_ERROR_RATE);
    (void)state;
    slo.value = ".error_rate";
    assert_true(expect_want(slo).scale == 1); /* neither target nor points: any unit does */
    slo.max_increase = 0.02;
    expect_refused(slo, "`unit: ratio` (0.02 is 2%) or `unit: percent`");
    slo.mode = MODE_RELATIVE;
    assert_true(expect_want(slo).scale == 1);
    slo.target = (struct quantity){0.001, UNIT_RATIO, true};
    expect_refused(slo, "in which unit");
    slo.unit = "percent";
    assert_true(expect_want(slo).scale == 0.01);
    slo.unit = "ratio";
    assert_true(expect_want(slo).scale == 1);
    slo.unit = "ms";
    expect_refused(slo, "cannot come in `unit: ms`");
    slo.unit = "permille";
    expect_refused(slo, "unknown `unit: permille`");
    slo = slo_of("latency-p99", SLO_LATENCY);
    slo.value = ".p99";
    slo.target = (struct quantity){500, UNIT_MS, true};
    expect_refused(slo, "`unit: ms` or `unit: s`");
    slo.unit = "s";
    assert_true(expect_want(slo).scale == 1000);
    slo = slo_of("throughput", SLO_THROUGHPUT);
    slo.value = ".rate";
    slo.target = (struct quantity){1000, UNIT_PER_SECOND, true};
    assert_true(expect_want(slo).scale == 1);
    slo = slo_of("queue", SLO_GAUGE);
    slo.value = "queue_length";
    slo.target = (struct quantity){12, UNIT_NONE, true};
    assert_true(expect_want(slo).scale == 1);
    slo.target.unit = UNIT_RATIO;
    expect_refused(slo, "in which unit");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(test_text_format),     CASE(test_openmetrics),    CASE(test_garbage),
        CASE(test_limits),          CASE(test_any_damage),     CASE(test_selectors),
        CASE(test_wrong_selectors), CASE(test_wrong_patterns), CASE(test_wants),
        CASE(test_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
