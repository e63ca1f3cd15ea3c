/* SPDX-License-Identifier: Apache-2.0 */
#include "prom_answer.h"
#include "promql.h"
#include "web.h"

#include "clock.h"
#include "json.h"
#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct prometheus_settings {
    struct web_settings web;
    const char *url, *label;
    int64_t scrape_interval;
};

#define AT(member) offsetof(struct prometheus_settings, member)

static const struct field prometheus_fields[] = {
    {.name = "url",
     .type = FIELD_URL,
     .offset = AT(url),
     .required = true,
     .doc = "The server, without /api/v1; Thanos, Mimir and VictoriaMetrics answer alike."},
    WEB_TOKEN_ROW,
    {.name = "label",
     .type = FIELD_TEXT,
     .offset = AT(label),
     .def = "instance",
     .doc = "The label that tells instances apart: it holds their host:port, name or server."},
    WEB_HEADERS_ROW("Headers to send with each query, as `X-Scope-OrgID: shop`."),
    WEB_CA_ROW("the server's certificate"),
    WEB_TIMEOUT_ROW("10s", "answer"),
    {.name = "scrape-interval",
     .type = FIELD_DURATION,
     .offset = AT(scrape_interval),
     .def = "30s",
     .min = 1000,
     .max = 600000,
     .doc = "How often Prometheus reads the instances; older than twice this is stale."},
    {.name = NULL},
};

static const struct want_defaults defaults = {
    .total = "http_requests_total",
    .histogram = "http_request_duration_seconds",
    .by_status = true,
};

struct task {
    struct tally_plan plan;
    const char *refused;
    bool whole;
    size_t page;
};

static const struct prometheus_settings *settings_of(const struct metric *metric)
{
    return metric->settings;
}

static int prometheus_open(const struct driver_context *context, struct metric **out,
                           struct error *err)
{
    struct om_selector selector;
    const struct prometheus_settings *settings = context->settings;
    if (om_selector_parse(settings->label, context->arena, &selector, err) != 0 ||
        selector.count > 0 || strchr(selector.name, ':')) {
        return error_set(err, ERROR_CONFIG, "metrics.prometheus.label '%s' is no label's name",
                         settings->label);
    }
    return web_open(context, out, err);
}

static const char *plan_of(const struct slo_config *slo, struct arena *arena,
                           struct tally_plan *plan)
{
    struct error err;
    struct want want;
    *plan = (struct tally_plan){.bad_named = false};
    const char *why = want_of(slo, &defaults, arena, &want);
    plan->want = want;
    if (why || want.kind == WANT_VALUE) {
        return why;
    }
    if (tally_parse(&want, arena, plan, &err) != 0) {
        return arena_format(arena, "'%s': %s", slo->name, err.message);
    }
    return NULL;
}

static const char *prometheus_refuses(const struct metric *metric, const struct slo_config *slo,
                                      struct arena *arena)
{
    (void)metric;
    struct tally_plan plan;
    return plan_of(slo, arena, &plan);
}

/* `${instance}` is a pattern here, for `instance=~"${instance}"`. */
static const char *expand_value(const struct metric *metric, const struct metric_query *query,
                                const char *value, struct arena *arena)
{
    const struct variable *all = query_variables(metric->context, query, NULL, arena);
    size_t count = 0;
    while (all[count].name) {
        count++;
    }
    struct variable *own = arena_array(arena, count + 2, sizeof(*own));
    own[0] = (struct variable){"instance", promql_pattern(query, arena)};
    memcpy(own + 1, all, count * sizeof(*own));
    return field_expand(arena, value, own);
}

/* Without a time of ours: all ages are by the server's clock. */
static const char *form_of(const struct metric *metric, const char *text, struct arena *arena)
{
    AUTO_BUF struct buf body;
    buf_init(&body, (size_t)4 << 20);
    buf_adds(&body, "query=");
    text_to_url(&body, text);
    /* Thanos: rather no answer than a part of it. */
    buf_addf(&body, "&timeout=%" PRId64 "ms&partial_response=false",
             settings_of(metric)->web.timeout);
    return arena_text(arena, body.data);
}

static void start_task(struct web_sweep *sweep, const struct metric_query *query, struct task *task)
{
    const struct prometheus_settings *settings = settings_of(sweep->metric);
    const char *text = NULL;
    task->refused = plan_of(query->slo, sweep->arena, &task->plan);
    if (task->refused || query->count == 0) {
        return;
    }
    if (task->plan.want.kind == WANT_VALUE) {
        text = expand_value(sweep->metric, query, task->plan.want.value, sweep->arena);
        task->whole = !names_arm(task->plan.want.value);
    } else {
        text = promql_of(&task->plan, settings->label, query, sweep->arena);
    }
    task->page = web_add(sweep, url_join(sweep->arena, settings->url, "api/v1/query"),
                         form_of(sweep->metric, text, sweep->arena));
}

static int run_sweep(struct web_sweep *sweep)
{
    struct http_request request = web_request(sweep->metric, sweep->arena);
    const char **headers = arena_array(sweep->arena, request.header_count + 1, sizeof(*headers));
    headers[0] = "Content-Type: application/x-www-form-urlencoded";
    for (size_t i = 0; i < request.header_count; i++) {
        headers[i + 1] = request.headers[i];
    }
    request.method = "POST";
    request.headers = headers;
    request.header_count++;
    return web_fetch(sweep, &request);
}

/* ---- answers ---------------------------------------------------------------------- */

/* One answer becoming one reading. */
struct reader {
    const struct metric *metric;
    const struct metric_query *query;
    struct tally_plan *plan;
    struct arena *arena;
    struct tally *tallies;
    double *ages; /* s, by instance; NaN: not told */
    const char *why;
    enum nothing nothing;
};

static void fail(struct reader *reader, enum nothing nothing, const char *why)
{
    if (!reader->why) {
        reader->nothing = nothing;
        reader->why = arena_format(reader->arena, "%s: %s", reader->query->slo->name, why);
    }
}

static struct tally *tally_of(struct reader *reader, const struct om_sample *sample, size_t *index)
{
    const char *value = om_label_of(sample, settings_of(reader->metric)->label);
    for (size_t i = 0; i < reader->query->count; i++) {
        const char **name = promql_names(reader->query->instances[i], reader->arena);
        for (; *name; name++) {
            if (text_equal(*name, value)) {
                *index = i;
                return &reader->tallies[i];
            }
        }
    }
    return NULL;
}

static void see_bad(struct tally_plan *plan, const char *part)
{
    if (text_equal(part, PROMQL_NAMED)) {
        plan->bad_named = true;
        return;
    }
    const size_t index = strtoul(part + strlen(PROMQL_LABEL), NULL, 10);
    if (index < plan->bad.count) {
        plan->bad_labels[index] = true;
    }
}

static void take_sample(struct reader *reader, const struct om_sample *sample, double at)
{
    const char *part = om_label_of(sample, PROMQL_PART);
    size_t index = 0;
    if (text_equal(part, PROMQL_NAMED) || text_starts(part, PROMQL_LABEL)) {
        see_bad(reader->plan, part);
        return;
    }
    struct tally *tally = tally_of(reader, sample, &index);
    if (!tally) {
        fail(reader, NOTHING_GARBAGE, "a series that was not asked for");
    } else if (text_equal(part, PROMQL_MAIN)) {
        tally_main(reader->plan, tally, sample);
    } else if (text_equal(part, PROMQL_BAD)) {
        tally_bad(tally, sample->value);
    } else if (text_equal(part, PROMQL_TIME)) {
        reader->ages[index] = at - sample->value;
    }
}

static void take_series(struct reader *reader, const struct json *result)
{
    struct om_sample *sample = ARENA_NEW(reader->arena, struct om_sample);
    const size_t count = json_size(result);
    if (count > OM_SERIES_MAX) {
        fail(reader, NOTHING_GARBAGE, "more than 20000 series");
    }
    for (size_t i = 0; i < count && !reader->why; i++) {
        double at = 0;
        const char *wrong = prom_sample(json_at(result, i), sample, &at);
        if (wrong) {
            fail(reader, NOTHING_GARBAGE, wrong);
        } else {
            take_sample(reader, sample, at);
        }
    }
}

static double oldest_allowed(const struct metric *metric)
{
    const int64_t watch = 2 * metric->context->config->watch_interval;
    const int64_t scrape = 2 * settings_of(metric)->scrape_interval;
    const int64_t most = watch > scrape ? watch : scrape;
    return most > 60000 ? (double)most / 1000 : 60;
}

/* Prometheus reads instances one by one: one of them missing among others is no zero. */
static void check_instances(struct reader *reader)
{
    const double most = oldest_allowed(reader->metric);
    size_t found = 0;
    for (size_t i = 0; i < reader->query->count; i++) {
        found += reader->tallies[i].main.count > 0;
    }
    for (size_t i = 0; i < reader->query->count && found > 0; i++) {
        const char *name = reader->query->instances[i]->name;
        if (reader->tallies[i].main.count == 0) {
            fail(reader, NOTHING_PARTIAL,
                 arena_format(reader->arena, "no series %s with %s of %s", reader->plan->main.name,
                              settings_of(reader->metric)->label, name));
        } else if (reader->ages[i] > most) {
            fail(reader, NOTHING_STALE,
                 arena_format(reader->arena, "the newest sample of %s is %.0f s old", name,
                              reader->ages[i]));
        }
    }
}

static struct reading read_series(struct reader *reader, const struct prom_answer *answer)
{
    const size_t count = reader->query->count;
    reader->tallies = arena_array(reader->arena, count, sizeof(*reader->tallies));
    reader->ages = arena_array(reader->arena, count, sizeof(*reader->ages));
    for (size_t i = 0; i < count; i++) {
        tally_init(&reader->tallies[i], reader->arena);
        reader->ages[i] = NAN;
    }
    take_series(reader, answer->result);
    check_instances(reader);
    if (reader->why) {
        return reading_nothing(reader->nothing, reader->why);
    }
    return tally_reading(reader->plan, reader->query, reader->tallies, reader->arena);
}

static struct reading read_value(struct reader *reader, const struct prom_answer *answer)
{
    const double scale = reader->plan->want.scale;
    const char *shown =
        arena_format(reader->arena, "%s: %s", reader->query->slo->name, reader->plan->want.value);
    struct om_sample *sample = ARENA_NEW(reader->arena, struct om_sample);
    const size_t count = json_size(answer->result);
    double at = 0;
    if (!answer->result) {
        return reading_gauge(answer->scalar * scale, shown);
    }
    if (count == 0) {
        return reading_nothing(NOTHING_NO_DATA, shown);
    }
    if (count > 1) {
        return reading_nothing(
            NOTHING_MULTI_SERIES,
            arena_format(reader->arena,
                         "%s gives %zu series, %s and %s: wrap "
                         "it in sum()",
                         shown, count, prom_labels(json_at(answer->result, 0), reader->arena),
                         prom_labels(json_at(answer->result, 1), reader->arena)));
    }
    const char *wrong = prom_sample(json_at(answer->result, 0), sample, &at);
    if (wrong) {
        return reading_nothing(NOTHING_GARBAGE,
                               arena_format(reader->arena, "%s: %s", shown, wrong));
    }
    return reading_gauge(sample->value * scale, shown);
}

static struct reading finish_task(const struct web_sweep *sweep, const struct metric_query *query,
                                  struct task *task)
{
    struct arena *arena = sweep->arena;
    struct prom_answer answer;
    struct reading reading;
    if (reading_not_asked(task->refused, query, arena, &reading)) {
        return reading;
    }
    const struct web_page *page = &sweep->pages[task->page];
    struct reader reader = {sweep->metric, query, &task->plan, arena,
                            NULL,          NULL,  NULL,        NOTHING_NO_DATA};
    const char *subject =
        arena_format(arena, "%s: %s", query->slo->name, http_url_shown(arena, page->url));
    if (prom_open(page->operation, subject, arena, &answer, &reading)) {
        const bool value = task->plan.want.kind == WANT_VALUE;
        if (!value && !answer.result) {
            reading =
                reading_nothing(NOTHING_GARBAGE, arena_format(arena, "%s: a scalar", subject));
        } else {
            reading = value ? read_value(&reader, &answer) : read_series(&reader, &answer);
        }
    }
    reading.whole = task->whole;
    prom_release(&answer);
    return reading;
}

static int prometheus_read(struct metric *metric, const struct metric_query *queries, size_t count,
                           struct reading *out, struct arena *arena)
{
    struct clock *clock = metric->context->clock;
    struct web_sweep sweep = {metric, arena, .without = NULL};
    struct task *tasks = arena_array(arena, count, sizeof(*tasks));
    for (size_t i = 0; i < count; i++) {
        start_task(&sweep, &queries[i], &tasks[i]);
    }
    const int result = run_sweep(&sweep);
    for (size_t i = 0; i < count && result == 0; i++) {
        out[i] = finish_task(&sweep, &queries[i], &tasks[i]);
        out[i].at = clock->wall(clock);
    }
    web_release(&sweep);
    return result;
}

static const struct metric_driver prometheus_driver = {
    .open = prometheus_open,
    .refuses = prometheus_refuses,
    .read = prometheus_read,
    .close = web_close,
};

const struct driver_row metric_prometheus_row = {
    .room = "metric",
    .name = "prometheus",
    .doc = "A Prometheus server, or one that answers as it does.",
    .fields = prometheus_fields,
    .size = sizeof(struct prometheus_settings),
    .door = &prometheus_driver,
};
