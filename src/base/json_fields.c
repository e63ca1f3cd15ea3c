/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include "arena.h"
#include "text.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Up to here a JSON number, which is a double, holds every integer. */
#define EXACT_MAX INT64_C(9007199254740992)

struct loader {
    struct arena *arena;
    struct error *err;
    char path[160]; /* of the value at hand, for errors */
};

static int load_struct(struct loader *loader, const struct json *json,
                       const struct json_field *fields, void *base);

static int wrong(const struct loader *loader, const char *wanted)
{
    const char *path = loader->path[0] == '.' ? loader->path + 1 : loader->path;
    return error_set(loader->err, ERROR_FORMAT, "%s: not %s", path[0] != '\0' ? path : "(whole)",
                     wanted);
}

static void *member(void *base, size_t offset)
{
    return (char *)base + offset;
}

static const void *member_const(const void *base, size_t offset)
{
    return (const char *)base + offset;
}

static int load_text(struct loader *loader, const struct json *json, const char **out)
{
    if (json_text(json) == NULL && !json_is_null(json)) {
        return wrong(loader, "a text");
    }
    *out = arena_text(loader->arena, json_text(json));
    return 0;
}

static int load_int64(struct loader *loader, const struct json *json, int64_t *out)
{
    double number;
    if (json_text(json) != NULL) {
        return text_int(json_text(json), out, NULL) == 0 ? 0 : wrong(loader, "a whole number");
    }
    if (!json_number(json, &number) || number != floor(number)) {
        return wrong(loader, "a whole number");
    }
    if (fabs(number) > (double)EXACT_MAX) {
        return wrong(loader, "exact: a number this large must be a text");
    }
    *out = (int64_t)number;
    return 0;
}

static int load_int(struct loader *loader, const struct json *json, int *out)
{
    double number;
    if (!json_number(json, &number) || number != floor(number) || number < INT_MIN ||
        number > INT_MAX) {
        return wrong(loader, "a whole number of 32 bits");
    }
    *out = (int)number;
    return 0;
}

static int load_real(struct loader *loader, const struct json *json, double *out)
{
    if (json_is_null(json)) {
        *out = NAN;
        return 0;
    }
    return json_number(json, out) ? 0 : wrong(loader, "a number");
}

static int load_bool(struct loader *loader, const struct json *json, bool *out)
{
    bool value = json_bool(json);
    if (!value) {
        /* Neither true nor any other kind: what is left is false. */
        double number;
        if (json == NULL || json_is_null(json) || json_text(json) != NULL ||
            json_number(json, &number) || json_is_array(json) || json_is_object(json)) {
            return wrong(loader, "true or false");
        }
    }
    *out = value;
    return 0;
}

static int load_enum(struct loader *loader, const struct json *json, const char *const *names,
                     int *out)
{
    const char *text = json_text(json);
    for (int i = 0; text != NULL && names[i] != NULL; i++) {
        if (strcmp(names[i], text) == 0) {
            *out = i;
            return 0;
        }
    }
    return text == NULL
               ? wrong(loader, "a name")
               : wrong(loader, arena_format(loader->arena, "a name known here: '%.80s'", text));
}

static int load_element(struct loader *loader, const struct json *json,
                        const struct json_field *field, void *out)
{
    switch (field->type) {
    case JSON_TEXTS:
    case JSON_NAMES:
        /* A list of names with a hole in it would surprise everybody. */
        return json_is_null(json) ? wrong(loader, "a text") : load_text(loader, json, out);
    case JSON_REALS:
        return load_real(loader, json, out);
    default:
        return load_struct(loader, json, field->fields, out);
    }
}

static int load_array(struct loader *loader, const struct json *json,
                      const struct json_field *field, void *base)
{
    if (!json_is_array(json)) {
        return wrong(loader, "a list");
    }
    bool texts = field->type == JSON_TEXTS || field->type == JSON_NAMES;
    size_t other = field->type == JSON_REALS ? sizeof(double) : field->size;
    size_t size = texts ? sizeof(char *) : other;
    size_t count = json_size(json), length = strlen(loader->path);
    char *items = arena_array(loader->arena, count, size);
    for (size_t i = 0; i < count; i++) {
        snprintf(loader->path + length, sizeof loader->path - length, "[%zu]", i);
        if (load_element(loader, json_at(json, i), field, items + i * size) != 0) {
            return -1;
        }
    }
    void *stored = count > 0 ? items : NULL;
    memcpy(member(base, field->offset), &stored, sizeof stored);
    memcpy(member(base, field->count_offset), &count, sizeof count);
    return 0;
}

static int load_field(struct loader *loader, const struct json *json,
                      const struct json_field *field, void *base)
{
    void *out = member(base, field->offset);
    switch (field->type) {
    case JSON_TEXT:
    case JSON_NAME:
        return load_text(loader, json, out);
    case JSON_INT64:
        return load_int64(loader, json, out);
    case JSON_INT:
        return load_int(loader, json, out);
    case JSON_REAL:
        return load_real(loader, json, out);
    case JSON_BOOL:
        return load_bool(loader, json, out);
    case JSON_ENUM:
        return load_enum(loader, json, field->names, out);
    case JSON_STRUCT:
        return load_struct(loader, json, field->fields, out);
    case JSON_ARRAY:
    case JSON_TEXTS:
    case JSON_NAMES:
    case JSON_REALS:
        return load_array(loader, json, field, base);
    }
    return error_set(loader->err, ERROR_BUG, "%s: a field without a type", field->name);
}

/* Recursion follows the tables, which are ours, not the data. */
static int load_struct(struct loader *loader, const struct json *json,
                       const struct json_field *fields, void *base)
{
    if (!json_is_object(json)) {
        return wrong(loader, "an object");
    }
    size_t length = strlen(loader->path);
    for (; fields->name != NULL; fields++) {
        const struct json *value = json_get(json, fields->name);
        if (value == NULL) {
            continue;
        }
        snprintf(loader->path + length, sizeof loader->path - length, ".%s", fields->name);
        if (load_field(loader, value, fields, base) != 0) {
            return -1;
        }
    }
    return 0;
}

int json_load(const struct json *json, const struct json_field *fields, void *base,
              struct arena *arena, struct error *err)
{
    struct loader loader = {.arena = arena, .err = err};
    return load_struct(&loader, json, fields, base);
}

static struct json *save_int64(int64_t number)
{
    char text[24];
    if (number >= -EXACT_MAX && number <= EXACT_MAX) {
        return json_of_number((double)number);
    }
    snprintf(text, sizeof text, "%" PRId64, number);
    return json_of_name(text);
}

static struct json *save_array(const struct json_field *field, const void *base)
{
    const void *items;
    size_t count;
    memcpy(&items, member_const(base, field->offset), sizeof items);
    memcpy(&count, member_const(base, field->count_offset), sizeof count);
    struct json *array = json_array();
    for (size_t i = 0; i < count; i++) {
        if (field->type == JSON_TEXTS) {
            json_append(array, json_of_text(((const char *const *)items)[i]));
        } else if (field->type == JSON_NAMES) {
            json_append(array, json_of_name(((const char *const *)items)[i]));
        } else if (field->type == JSON_REALS) {
            json_append(array, json_of_number(((const double *)items)[i]));
        } else {
            json_append(array, json_save(field->fields, member_const(items, i * field->size)));
        }
    }
    return array;
}

static struct json *save_enum(const struct json_field *field, const int *value)
{
    for (int i = 0; field->names[i] != NULL; i++) {
        if (i == *value) {
            return json_of_name(field->names[i]);
        }
    }
    return json_of_text(NULL);
}

static struct json *save_field(const struct json_field *field, const void *base)
{
    const void *value = member_const(base, field->offset);
    switch (field->type) {
    case JSON_TEXT:
        return json_of_text(*(const char *const *)value);
    case JSON_NAME:
        return json_of_name(*(const char *const *)value);
    case JSON_INT64:
        return save_int64(*(const int64_t *)value);
    case JSON_INT:
        return json_of_number(*(const int *)value);
    case JSON_REAL:
        return json_of_number(*(const double *)value);
    case JSON_BOOL:
        return json_of_bool(*(const bool *)value);
    case JSON_ENUM:
        return save_enum(field, value);
    case JSON_STRUCT:
        return json_save(field->fields, value);
    case JSON_ARRAY:
    case JSON_TEXTS:
    case JSON_NAMES:
    case JSON_REALS:
        return save_array(field, base);
    }
    return json_of_text(NULL);
}

struct json *json_save(const struct json_field *fields, const void *base)
{
    struct json *object = json_object();
    for (; fields->name != NULL; fields++) {
        struct json *value = save_field(fields, base);
        bool text = fields->type == JSON_TEXT || fields->type == JSON_NAME;
        if (text && json_is_null(value)) {
            json_free(value);
        } else {
            json_set(object, fields->name, value);
        }
    }
    return object;
}
