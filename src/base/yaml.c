/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml.h"

#include "arena.h"
#include "text.h"

#include <string.h>

/* The library's header has the name and the guard of ours: ours is found by "", its by <>. */
#undef YAML_H
#include <yaml.h>

enum { DEPTH_MAX = 40, NODES_MAX = 10000 };

struct anchor {
    const char *name;
    struct node *node;
    bool open; /* still being built: an alias to it from here would be a cycle */
};

/* A map or list that is being read. */
struct level {
    struct node *node;
    struct node *key;                             /* a map's key that waits for its value */
    size_t keys_capacity, items_capacity, anchor; /* anchor: index + 1, 0 for none */
};

struct builder {
    struct arena *arena;
    const char *origin;
    struct error *err;
    struct level levels[DEPTH_MAX];
    size_t depth;
    struct anchor *anchors;
    size_t anchors_count, anchors_capacity;
    size_t nodes;
    struct node *root;
};

static int fail(const struct builder *b, yaml_mark_t mark, const char *what, const char *subject)
{
    return error_set(b->err, ERROR_CONFIG, "%s:%zu:%zu: %s%s%.80s%s", b->origin, mark.line + 1,
                     mark.column + 1, what, subject != NULL ? " '" : "",
                     subject != NULL ? subject : "", subject != NULL ? "'" : "");
}

static int new_node(struct builder *b, enum node_kind kind, yaml_mark_t mark, struct node **out)
{
    if (++b->nodes > NODES_MAX) {
        return fail(b, mark, "more than 10000 values, with those that aliases repeat", NULL);
    }
    *out = ARENA_NEW(b->arena, struct node);
    (*out)->kind = kind;
    (*out)->line = (int)mark.line + 1;
    (*out)->column = (int)mark.column + 1;
    (*out)->origin = b->origin;
    return 0;
}

static void remember(struct builder *b, const char *name, struct node *node, struct level *level)
{
    if (name == NULL) {
        return;
    }
    b->anchors = arena_grow(b->arena, b->anchors, b->anchors_count, &b->anchors_capacity,
                            sizeof *b->anchors);
    b->anchors[b->anchors_count++] =
        (struct anchor){arena_text(b->arena, name), node, level != NULL};
    if (level != NULL) {
        level->anchor = b->anchors_count;
    }
}

static void put_item(struct builder *b, struct level *level, struct node *item)
{
    struct node *node = level->node;
    node->items =
        arena_grow(b->arena, node->items, node->count, &level->items_capacity, sizeof *node->items);
    node->items[node->count++] = item;
    level->key = NULL;
}

static int put_key(struct builder *b, struct level *level, struct node *key, yaml_mark_t mark)
{
    struct node *map = level->node;
    if (key->kind != NODE_SCALAR) {
        return fail(b, mark, "a key must be a plain name, not a list or a map", NULL);
    }
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->keys[i]->text, key->text) == 0) {
            return error_set(b->err, ERROR_CONFIG,
                             "%s:%d:%d: '%.80s' stands here again (first in "
                             "line %d)",
                             b->origin, key->line, key->column, key->text, map->keys[i]->line);
        }
    }
    map->keys =
        arena_grow(b->arena, map->keys, map->count, &level->keys_capacity, sizeof *map->keys);
    map->keys[map->count] = key;
    level->key = key;
    return 0;
}

/* Gives a finished or just opened node to the map or list it stands in. */
static int place_node(struct builder *b, struct node *node, yaml_mark_t mark)
{
    if (b->depth == 0) {
        b->root = node;
        return 0;
    }
    struct level *level = &b->levels[b->depth - 1];
    if (level->node->kind == NODE_MAP && level->key == NULL) {
        return put_key(b, level, node, mark);
    }
    put_item(b, level, node);
    return 0;
}

/* Of the standard tags only !!str changes what we do; others than the standard ones name
 * types that we do not have. */
static int check_tag(struct builder *b, const yaml_char_t *tag, yaml_mark_t mark, bool *is_text)
{
    static const char *const standard[] = {"str", "int", "float",     "bool", "null",
                                           "map", "seq", "timestamp", NULL};
    const char *text = (const char *)tag, *prefix = "tag:yaml.org,2002:";
    *is_text = false;
    if (text == NULL || strcmp(text, "!") == 0) {
        *is_text = text != NULL;
        return 0;
    }
    for (size_t i = 0; text_starts(text, prefix) && standard[i] != NULL; i++) {
        if (strcmp(text + strlen(prefix), standard[i]) == 0) {
            *is_text = i == 0;
            return 0;
        }
    }
    return fail(b, mark, "unknown tag", text);
}

static int on_scalar(struct builder *b, const yaml_event_t *event)
{
    const yaml_mark_t mark = event->start_mark;
    struct node *node;
    bool is_text;
    if (check_tag(b, event->data.scalar.tag, mark, &is_text) != 0 ||
        new_node(b, NODE_SCALAR, mark, &node) != 0) {
        return -1;
    }
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length) {
        return fail(b, mark, "a text must not hold the character NUL", NULL);
    }
    node->text = arena_text_n(b->arena, text, event->data.scalar.length);
    node->quoted = is_text || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    remember(b, (const char *)event->data.scalar.anchor, node, NULL);
    return place_node(b, node, mark);
}

static int on_open(struct builder *b, enum node_kind kind, const yaml_event_t *event)
{
    bool map = kind == NODE_MAP, is_text;
    const yaml_char_t *tag = map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    const yaml_char_t *anchor =
        map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    struct node *node;
    if (b->depth == DEPTH_MAX) {
        return fail(b, event->start_mark, "nested deeper than 40 levels", NULL);
    }
    if (check_tag(b, tag, event->start_mark, &is_text) != 0 ||
        new_node(b, kind, event->start_mark, &node) != 0 ||
        place_node(b, node, event->start_mark) != 0) {
        return -1;
    }
    struct level *level = &b->levels[b->depth++];
    *level = (struct level){.node = node};
    remember(b, (const char *)anchor, node, level);
    return 0;
}

/* Takes over from another map what this one does not have. */
static int merge_map(struct builder *b, struct level *level, const struct node *from,
                     yaml_mark_t mark)
{
    if (from->kind != NODE_MAP) {
        return fail(b, mark, "'<<' wants a map or a list of maps", NULL);
    }
    for (size_t i = 0; i < from->count; i++) {
        if (node_get(level->node, from->keys[i]->text) != NULL) {
            continue;
        }
        if (put_key(b, level, from->keys[i], mark) != 0) {
            return -1;
        }
        put_item(b, level, from->items[i]);
    }
    return 0;
}

/* YAML 1.1's merge key: `<<: *defaults`. */
static int merge(struct builder *b, struct level *level, yaml_mark_t mark)
{
    struct node *map = level->node, *from = NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (from != NULL) {
            map->keys[i - 1] = map->keys[i];
            map->items[i - 1] = map->items[i];
        } else if (!map->keys[i]->quoted && strcmp(map->keys[i]->text, "<<") == 0) {
            from = map->items[i];
        }
    }
    if (from == NULL) {
        return 0;
    }
    map->count--;
    if (from->kind != NODE_LIST) {
        return merge_map(b, level, from, mark);
    }
    for (size_t i = 0; i < from->count; i++) {
        if (merge_map(b, level, from->items[i], mark) != 0) {
            return -1;
        }
    }
    return 0;
}

static int on_close(struct builder *b, yaml_mark_t mark)
{
    struct level *level = &b->levels[--b->depth];
    if (level->anchor > 0) {
        b->anchors[level->anchor - 1].open = false;
    }
    return level->node->kind == NODE_MAP ? merge(b, level, mark) : 0;
}

/* A copy, so that what is set below one place does not show in the other. The depth is
 * bounded by that of the levels around both. */
static int copy_node(struct builder *b, const struct node *from, size_t depth, yaml_mark_t mark,
                     struct node **out)
{
    if (depth > DEPTH_MAX) {
        return fail(b, mark, "nested deeper than 40 levels", NULL);
    }
    if (new_node(b, from->kind, mark, out) != 0) {
        return -1;
    }
    struct node *copy = *out;
    *copy = *from;
    copy->keys = from->keys != NULL ? arena_array(b->arena, from->count, sizeof *copy->keys) : NULL;
    copy->items =
        from->items != NULL ? arena_array(b->arena, from->count, sizeof *copy->items) : NULL;
    for (size_t i = 0; i < from->count; i++) {
        if (from->keys != NULL && copy_node(b, from->keys[i], depth, mark, &copy->keys[i]) != 0) {
            return -1;
        }
        if (copy_node(b, from->items[i], depth + 1, mark, &copy->items[i]) != 0) {
            return -1;
        }
    }
    return 0;
}

static int on_alias(struct builder *b, const yaml_event_t *event)
{
    const yaml_mark_t mark = event->start_mark;
    const char *name = (const char *)event->data.alias.anchor;
    const struct anchor *anchor = NULL;
    for (size_t i = b->anchors_count; i > 0 && anchor == NULL; i--) {
        if (strcmp(b->anchors[i - 1].name, name) == 0) {
            anchor = &b->anchors[i - 1]; /* the last of that name before the alias */
        }
    }
    if (anchor == NULL) {
        return fail(b, mark, "no anchor before this is called", name);
    }
    if (anchor->open) {
        return fail(b, mark, "an alias inside of what it stands for:", name);
    }
    struct node *copy;
    if (copy_node(b, anchor->node, b->depth + (anchor->node->kind != NODE_SCALAR), mark, &copy) !=
        0) {
        return -1;
    }
    return place_node(b, copy, mark);
}

static int on_event(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return b->root == NULL ? 0 : fail(b, event->start_mark, "a second document begins", NULL);
    case YAML_SCALAR_EVENT:
        return on_scalar(b, event);
    case YAML_MAPPING_START_EVENT:
        return on_open(b, NODE_MAP, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(b, NODE_LIST, event);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return on_close(b, event->start_mark);
    case YAML_ALIAS_EVENT:
        return on_alias(b, event);
    default:
        return 0;
    }
}

/* The library counts characters. */
static char byte_at(const char *text, size_t length, size_t index)
{
    for (size_t i = 0; i < length; i++) {
        if (((unsigned char)text[i] & 0xC0) != 0x80 && index-- == 0) {
            return text[i];
        }
    }
    return '\0';
}

/* The library's words, and the commonest mistake in ours. */
static int fail_syntax(const struct builder *b, const yaml_parser_t *parser, const char *text,
                       size_t length)
{
    yaml_mark_t mark = parser->problem_mark;
    if (parser->error == YAML_MEMORY_ERROR) {
        memory_gone();
    }
    if (parser->error == YAML_READER_ERROR) {
        mark = (yaml_mark_t){.index = parser->problem_offset};
        for (size_t i = 0; i < parser->problem_offset && i < length; i++) {
            mark.column = text[i] == '\n' ? 0 : mark.column + 1;
            mark.line += text[i] == '\n';
        }
    } else if (byte_at(text, length, mark.index) == '\t') {
        return fail(b, mark, "YAML is indented with spaces, this is a tab", NULL);
    }
    return fail(b, mark, parser->problem != NULL ? parser->problem : "no valid YAML", NULL);
}

static int read_events(struct builder *b, yaml_parser_t *parser, const char *text, size_t length)
{
    for (bool more = true; more;) {
        yaml_event_t event;
        if (yaml_parser_parse(parser, &event) == 0) {
            return fail_syntax(b, parser, text, length);
        }
        int result = on_event(b, &event);
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (result != 0) {
            return -1;
        }
    }
    return 0;
}

static int check_utf8(const struct builder *b, const char *text, size_t length)
{
    yaml_mark_t mark = {0};
    size_t start = 0, end;
    for (; start < length; start = end + 1, mark.line++) {
        const char *feed = memchr(text + start, '\n', length - start);
        end = feed != NULL ? (size_t)(feed - text) : length;
        if (text_utf8_prefix(text + start, end - start, &mark.column) < end - start) {
            return fail(b, mark, "bytes that are no UTF-8", NULL);
        }
    }
    return 0;
}

int yaml_parse(struct arena *arena, const char *origin, struct slice text, struct node **out,
               struct error *err)
{
    struct builder b = {.arena = arena, .origin = arena_text(arena, origin), .err = err};
    if (text.length > YAML_MAX_BYTES) {
        return error_set(err, ERROR_CONFIG, "%s: larger than 1 MiB", b.origin);
    }
    if (check_utf8(&b, text.data, text.length) != 0) {
        return -1;
    }
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
        memory_gone(); /* the only reason */
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.length);
    int result = read_events(&b, &parser, text.data, text.length);
    yaml_parser_delete(&parser);
    if (result != 0) {
        return -1;
    }
    bool empty = b.root == NULL ||
                 (b.root->kind == NODE_SCALAR && !b.root->quoted && b.root->text[0] == '\0');
    if (empty) {
        b.nodes = 0;
        if (new_node(&b, NODE_MAP, (yaml_mark_t){0}, &b.root) != 0) {
            return -1;
        }
    }
    *out = b.root;
    return 0;
}
