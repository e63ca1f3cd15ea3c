/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy.h"

#include "arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 512
#define CELL_MAX 1024
#define NUMBER_MAX (INT64_C(1) << 53) /* sums of some, and doubles, stay exact enough */

enum cell_type { CELL_TEXT, CELL_COUNT, CELL_SIGNED };

struct column {
    const char *name;
    enum cell_type type;
    size_t offset;
};

#define AT(member) offsetof(struct haproxy_server, member)

static const struct column columns[] = {
    {"svname", CELL_TEXT, AT(name)},
    {"status", CELL_TEXT, AT(status)},
    {"addr", CELL_TEXT, AT(address)},
    {"weight", CELL_SIGNED, AT(weight)},
    {"uweight", CELL_SIGNED, AT(user_weight)},
    {"bck", CELL_COUNT, AT(backup)},
    {"stot", CELL_COUNT, AT(sessions)},
    {"scur", CELL_COUNT, AT(current)},
    {"qcur", CELL_COUNT, AT(queued)},
    {"lbtot", CELL_COUNT, AT(chosen)},
    {"hrsp_1xx", CELL_COUNT, AT(answers[0])},
    {"hrsp_2xx", CELL_COUNT, AT(answers[1])},
    {"hrsp_3xx", CELL_COUNT, AT(answers[2])},
    {"hrsp_4xx", CELL_COUNT, AT(answers[3])},
    {"hrsp_5xx", CELL_COUNT, AT(answers[4])},
    {"hrsp_other", CELL_COUNT, AT(answers[5])},
    {"econ", CELL_COUNT, AT(connect_errors)},
    {"eresp", CELL_COUNT, AT(response_errors)},
    {"wretr", CELL_COUNT, AT(retries)},
    {"wredis", CELL_COUNT, AT(redispatches)},
    {"cli_abrt", CELL_COUNT, AT(client_aborts)},
    {"srv_abrt", CELL_COUNT, AT(server_aborts)},
    {"lastchg", CELL_COUNT, AT(last_change)},
    {"rtime", CELL_SIGNED, AT(response_ms)},
    {"ttime", CELL_SIGNED, AT(total_ms)},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* One answer being read. */
struct reader {
    const char *at;
    char cell[CELL_MAX];
    bool last;              /* the cell ended its line */
    int known[COLUMNS_MAX]; /* index into columns by position; -1: not of interest */
    int proxy, mode;        /* positions; -1: not there */
    const char *backend;
    struct arena *arena;
};

static void cell_add(struct reader *reader, size_t *length, char byte)
{
    if (*length + 1 < sizeof(reader->cell)) {
        reader->cell[(*length)++] = byte;
    }
}

/* A quoted cell, where `""` is one quote; at stands behind the first. */
static void next_quoted(struct reader *reader, size_t *length)
{
    while (*reader->at != '\0') {
        if (*reader->at == '"' && *++reader->at != '"') {
            return;
        }
        cell_add(reader, length, *reader->at++);
    }
}

static void next_cell(struct reader *reader)
{
    size_t length = 0;
    if (*reader->at == '"') {
        reader->at++;
        next_quoted(reader, &length);
    }
    while (*reader->at != '\0' && *reader->at != ',' && *reader->at != '\n') {
        cell_add(reader, &length, *reader->at++);
    }
    while (length > 0 && reader->cell[length - 1] == '\r') {
        length--;
    }
    reader->cell[length] = '\0';
    reader->last = *reader->at != ',';
    if (*reader->at != '\0') {
        reader->at++;
    }
}

static int column_index(const char *name)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        if (strcmp(columns[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static int read_header(struct reader *reader, struct error *err)
{
    bool named = false;
    if (!text_starts(reader->at, "# ")) {
        return error_set(err, ERROR_FORMAT, "haproxy: no table came back but '%.60s'", reader->at);
    }
    reader->at += 2;
    reader->proxy = reader->mode = -1;
    for (int i = 0; i < COLUMNS_MAX && !reader->last; i++) {
        next_cell(reader);
        reader->known[i] = column_index(reader->cell);
        named = named || reader->known[i] == 0;
        if (strcmp(reader->cell, "pxname") == 0) {
            reader->proxy = i;
        } else if (strcmp(reader->cell, "mode") == 0) {
            reader->mode = i;
        }
    }
    if (!reader->last || reader->proxy < 0 || !named) {
        return error_set(err, ERROR_FORMAT, "haproxy: `show stat` has not the columns expected");
    }
    return 0;
}

static int store(struct reader *reader, const struct column *column, struct haproxy_server *server,
                 struct error *err)
{
    char *member = (char *)server + column->offset;
    if (column->type == CELL_TEXT) {
        const char *text = arena_text(reader->arena, reader->cell);
        memcpy(member, &text, sizeof(text));
        return 0;
    }
    if (reader->cell[0] == '\0') {
        return 0;
    }
    char *end = NULL;
    errno = 0;
    const int64_t number = strtoll(reader->cell, &end, 10);
    if (errno != 0 || *end != '\0' || number < (column->type == CELL_COUNT ? 0 : -NUMBER_MAX) ||
        number > NUMBER_MAX) {
        return error_set(err, ERROR_FORMAT, "haproxy: %s is '%.40s', not a count", column->name,
                         reader->cell);
    }
    memcpy(member, &number, sizeof(number));
    return 0;
}

static int read_cell(struct reader *reader, int position, struct haproxy_server *server, bool *ours,
                     struct error *err)
{
    if (position == reader->proxy) {
        *ours = text_equal(reader->cell, reader->backend);
    } else if (position == reader->mode) {
        server->http = text_equal(reader->cell, "http");
    }
    if (reader->known[position] < 0) {
        return 0;
    }
    return store(reader, &columns[reader->known[position]], server, err);
}

/* One line; *ours: a server of the backend asked for. */
static int read_row(struct reader *reader, struct haproxy_server *server, bool *ours,
                    struct error *err)
{
    *server = (struct haproxy_server){.user_weight = -1};
    server->http = reader->mode < 0;
    reader->last = false;
    for (int i = 0; !reader->last; i++) {
        next_cell(reader);
        if (i < COLUMNS_MAX && read_cell(reader, i, server, ours, err) != 0) {
            return -1;
        }
    }
    if (text_blank(server->name) || text_equal(server->name, "BACKEND") ||
        text_equal(server->name, "FRONTEND")) {
        *ours = false;
    }
    return 0;
}

static int read_rows(struct reader *reader, struct haproxy_servers *out, struct error *err)
{
    size_t capacity = 0;
    while (*reader->at != '\0' && *reader->at != '\n') {
        struct haproxy_server server;
        bool ours = false;
        if (read_row(reader, &server, &ours, err) != 0) {
            return -1;
        }
        if (!ours) {
            continue;
        }
        if (out->count == HAPROXY_SERVERS_MAX) {
            return error_set(err, ERROR_FORMAT, "haproxy: backend '%s' has more than %d servers",
                             reader->backend, HAPROXY_SERVERS_MAX);
        }
        out->items =
            arena_grow(reader->arena, out->items, out->count, &capacity, sizeof(*out->items));
        out->items[out->count++] = server;
    }
    return 0;
}

int haproxy_parse(const char *csv, const char *backend, struct arena *arena,
                  struct haproxy_servers *out, struct error *err)
{
    struct reader *reader = ARENA_NEW(arena, struct reader);
    reader->at = csv;
    reader->backend = backend;
    reader->arena = arena;
    *out = (struct haproxy_servers){NULL, 0};
    memset(reader->known, -1, sizeof(reader->known));
    if (read_header(reader, err) != 0 || read_rows(reader, out, err) != 0) {
        return -1;
    }
    if (out->count == 0) {
        return error_set(err, ERROR_NOTFOUND, "haproxy: no server in backend '%s'", backend);
    }
    return 0;
}
