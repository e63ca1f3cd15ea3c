/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml.h"

#include "arena.h"
#include "text.h"

#include <string.h>

enum { PATH_DEPTH_MAX = 20 };

const struct node *node_get(const struct node *map, const char *key)
{
    if (map == NULL || key == NULL || map->kind != NODE_MAP) {
        return NULL;
    }
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->keys[i]->text, key) == 0) {
            return map->items[i];
        }
    }
    return NULL;
}

const char *node_place(struct arena *arena, const struct node *node)
{
    if (node->line == 0) {
        return arena_text(arena, node->origin);
    }
    return arena_format(arena, "%s:%d:%d", node->origin, node->line, node->column);
}

static struct node *new_node(struct arena *arena, enum node_kind kind, const char *origin)
{
    struct node *node = ARENA_NEW(arena, struct node);
    node->kind = kind;
    node->origin = origin;
    return node;
}

/* Lines and columns inside of a command line argument mean nothing to anybody. The depth
 * is that which yaml_parse allows. */
static void forget_place(struct node *node, const char *origin)
{
    node->origin = origin;
    node->line = 0;
    node->column = 0;
    for (size_t i = 0; i < node->count; i++) {
        if (node->keys != NULL) {
            forget_place(node->keys[i], origin);
        }
        forget_place(node->items[i], origin);
    }
}

static int read_value(struct arena *arena, const char *value, const char *origin, struct node **out,
                      struct error *err)
{
    if (text_blank(value)) {
        *out = new_node(arena, NODE_SCALAR, origin);
        (*out)->text = "";
        return 0;
    }
    struct error problem;
    if (yaml_parse(arena, "", (struct slice){value, strlen(value)}, out, &problem) != 0) {
        /* ":1:5: what" names a place that only counts inside of the value. */
        const char *what = strstr(problem.message, ": ");
        return error_set(err, ERROR_CONFIG, "%s: %s in '%.80s'", origin,
                         what != NULL ? what + 2 : problem.message, value);
    }
    forget_place(*out, origin);
    return 0;
}

static void append(struct arena *arena, struct node *node, struct node *key, struct node *item)
{
    struct node **items = arena_array(arena, node->count + 1, sizeof *items);
    struct node **keys = arena_array(arena, node->count + 1, sizeof *keys);
    for (size_t i = 0; i < node->count; i++) {
        items[i] = node->items[i];
        keys[i] = key != NULL ? node->keys[i] : NULL;
    }
    items[node->count] = item;
    keys[node->count++] = key;
    node->items = items;
    node->keys = key != NULL ? keys : NULL;
}

/* `traffic:` with nothing behind it may still become a section. */
static bool is_nothing(const struct node *node)
{
    if (node->kind != NODE_SCALAR || node->quoted) {
        return false;
    }
    return node->text[0] == '\0' || text_equal(node->text, "~") || text_equal(node->text, "null");
}

/* One `--set`, on its way through the tree. */
struct setting {
    struct arena *arena;
    const char *path, *origin;
    struct error *err;
};

/* Where the value of `name` is kept in a map; the key is made when it is absent. */
static struct node **slot_in_map(const struct setting *set, struct node *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->keys[i]->text, name) == 0) {
            return &map->items[i];
        }
    }
    struct node *key = new_node(set->arena, NODE_SCALAR, set->origin);
    key->text = name;
    append(set->arena, map, key, new_node(set->arena, NODE_MAP, set->origin));
    return &map->items[map->count - 1];
}

/* The index may be one past the end: that appends. */
static struct node **slot_in_list(const struct setting *set, struct node *list, const char *name)
{
    int64_t index;
    if (text_int(name, &index, NULL) != 0 || index < 0 || (uint64_t)index > list->count) {
        error_set(set->err, ERROR_CONFIG, "%s: '%.80s' is no item of a list of %zu", set->origin,
                  name, list->count);
        return NULL;
    }
    if ((uint64_t)index == list->count) {
        append(set->arena, list, NULL, new_node(set->arena, NODE_MAP, set->origin));
    }
    return &list->items[index];
}

static struct node **slot_in(const struct setting *set, struct node *node, const char *name)
{
    if (is_nothing(node)) {
        node->kind = NODE_MAP;
        node->text = NULL;
    }
    if (node->kind == NODE_MAP) {
        return slot_in_map(set, node, name);
    }
    if (node->kind == NODE_LIST) {
        return slot_in_list(set, node, name);
    }
    error_set(set->err, ERROR_CONFIG, "%s: '%.80s' would stand below the text '%.80s'", set->origin,
              name, node->text);
    return NULL;
}

/* The whole path is looked at before anything is made. */
static int check_path(const struct setting *set)
{
    size_t depth = 1;
    bool empty = false;
    for (const char *p = set->path; *p != '\0'; p++) {
        depth += *p == '.';
        empty = empty || (*p == '.' && (p == set->path || p[1] == '.' || p[1] == '\0'));
    }
    if (set->path[0] == '\0' || empty || depth > PATH_DEPTH_MAX) {
        return error_set(set->err, ERROR_CONFIG, "%s: '%.80s' is no path like traffic.service.name",
                         set->origin, set->path);
    }
    return 0;
}

int node_set(struct arena *arena, struct node *root, const struct assignment *assignment,
             struct error *err)
{
    const struct setting set = {arena, assignment->path, arena_text(arena, assignment->origin),
                                err};
    struct node *given;
    if (check_path(&set) != 0 ||
        read_value(arena, assignment->value, set.origin, &given, err) != 0) {
        return -1;
    }
    struct node *node = root, **slot = NULL;
    for (const char *name = assignment->path; name != NULL;) {
        const char *dot = strchr(name, '.');
        const char *part =
            dot != NULL ? arena_text_n(arena, name, (size_t)(dot - name)) : arena_text(arena, name);
        slot = slot_in(&set, node, part);
        if (slot == NULL) {
            return -1;
        }
        node = *slot;
        name = dot != NULL ? dot + 1 : NULL;
    }
    *slot = given;
    return 0;
}
