/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include "clock.h"
#include "http.h"
#include "loop.h"
#include "text.h"

#include <string.h>

struct scrape_settings {
    const char *path, *url;
    struct secret token;
    const char *ca_file;
    int64_t timeout;
};

#define AT(member) offsetof(struct scrape_settings, member)

static const struct field scrape_fields[] = {
    {.name = "path",
     .type = FIELD_TEXT,
     .offset = AT(path),
     .def = "/metrics",
     .doc = "The metrics page below each instance's own URL."},
    {.name = "url",
     .type = FIELD_URL,
     .offset = AT(url),
     .doc = "The page's whole address instead, with ${instance}, ${base_url}, ${server} or ${slot} "
            "of the instance."},
    {.name = "token-env",
     .type = FIELD_SECRET,
     .offset = AT(token),
     .doc = "The environment variable that holds a bearer token."},
    {.name = "ca-file",
     .type = FIELD_TEXT,
     .offset = AT(ca_file),
     .doc = "PEM file of the authority that signed the instances' certificates."},
    {.name = "timeout",
     .type = FIELD_DURATION,
     .offset = AT(timeout),
     .def = "5s",
     .min = 100,
     .max = 60000,
     .doc = "The longest wait for one page."},
    {.name = NULL},
};

static const struct want_defaults defaults = {
    .total = "http_requests_total",
    .histogram = "http_request_duration_seconds",
    .by_status = true,
};

struct metric {
    const struct driver_context *context;
    const struct scrape_settings *settings;
};

/* One query's use of one page. */
struct use {
    struct tally_plan *plan;
    struct tally *tally;
    struct use *next;
};

struct page {
    const char *url;
    const char *why; /* it is not there, or is none */
    enum nothing nothing;
    struct use *uses;
};

struct sweep {
    struct metric *metric;
    struct arena *arena;
    struct page *pages;
    struct operation *operations;
    size_t count, capacity;
};

/* A query at work. */
struct task {
    struct tally_plan plan;
    struct tally *tallies;
    size_t *pages; /* by instance */
    const char *refused;
};

static int scrape_open(const struct driver_context *context, struct metric **out, struct error *err)
{
    (void)err;
    *out = ARENA_NEW(context->arena, struct metric);
    (*out)->context = context;
    (*out)->settings = context->settings;
    return 0;
}

static void scrape_close(struct metric *metric)
{
    (void)metric;
}

/* NULL, or why not; the plan is to be released in both cases. */
static const char *plan_of(const struct slo_config *slo, struct arena *arena,
                           struct tally_plan *plan)
{
    struct want want;
    struct error err;
    *plan = (struct tally_plan){.bad_named = false};
    const char *why = want_of(slo, &defaults, arena, &want);
    if (!why && tally_prepare(&want, arena, plan, &err) != 0) {
        why = arena_format(arena, "'%s': %s", slo->name, err.message);
    }
    return why;
}

static const char *scrape_refuses(const struct metric *metric, const struct slo_config *slo,
                                  struct arena *arena)
{
    (void)metric;
    struct tally_plan plan;
    const char *why = plan_of(slo, arena, &plan);
    tally_release(&plan);
    return why;
}

static const char *page_url(const struct metric *metric, const struct metric_query *query,
                            const struct instance *instance, struct arena *arena)
{
    const struct scrape_settings *settings = metric->settings;
    if (!settings->url) {
        return url_join(arena, instance->url, settings->path);
    }
    return field_expand(arena, settings->url,
                        query_variables(metric->context, query, instance, arena));
}

static size_t page_of(struct sweep *sweep, const char *url)
{
    for (size_t i = 0; i < sweep->count; i++) {
        if (text_equal(sweep->pages[i].url, url)) {
            return i;
        }
    }
    sweep->pages = arena_grow(sweep->arena, sweep->pages, sweep->count, &sweep->capacity,
                              sizeof(*sweep->pages));
    sweep->pages[sweep->count] = (struct page){.url = url};
    if (!url) {
        sweep->pages[sweep->count].why = "the instance has no URL";
        sweep->pages[sweep->count].nothing = NOTHING_UNREACHABLE;
    }
    return sweep->count++;
}

static void add_use(struct sweep *sweep, size_t page, struct tally_plan *plan, struct tally *tally)
{
    struct use *use = ARENA_NEW(sweep->arena, struct use);
    *use = (struct use){plan, tally, sweep->pages[page].uses};
    sweep->pages[page].uses = use;
}

/* Two instances at one address would be counted twice. */
static const char *shared_page(const struct metric_query *query, const struct task *task,
                               struct sweep *sweep)
{
    for (size_t i = 0; i < query->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (task->pages[i] == task->pages[j] && sweep->pages[task->pages[i]].url) {
                return arena_format(sweep->arena,
                                    "%s and %s have the same address %s: use "
                                    "${instance} in `url`",
                                    query->instances[j]->name, query->instances[i]->name,
                                    http_url_shown(sweep->arena, sweep->pages[task->pages[i]].url));
            }
        }
    }
    return NULL;
}

static void start_task(struct sweep *sweep, const struct metric_query *query, struct task *task)
{
    task->refused = plan_of(query->slo, sweep->arena, &task->plan);
    task->tallies = arena_array(sweep->arena, query->count, sizeof(*task->tallies));
    task->pages = arena_array(sweep->arena, query->count, sizeof(*task->pages));
    for (size_t i = 0; i < query->count && !task->refused; i++) {
        const char *url = page_url(sweep->metric, query, query->instances[i], sweep->arena);
        task->pages[i] = page_of(sweep, url);
        tally_init(&task->tallies[i], sweep->arena);
        add_use(sweep, task->pages[i], &task->plan, &task->tallies[i]);
    }
    if (!task->refused) {
        task->refused = shared_page(query, task, sweep);
    }
}

static void fill_request(const struct sweep *sweep, const char *url, struct operation *operation)
{
    const struct scrape_settings *settings = sweep->metric->settings;
    /* Text first: with OpenMetrics, some libraries rename counters. */
    static const char *const headers[] = {
        "Accept: text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5",
    };
    operation->kind = OPERATION_HTTP;
    operation->http = (struct http_request){
        .url = url,
        .headers = headers,
        .header_count = 1,
        .ca_file = driver_path(sweep->metric->context, settings->ca_file, sweep->arena),
        .bearer = settings->token.value,
        .timeout_ms = settings->timeout,
        .max_bytes = OM_PAGE_MAX,
    };
}

static void visit(void *context, const struct om_sample *sample)
{
    for (struct use *use = context; use; use = use->next) {
        tally_add(use->plan, use->tally, sample);
    }
}

static void read_page(struct sweep *sweep, struct page *page, struct operation *operation)
{
    struct error err;
    const struct http_reply *reply = &operation->reply;
    if (transfer_failed(&operation->http, reply, sweep->arena, &page->why)) {
        page->nothing = nothing_of_transfer(reply);
        return;
    }
    const struct om_page whole = {
        .text = reply->body.data,
        .length = reply->body.length,
        .openmetrics = text_starts(reply->content_type, "application/openmetrics-text"),
    };
    if (om_scan(&whole, visit, page->uses, &err) != 0) {
        page->nothing = NOTHING_GARBAGE;
        page->why = arena_format(sweep->arena, "%s: %s", http_url_shown(sweep->arena, page->url),
                                 err.message);
    }
}

/* Fetches every page and reads it; -1 when cancelled. */
static int run_sweep(struct sweep *sweep)
{
    struct error err;
    struct operation *operations = arena_array(sweep->arena, sweep->count, sizeof(*operations));
    size_t count = 0;
    for (size_t i = 0; i < sweep->count; i++) {
        if (sweep->pages[i].url) {
            fill_request(sweep, sweep->pages[i].url, &operations[count++]);
        }
    }
    const int result = loop_run_all(sweep->metric->context->loop, operations, count, &err);
    for (size_t i = 0, n = 0; i < sweep->count; i++) {
        if (!sweep->pages[i].url) {
            continue;
        }
        if (result == 0) {
            read_page(sweep, &sweep->pages[i], &operations[n]);
        }
        operation_release(&operations[n++]);
    }
    return result;
}

/* NOTHING where pages of the query's instances are missing. */
static bool pages_missing(const struct sweep *sweep, const struct metric_query *query,
                          const struct task *task, struct reading *out)
{
    size_t failed = 0;
    enum nothing nothing = NOTHING_UNREACHABLE;
    const char *why = "";
    for (size_t i = 0; i < query->count; i++) {
        const struct page *page = &sweep->pages[task->pages[i]];
        if (!page->why) {
            continue;
        }
        nothing = page->nothing == NOTHING_GARBAGE ? NOTHING_GARBAGE : nothing;
        why = arena_format(sweep->arena, "%s%s%s: %s", why, failed > 0 ? "; " : "",
                           query->instances[i]->name, page->why);
        failed++;
    }
    if (failed > 0) {
        *out = reading_nothing(failed < query->count ? NOTHING_PARTIAL : nothing, why);
    }
    return failed > 0;
}

static struct reading finish_task(const struct sweep *sweep, const struct metric_query *query,
                                  const struct task *task)
{
    struct reading reading;
    if (task->refused) {
        return reading_nothing(NOTHING_GARBAGE, task->refused);
    }
    if (query->count == 0) {
        return reading_no_instance(query, sweep->arena);
    }
    if (pages_missing(sweep, query, task, &reading)) {
        return reading;
    }
    return tally_reading(&task->plan, query, task->tallies, sweep->arena);
}

static int scrape_read(struct metric *metric, const struct metric_query *queries, size_t count,
                       struct reading *out, struct arena *arena)
{
    struct clock *clock = metric->context->clock;
    struct sweep sweep = {.metric = metric, .arena = arena};
    struct task *tasks = arena_array(arena, count, sizeof(*tasks));
    for (size_t i = 0; i < count; i++) {
        start_task(&sweep, &queries[i], &tasks[i]);
    }
    const int result = run_sweep(&sweep);
    for (size_t i = 0; i < count; i++) {
        if (result == 0) {
            out[i] = finish_task(&sweep, &queries[i], &tasks[i]);
            out[i].at = clock->wall(clock);
        }
        tally_release(&tasks[i].plan);
    }
    return result;
}

static const struct metric_driver scrape_driver = {
    .open = scrape_open,
    .refuses = scrape_refuses,
    .read = scrape_read,
    .close = scrape_close,
};

const struct driver_row metric_scrape_row = {
    .room = "metric",
    .name = "scrape",
    .doc = "Prometheus or OpenMetrics pages of the instances themselves; no server is needed.",
    .fields = scrape_fields,
    .size = sizeof(struct scrape_settings),
    .door = &scrape_driver,
};
