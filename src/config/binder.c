/* SPDX-License-Identifier: Apache-2.0 */
#include "binder.h"

#include "arena.h"
#include "mask.h"
#include "text.h"

#include <ctype.h>
#include <string.h>

#define SHORT_LIST 12

const struct driver_row *driver_find(const char *room, const char *name)
{
    for (size_t i = 0; driver_rows[i]; i++) {
        if (text_equal(driver_rows[i]->room, room) && text_equal(driver_rows[i]->name, name)) {
            return driver_rows[i];
        }
    }
    return NULL;
}

static size_t field_count(const struct field *fields)
{
    size_t count = 0;
    while (fields && fields[count].name) {
        count++;
    }
    return count;
}

const char **bind_names(struct arena *arena, const struct field *fields, const char *room)
{
    size_t count = 0, drivers = 0;
    while (driver_rows[drivers]) {
        drivers++;
    }
    const char **names = arena_array(arena, field_count(fields) + drivers + 1, sizeof *names);
    for (size_t i = 0; i < field_count(fields); i++) {
        names[count++] = fields[i].name;
    }
    for (size_t i = 0; room && i < drivers; i++) {
        if (text_equal(driver_rows[i]->room, room)) {
            names[count++] = driver_rows[i]->name;
        }
    }
    return names;
}

static const char *joined(struct arena *arena, const char *const *names, const char *between)
{
    const char *text = "";
    for (size_t i = 0; names[i]; i++) {
        text = arena_format(arena, "%s%s%s", text, i ? between : "", names[i]);
    }
    return text;
}

static const char *near_miss(struct arena *arena, const char *word, const char *const *names)
{
    const char *meant = word && *word ? text_nearest(word, names) : NULL;
    return meant ? arena_format(arena, " (did you mean '%s'?)", meant) : "";
}

const char *bind_hint(struct binder *b, const char *word, const char *const *names,
                      const char *what)
{
    const char *hint = near_miss(b->arena, word, names);
    size_t count = 0;
    while (names[count]) {
        count++;
    }
    if (count == 0 || count > SHORT_LIST) {
        return hint;
    }
    return arena_format(b->arena, "%s; %s: %s", hint, what, joined(b->arena, names, ", "));
}

const char *bind_hyphens(struct arena *arena, const char *name)
{
    char *text = arena_text(arena, name);
    for (char *at = text; *at; at++) {
        *at = *at == '_' ? '-' : *at;
    }
    return text;
}

static bool field_named(const struct field *field, const char *name)
{
    return text_equal(field->name, name) || (field->alias && text_equal(field->alias, name));
}

static const struct field *field_find(const struct field *fields, const char *name)
{
    for (size_t i = 0; i < field_count(fields); i++) {
        if (field_named(&fields[i], name)) {
            return &fields[i];
        }
    }
    return NULL;
}

const struct node *field_node(const struct node *map, const struct field *field)
{
    const struct node *node = map ? node_get(map, field->name) : NULL;
    return node || !map || !field->alias ? node : node_get(map, field->alias);
}

const struct field *field_short(const struct field *fields)
{
    if (field_count(fields) == 0 || !bind_is_scalar(fields[0].type)) {
        return NULL;
    }
    for (size_t i = 1; i < field_count(fields); i++) {
        if (fields[i].required) {
            return NULL;
        }
    }
    return &fields[0];
}

static void must_be_map(struct binder *b, const struct node *node, const char *name)
{
    if (node_is_null(node) || (node->kind == NODE_MAP && node->count == 0)) {
        PROBLEM(b, node, "'%s' is empty; write its keys below it, or leave it out", name);
    } else {
        PROBLEM(b, node, "'%s' is %s, but must be a map of keys", name, bind_shown(b, node));
    }
}

const struct node *field_default(struct arena *arena, const struct field *field)
{
    bool is_list = !bind_is_scalar(field->type) || field->type == FIELD_ENUMS ||
                   (field->type == FIELD_TEXTS && field->def && field->def[0] == '[');
    struct node *node = NULL;
    if (!field->def) {
        return NULL;
    }
    if (is_list) {
        return yaml_parse(arena, "default", (struct slice){field->def, strlen(field->def)}, &node,
                          NULL) < 0
                   ? NULL
                   : node;
    }
    node = ARENA_NEW(arena, struct node);
    *node = (struct node){.kind = NODE_SCALAR, .origin = "default", .text = field->def};
    return node;
}

/* Defaults: by the same readers, from the text that the table shows. */
static void bind_default(struct binder *b, const struct field *field, void *base)
{
    const struct node *node = field_default(b->arena, field);
    if (field->type == FIELD_SECTION) {
        struct scope scope = {.name = field->name, .fields = field->fields};
        bind_map(b, NULL, &scope, (char *)base + field->offset);
    } else if (node) {
        bind_value(b, node, field, base);
    }
}

/* " in 'http'", or "" at the top of the file. */
static const char *inside(struct binder *b, const struct scope *scope)
{
    return *scope->name ? arena_format(b->arena, " in '%s'", scope->name) : "";
}

static void tell_missing(struct binder *b, const struct node *map, const struct scope *scope,
                         const struct field *field)
{
    size_t length = field->doc ? strlen(field->doc) : 0;
    char *doc = arena_text_n(b->arena, field->doc, length);
    if (length > 1 && doc[1] >= 'a') {
        doc[0] = (char)tolower((unsigned char)doc[0]);
    }
    if (length && doc[length - 1] == '.') {
        doc[length - 1] = '\0';
    }
    PROBLEM(b, map, "'%s' is missing%s (%s); write %s: %s", field->name, inside(b, scope),
            length ? doc : "required", field->name, field_sample(b->arena, field));
}

static void bind_absent(struct binder *b, const struct node *map, const struct scope *scope,
                        void *base)
{
    for (size_t i = 0; i < field_count(scope->fields); i++) {
        const struct field *field = &scope->fields[i];
        if (!field_node(map, field)) {
            if (field->required && map) {
                tell_missing(b, map, scope, field);
            }
            bind_default(b, field, base);
        } else if (field->alias && node_get(map, field->name) && node_get(map, field->alias)) {
            PROBLEM(b, node_get(map, field->alias), "'%s' and '%s' mean the same; keep '%s'",
                    field->alias, field->name, field->name);
        }
    }
}

static void bind_choice(struct binder *b, const struct node *key, struct node *value,
                        struct choice *choice)
{
    static const struct field none[] = {{0}};
    const struct driver_row *row = choice->driver;
    struct scope scope = {.name = row->name, .fields = row->fields ? row->fields : none};
    struct node map = {
        .kind = NODE_MAP, .line = key->line, .column = key->column, .origin = key->origin};
    choice->place = (struct place){key->origin, key->line, key->column};
    choice->settings = arena_alloc(b->arena, row->size);
    if (value->kind == NODE_MAP) {
        bind_map(b, value, &scope, choice->settings);
        return;
    }
    const struct field *first = field_short(scope.fields);
    if (!node_is_null(value) && !first) {
        PROBLEM(b, value, "'%s' is %s, but needs more than one key%s", row->name,
                bind_shown(b, value),
                bind_hint(b, "", bind_names(b->arena, scope.fields, NULL), "keys"));
        return;
    }
    if (node_is_null(value)) {
        bind_map(b, &map, &scope, choice->settings);
        return;
    }
    struct node name = {.kind = NODE_SCALAR,
                        .text = first ? first->name : "",
                        .line = key->line,
                        .column = key->column,
                        .origin = key->origin};
    struct node *names[] = {&name};
    map.keys = names;
    map.items = &value;
    map.count = 1;
    bind_map(b, &map, &scope, choice->settings);
}

static void unknown_key(struct binder *b, const struct node *key, const struct scope *scope)
{
    if (mask_is_secret(key->text)) {
        return;
    }
    const char **names = bind_names(b->arena, scope->fields, scope->room);
    const char *hint = bind_hint(b, key->text, names, "keys here");
    if (scope->room) {
        const char **drivers = bind_names(b->arena, NULL, scope->room);
        hint = arena_format(b->arena, "%s%s; keys: %s", near_miss(b->arena, key->text, names),
                            bind_hint(b, "", drivers, arena_format(b->arena, "%ss", scope->room)),
                            joined(b->arena, bind_names(b->arena, scope->fields, NULL), ", "));
    }
    PROBLEM(b, key, "unknown key %s%s%s", bind_shown(b, key), inside(b, scope), hint);
}

/* A key that no table of this map has: a driver, a secret (told by secret_scan), or wrong. */
static void bind_other(struct binder *b, const struct node *key, struct node *value,
                       const struct scope *scope)
{
    const struct driver_row *row = scope->room ? driver_find(scope->room, key->text) : NULL;
    if (row && scope->choice->driver) {
        PROBLEM(b, key, "'%s' and '%s' in one %s; make two of it", scope->choice->driver->name,
                row->name, scope->room);
    } else if (row) {
        scope->choice->driver = row;
        bind_choice(b, key, value, scope->choice);
    } else if (value->kind != NODE_SCALAR || !mask_is_name(key->text, strlen(key->text))) {
        unknown_key(b, key, scope);
    }
}

void bind_map(struct binder *b, const struct node *map, const struct scope *scope, void *base)
{
    for (size_t i = 0; map && i < map->count; i++) {
        const struct field *field = field_find(scope->fields, map->keys[i]->text);
        if (field) {
            bind_value(b, map->items[i], field, base);
        } else {
            bind_other(b, map->keys[i], map->items[i], scope);
        }
    }
    bind_absent(b, map, scope, base);
}

static void bind_section(struct binder *b, const struct node *node, const struct field *field,
                         void *target)
{
    struct scope scope = {.name = field->name, .fields = field->fields};
    if (node->kind != NODE_MAP) {
        must_be_map(b, node, field->name);
        return;
    }
    bind_map(b, node, &scope, target);
}

static void bind_rows(struct binder *b, const struct node *node, const struct field *field,
                      void *target)
{
    struct rows *rows = target;
    struct scope scope = {.name = field->name, .fields = field->fields};
    if (node->kind != NODE_LIST || node->count == 0) {
        PROBLEM(b, node, "'%s' must be a list with at least one entry, not %s", field->name,
                node->kind == NODE_LIST ? "an empty one" : bind_shown(b, node));
        return;
    }
    rows->items = arena_array(b->arena, node->count, field->size);
    for (size_t i = 0; i < node->count; i++) {
        if (node->items[i]->kind != NODE_MAP) {
            must_be_map(b, node->items[i], field->name);
            continue;
        }
        bind_map(b, node->items[i], &scope, (char *)rows->items + field->size * rows->count++);
    }
}

bool bind_is_name(const char *text)
{
    const char *chars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return *text && !strchr("._-", *text) && strspn(text, chars) == strlen(text) &&
           !mask_is_secret(text);
}

static void bind_named(struct binder *b, const struct node *node, const struct field *field,
                       void *target)
{
    struct rows *rows = target;
    if (node->kind != NODE_MAP || node->count == 0) {
        must_be_map(b, node, field->name);
        return;
    }
    rows->items = arena_array(b->arena, node->count, field->size);
    for (size_t i = 0; i < node->count; i++) {
        const struct node *key = node->keys[i], *value = node->items[i];
        char *row = (char *)rows->items + field->size * rows->count++;
        struct node empty = {
            .kind = NODE_MAP, .line = key->line, .column = key->column, .origin = key->origin};
        struct scope scope = {.name = key->text, .fields = field->fields};
        *(const char **)(void *)row = key->text;
        if (mask_is_secret(key->text)) {
            continue;
        }
        if (!bind_is_name(key->text)) {
            PROBLEM(b, key, "%s is no name; use letters, digits, '.', '_' and '-'",
                    bind_shown(b, key));
        } else if (value->kind != NODE_MAP && !node_is_null(value)) {
            must_be_map(b, value, key->text);
        } else {
            bind_map(b, value->kind == NODE_MAP ? value : &empty, &scope, row);
        }
    }
}

static const struct driver_row *driver_named(struct binder *b, const struct node *key,
                                             const struct field *field)
{
    const struct driver_row *row = driver_find(field->room, key->text);
    if (!row) {
        PROBLEM(b, key, "unknown %s %s%s", field->room, bind_shown(b, key),
                bind_hint(b, key->text, bind_names(b->arena, NULL, field->room), "known"));
    }
    return row;
}

static bool has_drivers(struct binder *b, const struct node *node, const struct field *field)
{
    if (node->kind == NODE_MAP && node->count > 0) {
        return true;
    }
    PROBLEM(b, node, "'%s' must be a map that names %s%s", field->name,
            field->type == FIELD_DRIVER ? "one driver" : "its sources",
            bind_hint(b, "", bind_names(b->arena, NULL, field->room), "known"));
    return false;
}

static void bind_driver(struct binder *b, const struct node *node, const struct field *field,
                        void *target)
{
    struct choice *choice = target;
    if (!has_drivers(b, node, field)) {
        return;
    }
    if (node->count > 1) {
        PROBLEM(b, node->keys[1], "'%s' takes one driver, but has %s and %s", field->name,
                bind_shown(b, node->keys[0]), bind_shown(b, node->keys[1]));
        return;
    }
    choice->driver = driver_named(b, node->keys[0], field);
    if (choice->driver) {
        bind_choice(b, node->keys[0], node->items[0], choice);
    }
}

static void bind_drivers(struct binder *b, const struct node *node, const struct field *field,
                         void *target)
{
    struct rows *rows = target;
    if (!has_drivers(b, node, field)) {
        return;
    }
    struct choice *choices = arena_array(b->arena, node->count, sizeof *choices);
    rows->items = choices;
    for (size_t i = 0; i < node->count; i++) {
        choices[rows->count].driver = driver_named(b, node->keys[i], field);
        if (choices[rows->count].driver) {
            bind_choice(b, node->keys[i], node->items[i], &choices[rows->count++]);
        }
    }
}

static const char *command_text(struct arena *arena, const struct command *command)
{
    return command->argv ? joined(arena, command->argv, " ") : command->shell;
}

/* "http https://shop.example.com/health": what a check is called when it has no name. */
static const char *check_name(struct arena *arena, const struct choice *kind)
{
    const struct field *first = kind->driver->fields;
    const char *subject = NULL;
    if (first && first->name && (first->type == FIELD_URL || first->type == FIELD_TEXT)) {
        subject = *(const char **)(void *)((char *)kind->settings + first->offset);
    } else if (first && first->name && first->type == FIELD_COMMAND) {
        subject = command_text(arena, (void *)((char *)kind->settings + first->offset));
    }
    if (text_blank(subject)) {
        return kind->driver->name;
    }
    /* What stands behind a question mark may be a secret of the environment's. */
    bool query = first->type == FIELD_URL && strchr(subject, '?') != NULL;
    size_t length = strcspn(subject, query ? "?\r\n" : "\r\n");
    return arena_format(arena, "%s %s%s", kind->driver->name,
                        text_shown(arena, subject, length, 100), query ? "?…" : "");
}

/* Two checks of a group never share a name: it is how the journal tells them apart. */
static void name_checks(struct binder *b, const struct node *where, struct rows *rows)
{
    struct check_config *checks = rows->items;
    for (size_t i = 0; i < rows->count; i++) {
        bool given = checks[i].name != NULL;
        const char *name = given || !checks[i].kind.driver ? checks[i].name
                                                           : check_name(b->arena, &checks[i].kind);
        size_t same = 1;
        for (size_t k = 0; k < i; k++) {
            same += name && text_equal(checks[k].name, name);
        }
        if (given && same > 1) {
            PROBLEM(b, where, "two checks have the name '%s'", name);
        }
        checks[i].name = same > 1 ? arena_format(b->arena, "%s #%zu", name, same) : name;
    }
}

static void bind_checks(struct binder *b, const struct node *node, const struct field *field,
                        void *target)
{
    struct rows *rows = target;
    size_t count = node->kind == NODE_LIST ? node->count : 1;
    struct check_config *checks = arena_array(b->arena, count, sizeof *checks);
    rows->items = checks;
    if (count == 0) {
        PROBLEM(b, node, "'%s' is an empty list; write a check, or leave it out", field->name);
    }
    b->in_check = true;
    for (size_t i = 0; i < count; i++) {
        const struct node *item = node->kind == NODE_LIST ? node->items[i] : node;
        struct check_config *check = &checks[rows->count];
        struct scope scope = {field->name, field->fields, "check", &check->kind};
        if (item->kind != NODE_MAP) {
            must_be_map(b, item, field->name);
            continue;
        }
        size_t before = b->problems->count;
        bind_map(b, item, &scope, check);
        rows->count++;
        if (!check->kind.driver && b->problems->count == before) {
            PROBLEM(b, item, "a check in '%s' says nothing to do%s", field->name,
                    bind_hint(b, "", bind_names(b->arena, NULL, "check"), "write one of"));
        }
    }
    b->in_check = false;
    name_checks(b, node, rows);
}

typedef void map_reader(struct binder *, const struct node *, const struct field *, void *);

void bind_value(struct binder *b, const struct node *node, const struct field *field, void *base)
{
    static map_reader *const readers[] = {
        [FIELD_SECTION] = bind_section, [FIELD_ROWS] = bind_rows,
        [FIELD_NAMED] = bind_named,     [FIELD_DRIVER] = bind_driver,
        [FIELD_DRIVERS] = bind_drivers, [FIELD_CHECKS] = bind_checks,
    };
    void *target = (char *)base + field->offset;
    if (bind_is_scalar(field->type)) {
        bind_scalar(b, node, field, target);
    } else {
        readers[field->type](b, node, field, target);
    }
}
