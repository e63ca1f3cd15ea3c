/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy.h"

#include "arena.h"
#include "exchange.h"
#include "loop.h"

#include <ctype.h>
#include <string.h>

#define ANSWER_MAX ((size_t)4 << 20)

const struct field haproxy_fields[] = {
    HAPROXY_FIELD_ROWS(true),
    {.name = NULL},
};

bool haproxy_word(const char *word)
{
    if (!word || *word == '\0') {
        return false;
    }
    for (const char *at = word; *at != '\0'; at++) {
        if (!isgraph((unsigned char)*at) || strchr(";\\\"'#<", *at)) {
            return false;
        }
    }
    return true;
}

int haproxy_check(const struct haproxy_settings *settings, struct error *err)
{
    if (text_blank(settings->socket)) {
        return error_set(err, ERROR_CONFIG,
                         "haproxy needs `socket`: the path or host:port of "
                         "its runtime API");
    }
    if (settings->socket[0] != '/' && settings->socket[0] != '.' &&
        !strchr(settings->socket, ':') && !strchr(settings->socket, '/')) {
        return error_set(err, ERROR_CONFIG, "haproxy socket '%s' is neither a path nor host:port",
                         settings->socket);
    }
    if (!haproxy_word(settings->backend) || strchr(settings->backend, '/')) {
        return error_set(err, ERROR_CONFIG, "haproxy backend '%s' is no name of a backend",
                         settings->backend ? settings->backend : "");
    }
    return 0;
}

const struct haproxy_settings *haproxy_settings_of(const struct config *config)
{
    const struct choice *traffic = &config->traffic;
    if (!traffic->driver || !text_equal(traffic->driver->name, "haproxy")) {
        return NULL;
    }
    return traffic->settings;
}

struct refusal {
    const char *start;
    enum error_kind kind;
};

static const struct refusal refusals[] = {
    {"Permission denied", ERROR_DENIED},  {"Unknown command", ERROR_REMOTE},
    {"No such backend.", ERROR_NOTFOUND}, {"No such proxy.", ERROR_NOTFOUND},
    {"No such server.", ERROR_NOTFOUND},  {"Require 'backend/server'.", ERROR_REMOTE},
    {"Proxy is disabled.", ERROR_STATE},  {"Invalid weight", ERROR_REMOTE},
    {"Relative weight", ERROR_REMOTE},    {"Backend is using a static LB algorithm", ERROR_STATE},
    {"invalid address", ERROR_REMOTE},    {"invalid port", ERROR_REMOTE},
    {"'set server", ERROR_REMOTE},        {NULL, ERROR_NONE},
};

/* HAProxy's words when a command was refused, or NULL. */
static const struct refusal *refused(const char *answer)
{
    for (const char *line = answer; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        for (const struct refusal *refusal = refusals; refusal->start; refusal++) {
            if (text_starts(line, refusal->start)) {
                return refusal;
            }
        }
        if (*line == '\0') {
            break;
        }
    }
    return NULL;
}

static int refusal_error(const struct haproxy_settings *settings, const struct refusal *refusal,
                         const char *commands, struct error *err)
{
    const char *help =
        refusal->kind == ERROR_DENIED ? "; its `stats socket` line needs `level admin`" : "";
    return error_set(err, refusal->kind, "haproxy at %s: %s (asked '%.80s')%s", settings->socket,
                     refusal->start, commands, help);
}

/* As exchange.h wants it: without a scheme, and a relative path from the project directory. */
static const char *address_of(const struct driver_context *context, const char *socket,
                              struct arena *arena)
{
    static const char *const schemes[] = {"tcp://", "unix://", "unix@", "ipv4@", NULL};
    for (size_t i = 0; schemes[i]; i++) {
        if (text_starts(socket, schemes[i])) {
            socket += strlen(schemes[i]);
            break;
        }
    }
    return strchr(socket, '/') ? driver_path(context, socket, arena) : socket;
}

static int run_exchange(const struct driver_context *context,
                        const struct haproxy_settings *settings, const struct buf *line,
                        struct buf *answer, struct error *err)
{
    __attribute__((cleanup(arena_release))) struct arena arena;
    arena_init(&arena);
    const struct exchange exchange = {
        .address = address_of(context, settings->socket, &arena),
        .request = line->data,
        .length = line->length,
        .max = ANSWER_MAX,
        .timeout_ms = settings->timeout > 0 ? settings->timeout : 5000,
    };
    if (exchange_run(context->loop, &exchange, answer, err) == 0) {
        return 0;
    }
    buf_release(answer);
    /* No socket there: haproxy does not run, which is no matter of a wrong name. */
    if (err && err->kind == ERROR_NOTFOUND) {
        err->kind = ERROR_NETWORK;
    }
    return error_wrap(err, "haproxy");
}

/* Every answer ends with an empty line. Half a table would miss servers, and half a number
 * would be a number. */
static bool is_whole(const struct buf *answer)
{
    const char *end = answer->data + answer->length;
    return answer->length > 0 && end[-1] == '\n' && (answer->length == 1 || end[-2] == '\n');
}

static int ended_early(const struct haproxy_settings *settings, const struct buf *answer,
                       const char *commands, struct error *err)
{
    return error_set(err, ERROR_NETWORK,
                     "haproxy at %s: the answer ended early, with '%.60s' (asked '%.80s')",
                     settings->socket, answer->data, commands);
}

int haproxy_ask(const struct driver_context *context, const struct haproxy_settings *settings,
                const char *commands, struct buf *answer, struct error *err)
{
    AUTO_BUF struct buf line;
    buf_init(&line, 64 * 1024);
    buf_adds(&line, commands);
    buf_adds(&line, "\n");
    if (line.overflow || strchr(commands, '\n')) {
        return error_set(err, ERROR_BUG, "not one line for haproxy: '%.80s'", commands);
    }
    if (run_exchange(context, settings, &line, answer, err) != 0) {
        return -1;
    }
    const struct refusal *refusal = refused(answer->data);
    if (!refusal && is_whole(answer)) {
        return 0;
    }
    if (refusal) {
        refusal_error(settings, refusal, commands, err);
    } else {
        ended_early(settings, answer, commands, err);
    }
    buf_release(answer);
    return -1;
}

int haproxy_servers(const struct driver_context *context, const struct haproxy_settings *settings,
                    struct arena *arena, struct haproxy_servers *out, struct error *err)
{
    /* 4: servers; -1: all of them. */
    const char *command = arena_format(arena, "show stat %s 4 -1", settings->backend);
    struct buf answer;
    if (haproxy_ask(context, settings, command, &answer, err) != 0) {
        return -1;
    }
    const int result = haproxy_parse(answer.data, settings->backend, arena, out, err);
    buf_release(&answer);
    return result;
}

const struct haproxy_server *haproxy_find(const struct haproxy_servers *servers, const char *name)
{
    for (size_t i = 0; i < servers->count; i++) {
        if (text_equal(servers->items[i].name, name)) {
            return &servers->items[i];
        }
    }
    return NULL;
}
