/* SPDX-License-Identifier: Apache-2.0
 *
 * Any HTTP address that answers with JSON, and jq.
 */
#include "web.h"

#include "clock.h"
#include "query.h"
#include "text.h"

#include <ctype.h>
#include <string.h>

enum per { PER_ARM, PER_INSTANCE };
static const char *const per_names[] = {"arm", "instance", NULL};

struct json_settings {
    struct web_settings web;
    const char *url, *stable, *candidate, *path;
    int per;
};

#define AT(member) offsetof(struct json_settings, member)

static const struct field json_fields[] = {
    {.name = "url",
     .type = FIELD_URL,
     .offset = AT(url),
     .doc = "The address for both arms; ${arm}, ${slot} or ${instance} in it tell them apart."},
    {.name = "stable",
     .type = FIELD_URL,
     .offset = AT(stable),
     .doc = "The address for the version that serves now."},
    {.name = "candidate",
     .type = FIELD_URL,
     .offset = AT(candidate),
     .alias = "canary",
     .doc = "The address for the new version."},
    {.name = "per",
     .type = FIELD_ENUM,
     .offset = AT(per),
     .def = "arm",
     .names = per_names,
     .doc = "Whether an address stands for an arm or is asked of every instance."},
    {.name = "path",
     .type = FIELD_TEXT,
     .offset = AT(path),
     .def = "/metrics",
     .doc = "per: instance without `url`: the page below each instance's own URL."},
    WEB_TOKEN_ROW,
    WEB_HEADERS_ROW("Headers to send with each request, as `Accept: application/json`."),
    WEB_CA_ROW("the server's certificate"),
    WEB_TIMEOUT_ROW("5s", "answer"),
    {.name = NULL},
};

static const struct want_defaults defaults = {.total = NULL, .histogram = NULL};

struct task {
    struct want want;
    const char *refused;
    size_t *pages;
    size_t count; /* 1, or one an instance */
    bool whole;
};

/* `.error_rate` of a common page (S-121), `.value` of a page of its own (S-225). */
static const char *default_program(const struct slo_config *slo, struct arena *arena)
{
    if (slo->url) {
        return ".value";
    }
    char *program = arena_format(arena, ".%s", slo->name);
    for (char *at = program + 1; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at)) {
            *at = '_';
        }
    }
    return program;
}

static const char *program_wrong(const struct slo_config *slo, const char *program,
                                 struct arena *arena)
{
    struct error err;
    if (!program || query_check(program, &err) == 0) {
        return NULL;
    }
    return arena_format(arena, "'%s': %s", slo->name, err.message);
}

static const char *address_missing(const struct json_settings *settings,
                                   const struct slo_config *slo, struct arena *arena)
{
    if (slo->url || settings->url || settings->per == PER_INSTANCE ||
        (settings->stable && settings->candidate)) {
        return NULL;
    }
    return arena_format(arena,
                        "'%s' has no address: give metrics.json `url`, or both `stable` "
                        "and `canary`, or the SLO its own `url`",
                        slo->name);
}

static const char *plan_of(const struct metric *metric, const struct slo_config *slo,
                           struct arena *arena, struct want *out)
{
    const char *why = address_missing(metric->settings, slo, arena);
    if (!why && slo->histogram) {
        why = arena_format(arena, "'%s' has `histogram`, JSON has none: use `value`", slo->name);
    }
    if (!why && slo->total && !slo->value) {
        why = want_of(slo, &defaults, arena, out);
    } else if (!why) {
        const char *program = slo->value ? slo->value : default_program(slo, arena);
        why = want_value(slo, program, arena, out);
    }
    if (why) {
        return why;
    }
    const char *programs[] = {out->value, out->bad, out->total};
    for (size_t i = 0; i < 3 && !why; i++) {
        why = program_wrong(slo, programs[i], arena);
    }
    return why;
}

static const char *json_refuses(const struct metric *metric, const struct slo_config *slo,
                                struct arena *arena)
{
    struct want want;
    return plan_of(metric, slo, arena, &want);
}

/* NULL: none. *whole where both arms have this address. */
static const char *address_of(const struct metric *metric, const struct metric_query *query,
                              const struct instance *instance, struct arena *arena, bool *whole)
{
    const struct json_settings *settings = metric->settings;
    const char *url = query->slo->url;
    const char *own = query->arm == ARM_STABLE      ? settings->stable
                      : query->arm == ARM_CANDIDATE ? settings->candidate
                                                    : NULL;
    if (!url && instance && !settings->url) {
        return url_join(arena, instance->url, settings->path);
    }
    if (!url && own) {
        return field_expand(arena, own, query_variables(metric->context, query, instance, arena));
    }
    url = url ? url : settings->url;
    if (!url) {
        return NULL;
    }
    *whole = !names_arm(url) && !(instance && strstr(url, "${base_url}"));
    return field_expand(arena, url, query_variables(metric->context, query, instance, arena));
}

static void start_task(struct web_sweep *sweep, const struct metric_query *query, struct task *task)
{
    const struct json_settings *settings = sweep->metric->settings;
    const bool single = settings->per == PER_ARM || query->slo->url;
    task->refused = plan_of(sweep->metric, query->slo, sweep->arena, &task->want);
    if (task->refused || query->count == 0) {
        return;
    }
    task->count = single ? 1 : query->count;
    task->pages = arena_array(sweep->arena, task->count, sizeof(*task->pages));
    for (size_t i = 0; i < task->count; i++) {
        const struct instance *instance = single ? NULL : query->instances[i];
        const char *url = address_of(sweep->metric, query, instance, sweep->arena, &task->whole);
        task->pages[i] = web_page_of(sweep, url);
    }
}

/* True with *out, or false with what was there instead. */
static bool run_program(const struct web_sweep *sweep, const struct web_page *page,
                        const char *program, double *out, struct reading *nothing)
{
    struct error err = {ERROR_NONE, ""};
    if (page->why) {
        *nothing = reading_nothing(page->nothing, page->why);
        return false;
    }
    if (!program) {
        *out = 0;
        return true;
    }
    const struct buf *body = &page->operation->reply.body;
    if (query_number(program, body->data, body->length, out, &err) == 0) {
        return true;
    }
    const bool absent = err.kind == ERROR_NOTFOUND;
    const enum nothing kind = absent && strstr(err.message, "NaN") ? NOTHING_NAN
                              : absent                             ? NOTHING_NO_DATA
                                                                   : NOTHING_GARBAGE;
    *nothing =
        reading_nothing(kind, arena_format(sweep->arena, "%s: %s",
                                           http_url_shown(sweep->arena, page->url), err.message));
    return false;
}

static bool read_one(const struct web_sweep *sweep, const struct task *task, size_t index,
                     struct series *series, struct reading *nothing)
{
    const struct web_page *page = &sweep->pages[task->pages[index]];
    if (task->want.kind == WANT_VALUE) {
        return run_program(sweep, page, task->want.value, &series->total, nothing);
    }
    return run_program(sweep, page, task->want.total, &series->total, nothing) &&
           run_program(sweep, page, task->want.bad, &series->bad, nothing) &&
           counts_possible(series->bad, series->total, http_url_shown(sweep->arena, page->url),
                           sweep->arena, nothing);
}

static struct reading mean_of(const struct task *task, const struct reading *all,
                              struct arena *arena)
{
    double sum = 0;
    for (size_t i = 0; i < all->count; i++) {
        sum += all->series[i].total;
    }
    return reading_gauge(sum / (double)all->count * task->want.scale,
                         arena_format(arena, "jq '%s'", task->want.value));
}

static struct reading finish_task(const struct web_sweep *sweep, const struct metric_query *query,
                                  const struct task *task)
{
    struct reading nothing, reading = reading_series(READING_COUNTS, query, sweep->arena);
    size_t failed = 0;
    if (reading_not_asked(task->refused, query, sweep->arena, &nothing)) {
        return nothing;
    }
    if (task->count == 1) {
        reading.count = 1;
        reading.series[0].target = arm_name(query->arm);
    }
    for (size_t i = 0; i < task->count; i++) {
        failed += !read_one(sweep, task, i, &reading.series[i], &nothing);
    }
    if (failed > 0) {
        nothing.nothing = failed < task->count ? NOTHING_PARTIAL : nothing.nothing;
        nothing.why = arena_format(sweep->arena, "%s: %s", query->slo->name, nothing.why);
        return nothing;
    }
    return task->want.kind == WANT_VALUE ? mean_of(task, &reading, sweep->arena) : reading;
}

static int json_read(struct metric *metric, const struct metric_query *queries, size_t count,
                     struct reading *out, struct arena *arena)
{
    struct clock *clock = metric->context->clock;
    struct web_sweep sweep = {metric, arena, .without = "there is no address"};
    struct task *tasks = arena_array(arena, count, sizeof(*tasks));
    for (size_t i = 0; i < count; i++) {
        start_task(&sweep, &queries[i], &tasks[i]);
    }
    const struct http_request request = web_request(metric, arena);
    const int result = web_fetch(&sweep, &request);
    for (size_t i = 0; i < count && result == 0; i++) {
        out[i] = finish_task(&sweep, &queries[i], &tasks[i]);
        out[i].whole = tasks[i].whole;
        out[i].at = clock->wall(clock);
    }
    web_release(&sweep);
    return result;
}

static const struct metric_driver json_driver = {
    .open = web_open,
    .refuses = json_refuses,
    .read = json_read,
    .close = web_close,
};

const struct driver_row metric_json_row = {
    .room = "metric",
    .name = "json",
    .doc = "Any HTTP address that answers with JSON; jq programs pick the numbers.",
    .fields = json_fields,
    .size = sizeof(struct json_settings),
    .door = &json_driver,
};
