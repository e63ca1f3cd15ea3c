/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy_servers.h"

#include "arena.h"

#include <string.h>

#define WORDS_MAX 64
#define ADMIN_MAINT 0x63 /* forced, inherited, by resolution, by host name */
#define ADMIN_DRAIN 0x18 /* forced, inherited */

enum column_type { COLUMN_TEXT, COLUMN_NUMBER };

struct column {
    const char *name;
    enum column_type type;
    size_t offset;
    int64_t max; /* of a number */
};

#define AT(member) offsetof(struct server, member)

static const struct column columns[] = {
    {"srv_name", COLUMN_TEXT, AT(name), 0},
    {"srv_addr", COLUMN_TEXT, AT(address), 0},
    {"srv_port", COLUMN_NUMBER, AT(port), 65535},
    {"srv_uweight", COLUMN_NUMBER, AT(weight), WEIGHT_MAX},
    {"srv_admin_state", COLUMN_NUMBER, AT(admin), 0xFFFF},
    {"srv_op_state", COLUMN_NUMBER, AT(operation), 0xFFFF},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct line {
    const char *words[WORDS_MAX];
    size_t count;
};

/* Cuts the line at *at into words and goes to the next; "# " counts for nothing. */
static struct line next_line(char **at)
{
    struct line line = {.count = 0};
    char *end = *at + strcspn(*at, "\n");
    char *next = *end ? end + 1 : end;
    *end = '\0';
    char *word = *at + (text_starts(*at, "# ") ? 2 : 0);
    while (*word && line.count < WORDS_MAX) {
        line.words[line.count++] = word;
        word += strcspn(word, " ");
        if (*word) {
            *word++ = '\0';
        }
    }
    *at = next;
    return line;
}

static int find_columns(const struct line *header, size_t positions[static COLUMNS],
                        struct error *err)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        positions[i] = 0;
        while (positions[i] < header->count &&
               !text_equal(header->words[positions[i]], columns[i].name)) {
            positions[i]++;
        }
        if (positions[i] == header->count) {
            return error_set(err, ERROR_FORMAT, "haproxy: `show servers state` has no column %s",
                             columns[i].name);
        }
    }
    return 0;
}

static int read_server(const struct line *line, const size_t positions[static COLUMNS],
                       struct server *out, struct error *err)
{
    *out = (struct server){.connections = -1};
    for (size_t i = 0; i < COLUMNS; i++) {
        char *member = (char *)out + columns[i].offset;
        if (positions[i] >= line->count) {
            return error_set(err, ERROR_FORMAT, "haproxy: a server of %zu words, %s is missing",
                             line->count, columns[i].name);
        }
        const char *word = line->words[positions[i]];
        if (columns[i].type == COLUMN_TEXT) {
            memcpy(member, &word, sizeof(word));
            continue;
        }
        int64_t number = 0;
        if (text_int(word, &number, NULL) < 0 || number < 0 || number > columns[i].max) {
            return error_set(err, ERROR_FORMAT, "haproxy: %s is '%.40s', not a number up to %lld",
                             columns[i].name, word, (long long)columns[i].max);
        }
        memcpy(member, &number, sizeof(number));
    }
    return 0;
}

static int read_state(char *text, struct arena *arena, struct servers *out, struct error *err)
{
    size_t positions[COLUMNS], capacity = 0;
    const struct line version = next_line(&text), header = next_line(&text);
    if (version.count != 1 || !text_equal(version.words[0], "1")) {
        return error_set(err, ERROR_FORMAT, "haproxy: no state of servers came back but '%.60s'",
                         version.count > 0 ? version.words[0] : "");
    }
    if (find_columns(&header, positions, err) < 0) {
        return -1;
    }
    *out = (struct servers){NULL, 0};
    while (*text) {
        const struct line line = next_line(&text);
        if (line.count == 0) {
            continue;
        }
        if (out->count == HAPROXY_SERVERS_MAX) {
            return error_set(err, ERROR_FORMAT, "haproxy: more than %d servers",
                             HAPROXY_SERVERS_MAX);
        }
        out->items = arena_grow(arena, out->items, out->count, &capacity, sizeof(*out->items));
        if (read_server(&line, positions, &out->items[out->count], err) < 0) {
            return -1;
        }
        out->count++;
    }
    return 0;
}

int servers_parse(const char *answer, const char *backend, struct arena *arena, struct servers *out,
                  struct error *err)
{
    static const char table[] = "\n# pxname,";
    const char *stat = strstr(answer, table);
    if (!stat) {
        return error_set(err, ERROR_FORMAT, "haproxy: no `show stat` came back but '%.60s'",
                         answer);
    }
    struct haproxy_servers rows;
    char *state = arena_text_n(arena, answer, (size_t)(stat - answer));
    if (read_state(state, arena, out, err) < 0 ||
        haproxy_parse(stat + 1, backend, arena, &rows, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < out->count; i++) {
        const struct haproxy_server *row = haproxy_find(&rows, out->items[i].name);
        if (row) {
            out->items[i].backup = row->backup != 0;
            out->items[i].connections = (int64_t)(row->current + row->queued);
        }
    }
    return 0;
}

struct server *servers_find(const struct servers *servers, const char *name)
{
    for (size_t i = 0; i < servers->count; i++) {
        if (text_equal(servers->items[i].name, name)) {
            return &servers->items[i];
        }
    }
    return NULL;
}

const char *servers_names(const struct servers *servers, struct arena *arena)
{
    AUTO_BUF struct buf names;
    buf_init(&names, 300);
    for (size_t i = 0; i < servers->count; i++) {
        buf_addf(&names, "%s%s", i > 0 ? ", " : "", servers->items[i].name);
    }
    return arena_format(arena, "%s%s", names.length > 0 ? names.data : "none",
                        names.overflow ? "…" : "");
}

enum traffic_state server_state(const struct server *server)
{
    if (server->admin & ADMIN_MAINT) {
        return TRAFFIC_MAINTENANCE;
    }
    return server->admin & ADMIN_DRAIN ? TRAFFIC_DRAIN : TRAFFIC_READY;
}

bool server_is_up(const struct server *server)
{
    /* HAProxy does not check in maintenance, and takes a server as up when it leaves it. */
    return server->operation != 0 || server_state(server) == TRAFFIC_MAINTENANCE;
}
