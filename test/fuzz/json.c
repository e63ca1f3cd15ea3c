/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON: what is read and printed is read again as the same; a tree has the shape its size says.
 */
#include "json.h"

#include "fuzz.h"

static void walk(const struct json *json, size_t depth)
{
    double number = 0;
    size_t size = json_size(json);
    REQUIRE(depth <= 64);
    REQUIRE(json_at(json, size) == NULL);
    REQUIRE(json_is_array(json) + json_is_object(json) + (json_text(json) != NULL) +
                json_number(json, &number) + json_bool(json) + json_is_null(json) <=
            1);
    for (size_t i = 0; i < size; i++) {
        const struct json *item = json_at(json, i);
        REQUIRE(item != NULL);
        if (json_is_object(json)) {
            REQUIRE(json_key(item) != NULL && json_get(json, json_key(item)) != NULL);
        }
        walk(item, depth + 1);
    }
}

/* What cannot be printed as it is, is null or U+FFFD afterwards. */
static void same(const struct json *a, const struct json *b)
{
    double x = 0, y = 0;
    const char *text = json_text(a);
    REQUIRE(json_size(a) == json_size(b));
    REQUIRE(json_is_object(a) == json_is_object(b) && json_is_array(a) == json_is_array(b));
    REQUIRE(json_bool(a) == json_bool(b));
    REQUIRE(!json_number(a, &x) || (json_number(b, &y) && x == y));
    if (text != NULL && text_utf8_valid(text, strlen(text))) {
        REQUIRE(json_text(b) != NULL && strcmp(text, json_text(b)) == 0);
    }
    for (size_t i = 0; i < json_size(a); i++) {
        same(json_at(a, i), json_at(b, i));
    }
}

static void try_print(const struct json *json, bool pretty)
{
    struct json *again AUTO_JSON = NULL;
    char *first = json_print(json, pretty);
    REQUIRE(text_utf8_valid(first, strlen(first)));
    REQUIRE(json_parse(first, strlen(first), &again, NULL) == 0);
    same(json, again);
    char *second = json_print(again, pretty);
    REQUIRE(strcmp(first, second) == 0);
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *json AUTO_JSON = NULL;
    struct error err = {0};
    if (json_parse((const char *)data, size, &json, &err) != 0) {
        REQUIRE(err.kind == ERROR_FORMAT && err.message[0] != '\0');
        return 0;
    }
    struct json *copy AUTO_JSON = json_copy(json);
    walk(json, 0);
    try_print(json, true);
    try_print(copy, false);
    return 0;
}
