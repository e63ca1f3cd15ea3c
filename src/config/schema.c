/* SPDX-License-Identifier: Apache-2.0 */
#include "binder.h"

#include "arena.h"
#include "json.h"
#include "text.h"

#include <string.h>

#define PATTERN_URL \
    "^(https?://[^\\s/?#@]+|\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}[^\\s/?#@]*)([/?#]\\S*)?$"

static struct json *schema_of_field(const struct field *field);

static struct json *list_of(const char *const *texts)
{
    struct json *list = json_array();
    for (size_t i = 0; texts[i]; i++) {
        json_append(list, json_of_name(texts[i]));
    }
    return list;
}

static struct json *type_of(const char *name)
{
    struct json *schema = json_object();
    json_set_name(schema, "type", name);
    return schema;
}

static struct json *text_like(const char *pattern)
{
    struct json *schema = type_of("string");
    json_set_name(schema, "pattern", pattern);
    return schema;
}

static struct json *any_of(struct json *first, struct json *second)
{
    struct json *schema = json_object(), *list = json_array();
    json_append(list, first);
    json_append(list, second);
    json_set(schema, "anyOf", list);
    return schema;
}

static struct json *list_schema(struct json *items, size_t least)
{
    struct json *schema = type_of("array");
    json_set(schema, "items", items);
    if (least) {
        json_set_number(schema, "minItems", (double)least);
    }
    return schema;
}

/* `image: 1.20` and `name: yes` are texts for us, whatever YAML calls them. */
static struct json *schema_of_text(void)
{
    static const char *const types[] = {"string", "number", "boolean", NULL};
    struct json *schema = json_object();
    json_set(schema, "type", list_of(types));
    json_set_number(schema, "minLength", 1);
    return schema;
}

static struct json *schema_of_bool(void)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off", NULL};
    struct json *schema = json_object(), *list = list_of(words);
    json_append(list, json_of_bool(true));
    json_append(list, json_of_bool(false));
    json_set(schema, "enum", list);
    return schema;
}

static struct json *schema_of_int(const struct field *field)
{
    struct json *schema = type_of("integer");
    json_set_number(schema, "minimum", (double)field->min);
    if (field->max) {
        json_set_number(schema, "maximum", (double)field->max);
    }
    return schema;
}

static struct json *schema_of_quantity(void)
{
    struct json *number = type_of("number");
    json_set_number(number, "minimum", 0);
    return any_of(number, text_like("^([0-9]{1,4}(\\.[0-9]+)?%|[0-9]{1,15}(\\.[0-9]+)?"
                                    "( ?(req)?/s)?|(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?"
                                    "([0-9]+s)?([0-9]+ms)?)$"));
}

static struct json *schema_of_names(const char *const *names)
{
    struct json *schema = json_object();
    json_set(schema, "enum", list_of(names));
    return schema;
}

static struct json *schema_of_texts(const struct field *field)
{
    struct json *one = field->names ? schema_of_names(field->names) : schema_of_text();
    return any_of(json_copy(one), list_schema(one, 0));
}

static struct json *schema_of_percent(const struct field *field)
{
    if (field->min < 0) {
        return text_like(PATTERN_CHANGE);
    }
    return text_like(field->max ? "^[0-9]{1,4}(\\.[0-9]+)?%$" : PATTERN_SHARE);
}

/* The least of 100 ms is all that our own tables ask for: some larger unit, or three digits. */
static struct json *schema_of_duration(const struct field *field)
{
    struct json *schema = text_like(PATTERN_DURATION);
    if (field->min == 100) {
        struct json *list = json_array();
        json_append(list, text_like("[1-9][0-9]*([dhs]|m(?!s))|[1-9][0-9]{2,}ms"));
        json_set(schema, "allOf", list);
    }
    return schema;
}

static struct json *schema_of_scalar(const struct field *field)
{
    switch (field->type) {
    case FIELD_URL:
        return text_like(PATTERN_URL);
    case FIELD_BOOL:
        return schema_of_bool();
    case FIELD_INT:
        return schema_of_int(field);
    case FIELD_DURATION:
        return schema_of_duration(field);
    case FIELD_PERCENT:
        return schema_of_percent(field);
    case FIELD_QUANTITY:
        return schema_of_quantity();
    case FIELD_ENUM:
        return schema_of_names(field->names);
    case FIELD_ENUMS:
        return list_schema(schema_of_names(field->names), 0);
    case FIELD_TEXTS:
        return schema_of_texts(field);
    case FIELD_COMMAND:
        return any_of(schema_of_text(), list_schema(schema_of_text(), 1));
    case FIELD_SECRET:
        return text_like("^" PATTERN_ENV "$");
    default:
        return schema_of_text();
    }
}

static struct json *required_of(const struct field *fields)
{
    struct json *required = json_array();
    for (size_t i = 0; fields && fields[i].name; i++) {
        if (fields[i].required) {
            json_append(required, json_of_name(fields[i].name));
        }
    }
    return required;
}

static void put_list(struct json *schema, const char *key, struct json *list)
{
    if (json_size(list)) {
        json_set(schema, key, list);
    } else {
        json_free(list);
    }
}

static struct json *requires(const char *name)
{
    struct json *schema = json_object(), *list = json_array();
    json_append(list, json_of_name(name));
    json_set(schema, "required", list);
    return schema;
}

/* A key and its other name exclude each other. */
static struct json *not_both(const struct field *field)
{
    struct json *schema = json_object(), *both = json_object();
    json_set(both, "required", list_of((const char *const[]){field->name, field->alias, NULL}));
    json_set(schema, "not", both);
    return schema;
}

static struct json *excluded_pairs(const struct field *fields)
{
    struct json *list = json_array();
    for (size_t i = 0; fields && fields[i].name; i++) {
        if (fields[i].alias) {
            json_append(list, not_both(&fields[i]));
        }
    }
    return list;
}

static struct json *schema_of_fields(const struct field *fields)
{
    struct json *schema = type_of("object"), *properties = json_object();
    for (size_t i = 0; fields && fields[i].name; i++) {
        json_set(properties, fields[i].name, schema_of_field(&fields[i]));
        if (fields[i].alias) {
            json_set(properties, fields[i].alias, schema_of_field(&fields[i]));
        }
    }
    json_set(schema, "properties", properties);
    json_set_bool(schema, "additionalProperties", false);
    put_list(schema, "required", required_of(fields));
    put_list(schema, "allOf", excluded_pairs(fields));
    return schema;
}

static bool any_required(const struct field *fields)
{
    struct json *required = required_of(fields);
    bool any = json_size(required) > 0;
    json_free(required);
    return any;
}

static struct json *schema_of_driver(const struct driver_row *row)
{
    struct json *schema = schema_of_fields(row->fields);
    const struct field *first = row->fields ? field_short(row->fields) : NULL;
    if (!any_required(row->fields)) {
        schema = any_of(schema, type_of("null"));
    }
    if (first) {
        schema = any_of(schema, schema_of_field(first));
    }
    json_set_name(schema, "description", row->doc);
    return schema;
}

static void put_drivers(struct json *properties, const char *room)
{
    for (size_t i = 0; driver_rows[i]; i++) {
        if (text_equal(driver_rows[i]->room, room)) {
            json_set(properties, driver_rows[i]->name, schema_of_driver(driver_rows[i]));
        }
    }
}

static struct json *schema_of_room(const struct field *field)
{
    struct json *schema = type_of("object"), *properties = json_object();
    put_drivers(properties, field->room);
    json_set(schema, "properties", properties);
    json_set_bool(schema, "additionalProperties", false);
    json_set_number(schema, "minProperties", 1);
    if (field->type == FIELD_DRIVER) {
        json_set_number(schema, "maxProperties", 1);
    }
    return schema;
}

static struct json *check_schema(const struct field *fields)
{
    struct json *schema = type_of("object"), *properties = json_object(), *kinds = json_array();
    for (size_t i = 0; fields[i].name; i++) {
        json_set(properties, fields[i].name, schema_of_field(&fields[i]));
    }
    put_drivers(properties, "check");
    for (size_t i = 0; driver_rows[i]; i++) {
        if (text_equal(driver_rows[i]->room, "check")) {
            json_append(kinds, requires(driver_rows[i]->name));
        }
    }
    json_set(schema, "properties", properties);
    json_set_bool(schema, "additionalProperties", false);
    json_set(schema, "oneOf", kinds);
    return schema;
}

static bool is_smoke(const struct field *check_fields)
{
    return check_fields != check_tables[0];
}

static struct json *schema_of_checks(const struct field *field)
{
    struct json *one = json_object();
    json_set_name(one, "$ref", is_smoke(field->fields) ? "#/$defs/smoke" : "#/$defs/gate");
    return any_of(json_copy(one), list_schema(one, 1));
}

static struct json *any_key(const char *const *keys)
{
    struct json *schema = json_object(), *list = json_array();
    for (size_t i = 0; keys[i]; i++) {
        json_append(list, requires(keys[i]));
    }
    json_set(schema, "anyOf", list);
    return schema;
}

/* What is particular to the names of one shape; the common part stands beside it. */
static struct json *schema_of_shape(const struct slo_shape *shape)
{
    struct json *schema = json_object(), *properties = json_object();
    if (shape->target && text_equal(shape->target, PATTERN_NUMBER)) {
        json_set(properties, "target", any_of(type_of("number"), text_like(shape->target)));
    } else if (shape->target) {
        json_set(properties, "target", text_like(shape->target));
    }
    if (shape->senseless) {
        json_set(properties, shape->senseless, json_of_bool(false));
    }
    json_set(schema, "properties", properties);
    if (shape->needs_target) {
        json_set_name(schema, "type", "object");
        json_set(schema, "required", list_of((const char *const[]){"target", NULL}));
    }
    if (shape->needs_selector) {
        struct json *all = json_array();
        json_append(all, any_key(slo_selectors));
        json_append(all, any_key(slo_rules));
        json_set_name(schema, "type", "object");
        json_set(schema, "allOf", all);
    }
    return schema;
}

static struct json *schema_of_shapes(void)
{
    struct json *schema = json_object(), *patterns = json_object(), *list = json_array();
    for (const struct slo_shape *shape = slo_shapes; shape->pattern; shape++) {
        bool refused = text_equal(shape->target, "");
        json_set(patterns, shape->pattern, refused ? json_of_bool(false) : schema_of_shape(shape));
    }
    json_set(schema, "patternProperties", patterns);
    json_append(list, schema);
    return list;
}

static struct json *schema_of_named(const struct field *field)
{
    struct json *schema = type_of("object"), *row = schema_of_fields(field->fields);
    json_set(schema, "propertyNames", text_like(PATTERN_NAME));
    json_set_number(schema, "minProperties", 1);
    if (!any_required(field->fields)) {
        row = any_of(row, type_of("null"));
    }
    json_set(schema, "additionalProperties", row);
    if (field->fields == slo_fields) {
        json_set(schema, "allOf", schema_of_shapes());
    }
    return schema;
}

static struct json *schema_of_type(const struct field *field)
{
    switch (field->type) {
    case FIELD_SECTION:
        return schema_of_fields(field->fields);
    case FIELD_ROWS:
        return list_schema(schema_of_fields(field->fields), 1);
    case FIELD_NAMED:
        return schema_of_named(field);
    case FIELD_DRIVER:
    case FIELD_DRIVERS:
        return schema_of_room(field);
    case FIELD_CHECKS:
        return schema_of_checks(field);
    default:
        return schema_of_scalar(field);
    }
}

static struct json *json_of_node(const struct node *node)
{
    if (node->kind == NODE_SCALAR) {
        return json_of_name(node->text);
    }
    struct json *out = node->kind == NODE_MAP ? json_object() : json_array();
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == NODE_MAP) {
            json_set(out, node->keys[i]->text, json_of_node(node->items[i]));
        } else {
            json_append(out, json_of_node(node->items[i]));
        }
    }
    return out;
}

static struct json *json_of_default(const struct field *field)
{
    struct arena arena;
    double number = 0;
    arena_init(&arena);
    const struct node *node = field_default(&arena, field);
    struct json *out = NULL;
    if (node && field->type == FIELD_INT && text_real(field->def, &number, NULL) == 0) {
        out = json_of_number(number);
    } else if (node && field->type == FIELD_BOOL) {
        out = json_of_bool(text_equal(field->def, "true"));
    } else if (node) {
        out = json_of_node(node);
    }
    arena_release(&arena);
    return out;
}

static struct json *schema_of_field(const struct field *field)
{
    struct json *schema = schema_of_type(field), *def = json_of_default(field);
    json_set_name(schema, "description", field->doc ? field->doc : field->name);
    if (def) {
        json_set(schema, "default", def);
    }
    return schema;
}

struct json *config_schema(void)
{
    struct json *schema = json_object(), *defs = json_object();
    struct json *fields = schema_of_fields(config_fields);
    json_set_name(schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_set_name(schema, "title", "deploy.yaml of deploy-action");
    json_set_name(schema, "type", "object");
    json_set(defs, "gate", check_schema(check_tables[0]));
    json_set(defs, "smoke", check_schema(check_tables[1]));
    json_set(schema, "properties", json_copy(json_get(fields, "properties")));
    json_set(schema, "required", json_copy(json_get(fields, "required")));
    json_set_bool(schema, "additionalProperties", false);
    json_set(schema, "$defs", defs);
    json_free(fields);
    return schema;
}
