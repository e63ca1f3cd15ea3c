/* SPDX-License-Identifier: Apache-2.0
 *
 * What HAProxy itself counted about each server: no instrumentation of the application.
 *
 * Per server, HAProxy has answers by class (hrsp_*), connections it could not make after all
 * retries (econ), requests it gave to another server instead (wredis), and failed answers
 * (eresp). Requests that ended without an answer stand in no counter of their own: eresp
 * counts some of them twice (a reset), and also those whose answer was cut off, which stand
 * in hrsp_* and srv_abrt too. So they are bounded from both sides: at least half of eresp
 * without the cut off ones, at most what was asked of the server and not answered.
 */
#include "haproxy.h"

#include "clock.h"
#include "reading.h"

#include <math.h>
#include <string.h>

static const struct field haproxy_metric_fields[] = {
    HAPROXY_FIELD_ROWS(false),
    {.name = NULL},
};

/* One server's totals since we first saw it; they never go back, unlike HAProxy's own,
 * which `clear counters` and a reload set to 0. */
struct account {
    const char *server;
    uint64_t sessions; /* at the last reading */
    struct outcomes {
        double bad, total;
    } base, sum, out; /* HAProxy's at our 0; ours before its restart; ours now */
    double since;
};

struct metric {
    const struct driver_context *context;
    struct haproxy_settings settings;
    struct account *accounts;
    size_t count, capacity;
    bool seen; /* servers that appear after the first reading are new: from 0 */
};

static int haproxy_open(const struct driver_context *context, struct metric **out,
                        struct error *err)
{
    const struct haproxy_settings *own = context->settings;
    const struct haproxy_settings *traffic = haproxy_settings_of(context->config);
    struct metric *metric = ARENA_NEW(context->arena, struct metric);
    metric->context = context;
    metric->settings = *own;
    if (traffic && !metric->settings.socket) {
        metric->settings.socket = traffic->socket;
    }
    if (traffic && !metric->settings.backend) {
        metric->settings.backend = traffic->backend;
    }
    *out = metric;
    return haproxy_check(&metric->settings, err);
}

static void haproxy_close(struct metric *metric)
{
    (void)metric;
}

static const char *haproxy_refuses(const struct metric *metric, const struct slo_config *slo,
                                   struct arena *arena)
{
    (void)metric;
    if (slo->bad || slo->total || slo->histogram || slo->value) {
        return arena_format(arena,
                            "the load balancer takes no selectors, '%s' has one: use "
                            "scrape or prometheus",
                            slo->name);
    }
    switch (slo->kind) {
    case SLO_ERROR_RATE:
    case SLO_AVAILABILITY:
    case SLO_THROUGHPUT:
        return NULL;
    case SLO_LATENCY:
        return arena_format(arena,
                            "the load balancer knows means only, not '%s': use scrape or "
                            "prometheus",
                            slo->name);
    case SLO_CONVERSION:
    case SLO_ACTIVITY:
    case SLO_GAUGE:
        break;
    }
    return arena_format(arena, "the load balancer knows requests only, not '%s'", slo->name);
}

static double minus(uint64_t more, uint64_t less)
{
    return more > less ? (double)(more - less) : 0;
}

static struct outcomes outcomes_of(const struct haproxy_server *server)
{
    /* 1xx are no answers: the real one comes after it. */
    const uint64_t answered = server->answers[1] + server->answers[2] + server->answers[3] +
                              server->answers[4] + server->answers[5];
    const uint64_t ended = answered + server->connect_errors + server->redispatches +
                           server->retries + server->current;
    const double unanswered = minus(server->sessions, ended);
    const double failed = minus(server->response_errors, server->server_aborts);
    const double lost = fmax(ceil(failed / 2), fmin(failed, unanswered));
    const double none = (double)(server->connect_errors + server->redispatches) + lost;
    const double total = (double)answered + none;
    const double bad = (double)(server->answers[4] + server->server_aborts) + none;
    return (struct outcomes){fmin(bad, total), total};
}

static struct account *account_of(struct metric *metric, const char *server)
{
    for (size_t i = 0; i < metric->count; i++) {
        if (strcmp(metric->accounts[i].server, server) == 0) {
            return &metric->accounts[i];
        }
    }
    return NULL;
}

static void account_add(struct metric *metric, const struct haproxy_server *server,
                        struct outcomes now, double wall)
{
    struct arena *arena = metric->context->arena;
    if (metric->count == HAPROXY_SERVERS_MAX) {
        return;
    }
    metric->accounts = arena_grow(arena, metric->accounts, metric->count, &metric->capacity,
                                  sizeof(*metric->accounts));
    metric->accounts[metric->count++] = (struct account){
        .server = arena_text(arena, server->name),
        .sessions = server->sessions,
        .base = metric->seen ? (struct outcomes){0, 0} : now,
        .since = wall,
    };
}

static void account_update(struct account *account, const struct haproxy_server *server,
                           struct outcomes now)
{
    if (server->sessions < account->sessions) {
        account->sum = account->out;
        account->base = (struct outcomes){0, 0};
    }
    account->sessions = server->sessions;
    /* What is under way makes `lost` an estimate; it must not look like a restart. */
    account->out.bad = fmax(account->out.bad, account->sum.bad + now.bad - account->base.bad);
    account->out.total =
        fmax(account->out.total, account->sum.total + now.total - account->base.total);
}

static void update(struct metric *metric, const struct haproxy_servers *servers, double wall)
{
    for (size_t i = 0; i < servers->count; i++) {
        const struct haproxy_server *server = &servers->items[i];
        const struct outcomes now = outcomes_of(server);
        if (!account_of(metric, server->name)) {
            account_add(metric, server, now, wall);
        }
        struct account *account = account_of(metric, server->name);
        if (account) {
            account_update(account, server, now);
        }
    }
    metric->seen = true;
}

static struct reading answer(struct metric *metric, const struct metric_query *query,
                             const struct haproxy_servers *servers, struct arena *arena)
{
    struct reading reading = reading_series(READING_COUNTS, query, arena);
    if (query->count == 0) {
        return reading_no_instance(query, arena);
    }
    for (size_t i = 0; i < query->count; i++) {
        const struct instance *instance = query->instances[i];
        const char *name = instance->server ? instance->server : instance->name;
        const struct haproxy_server *server = haproxy_find(servers, name);
        const struct account *account = account_of(metric, name);
        if (!server || !account) {
            return reading_nothing(NOTHING_PARTIAL,
                                   arena_format(arena, "haproxy: backend '%s' has no server '%s'",
                                                metric->settings.backend, name));
        }
        if (!server->http) {
            return reading_nothing(NOTHING_NO_DATA,
                                   arena_format(arena,
                                                "haproxy: backend '%s' is not in `mode "
                                                "http`: no answers are counted there",
                                                metric->settings.backend));
        }
        reading.series[i].bad = account->out.bad;
        reading.series[i].total = account->out.total;
        reading.series[i].started = account->since;
    }
    return reading;
}

static enum nothing nothing_of(enum error_kind kind)
{
    switch (kind) {
    case ERROR_NOTFOUND:
        return NOTHING_NO_DATA;
    case ERROR_FORMAT:
        return NOTHING_GARBAGE;
    default:
        return NOTHING_UNREACHABLE;
    }
}

static int haproxy_read(struct metric *metric, const struct metric_query *queries, size_t count,
                        struct reading *out, struct arena *arena)
{
    struct error err = {ERROR_NONE, ""};
    struct clock *clock = metric->context->clock;
    struct haproxy_servers servers;
    const int result = haproxy_servers(metric->context, &metric->settings, arena, &servers, &err);
    if (result != 0 && err.kind == ERROR_CANCELLED) {
        return -1;
    }
    const int64_t now = clock->wall(clock);
    if (result == 0) {
        update(metric, &servers, (double)now / 1000);
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = result == 0
                     ? answer(metric, &queries[i], &servers, arena)
                     : reading_nothing(nothing_of(err.kind), arena_text(arena, err.message));
        out[i].at = now;
    }
    return 0;
}

static const struct metric_driver haproxy_driver = {
    .open = haproxy_open,
    .refuses = haproxy_refuses,
    .read = haproxy_read,
    .close = haproxy_close,
};

const struct driver_row metric_haproxy_row = {
    .room = "metric",
    .name = "haproxy",
    .doc = "HAProxy's own counts of each server; the application needs no metrics of its own.",
    .fields = haproxy_metric_fields,
    .size = sizeof(struct haproxy_settings),
    .door = &haproxy_driver,
};
