/* SPDX-License-Identifier: Apache-2.0
 *
 * HAProxy's answers: `show stat` alone, and behind `show servers state`. What was read has
 * names and counts; written as a table again it is read as the same; whatever the servers say
 * of themselves, the commands that follow from it are about the instances we know.
 */
#include "../../src/router/haproxy_servers.h"

#include "fuzz.h"

#include <inttypes.h>

static void write_cell(struct buf *out, const char *text)
{
    buf_adds(out, ",\"");
    for (; *text != '\0'; text++) {
        buf_addf(out, *text == '"' ? "\"\"" : "%c", *text);
    }
    buf_adds(out, "\"");
}

static void write_rows(struct buf *out, const struct haproxy_servers *rows)
{
    buf_adds(out, "# pxname,svname,status,weight,uweight,scur,hrsp_5xx,mode,\n");
    for (size_t i = 0; i < rows->count; i++) {
        const struct haproxy_server *row = &rows->items[i];
        buf_adds(out, "shop");
        write_cell(out, row->name);
        write_cell(out, row->status != NULL ? row->status : "");
        buf_addf(out, ",%" PRId64 ",%" PRId64 ",%" PRIu64 ",%" PRIu64 ",%s\n", row->weight,
                 row->user_weight, row->current, row->answers[4], row->http ? "http" : "tcp");
    }
}

static void same_rows(const struct haproxy_servers *a, const struct haproxy_servers *b)
{
    REQUIRE(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct haproxy_server *x = &a->items[i], *y = &b->items[i];
        REQUIRE(strcmp(x->name, y->name) == 0 && x->http == y->http);
        REQUIRE(strcmp(x->status != NULL ? x->status : "", y->status) == 0);
        REQUIRE(x->weight == y->weight && x->user_weight == y->user_weight);
        REQUIRE(x->current == y->current && x->answers[4] == y->answers[4]);
    }
}

static void try_stat(struct arena *arena, const char *text)
{
    struct haproxy_servers rows, again;
    struct error err = {0};
    struct buf out AUTO_BUF;
    buf_init(&out, 8 << 20);
    if (haproxy_parse(text, "shop", arena, &rows, &err) != 0) {
        REQUIRE(err.kind == ERROR_FORMAT || err.kind == ERROR_NOTFOUND);
        return;
    }
    REQUIRE(rows.count > 0 && rows.count <= HAPROXY_SERVERS_MAX);
    for (size_t i = 0; i < rows.count; i++) {
        REQUIRE(!text_blank(rows.items[i].name));
        REQUIRE(haproxy_find(&rows, rows.items[i].name) != NULL);
    }
    write_rows(&out, &rows);
    REQUIRE(haproxy_parse(out.data, "shop", arena, &again, &err) == 0);
    same_rows(&rows, &again);
}

static void try_state(struct arena *arena, const char *text)
{
    static struct route routes[] = {
        {.instance = {"a", "blue", NULL, "a"}, .state = TRAFFIC_READY, .share = 0.75},
        {.instance = {"b", "green", NULL, "b"}, .state = TRAFFIC_READY, .share = 0.25},
    };
    const struct traffic wanted = {routes, 2};
    struct servers servers;
    struct moves moves;
    struct error err = {0};
    if (servers_parse(text, "shop", arena, &servers, &err) != 0) {
        REQUIRE(err.kind == ERROR_FORMAT || err.kind == ERROR_NOTFOUND);
        return;
    }
    REQUIRE(servers.count <= HAPROXY_SERVERS_MAX && servers_names(&servers, arena) != NULL);
    for (size_t i = 0; i < servers.count; i++) {
        REQUIRE(servers.items[i].connections >= -1);
        REQUIRE(servers.items[i].weight >= 0 && servers.items[i].weight <= WEIGHT_MAX);
    }
    if (servers_find(&servers, "a") == NULL || servers_find(&servers, "b") == NULL) {
        return;
    }
    moves_plan(&servers, &wanted, arena, &moves);
    const char *commands = moves_commands(&moves, "shop", arena);
    for (const char *at = commands; *at != '\0'; at += strcspn(at, ";"), at += *at == ';') {
        REQUIRE(text_starts(at, "set server shop/a ") || text_starts(at, "set server shop/b "));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    const struct slice all = {(const char *)data, size};
    const char *text = input_text(&arena, &all);
    const char *stat = strstr(text, "# pxname,");
    try_stat(&arena, stat != NULL ? stat : text);
    try_state(&arena, text);
    return 0;
}
