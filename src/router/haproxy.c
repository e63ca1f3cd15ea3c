/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy.h"

#include "arena.h"
#include "catalog.h"
#include "clock.h"
#include "haproxy_servers.h"
#include "log.h"

#include <string.h>

#define LOOK_AGAIN_MS 100
#define REST_OF_SLOT_MS 2000 /* for the slower servers of a slot that serves already */
#define COMMANDS_MAX 12000   /* of one line; HAProxy's own buffer holds 16384 */

struct settings {
    struct haproxy_settings haproxy; /* first: metric/ reads it too */
    bool set_address;
    int64_t wait;
};

struct router {
    const struct driver_context *context;
    const struct settings *settings;
    struct instances instances;
};

static const struct field haproxy_router_fields[] = {
    HAPROXY_FIELD_ROWS(true),
    {.name = "set-address",
     .type = FIELD_BOOL,
     .offset = offsetof(struct settings, set_address),
     .def = "false",
     .doc = "Give each server the address of its instance's `url` before it gets traffic."},
    {.name = "wait",
     .type = FIELD_DURATION,
     .offset = offsetof(struct settings, wait),
     .def = "10s",
     .min = 0,
     .max = 600000,
     .doc = "How long a slot that is to serve may stay DOWN by HAProxy's own health check "
            "before a shift fails."},
    {.name = NULL},
};

/* ---- opening ---------------------------------------------------------------------- */

static bool name_good(const char *name)
{
    return haproxy_word(name) && strlen(name) <= 127 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-") ==
               strlen(name);
}

static int refuse(const struct router *router, const char *what, struct error *err)
{
    const struct place *place = &router->context->config->traffic.place;
    return error_set(err, ERROR_CONFIG, "%s:%d:%d: traffic.haproxy: %s",
                     place->origin ? place->origin : "deploy.yaml", place->line, place->column,
                     what);
}

#define REFUSE(router, err, ...) \
    refuse((router), arena_format((router)->context->arena, __VA_ARGS__), (err))

/* "http://10.0.0.1:8080/x" → "10.0.0.1" and "8080"; false where the host is a name. */
static bool address_of(const char *url, struct arena *arena, const char **host, const char **port)
{
    const char *start = url ? strstr(url, "://") : NULL;
    if (!start) {
        return false;
    }
    start += 3;
    const bool six = *start == '[';
    start += six;
    const size_t length = strspn(start, six ? "0123456789abcdefABCDEF:." : "0123456789.");
    const char *rest = start + length + (six && start[length] == ']');
    *host = arena_text_n(arena, start, length);
    *port = text_starts(url, "https:") ? "443" : "80";
    if (*rest == ':') {
        const size_t digits = strspn(rest + 1, "0123456789");
        *port = arena_text_n(arena, rest + 1, digits);
        rest += digits + 1;
    }
    return length > 0 && **port && (*rest == '\0' || *rest == '/');
}

static int check_instance(const struct router *router, const struct instance *instance,
                          struct error *err)
{
    const char *host, *port;
    if (!name_good(instance->server)) {
        return REFUSE(router, err, "instance '%s': '%s' is no name of a server", instance->name,
                      instance->server ? instance->server : "");
    }
    if (router->settings->set_address &&
        !address_of(instance->url, router->context->arena, &host, &port)) {
        return REFUSE(router, err,
                      "set-address needs a 'url' with a number address for "
                      "instance '%s', not '%s'",
                      instance->name, instance->url ? instance->url : "");
    }
    return 0;
}

static int open_router(const struct driver_context *context, const struct instances *instances,
                       struct router **out, struct error *err)
{
    struct router *router = ARENA_NEW(context->arena, struct router);
    struct error why;
    router->context = driver_keep(context);
    router->settings = context->settings;
    router->instances = *instances;
    if (haproxy_check(&router->settings->haproxy, &why) < 0) {
        return refuse(router, why.message, err);
    }
    if (!name_good(router->settings->haproxy.backend)) {
        return REFUSE(router, err, "'%s' is no name of a backend",
                      router->settings->haproxy.backend);
    }
    for (size_t i = 0; i < instances->count; i++) {
        if (check_instance(router, &instances->items[i], err) < 0) {
            return -1;
        }
    }
    *out = router;
    return 0;
}

/* ---- reading ---------------------------------------------------------------------- */

static const char *backend_of(const struct router *router)
{
    return router->settings->haproxy.backend;
}

/* Says which backends there are instead. */
static int no_backend(const struct router *router, struct arena *arena, struct error *err)
{
    struct buf answer;
    if (haproxy_ask(router->context, &router->settings->haproxy, "show backend", &answer, err) <
        0) {
        return -1;
    }
    AUTO_BUF struct buf names;
    buf_init(&names, 300);
    for (char *at = answer.data; at && *at;) {
        const size_t length = strcspn(at, "\n");
        if (length > 0 && *at != '#') {
            buf_addf(&names, "%s%.*s", names.length > 0 ? ", " : "", (int)length, at);
        }
        at += length + (at[length] == '\n');
    }
    const char *shown = text_shown(arena, names.length > 0 ? names.data : "none",
                                   names.length > 0 ? names.length : 4, 300);
    buf_release(&answer);
    return error_set(err, ERROR_NOTFOUND, "haproxy at %s has no backend '%s'; it has: %s",
                     router->settings->haproxy.socket, backend_of(router), shown);
}

static int read_servers(const struct router *router, struct arena *arena, struct servers *out,
                        struct error *err)
{
    const char *backend = backend_of(router);
    const char *command =
        arena_format(arena, "show servers state %s;show stat %s 4 -1", backend, backend);
    struct buf answer;
    struct error why = {.kind = ERROR_NONE};
    if (haproxy_ask(router->context, &router->settings->haproxy, command, &answer, &why) < 0) {
        if (why.kind == ERROR_NOTFOUND) {
            return no_backend(router, arena, err);
        }
        return error_set(err, why.kind, "%s", why.message);
    }
    const int result = servers_parse(answer.data, backend, arena, out, err);
    buf_release(&answer);
    return result;
}

static bool takes_requests(const struct server *server)
{
    return server_state(server) == TRAFFIC_READY && server_is_up(server) && !server->backup;
}

static void read_route(const struct server *server, double total, struct route *route)
{
    route->known = server != NULL;
    route->connections = -1;
    route->state = TRAFFIC_MAINTENANCE;
    if (!server) {
        return;
    }
    route->connections = server->connections;
    route->state = server_state(server);
    if (!server_is_up(server)) {
        route->state = TRAFFIC_MAINTENANCE;
    }
    if (takes_requests(server) && total > 0) {
        route->share = (double)server->weight / total;
    }
}

static int observe(struct router *router, struct arena *arena, struct traffic *out,
                   struct error *err)
{
    struct servers servers = {NULL, 0};
    double total = 0;
    if (read_servers(router, arena, &servers, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < servers.count; i++) {
        total += takes_requests(&servers.items[i]) ? (double)servers.items[i].weight : 0;
    }
    const size_t count = router->instances.count;
    *out = (struct traffic){arena_array(arena, count, sizeof(struct route)), count};
    for (size_t i = 0; i < count; i++) {
        out->items[i].instance = router->instances.items[i];
        read_route(servers_find(&servers, router->instances.items[i].server), total,
                   &out->items[i]);
    }
    return 0;
}

/* ---- shifting --------------------------------------------------------------------- */

static bool is_wanted(const struct traffic *wanted, const char *server)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (text_equal(wanted->items[i].instance.server, server)) {
            return true;
        }
    }
    return false;
}

/* All servers are there, and nobody else takes a share of the traffic. */
static int check_servers(const struct router *router, const struct servers *servers,
                         const struct traffic *wanted, struct arena *arena, struct error *err)
{
    const char *backend = backend_of(router);
    for (size_t i = 0; i < wanted->count; i++) {
        const char *name = wanted->items[i].instance.server;
        const struct server *server = servers_find(servers, name);
        if (!server) {
            return error_set(err, ERROR_NOTFOUND, "backend '%s' has no server '%s'; it has: %s",
                             backend, name, servers_names(servers, arena));
        }
        if (server->backup) {
            return error_set(err, ERROR_STATE,
                             "server '%s/%s' is a backup server, whose weight "
                             "means nothing: take 'backup' away",
                             backend, name);
        }
    }
    for (size_t i = 0; i < servers->count; i++) {
        const struct server *server = &servers->items[i];
        if (!server->backup && server->weight > 0 && server_state(server) == TRAFFIC_READY &&
            !is_wanted(wanted, server->name)) {
            return error_set(err, ERROR_STATE,
                             "server '%s/%s' takes traffic too, but is no "
                             "instance: list it as one, or set its weight to 0",
                             backend, server->name);
        }
    }
    return 0;
}

/* Of the servers that are about to get more traffic: how many are down, and the first of
 * them whose whole slot is. */
struct missing {
    size_t count;
    const struct server *dead;
};

static bool slot_is_up(const struct servers *servers, const struct traffic *wanted,
                       const char *slot)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const struct route *route = &wanted->items[i];
        if (text_equal(route->instance.slot, slot) && route->share > 0 &&
            route->state == TRAFFIC_READY &&
            server_is_up(servers_find(servers, route->instance.server))) {
            return true;
        }
    }
    return false;
}

static struct missing find_missing(const struct servers *servers, const struct traffic *wanted,
                                   const struct moves *moves)
{
    struct missing missing = {0, NULL};
    for (size_t i = 0; i < moves->count; i++) {
        const struct move *move = &moves->items[i];
        if (move->after <= move->before || server_is_up(move->server)) {
            continue;
        }
        const bool dead = !slot_is_up(servers, wanted, move->route->instance.slot);
        missing.count += dead || move->before == 0 ? 1U : 0U;
        missing.dead = dead ? move->server : missing.dead;
    }
    return missing;
}

/* What HAProxy says to `set server … addr`, whether it changed anything or not. */
#define ADDRESS_SET "by 'stats socket command'"

static int say_line(const struct router *router, const char *commands, const char *expected,
                    struct error *err)
{
    struct buf answer;
    if (haproxy_ask(router->context, &router->settings->haproxy, commands, &answer, err) < 0) {
        return -1;
    }
    int result = 0;
    if (expected ? !strstr(answer.data, expected) : !text_blank(answer.data)) {
        const char *line = answer.data + strspn(answer.data, " \r\n");
        result = error_set(err, ERROR_REMOTE, "haproxy: '%.*s' (asked '%.80s')",
                           (int)strcspn(line, "\n"), line, commands);
    }
    buf_release(&answer);
    return result;
}

/* Lines no longer than HAProxy can read; each holds whole commands. */
static int say(const struct router *router, const char *commands, struct arena *arena,
               struct error *err)
{
    while (strlen(commands) > COMMANDS_MAX) {
        size_t cut = COMMANDS_MAX;
        while (cut > 0 && commands[cut] != ';') {
            cut--;
        }
        if (say_line(router, arena_text_n(arena, commands, cut), NULL, err) < 0) {
            return -1;
        }
        commands += cut + 1;
    }
    return say_line(router, commands, NULL, err);
}

static int set_address(const struct router *router, const struct server *server,
                       const struct instance *instance, struct arena *arena, struct error *err)
{
    const char *host, *port;
    int64_t number = 0;
    if (!address_of(instance->url, arena, &host, &port) || text_int(port, &number, err) < 0) {
        return error_set(err, ERROR_BUG, "no address in '%s'", instance->url);
    }
    if (text_equal(server->address, host) && server->port == number) {
        return 0;
    }
    const char *command = arena_format(arena, "set server %s/%s addr %s port %s",
                                       backend_of(router), server->name, host, port);
    return say_line(router, command, ADDRESS_SET, err);
}

static int set_addresses(const struct router *router, const struct servers *servers,
                         const struct traffic *wanted, struct arena *arena, struct error *err)
{
    for (size_t i = 0; router->settings->set_address && i < wanted->count; i++) {
        const struct instance *instance = &wanted->items[i].instance;
        const struct server *server = servers_find(servers, instance->server);
        if (set_address(router, server, instance, arena, err) < 0) {
            return -1;
        }
    }
    return 0;
}

/* One look at what there is, and what has to be said. */
struct view {
    struct servers servers;
    struct moves moves;
};

static int look(const struct router *router, const struct traffic *wanted, struct arena *arena,
                struct view *out, struct error *err)
{
    if (read_servers(router, arena, &out->servers, err) < 0 ||
        check_servers(router, &out->servers, wanted, arena, err) < 0) {
        return -1;
    }
    moves_plan(&out->servers, wanted, arena, &out->moves);
    return 0;
}

/* Looks until those that are to serve are up by HAProxy's own check, or the time is over:
 * one of a slot is enough in the end. */
static int look_until_up(const struct router *router, const struct traffic *wanted,
                         struct arena *arena, struct view *out, struct error *err)
{
    struct clock *clock = router->context->clock;
    const int64_t begun = clock->mono(clock);
    for (;;) {
        if (look(router, wanted, arena, out, err) < 0) {
            return -1;
        }
        const struct missing missing = find_missing(&out->servers, wanted, &out->moves);
        const int64_t waited = clock->mono(clock) - begun;
        if (missing.count == 0 || (!missing.dead && waited >= REST_OF_SLOT_MS)) {
            return 0;
        }
        if (missing.dead && waited >= router->settings->wait) {
            return error_set(err, ERROR_STATE,
                             "server '%s/%s' is DOWN by HAProxy's own health "
                             "check, and no other of its slot is up: the traffic was left as it "
                             "is",
                             backend_of(router), missing.dead->name);
        }
        if (clock->sleep(clock, clock->mono(clock) + LOOK_AGAIN_MS, err) < 0) {
            return -1;
        }
    }
}

static int still_different(const struct router *router, const struct move *move, struct error *err)
{
    static const char *const states[] = {
        [TRAFFIC_READY] = "ready", [TRAFFIC_DRAIN] = "drain", [TRAFFIC_MAINTENANCE] = "maint"};
    return error_set(err, ERROR_STATE,
                     "server '%s/%s': weight %lld and state %s were set, "
                     "weight %lld and state %s were read back",
                     backend_of(router), move->server->name, (long long)move->weight,
                     states[move->route->state], (long long)move->server->weight,
                     states[server_state(move->server)]);
}

static int shift(struct router *router, const struct traffic *wanted, struct error *err)
{
    __attribute__((cleanup(arena_release))) struct arena arena;
    struct view view;
    arena_init(&arena);
    if (look_until_up(router, wanted, &arena, &view, err) < 0 ||
        set_addresses(router, &view.servers, wanted, &arena, err) < 0) {
        return -1;
    }
    for (int attempt = 0; attempt < 2 && view.moves.count > 0; attempt++) {
        const char *commands = moves_commands(&view.moves, backend_of(router), &arena);
        if (router->context->log) {
            log_line(router->context->log, LOG_DETAIL, "haproxy: %s", commands);
        }
        if (say(router, commands, &arena, err) < 0 ||
            look(router, wanted, &arena, &view, err) < 0) {
            return -1;
        }
    }
    return view.moves.count == 0 ? 0 : still_different(router, &view.moves.items[0], err);
}

static void close_router(struct router *router)
{
    (void)router;
}

static const struct router_driver driver = {open_router, observe, shift, close_router};

const struct driver_row router_haproxy_row = {
    .room = "router",
    .name = "haproxy",
    .doc = "Weights and states of the servers of an HAProxy backend, by its runtime API.",
    .fields = haproxy_router_fields,
    .size = sizeof(struct settings),
    .door = &driver,
};
