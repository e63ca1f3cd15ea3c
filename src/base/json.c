/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include "arena.h"
#include "mask.h"
#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

enum { DEPTH_MAX = 64, PRINT_DEPTH_MAX = 200, PRINT_MAX = 1 << 30 };

/* struct json is the library's node under another name and never defined. */
static cJSON *inner(struct json *json)
{
    return (cJSON *)json;
}

static const cJSON *inner_const(const struct json *json)
{
    return (const cJSON *)json;
}

static struct json *outer(cJSON *item)
{
    return (struct json *)item;
}

static const struct json *outer_const(const cJSON *item)
{
    return (const struct json *)item;
}

/* The library keeps lists. Walking one by index is made cheap by remembering where the
 * last question about it ended; several, because walks are nested. */
static struct place {
    const cJSON *list;
    const cJSON *item;
    size_t index, size; /* size 0: not counted yet */
} places[8];
static size_t next_place;

static void forget_places(void)
{
    memset(places, 0, sizeof places);
}

/* Nothing the library allocates is ever NULL. */
static void use_our_memory(void)
{
    static bool done;
    if (!done) {
        cJSON_Hooks hooks = {memory_alloc, free};
        cJSON_InitHooks(&hooks);
        done = true;
    }
}

/* What the library lets pass, checked before it recurses: the depth, and \u0000, which
 * would end a C string early. */
static int check_shape(const char *text, size_t length, struct error *err)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (quoted && c == '\\') {
            if (length - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0) {
                return error_set(err, ERROR_FORMAT, "JSON text holds the character NUL");
            }
            i++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '[' || c == '{')) {
            if (++depth > DEPTH_MAX) {
                return error_set(err, ERROR_FORMAT, "JSON is nested deeper than %d levels",
                                 DEPTH_MAX);
            }
        } else if (!quoted && (c == ']' || c == '}')) {
            depth -= depth > 0;
        }
    }
    return 0;
}

int json_parse(const char *text, size_t length, struct json **out, struct error *err)
{
    use_our_memory();
    if (check_shape(text, length, err) != 0) {
        return -1;
    }
    const char *end = text;
    cJSON *item = cJSON_ParseWithLengthOpts(text, length, &end, false);
    size_t used = (size_t)(end - text);
    while (item != NULL && used < length && strchr(" \t\r\n", text[used]) && text[used] != '\0') {
        used++;
    }
    if (item == NULL || used < length) {
        cJSON_Delete(item);
        return error_set(
            err, ERROR_FORMAT,
            length == 0 ? "no JSON: it is empty (%zu bytes)" : "no valid JSON at byte %zu", used);
    }
    *out = outer(item);
    return 0;
}

void json_free(struct json *json)
{
    if (json != NULL) {
        forget_places();
        cJSON_Delete(inner(json));
    }
}

void json_cleanup(struct json **json)
{
    json_free(*json);
    *json = NULL;
}

const struct json *json_get(const struct json *object, const char *key)
{
    if (!json_is_object(object)) {
        return NULL;
    }
    return outer_const(cJSON_GetObjectItemCaseSensitive(inner_const(object), key));
}

static struct place *place_of(const cJSON *list)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (places[i].list == list) {
            return &places[i];
        }
    }
    struct place *place = &places[next_place++ % (sizeof places / sizeof places[0])];
    *place = (struct place){.list = list, .item = list->child};
    return place;
}

static bool is_list(const struct json *json)
{
    return json_is_array(json) || json_is_object(json);
}

const struct json *json_at(const struct json *array, size_t index)
{
    if (!is_list(array) || inner_const(array)->child == NULL) {
        return NULL;
    }
    struct place *place = place_of(inner_const(array));
    if (index < place->index) {
        place->item = place->list->child;
        place->index = 0;
    }
    while (place->index < index && place->item->next != NULL) {
        place->item = place->item->next;
        place->index++;
    }
    return place->index == index ? outer_const(place->item) : NULL;
}

size_t json_size(const struct json *array_or_object)
{
    if (!is_list(array_or_object) || inner_const(array_or_object)->child == NULL) {
        return 0;
    }
    struct place *place = place_of(inner_const(array_or_object));
    if (place->size == 0) {
        for (const cJSON *item = place->list->child; item != NULL; item = item->next) {
            place->size++;
        }
    }
    return place->size;
}

const char *json_key(const struct json *member)
{
    return member != NULL ? inner_const(member)->string : NULL;
}

const char *json_text(const struct json *json)
{
    return cJSON_IsString(inner_const(json)) ? inner_const(json)->valuestring : NULL;
}

bool json_number(const struct json *json, double *out)
{
    if (!cJSON_IsNumber(inner_const(json)) || !isfinite(inner_const(json)->valuedouble)) {
        return false;
    }
    *out = inner_const(json)->valuedouble;
    return true;
}

bool json_bool(const struct json *json)
{
    return cJSON_IsTrue(inner_const(json));
}

bool json_is_null(const struct json *json)
{
    return cJSON_IsNull(inner_const(json));
}

bool json_is_object(const struct json *json)
{
    return cJSON_IsObject(inner_const(json));
}

bool json_is_array(const struct json *json)
{
    return cJSON_IsArray(inner_const(json));
}

struct json *json_object(void)
{
    use_our_memory();
    return outer(cJSON_CreateObject());
}

struct json *json_array(void)
{
    use_our_memory();
    return outer(cJSON_CreateArray());
}

struct json *json_of_name(const char *name)
{
    use_our_memory();
    return outer(name != NULL ? cJSON_CreateString(name) : cJSON_CreateNull());
}

struct json *json_of_text(const char *text)
{
    struct arena arena = {0};
    struct json *json = json_of_name(mask_text(&arena, text));
    arena_release(&arena);
    return json;
}

struct json *json_of_number(double number)
{
    use_our_memory();
    return outer(isfinite(number) ? cJSON_CreateNumber(number) : cJSON_CreateNull());
}

struct json *json_of_bool(bool value)
{
    use_our_memory();
    return outer(cJSON_CreateBool(value));
}

struct json *json_copy(const struct json *json)
{
    use_our_memory();
    return json != NULL ? outer(cJSON_Duplicate(inner_const(json), true)) : NULL;
}

void json_set(struct json *object, const char *key, struct json *value)
{
    value = value != NULL ? value : json_of_name(NULL);
    if (!json_is_object(object)) {
        json_free(value);
        return;
    }
    forget_places();
    if (cJSON_GetObjectItemCaseSensitive(inner(object), key) != NULL) {
        cJSON_ReplaceItemInObjectCaseSensitive(inner(object), key, inner(value));
    } else {
        cJSON_AddItemToObject(inner(object), key, inner(value));
    }
}

void json_set_text(struct json *object, const char *key, const char *text)
{
    json_set(object, key, json_of_text(text));
}

void json_set_name(struct json *object, const char *key, const char *name)
{
    json_set(object, key, json_of_name(name));
}

void json_set_number(struct json *object, const char *key, double number)
{
    json_set(object, key, json_of_number(number));
}

void json_set_bool(struct json *object, const char *key, bool value)
{
    json_set(object, key, json_of_bool(value));
}

void json_append(struct json *array, struct json *value)
{
    value = value != NULL ? value : json_of_name(NULL);
    if (!json_is_array(array)) {
        json_free(value);
        return;
    }
    if (inner(array)->child != NULL) {
        place_of(inner(array))->size = 0;
    }
    cJSON_AddItemToArray(inner(array), inner(value));
}

/* The library's own printing loses digits beyond the 15th and indents with tabs. */
static void print_number(struct buf *out, double number)
{
    if (!isfinite(number)) {
        buf_adds(out, "null");
        return;
    }
    if (fabs(number) <= 9007199254740992.0 && number == floor(number)) {
        buf_addf(out, "%" PRId64, (int64_t)number);
        return;
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    buf_adds(out, text);
}

/* What may stand in a text as it is: how many bytes from its beginning. */
static size_t plain_run(const char *text)
{
    uint32_t point;
    size_t run = 0;
    while ((unsigned char)text[run] >= 0x20 && text[run] != '"' && text[run] != '\\' &&
           text_unshowable(text + run, &point) == 0 &&
           (text[run] != '#' || strncmp(text + run, "##[", 3) != 0)) {
        run++;
    }
    return run;
}

static void print_point(struct buf *out, uint32_t point)
{
    static const char special[] = "\"\\\n\r\t", letters[] = "\"\\nrt";
    const char *found = point < 0x80 ? strchr(special, (int)point) : NULL;
    if (found != NULL) {
        buf_addf(out, "\\%c", letters[found - special]);
    } else {
        buf_addf(out, "\\u%04x", (unsigned)point);
    }
}

/* Bytes that are no UTF-8 become U+FFFD: what we print is always valid. `##[` is a command of
 * the CI wherever it stands in a line. */
static void print_text(struct buf *out, const char *text)
{
    struct arena arena = {0};
    size_t length = strlen(text);
    if (!text_utf8_valid(text, length)) {
        text = text_clean(&arena, text, length, length * 3);
    }
    buf_add(out, "\"", 1);
    for (size_t run = plain_run(text); text[run] != '\0'; run = plain_run(text)) {
        uint32_t point = (unsigned char)text[run];
        size_t size = text_unshowable(text + run, &point);
        buf_add(out, text, run);
        if (text[run] == '#') {
            buf_adds(out, "##");
            print_point(out, '[');
            size = 3;
        } else {
            print_point(out, point);
        }
        text += run + (size > 0 ? size : 1);
    }
    buf_adds(out, text);
    buf_add(out, "\"", 1);
    arena_release(&arena);
}

struct printer {
    struct buf out;
    bool pretty;
};

static void print_break(struct printer *printer, size_t depth)
{
    if (printer->pretty) {
        buf_add(&printer->out, "\n", 1);
        for (size_t i = 0; i < depth; i++) {
            buf_add(&printer->out, "  ", 2);
        }
    }
}

static void print_item(struct printer *printer, const cJSON *item, size_t depth);

static void print_list(struct printer *printer, const cJSON *list, size_t depth)
{
    bool object = cJSON_IsObject(list);
    buf_adds(&printer->out, object ? "{" : "[");
    for (const cJSON *item = list->child; item != NULL; item = item->next) {
        print_break(printer, depth + 1);
        if (object) {
            print_text(&printer->out, item->string);
            buf_adds(&printer->out, printer->pretty ? ": " : ":");
        }
        print_item(printer, item, depth + 1);
        if (item->next != NULL) {
            buf_adds(&printer->out, ",");
        }
    }
    if (list->child != NULL) {
        print_break(printer, depth);
    }
    buf_adds(&printer->out, object ? "}" : "]");
}

/* json_parse gives 64 levels; trees of our own are built a few deeper. */
static void print_item(struct printer *printer, const cJSON *item, size_t depth)
{
    if (cJSON_IsString(item)) {
        print_text(&printer->out, item->valuestring);
    } else if (cJSON_IsNumber(item)) {
        print_number(&printer->out, item->valuedouble);
    } else if (cJSON_IsBool(item)) {
        buf_adds(&printer->out, cJSON_IsTrue(item) ? "true" : "false");
    } else if ((cJSON_IsArray(item) || cJSON_IsObject(item)) && depth < PRINT_DEPTH_MAX) {
        print_list(printer, item, depth);
    } else {
        buf_adds(&printer->out, "null");
    }
}

char *json_print(const struct json *json, bool pretty)
{
    struct printer printer = {.pretty = pretty};
    buf_init(&printer.out, PRINT_MAX);
    print_item(&printer, inner_const(json), 0);
    return printer.out.data; /* never empty, so it is memory of its own */
}
