/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include "arena.h"
#include "json.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

static struct json *parsed(const char *text)
{
    struct error err;
    struct json *json = NULL;
    EXPECT_OK(json_parse(text, strlen(text), &json, &err), &err);
    assert_non_null(json);
    return json;
}

static void expect_print(const struct json *json, bool pretty, const char *wanted)
{
    char *text = json_print(json, pretty);
    assert_string_equal(text, wanted);
    free(text);
}

enum color { RED, GREEN, BLUE };

struct point {
    int x;
    const char *label;
};

struct thing {
    const char *text;
    int64_t large;
    int small;
    double real;
    bool flag;
    enum color color;
    struct point at;
    struct point *points;
    size_t points_count;
    const char **tags;
    size_t tags_count;
    double *values;
    size_t values_count;
};

static const char *const colors[] = {"red", "green", "blue", NULL};
static const struct json_field point_fields[] = {
    {.name = "x", .type = JSON_INT, .offset = offsetof(struct point, x)},
    {.name = "label", .type = JSON_TEXT, .offset = offsetof(struct point, label)},
    {0}};
static const struct json_field thing_fields[] = {
    {.name = "text", .type = JSON_TEXT, .offset = offsetof(struct thing, text)},
    {.name = "large", .type = JSON_INT64, .offset = offsetof(struct thing, large)},
    {.name = "small", .type = JSON_INT, .offset = offsetof(struct thing, small)},
    {.name = "real", .type = JSON_REAL, .offset = offsetof(struct thing, real)},
    {.name = "flag", .type = JSON_BOOL, .offset = offsetof(struct thing, flag)},
    {.name = "color", .type = JSON_ENUM, .offset = offsetof(struct thing, color), .names = colors},
    {.name = "at",
     .type = JSON_STRUCT,
     .offset = offsetof(struct thing, at),
     .fields = point_fields},
    {.name = "points",
     .type = JSON_ARRAY,
     .offset = offsetof(struct thing, points),
     .fields = point_fields,
     .size = sizeof(struct point),
     .count_offset = offsetof(struct thing, points_count)},
    {.name = "tags",
     .type = JSON_TEXTS,
     .offset = offsetof(struct thing, tags),
     .count_offset = offsetof(struct thing, tags_count)},
    {.name = "values",
     .type = JSON_REALS,
     .offset = offsetof(struct thing, values),
     .count_offset = offsetof(struct thing, values_count)},
    {0}};

static int load(const char *text, struct thing *thing, struct arena *arena, struct error *err)
{
    struct json *json AUTO_JSON = parsed(text);
    return json_load(json, thing_fields, thing, arena, err);
}

static void structs_go_both_ways(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct error err;
    static const char text[] =
        "{\"text\":\"x\",\"large\":\"9223372036854775807\",\"small\":-5,\"real\":0.1,"
        "\"flag\":true,\"color\":\"blue\",\"at\":{\"x\":1,\"label\":\"l\"},"
        "\"points\":[{\"x\":2,\"label\":\"a\"},{\"x\":3}],\"tags\":[\"t\",\"u\"],"
        "\"values\":[1.5,null]}";
    struct thing thing = {0};
    EXPECT_OK(load(text, &thing, &arena, &err), &err);
    assert_string_equal(thing.text, "x");
    assert_int_equal(thing.large, INT64_MAX);
    assert_int_equal(thing.small, -5);
    assert_true(thing.real == 0.1);
    assert_true(thing.flag);
    assert_int_equal(thing.color, BLUE);
    assert_int_equal(thing.at.x, 1);
    assert_int_equal(thing.points_count, 2);
    assert_string_equal(thing.points[0].label, "a");
    assert_int_equal(thing.points[1].x, 3);
    assert_null(thing.points[1].label);
    assert_int_equal(thing.tags_count, 2);
    assert_string_equal(thing.tags[1], "u");
    assert_int_equal(thing.values_count, 2);
    assert_true(thing.values[0] == 1.5 && isnan(thing.values[1]));
    struct json *saved AUTO_JSON = json_save(thing_fields, &thing);
    expect_print(saved, false, text);
    arena_release(&arena);
}

static void an_empty_struct_is_saved(void **state)
{
    (void)state;
    struct thing thing = {.real = NAN, .color = (enum color)9};
    struct json *saved AUTO_JSON = json_save(thing_fields, &thing);
    expect_print(saved, false,
                 "{\"large\":0,\"small\":0,\"real\":null,\"flag\":false,\"color\":null,"
                 "\"at\":{\"x\":0},\"points\":[],\"tags\":[],\"values\":[]}");
}

static void what_is_missing_keeps_its_value(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct error err;
    struct thing thing = {.text = "old", .small = 7, .flag = true, .at = {.x = 3}, .real = 2};
    EXPECT_OK(load("{\"unknown\":[1],\"at\":{\"label\":\"new\"}}", &thing, &arena, &err), &err);
    assert_string_equal(thing.text, "old");
    assert_int_equal(thing.small, 7);
    assert_true(thing.flag);
    assert_int_equal(thing.at.x, 3);
    assert_string_equal(thing.at.label, "new");
    EXPECT_OK(load("{\"text\":null,\"real\":null,\"flag\":false}", &thing, &arena, &err), &err);
    assert_null(thing.text);
    assert_true(isnan(thing.real));
    assert_false(thing.flag);
    arena_release(&arena);
}

static void loaded_texts_outlive_the_tree(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct error err;
    struct thing thing = {0};
    EXPECT_OK(load("{\"text\":\"long lived\",\"tags\":[\"tag\"]}", &thing, &arena, &err), &err);
    assert_string_equal(thing.text, "long lived");
    assert_string_equal(thing.tags[0], "tag");
    arena_release(&arena);
}

static void integers_beyond_2_53_are_text(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct error err;
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {{INT64_C(9007199254740992), "9007199254740992"},
                 {INT64_C(-9007199254740992), "-9007199254740992"},
                 {INT64_C(9007199254740993), "\"9007199254740993\""},
                 {INT64_MIN, "\"-9223372036854775808\""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct thing thing = {.large = cases[i].value}, back = {0};
        struct json *saved AUTO_JSON = json_save(thing_fields, &thing);
        expect_print(json_get(saved, "large"), false, cases[i].text);
        EXPECT_OK(json_load(saved, thing_fields, &back, &arena, &err), &err);
        assert_int_equal(back.large, cases[i].value);
    }
    arena_release(&arena);
}

static void wrong_types_are_named_with_their_path(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"[]", "(whole): not an object"},
        {"{\"text\":1}", "text: not a text"},
        {"{\"text\":[]}", "text: not a text"},
        {"{\"large\":1.5}", "large: not a whole number"},
        {"{\"large\":true}", "large: not a whole number"},
        {"{\"large\":\"1.5\"}", "large: not a whole number"},
        {"{\"large\":\"9223372036854775808\"}", "large: not a whole number"},
        {"{\"large\":9007199254740994}", "large: not exact"},
        {"{\"large\":1e999}", "large: not a whole number"},
        {"{\"small\":2147483648}", "small: not a whole number of 32 bits"},
        {"{\"small\":-2147483649}", "small: not a whole number of 32 bits"},
        {"{\"small\":0.5}", "small: not a whole number"},
        {"{\"small\":\"1\"}", "small: not a whole number"},
        {"{\"small\":null}", "small: not a whole number"},
        {"{\"real\":\"1\"}", "real: not a number"},
        {"{\"real\":1e999}", "real: not a number"},
        {"{\"flag\":1}", "flag: not true or false"},
        {"{\"flag\":\"true\"}", "flag: not true or false"},
        {"{\"flag\":null}", "flag: not true or false"},
        {"{\"flag\":[]}", "flag: not true or false"},
        {"{\"flag\":{}}", "flag: not true or false"},
        {"{\"color\":\"pink\"}", "color: not a name known here: 'pink'"},
        {"{\"color\":\"Red\"}", "color: not a name known here: 'Red'"},
        {"{\"color\":1}", "color: not a name"},
        {"{\"at\":null}", "at: not an object"},
        {"{\"at\":{\"x\":\"1\"}}", "at.x: not a whole number"},
        {"{\"points\":{}}", "points: not a list"},
        {"{\"points\":[{\"x\":1},{\"x\":2},{\"x\":[]}]}", "points[2].x: not a whole number"},
        {"{\"points\":[{},1]}", "points[1]: not an object"},
        {"{\"tags\":[\"a\",1]}", "tags[1]: not a text"},
        {"{\"tags\":[null]}", "tags[0]: not a text"},
        {"{\"values\":[1,\"2\"]}", "values[1]: not a number"},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err;
        struct thing thing = {0};
        EXPECT_ERROR(load(cases[i][0], &thing, &arena, &err), &err, ERROR_FORMAT, cases[i][1]);
    }
    struct error err;
    struct thing thing = {0};
    EXPECT_ERROR(json_load(NULL, thing_fields, &thing, &arena, &err), &err, ERROR_FORMAT,
                 "(whole): not an object");
    arena_release(&arena);
}

static void limits_of_int_are_kept(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct error err;
    struct thing thing = {0};
    EXPECT_OK(load("{\"small\":2147483647}", &thing, &arena, &err), &err);
    assert_int_equal(thing.small, INT_MAX);
    EXPECT_OK(load("{\"small\":-2147483648}", &thing, &arena, &err), &err);
    assert_int_equal(thing.small, INT_MIN);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structs_go_both_ways),
        cmocka_unit_test(an_empty_struct_is_saved),
        cmocka_unit_test(what_is_missing_keeps_its_value),
        cmocka_unit_test(loaded_texts_outlive_the_tree),
        cmocka_unit_test(integers_beyond_2_53_are_text),
        cmocka_unit_test(wrong_types_are_named_with_their_path),
        cmocka_unit_test(limits_of_int_are_kept),
    };
    return cmocka_run_group_tests_name("json_fields", tests, NULL, NULL);
}
