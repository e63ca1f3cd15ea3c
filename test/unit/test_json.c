/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include "json.h"
#include "mask.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

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

/* What is read prints as this. */
static void expect_reprint(const char *text, const char *wanted)
{
    struct json *json AUTO_JSON = parsed(text);
    expect_print(json, false, wanted);
}

#define EXPECT_BAD(text, size, wanted)                                                          \
    do {                                                                                        \
        struct error err_;                                                                      \
        struct json *json_ = NULL;                                                              \
        EXPECT_ERROR(json_parse((text), (size), &json_, &err_), &err_, ERROR_FORMAT, (wanted)); \
        assert_null(json_);                                                                     \
    } while (0)

static void valid_texts_are_read(void **state)
{
    (void)state;
    static const char *const same[] = {"null",
                                       "true",
                                       "false",
                                       "0",
                                       "-1.5",
                                       "\"x\"",
                                       "[]",
                                       "{}",
                                       "[1,[2,{\"a\":[]}]]",
                                       "{\"a\":1,\"b\":null}"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        expect_reprint(same[i], same[i]);
    }
    expect_reprint(" \t\r\n{ \"a\" : [ 1 , 2 ] } \r\n\t ", "{\"a\":[1,2]}");
    expect_reprint("\"\\u00e9\\ud83d\\ude80\\/\\b\"", "\"\xC3\xA9\xF0\x9F\x9A\x80/\\u0008\"");
    expect_reprint("\xEF\xBB\xBF[1]", "[1]");
}

static void invalid_texts_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{",          "[1,",         "[1 2]",     "{\"a\"}",   "{a:1}", "tru", "\"x",
        "{\"a\":1,}", "'x'",         "NaN",       "1 2",       "[] x",  "{}}", "// c\n1",
        "\"\\q\"",    "\"\\ud800\"", "\"\\u12\"", "undefined", "-"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_BAD(bad[i], strlen(bad[i]), "no valid JSON at byte ");
    }
    EXPECT_BAD("", 0, "it is empty");
    EXPECT_BAD("   ", 3, "no valid JSON at byte");
    EXPECT_BAD("[]\0", 3, "no valid JSON at byte 2");
    EXPECT_BAD("[1, x]", 6, "at byte 4");
}

static void the_length_is_the_end(void **state)
{
    (void)state;
    struct error err;
    struct json *json AUTO_JSON = NULL;
    /* Not terminated, and the byte behind would change the meaning. */
    const char bytes[4] = {'[', '1', ']', '2'};
    EXPECT_OK(json_parse(bytes, 3, &json, &err), &err);
    expect_print(json, false, "[1]");
    EXPECT_BAD(bytes, 2, "no valid JSON");
}

static void a_hidden_nul_is_refused(void **state)
{
    (void)state;
    EXPECT_BAD("[\"admin\\u0000x\"]", 16, "the character NUL");
    EXPECT_BAD("{\"a\\u0000\":1}", 13, "the character NUL");
    expect_reprint("\"\\\\u0000\"", "\"\\\\u0000\""); /* a backslash and five letters */
}

static void nest(char *text, size_t depth, const char *open, const char *close)
{
    text[0] = '\0';
    size_t length = 0, width = strlen(open);
    for (size_t i = 0; i < depth; i++, length += width) {
        memcpy(text + length, open, width + 1);
    }
    text[length++] = '1';
    for (size_t i = 0; i < depth; i++, length += strlen(close)) {
        memcpy(text + length, close, strlen(close) + 1);
    }
}

static void sixty_four_levels_are_the_limit(void **state)
{
    (void)state;
    char text[400000];
    nest(text, 64, "[", "]");
    expect_reprint(text, text);
    nest(text, 64, "{\"a\":", "}");
    expect_reprint(text, text);
    nest(text, 65, "[", "]");
    EXPECT_BAD(text, strlen(text), "nested deeper than 64 levels");
    nest(text, 65, "{\"a\":", "}");
    EXPECT_BAD(text, strlen(text), "nested deeper than 64 levels");
    memset(text, '[', 300000);
    EXPECT_BAD(text, 300000, "nested deeper than 64 levels");
    static const char pair[] = "[],";
    text[0] = '['; /* beside each other they are not deep */
    for (size_t i = 0; i < 100; i++) {
        memcpy(text + 1 + 3 * i, pair, 3);
    }
    memcpy(text + 300, "]", 2);
    expect_reprint(text, text);
    memset(text, '[', 100); /* brackets inside of a text are none */
    memcpy(text, "\"\\\"[", 4);
    memcpy(text + 100, "\"", 2);
    expect_reprint(text, text);
}

static void reading_is_typed(void **state)
{
    (void)state;
    struct json *json AUTO_JSON =
        parsed("{\"t\":\"x\",\"n\":1.5,\"y\":true,\"f\":false,\"z\":null,\"a\":[1,2],\"o\":{}}");
    double number = 7;
    assert_string_equal(json_text(json_get(json, "t")), "x");
    assert_null(json_text(json_get(json, "n")));
    assert_true(json_number(json_get(json, "n"), &number));
    assert_true(number == 1.5);
    assert_false(json_number(json_get(json, "t"), &number));
    assert_false(json_number(json_get(json, "y"), &number));
    assert_true(number == 1.5);
    assert_true(json_bool(json_get(json, "y")));
    assert_false(json_bool(json_get(json, "f")));
    assert_false(json_bool(json_get(json, "n")));
    assert_false(json_bool(json_get(json, "t")));
    assert_true(json_is_null(json_get(json, "z")));
    assert_false(json_is_null(json_get(json, "f")));
    assert_true(json_is_array(json_get(json, "a")));
    assert_false(json_is_array(json_get(json, "o")));
    assert_true(json_is_object(json_get(json, "o")));
    assert_false(json_is_object(json_get(json, "a")));
}

static void reading_nothing_gives_nothing(void **state)
{
    (void)state;
    double number;
    struct json *json AUTO_JSON = parsed("[1,\"x\"]");
    assert_null(json_get(NULL, "a"));
    assert_null(json_get(json, "a"));
    assert_null(json_get(json_at(json, 1), "a"));
    assert_null(json_at(NULL, 0));
    assert_null(json_at(json_at(json, 0), 0));
    assert_null(json_at(json, 2));
    assert_null(json_at(json, SIZE_MAX));
    assert_int_equal(json_size(NULL), 0);
    assert_int_equal(json_size(json_at(json, 1)), 0);
    assert_null(json_key(NULL));
    assert_null(json_key(json));
    assert_null(json_text(NULL));
    assert_false(json_number(NULL, &number));
    assert_false(json_bool(NULL));
    assert_false(json_is_null(NULL));
    assert_false(json_is_array(NULL));
    assert_false(json_is_object(NULL));
    assert_null(json_copy(NULL));
    json_free(NULL);
}

static void keys_are_case_sensitive(void **state)
{
    (void)state;
    struct json *json AUTO_JSON = parsed("{\"Status\":\"upper\",\"status\":\"lower\"}");
    assert_string_equal(json_text(json_get(json, "status")), "lower");
    assert_string_equal(json_text(json_get(json, "Status")), "upper");
    assert_null(json_get(json, "STATUS"));
}

static void members_are_walked(void **state)
{
    (void)state;
    struct json *json AUTO_JSON = parsed("{\"a\":1,\"b\":[10,20,30],\"c\":3}");
    assert_int_equal(json_size(json), 3);
    assert_string_equal(json_key(json_at(json, 0)), "a");
    assert_string_equal(json_key(json_at(json, 2)), "c");
    assert_string_equal(json_key(json_at(json, 1)), "b");
    const struct json *list = json_at(json, 1);
    assert_int_equal(json_size(list), 3);
    double number;
    static const size_t order[] = {2, 0, 1, 1, 2, 0};
    for (size_t i = 0; i < 6; i++) {
        assert_true(json_number(json_at(list, order[i]), &number));
        assert_true(number == (double)(order[i] + 1) * 10);
    }
}

/* Reads whole lists inside of lists, more at once than places are remembered. */
static double sum(const struct json *json)
{
    double total = 0;
    if (json_number(json, &total)) {
        return total;
    }
    for (size_t i = 0; i < json_size(json); i++) {
        total += sum(json_at(json, i));
    }
    return total;
}

static void nested_walks_do_not_disturb_each_other(void **state)
{
    (void)state;
    struct json *root AUTO_JSON = json_array();
    json_append(root, json_of_number(1));
    for (int depth = 0; depth < 20; depth++) {
        struct json *outer = json_array();
        json_append(outer, json_of_number(1));
        json_append(outer, json_copy(root));
        json_append(outer, json_of_number(1));
        json_free(root);
        root = outer;
    }
    assert_true(sum(root) == 41);
}

static void walks_see_changes(void **state)
{
    (void)state;
    struct json *list AUTO_JSON = json_array();
    double number;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(json_size(list), i);
        assert_null(json_at(list, (size_t)i));
        json_append(list, json_of_number(i));
        assert_true(json_number(json_at(list, (size_t)i), &number));
        assert_true(number == i);
    }
    struct json *map AUTO_JSON = parsed("{\"a\":[1],\"b\":2}");
    assert_int_equal(json_size(json_get(map, "a")), 1);
    assert_int_equal(json_size(map), 2);
    json_set(map, "a", parsed("[1,2,3]"));
    assert_int_equal(json_size(json_get(map, "a")), 3);
    json_set_text(map, "c", "x");
    assert_int_equal(json_size(map), 3);
    assert_string_equal(json_key(json_at(map, 2)), "c");
}

static void long_lists_are_walked_in_time(void **state)
{
    (void)state;
    struct json *list AUTO_JSON = json_array();
    const int count = 100000;
    alarm(10 * SLOWLY); /* five thousand million steps were the walk to start anew each time */
    for (int i = 0; i < count; i++) {
        json_append(list, json_of_number(1));
    }
    assert_true(sum(list) == count);
    alarm(0);
}

static void numbers_keep_all_digits(void **state)
{
    (void)state;
    static const char *const same[] = {"9007199254740991",
                                       "9007199254740992",
                                       "-9007199254740991",
                                       "0.1",
                                       "1e-7",
                                       "123456.789",
                                       "0.30000000000000004",
                                       "1.7976931348623157e+308",
                                       "5e-324",
                                       "1e+300",
                                       "2.2250738585072014e-308"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct json *json AUTO_JSON = parsed(same[i]);
        char *text = json_print(json, false);
        double before, after;
        assert_true(json_number(json, &before));
        after = strtod(text, NULL);
        assert_true(before == after);
        free(text);
    }
    expect_reprint("9007199254740991", "9007199254740991");
    expect_reprint("0.1", "0.1");
    expect_reprint("1e2", "100");
    expect_reprint("-0", "0");
}

static void what_is_not_finite_is_no_number(void **state)
{
    (void)state;
    struct json *json AUTO_JSON = parsed("[1e999,-1e999]");
    double number;
    assert_false(json_number(json_at(json, 0), &number));
    assert_false(json_number(json_at(json, 1), &number));
    expect_print(json, false, "[null,null]");
    struct json *nan AUTO_JSON = json_of_number(NAN), *inf AUTO_JSON = json_of_number(INFINITY);
    assert_true(json_is_null(nan));
    assert_true(json_is_null(inf));
}

static void trees_are_built(void **state)
{
    (void)state;
    struct json *json AUTO_JSON = json_object();
    json_set_text(json, "text", "x");
    json_set_text(json, "none", NULL);
    json_set_number(json, "number", 2.5);
    json_set_bool(json, "yes", true);
    json_set_bool(json, "no", false);
    json_set(json, "null", NULL);
    struct json *list = json_array();
    json_append(list, json_of_text("a"));
    json_append(list, NULL);
    json_set(json, "list", list);
    expect_print(json, false,
                 "{\"text\":\"x\",\"none\":null,\"number\":2.5,\"yes\":true,\"no\":false,"
                 "\"null\":null,\"list\":[\"a\",null]}");
    json_set_text(json, "number", "now text");
    json_set_text(json, "Text", "another");
    expect_print(json, false,
                 "{\"text\":\"x\",\"none\":null,\"number\":\"now text\",\"yes\":true,\"no\":false,"
                 "\"null\":null,\"list\":[\"a\",null],\"Text\":\"another\"}");
}

static void building_on_what_is_none_frees(void **state)
{
    (void)state;
    struct json *text AUTO_JSON = json_of_text("x");
    json_set(text, "k", json_object());
    json_append(text, json_object());
    json_set(NULL, "k", json_object());
    json_append(NULL, json_object());
    expect_print(text, false, "\"x\"");
    expect_print(NULL, false, "null");
}

static void copies_are_apart(void **state)
{
    (void)state;
    struct json *json AUTO_JSON = parsed("{\"a\":[1]}");
    struct json *copy AUTO_JSON = json_copy(json);
    json_set_number(copy, "a", 2);
    expect_print(json, false, "{\"a\":[1]}");
    expect_print(copy, false, "{\"a\":2}");
}

static void pretty_has_one_member_a_line(void **state)
{
    (void)state;
    struct json *json AUTO_JSON = parsed("{\"a\":1,\"b\":[true,{}],\"c\":[],\"d\":{\"e\":null}}");
    expect_print(json, true,
                 "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    {}\n  ],\n  \"c\": [],\n"
                 "  \"d\": {\n    \"e\": null\n  }\n}");
}

static void secrets_are_left_out_but_names_are_not(void **state)
{
    (void)state;
    mask_add("running");
    struct json *map AUTO_JSON = json_object();
    json_set_text(map, "running", "is running");
    json_set_name(map, "status", "running");
    expect_print(map, false, "{\"running\":\"is ***\",\"status\":\"running\"}");
    mask_forget();
}

static void texts_are_escaped(void **state)
{
    (void)state;
    struct json *json AUTO_JSON = json_of_text("q\" b\\ n\n r\r t\t x\x01 d\x7f \xC3\xA9");
    expect_print(json, false, "\"q\\\" b\\\\ n\\n r\\r t\\t x\\u0001 d\\u007f \xC3\xA9\"");
    /* Neither a terminal nor a CI finds a command in it. */
    struct json *hostile AUTO_JSON = json_of_text("\xC2\x9B[2J \xE2\x80\xAE ##[error]x #[y] ##");
    expect_print(hostile, false, "\"\\u009b[2J \\u202e ##\\u005berror]x #[y] ##\"");
    struct json *bad AUTO_JSON = json_of_text("a\xFF"
                                              "b\xC3");
    expect_print(bad, false,
                 "\"a\xEF\xBF\xBD"
                 "b\xEF\xBF\xBD\"");
    struct json *map AUTO_JSON = json_object();
    json_set_bool(map, "k\"\n", true);
    expect_print(map, false, "{\"k\\\"\\n\":true}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_texts_are_read),
        cmocka_unit_test(invalid_texts_are_refused),
        cmocka_unit_test(the_length_is_the_end),
        cmocka_unit_test(a_hidden_nul_is_refused),
        cmocka_unit_test(sixty_four_levels_are_the_limit),
        cmocka_unit_test(reading_is_typed),
        cmocka_unit_test(reading_nothing_gives_nothing),
        cmocka_unit_test(keys_are_case_sensitive),
        cmocka_unit_test(members_are_walked),
        cmocka_unit_test(nested_walks_do_not_disturb_each_other),
        cmocka_unit_test(walks_see_changes),
        cmocka_unit_test(long_lists_are_walked_in_time),
        cmocka_unit_test(numbers_keep_all_digits),
        cmocka_unit_test(what_is_not_finite_is_no_number),
        cmocka_unit_test(trees_are_built),
        cmocka_unit_test(building_on_what_is_none_frees),
        cmocka_unit_test(copies_are_apart),
        cmocka_unit_test(pretty_has_one_member_a_line),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(secrets_are_left_out_but_names_are_not),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
