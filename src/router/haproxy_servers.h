/* SPDX-License-Identifier: Apache-2.0
 *
 * The servers of one backend as HAProxy has them, and the way from there to wanted traffic.
 * Pure: haproxy.c talks.
 */
#ifndef ROUTER_HAPROXY_SERVERS_H
#define ROUTER_HAPROXY_SERVERS_H

#include "haproxy.h"
#include "router.h"

#define WEIGHT_MAX 256

struct server {
    const char *name, *address;
    int64_t port;
    int64_t weight;      /* as set, whether it serves or not */
    int64_t admin;       /* bits of srv_admin_state */
    int64_t operation;   /* srv_op_state; 0: stopped */
    int64_t connections; /* -1: unknown */
    bool backup;
};

struct servers {
    struct server *items;
    size_t count;
};

/* The answer to `show servers state B;show stat B 4 -1`. */
MUST_CHECK int servers_parse(const char *answer, const char *backend, struct arena *arena,
                             struct servers *out, struct error *err);
struct server *servers_find(const struct servers *servers, const char *name);
/* "blue1, blue2" for messages. */
const char *servers_names(const struct servers *servers, struct arena *arena);

enum traffic_state server_state(const struct server *server);
/* Would get requests if it had weight, or will as soon as it is told to be ready. */
bool server_is_up(const struct server *server);

/* What has to be said to one server; its part of the traffic changes once, from before to
 * after. */
struct move {
    const struct server *server;
    const struct route *route;
    int64_t before, after; /* weights that count */
    int64_t weight;        /* to be set */
    bool set_weight, set_state;
};

struct moves {
    struct move *items;
    size_t count;
};

/* What differs, in an order in which no share is larger than before and after, as far as
 * there is one. Every wanted instance is among servers. */
void moves_plan(const struct servers *servers, const struct traffic *wanted, struct arena *arena,
                struct moves *out);
/* "set server shop/blue1 weight 5;…" */
const char *moves_commands(const struct moves *moves, const char *backend, struct arena *arena);

#endif
