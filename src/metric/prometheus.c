/* SPDX-License-Identifier: Apache-2.0 */
#include "prom_answer.h"
#include "promql.h"

#include "clock.h"
#include "json.h"
#include "loop.h"
#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct prometheus_settings {
    const char *url;
    struct secret token;
    const char *label;
    struct texts headers;
    const char *ca_file;
    int64_t timeout, scrape_interval;
};

#define AT(member) offsetof(struct prometheus_settings, member)

static const struct field prometheus_fields[] = {
    {.name = "url",
     .type = FIELD_URL,
     .offset = AT(url),
     .required = true,
     .doc = "The server, without /api/v1; Thanos, Mimir and VictoriaMetrics answer alike."},
    {.name = "token-env",
     .type = FIELD_SECRET,
     .offset = AT(token),
     .doc = "The environment variable that holds a bearer token."},
    {.name = "label",
     .type = FIELD_TEXT,
     .offset = AT(label),
     .def = "instance",
     .doc = "The label that tells instances apart: it holds their host:port, name or server."},
    {.name = "headers",
     .type = FIELD_TEXTS,
     .offset = AT(headers),
     .doc = "Headers to send with each query, as `X-Scope-OrgID: shop`."},
    {.name = "ca-file",
     .type = FIELD_TEXT,
     .offset = AT(ca_file),
     .doc = "PEM file of the authority that signed the server's certificate."},
    {.name = "timeout",
     .type = FIELD_DURATION,
     .offset = AT(timeout),
     .def = "10s",
     .min = 100,
     .max = 60000,
     .doc = "The longest wait for one answer."},
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

struct metric {
    const struct driver_context *context;
    const struct prometheus_settings *settings;
    const char *url;
};

struct task {
    struct tally_plan plan;
    const char *text; /* the query */
    const char *refused;
    bool whole;
    size_t operation;
};

static int prometheus_open(const struct driver_context *context, struct metric **out,
                           struct error *err)
{
    struct om_selector selector;
    struct metric *metric = ARENA_NEW(context->arena, struct metric);
    metric->context = context;
    metric->settings = context->settings;
    if (om_selector_parse(metric->settings->label, context->arena, &selector, err) != 0 ||
        selector.count > 0 || strchr(selector.name, ':')) {
        return error_set(err, ERROR_CONFIG, "metrics.prometheus.label '%s' is no label's name",
                         metric->settings->label);
    }
    metric->url = url_join(context->arena, metric->settings->url, "api/v1/query");
    *out = metric;
    return 0;
}

static void prometheus_close(struct metric *metric)
{
    (void)metric;
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

static void start_task(const struct metric *metric, const struct metric_query *query,
                       struct arena *arena, struct task *task)
{
    task->refused = plan_of(query->slo, arena, &task->plan);
    if (task->refused) {
        return;
    }
    if (task->plan.want.kind == WANT_VALUE) {
        task->text = expand_value(metric, query, task->plan.want.value, arena);
        task->whole = !names_arm(task->plan.want.value);
    } else {
        task->text = promql_of(&task->plan, metric->settings->label, query, arena);
    }
}

/* Without a time of ours: all ages are by the server's clock. */
static const char *form_of(const struct metric *metric, const char *text, struct arena *arena)
{
    AUTO_BUF struct buf body;
    buf_init(&body, (size_t)4 << 20);
    buf_adds(&body, "query=");
    text_to_url(&body, text);
    /* Thanos: rather no answer than a part of it. */
    buf_addf(&body, "&timeout=%" PRId64 "ms&partial_response=false", metric->settings->timeout);
    return arena_text(arena, body.data);
}

static void fill_request(const struct metric *metric, const char *text, struct arena *arena,
                         struct operation *operation)
{
    const struct texts *own = &metric->settings->headers;
    const char **headers = arena_array(arena, own->count + 1, sizeof(*headers));
    headers[0] = "Content-Type: application/x-www-form-urlencoded";
    for (size_t i = 0; i < own->count; i++) {
        headers[i + 1] = own->items[i];
    }
    operation->kind = OPERATION_HTTP;
    operation->http = (struct http_request){
        .method = "POST",
        .url = metric->url,
        .headers = headers,
        .header_count = own->count + 1,
        .body = form_of(metric, text, arena),
        .ca_file = driver_path(metric->context, metric->settings->ca_file, arena),
        .bearer = metric->settings->token.value,
        .timeout_ms = metric->settings->timeout,
        .max_bytes = (size_t)4 << 20,
    };
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
    const char *value = om_label_of(sample, reader->metric->settings->label);
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
    const int64_t scrape = 2 * metric->settings->scrape_interval;
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
                              reader->metric->settings->label, name));
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

static struct reading finish_task(const struct metric *metric, const struct metric_query *query,
                                  struct task *task, const struct operation *operation,
                                  struct arena *arena)
{
    struct prom_answer answer;
    struct reading reading;
    struct reader reader = {metric, query, &task->plan, arena, NULL, NULL, NULL, NOTHING_NO_DATA};
    const char *subject =
        arena_format(arena, "%s: %s", query->slo->name, http_url_shown(arena, metric->url));
    if (prom_open(operation, subject, arena, &answer, &reading)) {
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

static bool asks(const struct task *task, const struct metric_query *query)
{
    return !task->refused && query->count > 0;
}

static struct reading not_asked(const struct task *task, const struct metric_query *query,
                                struct arena *arena)
{
    if (task->refused) {
        return reading_nothing(NOTHING_GARBAGE, task->refused);
    }
    return reading_no_instance(query, arena);
}

static int prometheus_read(struct metric *metric, const struct metric_query *queries, size_t count,
                           struct reading *out, struct arena *arena)
{
    struct error err;
    struct clock *clock = metric->context->clock;
    struct task *tasks = arena_array(arena, count, sizeof(*tasks));
    struct operation *operations = arena_array(arena, count, sizeof(*operations));
    size_t asked = 0;
    for (size_t i = 0; i < count; i++) {
        start_task(metric, &queries[i], arena, &tasks[i]);
        if (asks(&tasks[i], &queries[i])) {
            tasks[i].operation = asked;
            fill_request(metric, tasks[i].text, arena, &operations[asked++]);
        }
    }
    const int result = loop_run_all(metric->context->loop, operations, asked, &err);
    for (size_t i = 0; i < count && result == 0; i++) {
        out[i] = asks(&tasks[i], &queries[i]) ? finish_task(metric, &queries[i], &tasks[i],
                                                            &operations[tasks[i].operation], arena)
                                              : not_asked(&tasks[i], &queries[i], arena);
        out[i].at = clock->wall(clock);
    }
    for (size_t i = 0; i < asked; i++) {
        operation_release(&operations[i]);
    }
    return result;
}

static const struct metric_driver prometheus_driver = {
    .open = prometheus_open,
    .refuses = prometheus_refuses,
    .read = prometheus_read,
    .close = prometheus_close,
};

const struct driver_row metric_prometheus_row = {
    .room = "metric",
    .name = "prometheus",
    .doc = "A Prometheus server, or one that answers as it does.",
    .fields = prometheus_fields,
    .size = sizeof(struct prometheus_settings),
    .door = &prometheus_driver,
};
