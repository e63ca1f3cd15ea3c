/* SPDX-License-Identifier: Apache-2.0
 *
 * HAProxy's runtime API as both the router and the metric source need it: where the socket
 * is, one question and its answer, and `show stat` as rows.
 */
#ifndef HAPROXY_H
#define HAPROXY_H

#include "driver.h"
#include "text.h"

/* Both drivers' settings begin with this struct. */
struct haproxy_settings {
    const char *socket; /* "/run/haproxy/admin.sock" or "127.0.0.1:9999" */
    const char *backend;
    int64_t timeout; /* ms for one answer */
};

/* The rows of that beginning, to stand first in the table of a longer struct. `needed` is
 * `.required` of socket and backend. */
#define HAPROXY_FIELD_ROWS(needed)                                                        \
    {.name = "socket",                                                                    \
     .type = FIELD_TEXT,                                                                  \
     .offset = offsetof(struct haproxy_settings, socket),                                 \
     .required = (needed),                                                                \
     .doc = "HAProxy's runtime API: the path of its unix socket, or host:port."},         \
        {.name = "backend",                                                               \
         .type = FIELD_TEXT,                                                              \
         .offset = offsetof(struct haproxy_settings, backend),                            \
         .required = (needed),                                                            \
         .doc = "The backend whose servers are the instances."},                          \
    {                                                                                     \
        .name = "timeout", .type = FIELD_DURATION, .def = "5s", .min = 100, .max = 60000, \
        .offset = offsetof(struct haproxy_settings, timeout),                             \
        .doc = "The longest wait for one answer of the runtime API."                      \
    }

extern const struct field haproxy_fields[]; /* those rows, needed, and nothing more */

/* Socket and backend can be sent as they are: no white space, no `;`, no control bytes. */
MUST_CHECK int haproxy_check(const struct haproxy_settings *settings, struct error *err);
/* One word of a command (a server's name, an address) holds nothing that ends it. */
bool haproxy_word(const char *word);

/* Those of the traffic driver where that is HAProxy; else NULL. */
const struct haproxy_settings *haproxy_settings_of(const struct config *config);

/* Sends a line of commands, separated by `;`, and gives what came back. HAProxy has no
 * status: a line that is one of its known refusals ("No such server.", "Permission
 * denied", "Unknown command…") is an error of the kind it means. buf_release(answer) after
 * success. */
MUST_CHECK int haproxy_ask(const struct driver_context *context,
                           const struct haproxy_settings *settings, const char *commands,
                           struct buf *answer, struct error *err);

/* A row of `show stat`; counters as HAProxy has them, 0 where it leaves them out. */
struct haproxy_server {
    const char *name;
    const char *status;       /* "UP" "DOWN" "MAINT" "DRAIN" "NOLB" "no check" "UP 1/3"… */
    const char *address;      /* "10.0.0.1:80"; NULL before HAProxy 1.7 or below level oper */
    int64_t weight;           /* effective, 0 … 256 */
    int64_t user_weight;      /* as set; -1: not told */
    uint64_t backup;          /* 1: serves only when no other does */
    uint64_t sessions;        /* stot: connections that were asked of it, retries too */
    uint64_t current;         /* scur */
    uint64_t queued;          /* qcur */
    uint64_t chosen;          /* lbtot */
    uint64_t answers[6];      /* hrsp_1xx … hrsp_5xx, hrsp_other */
    uint64_t connect_errors;  /* econ */
    uint64_t response_errors; /* eresp */
    uint64_t retries;         /* wretr */
    uint64_t redispatches;    /* wredis */
    uint64_t client_aborts, server_aborts;
    uint64_t last_change;          /* s since its status changed */
    int64_t response_ms, total_ms; /* rtime, ttime: means of the last 1024 requests */
    bool http;                     /* mode http: answers[] are counted */
};

#define HAPROXY_SERVERS_MAX 4096

/* The servers of settings->backend, in HAProxy's order. No such backend: NOTFOUND. */
struct haproxy_servers {
    struct haproxy_server *items;
    size_t count;
};
MUST_CHECK int haproxy_servers(const struct driver_context *context,
                               const struct haproxy_settings *settings, struct arena *arena,
                               struct haproxy_servers *out, struct error *err);
/* The same from an answer's text; for tests. */
MUST_CHECK int haproxy_parse(const char *csv, const char *backend, struct arena *arena,
                             struct haproxy_servers *out, struct error *err);
const struct haproxy_server *haproxy_find(const struct haproxy_servers *servers, const char *name);

#endif
