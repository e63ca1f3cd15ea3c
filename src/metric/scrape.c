/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"
#include "web.h"

#include "clock.h"
#include "text.h"

#include <string.h>

struct scrape_settings {
    struct web_settings web; /* without headers */
    const char *path, *url;
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
    WEB_TOKEN_ROW,
    WEB_CA_ROW("the instances' certificates"),
    WEB_TIMEOUT_ROW("5s", "page"),
    {.name = NULL},
};

static const struct want_defaults defaults = {
    .total = "http_requests_total",
    .histogram = "http_request_duration_seconds",
    .by_status = true,
};

/* One query's use of one page, which owns a list of them. */
struct use {
    struct tally_plan *plan;
    struct tally *tally;
    struct use *next;
};

/* A query at work. */
struct task {
    struct tally_plan plan;
    struct tally *tallies;
    size_t *pages; /* by instance */
    const char *refused;
};

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

static void add_use(struct web_sweep *sweep, size_t page, struct tally_plan *plan,
                    struct tally *tally)
{
    struct use *use = ARENA_NEW(sweep->arena, struct use);
    *use = (struct use){plan, tally, sweep->pages[page].own};
    sweep->pages[page].own = use;
}

/* Two instances at one address would be counted twice. */
static const char *shared_page(const struct metric_query *query, const struct task *task,
                               struct web_sweep *sweep)
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

static void start_task(struct web_sweep *sweep, const struct metric_query *query, struct task *task)
{
    task->refused = plan_of(query->slo, sweep->arena, &task->plan);
    task->tallies = arena_array(sweep->arena, query->count, sizeof(*task->tallies));
    task->pages = arena_array(sweep->arena, query->count, sizeof(*task->pages));
    for (size_t i = 0; i < query->count && !task->refused; i++) {
        const char *url = page_url(sweep->metric, query, query->instances[i], sweep->arena);
        task->pages[i] = web_page_of(sweep, url);
        tally_init(&task->tallies[i], sweep->arena);
        add_use(sweep, task->pages[i], &task->plan, &task->tallies[i]);
    }
    if (!task->refused) {
        task->refused = shared_page(query, task, sweep);
    }
}

static void visit(void *context, const struct om_sample *sample)
{
    for (struct use *use = context; use; use = use->next) {
        tally_add(use->plan, use->tally, sample);
    }
}

static void read_page(const struct web_sweep *sweep, struct web_page *page)
{
    struct error err;
    const struct http_reply *reply = &page->operation->reply;
    const struct om_page whole = {
        .text = reply->body.data,
        .length = reply->body.length,
        .openmetrics = text_starts(reply->content_type, "application/openmetrics-text"),
    };
    if (om_scan(&whole, visit, page->own, &err) != 0) {
        page->nothing = NOTHING_GARBAGE;
        page->why = arena_format(sweep->arena, "%s: %s", http_url_shown(sweep->arena, page->url),
                                 err.message);
    }
}

/* Fetches every page and reads it; -1 when cancelled. */
static int run_sweep(struct web_sweep *sweep)
{
    /* Text first: with OpenMetrics, some libraries rename counters. */
    static const char *const headers[] = {
        "Accept: text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5",
    };
    struct http_request request = web_request(sweep->metric, sweep->arena);
    request.headers = headers;
    request.header_count = 1;
    request.max_bytes = OM_PAGE_MAX;
    const int result = web_fetch(sweep, &request);
    for (size_t i = 0; i < sweep->count && result == 0; i++) {
        if (!sweep->pages[i].why) {
            read_page(sweep, &sweep->pages[i]);
        }
    }
    web_release(sweep);
    return result;
}

/* NOTHING where pages of the query's instances are missing. */
static bool pages_missing(const struct web_sweep *sweep, const struct metric_query *query,
                          const struct task *task, struct reading *out)
{
    size_t failed = 0;
    enum nothing nothing = NOTHING_UNREACHABLE;
    const char *why = "";
    for (size_t i = 0; i < query->count; i++) {
        const struct web_page *page = &sweep->pages[task->pages[i]];
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

static struct reading finish_task(const struct web_sweep *sweep, const struct metric_query *query,
                                  const struct task *task)
{
    struct reading reading;
    if (reading_not_asked(task->refused, query, sweep->arena, &reading) ||
        pages_missing(sweep, query, task, &reading)) {
        return reading;
    }
    return tally_reading(&task->plan, query, task->tallies, sweep->arena);
}

static int scrape_read(struct metric *metric, const struct metric_query *queries, size_t count,
                       struct reading *out, struct arena *arena)
{
    struct clock *clock = metric->context->clock;
    struct web_sweep sweep = {metric, arena, .without = "the instance has no URL"};
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
    .open = web_open,
    .refuses = scrape_refuses,
    .read = scrape_read,
    .close = web_close,
};

const struct driver_row metric_scrape_row = {
    .room = "metric",
    .name = "scrape",
    .doc = "Prometheus or OpenMetrics pages of the instances themselves; no server is needed.",
    .fields = scrape_fields,
    .size = sizeof(struct scrape_settings),
    .door = &scrape_driver,
};
