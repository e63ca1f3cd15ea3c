/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include "arena.h"
#include "text.h"
#include "yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct arena arena;

static int clear(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static int parse(const char *text, struct node **out, struct error *err)
{
    return yaml_parse(&arena, "deploy.yaml", (struct slice){text, strlen(text)}, out, err);
}

static struct node *parsed(const char *text)
{
    struct error err;
    struct node *root = NULL;
    EXPECT_OK(parse(text, &root, &err), &err);
    return root;
}

/* One line of a tree: {key:value,…} [item,…] "quoted" plain. */
static void draw(struct buf *out, const struct node *node)
{
    if (node->kind == NODE_SCALAR) {
        buf_addf(out, node->quoted ? "\"%s\"" : "%s", node->text);
        return;
    }
    buf_adds(out, node->kind == NODE_MAP ? "{" : "[");
    for (size_t i = 0; i < node->count; i++) {
        buf_adds(out, i > 0 ? "," : "");
        if (node->kind == NODE_MAP) {
            draw(out, node->keys[i]);
            buf_adds(out, ":");
        }
        draw(out, node->items[i]);
    }
    buf_adds(out, node->kind == NODE_MAP ? "}" : "]");
}

static void expect_tree(const struct node *node, const char *wanted)
{
    struct buf out AUTO_BUF;
    buf_init(&out, 4096);
    draw(&out, node);
    assert_string_equal(out.data, wanted);
}

#define EXPECT_BAD(text, wanted)                                                   \
    do {                                                                           \
        struct error err_;                                                         \
        struct node *root_ = NULL;                                                 \
        EXPECT_ERROR(parse((text), &root_, &err_), &err_, ERROR_CONFIG, (wanted)); \
        assert_null(root_);                                                        \
    } while (0)

static void trees_are_read(void **state)
{
    (void)state;
    expect_tree(parsed("a: 1\nb: [x, 'y', \"z\"]\nc: {d: e}\n"), "{a:1,b:[x,\"y\",\"z\"],c:{d:e}}");
    expect_tree(parsed("- a\n- b: c\n  d: ~\n-\n"), "[a,{b:c,d:~},]");
    expect_tree(parsed("text"), "text");
    expect_tree(parsed("a: |\n  x\n  y\nb: >-\n  x\n  y\n"), "{a:\"x\ny\n\",b:\"x y\"}");
    expect_tree(parsed("on: no\n"), "{on:no}");
    expect_tree(parsed("---\na: 1\n...\n"), "{a:1}");
    expect_tree(parsed("%YAML 1.1\n---\na: 1\n"), "{a:1}");
    expect_tree(parsed("\xEF\xBB\xBF"
                       "a: 1\n"),
                "{a:1}");
    expect_tree(parsed("a: \"\\u00e9\\x1b\"\n"), "{a:\"\xC3\xA9\x1b\"}");
    expect_tree(parsed("'': x\n"), "{\"\":x}");
    expect_tree(parsed("a: 1\r\nb: 2\r\n"), "{a:1,b:2}");
}

static void nothing_is_an_empty_map(void **state)
{
    (void)state;
    static const char *const empty[] = {"",      "\n\n",       "# only a comment\n",
                                        "---\n", "---\n...\n", "\xEF\xBB\xBF"};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        struct node *root = parsed(empty[i]);
        assert_int_equal(root->kind, NODE_MAP);
        assert_int_equal(root->count, 0);
        assert_string_equal(root->origin, "deploy.yaml");
    }
    expect_tree(parsed("''"), "\"\""); /* a text, though an empty one */
}

static void nodes_know_their_place(void **state)
{
    (void)state;
    struct node *root = parsed("# head\napp: shop\nlist:\n  - one\n  - {two: 2}\n");
    assert_string_equal(node_place(&arena, root), "deploy.yaml:2:1");
    assert_string_equal(node_place(&arena, root->keys[1]), "deploy.yaml:3:1");
    assert_string_equal(node_place(&arena, root->items[0]), "deploy.yaml:2:6");
    const struct node *list = node_get(root, "list");
    assert_string_equal(node_place(&arena, list->items[0]), "deploy.yaml:4:5");
    assert_string_equal(node_place(&arena, list->items[1]->items[0]), "deploy.yaml:5:11");
}

static void quotes_and_tags_make_text(void **state)
{
    (void)state;
    struct node *root = parsed("a: 1\nb: '1'\nc: !!str 1\nd: ! 1\ne: !!int 1\nf: |\n  1\n");
    static const bool quoted[] = {false, true, true, true, false, true};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(root->items[i]->quoted, quoted[i]);
    }
    expect_tree(parsed("a: !!map {b: !!seq [1]}"), "{a:{b:[1]}}");
    EXPECT_BAD("a: !secret x\n", "deploy.yaml:1:4: unknown tag '!secret'");
    EXPECT_BAD("a: !!binary aGk=\n", "1:4: unknown tag 'tag:yaml.org,2002:binary'");
    EXPECT_BAD("a: !!set {x: ~}\n", "unknown tag");
    EXPECT_BAD("a: !x [1]\n", "unknown tag '!x'");
}

static void get_finds_a_key(void **state)
{
    (void)state;
    struct node *root = parsed("a: 1\nb: 2\nB: 3\n");
    assert_string_equal(node_get(root, "b")->text, "2");
    assert_string_equal(node_get(root, "B")->text, "3");
    assert_null(node_get(root, "c"));
    assert_null(node_get(root, NULL));
    assert_null(node_get(NULL, "a"));
    assert_null(node_get(root->items[0], "a"));
    assert_null(node_get(parsed("[a]"), "a"));
}

static void aliases_become_copies(void **state)
{
    (void)state;
    struct error err;
    struct node *root = parsed("x: &a {k: [1, 2]}\ny: *a\nz: *a\n");
    expect_tree(root, "{x:{k:[1,2]},y:{k:[1,2]},z:{k:[1,2]}}");
    assert_string_equal(node_place(&arena, node_get(root, "y")), "deploy.yaml:1:4");
    EXPECT_OK(node_set(&arena, root, &(struct assignment){"y.k.0", "9", "--set y.k.0"}, &err),
              &err);
    expect_tree(root, "{x:{k:[1,2]},y:{k:[9,2]},z:{k:[1,2]}}");
    expect_tree(parsed("a: &v 1\nb: *v\n*v : c\n"), "{a:1,b:1,1:c}");
    expect_tree(parsed("a: &v 1\nb: &v 2\nc: *v\n"), "{a:1,b:2,c:2}");
    expect_tree(parsed("a: &v []\nb: *v\n"), "{a:[],b:[]}");
}

static void merge_keys_fill_what_is_missing(void **state)
{
    (void)state;
    expect_tree(parsed("d: &d {a: 1, b: 2}\nx:\n  b: 3\n  <<: *d\n  c: 4\n"),
                "{d:{a:1,b:2},x:{b:3,c:4,a:1}}");
    expect_tree(parsed("x: &x {a: 1}\ny: &y {a: 2, b: 2}\nz: {<<: [*x, *y]}\n"),
                "{x:{a:1},y:{a:2,b:2},z:{a:1,b:2}}");
    expect_tree(parsed("z: {'<<': 1}\n"), "{z:{\"<<\":1}}");
    EXPECT_BAD("z: {<<: 1}\n", "'<<' wants a map");
    EXPECT_BAD("z: {<<: [1]}\n", "'<<' wants a map");
    EXPECT_BAD("z: {<<: {a: 1}, <<: {b: 1}}\n", "1:17: '<<' stands here again");
}

static void duplicates_are_errors(void **state)
{
    (void)state;
    EXPECT_BAD("a: 1\nb: 2\na: 3\n", "deploy.yaml:3:1: 'a' stands here again (first in line 1)");
    EXPECT_BAD("x:\n  - {k: 1, \"k\": 2}\n", "deploy.yaml:2:12: 'k' stands here again");
    expect_tree(parsed("a: {k: 1}\nb: {k: 1}\n"), "{a:{k:1},b:{k:1}}");
    expect_tree(parsed("a: 1\nA: 2\n"), "{a:1,A:2}");
}

static void cycles_are_errors(void **state)
{
    (void)state;
    EXPECT_BAD("a: &x [*x]\n", "deploy.yaml:1:8: an alias inside of what it stands for: 'x'");
    EXPECT_BAD("a: &x\n  b:\n    c: *x\n", "deploy.yaml:3:8: an alias inside");
    EXPECT_BAD("&x {*x : 1}\n", "an alias inside");
    EXPECT_BAD("a: *x\nb: &x 1\n", "deploy.yaml:1:4: no anchor before this is called 'x'");
}

/* Each level stands for ten of the level below. */
static void alias_bombs_are_errors(void **state)
{
    (void)state;
    EXPECT_BAD("a: &a [x,x,x,x,x,x,x,x,x,x]\n"
               "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
               "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
               "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
               "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
               "more than 10000 values");
    expect_tree(parsed("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n"),
                "{a:[x,x],b:[[x,x],[x,x]],c:[[[x,x],[x,x]],[[x,x],[x,x]]]}");
}

/* A list of `items` values has items + 1 nodes. */
static char *long_list(size_t items)
{
    char *text = memory_alloc(items * 2 + 3);
    text[0] = '[';
    for (size_t i = 0; i < items; i++) {
        memcpy(text + 1 + i * 2, "x,", 2);
    }
    memcpy(text + 1 + items * 2, "]", 2);
    return text;
}

static void ten_thousand_nodes_are_the_limit(void **state)
{
    (void)state;
    struct error err;
    struct node *root = NULL;
    char *text = long_list(9999);
    EXPECT_OK(parse(text, &root, &err), &err);
    assert_int_equal(root->count, 9999);
    free(text);
    text = long_list(10000);
    EXPECT_ERROR(parse(text, &root, &err), &err, ERROR_CONFIG, "more than 10000 values");
    free(text);
}

static void nested(char *text, size_t depth)
{
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
}

static void forty_levels_are_the_limit(void **state)
{
    (void)state;
    char text[200100];
    nested(text, 40);
    assert_int_equal(parsed(text)->kind, NODE_LIST);
    nested(text, 41);
    EXPECT_BAD(text, "deploy.yaml:1:41: nested deeper than 40 levels");
    nested(text, 100000);
    EXPECT_BAD(text, "nested deeper than 40 levels");
}

static void aliases_do_not_go_deeper(void **state)
{
    (void)state;
    char text[400], list[100];
    nested(list, 20);
    /* 1 for the map and 19 more around a copy of 20 */
    snprintf(text, sizeof text, "a: &a %s\nb: [[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]\n", list);
    assert_int_equal(parsed(text)->count, 2);
    snprintf(text, sizeof text, "a: &a %s\nb: [[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]\n", list);
    EXPECT_BAD(text, "deploy.yaml:2:24: nested deeper than 40 levels");
}

static void only_one_document(void **state)
{
    (void)state;
    EXPECT_BAD("a: 1\n---\nb: 2\n", "deploy.yaml:2:1: a second document begins");
    EXPECT_BAD("---\n---\n", "a second document begins");
}

static void bytes_must_be_utf8(void **state)
{
    (void)state;
    EXPECT_BAD("a: 1\nb: x\xFFy\n", "deploy.yaml:2:5: bytes that are no UTF-8");
    EXPECT_BAD("\xFF\xFE"
               "a\0",
               "deploy.yaml:1:1: bytes that are no UTF-8");
    EXPECT_BAD("a: \xC3", "deploy.yaml:1:4: bytes that are no UTF-8");
    EXPECT_BAD("a: \xED\xA0\x80\n", "no UTF-8");
    EXPECT_BAD("a: \xC3\xA9\xC3\xA9\xFF\n", "deploy.yaml:1:6: bytes that are no UTF-8");
    char *line = malloc(YAML_MAX_BYTES + 1); /* one long line: looked at once, not at each byte */
    memset(line, 'a', YAML_MAX_BYTES);
    line[YAML_MAX_BYTES - 1] = '\xFF';
    line[YAML_MAX_BYTES] = '\0';
    alarm(20 * SLOWLY);
    EXPECT_BAD(line, "deploy.yaml:1:1048576: bytes that are no UTF-8");
    alarm(0);
    free(line);
}

static void controls_are_errors_with_a_place(void **state)
{
    (void)state;
    struct error err;
    struct node *root = NULL;
    EXPECT_BAD("a: 1\nb: x\x07y\n", "deploy.yaml:2:5: control characters are not allowed");
    EXPECT_ERROR(yaml_parse(&arena, "f", (struct slice){"a: x\0y", 6}, &root, &err), &err,
                 ERROR_CONFIG, "f:1:5: control characters are not allowed");
    EXPECT_BAD("a: \"x\\0y\"\n", "deploy.yaml:1:4: a text must not hold the character NUL");
}

static void one_mebibyte_is_the_limit(void **state)
{
    (void)state;
    struct error err;
    struct node *root = NULL;
    char *text = memory_alloc(YAML_MAX_BYTES + 1);
    memset(text, ' ', YAML_MAX_BYTES + 1);
    memcpy(text, "a: 1\n#", 6);
    EXPECT_OK(yaml_parse(&arena, "f", (struct slice){text, YAML_MAX_BYTES}, &root, &err), &err);
    expect_tree(root, "{a:1}");
    EXPECT_ERROR(yaml_parse(&arena, "f", (struct slice){text, YAML_MAX_BYTES + 1}, &root, &err),
                 &err, ERROR_CONFIG, "f: larger than 1 MiB");
    free(text);
}

static void syntax_errors_have_a_place(void **state)
{
    (void)state;
    EXPECT_BAD("a: [1, 2\nb: 3\n", "deploy.yaml:2:2: did not find expected ',' or ']'");
    EXPECT_BAD("a: 1\n  b: 2\n", "deploy.yaml:2:4: mapping values are not allowed");
    EXPECT_BAD("a:\n\tb: 1\n", "deploy.yaml:2:1: YAML is indented with spaces, this is a tab");
    EXPECT_BAD("\xC3\xA9:\n\tb: 1\n",
               "deploy.yaml:2:1: YAML is indented with spaces, this is a tab");
    EXPECT_BAD("a: 'x\n", "deploy.yaml:2:1: found unexpected end of stream");
    EXPECT_BAD("a: %x\n", "deploy.yaml:1:4:");
    EXPECT_BAD("{[a]: 1}\n", "deploy.yaml:1:2: a key must be a plain name");
    EXPECT_BAD("? {a: 1}\n: 1\n", "a key must be a plain name");
    EXPECT_BAD("a: b: c\n", "deploy.yaml:1:5:");
}

static void set_makes_maps_on_the_way(void **state)
{
    (void)state;
    struct error err;
    struct node *root = parsed("a: 1\n");
    EXPECT_OK(node_set(&arena, root, &(struct assignment){"strategies.rolling.batch", "2", "--set"},
                       &err),
              &err);
    expect_tree(root, "{a:1,strategies:{rolling:{batch:2}}}");
    EXPECT_OK(node_set(&arena, root, &(struct assignment){"a", "3", "--set"}, &err), &err);
    EXPECT_OK(node_set(&arena, root, &(struct assignment){"strategies.rolling.wait", "5m", "--set"},
                       &err),
              &err);
    expect_tree(root, "{a:3,strategies:{rolling:{batch:2,wait:5m}}}");
    EXPECT_OK(node_set(&arena, root, &(struct assignment){"strategies", "~", "--set"}, &err), &err);
    EXPECT_OK(node_set(&arena, root,
                       &(struct assignment){"strategies.canary", "[5, '10']", "--set"}, &err),
              &err);
    expect_tree(root, "{a:3,strategies:{canary:[5,\"10\"]}}");
    const struct node *list = node_get(node_get(root, "strategies"), "canary");
    assert_string_equal(node_place(&arena, list), "--set");
    assert_string_equal(node_place(&arena, list->items[0]), "--set");
    EXPECT_OK(node_set(&arena, root, &(struct assignment){"m", "{n: 1}", "--set m"}, &err), &err);
    assert_string_equal(node_place(&arena, node_get(root, "m")->keys[0]), "--set m");
}

static void set_takes_values_as_yaml(void **state)
{
    (void)state;
    struct error err;
    struct node *root = parsed("");
    static const char *const values[][2] = {
        {"x", "x"},  {"'1'", "\"1\""},    {"", ""},
        {"  ", ""},  {"{b: c}", "{b:c}"}, {"https://x.example/y", "https://x.example/y"},
        {"[]", "[]"}};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        EXPECT_OK(node_set(&arena, root, &(struct assignment){"k", values[i][0], "--set k"}, &err),
                  &err);
        expect_tree(node_get(root, "k"), values[i][1]);
    }
    assert_int_equal(root->count, 1);
    EXPECT_ERROR(node_set(&arena, root, &(struct assignment){"k", "[1", "--set k"}, &err), &err,
                 ERROR_CONFIG, "--set k: did not find expected ',' or ']' in '[1'");
    EXPECT_ERROR(node_set(&arena, root, &(struct assignment){"k", "\xFF", "--set k"}, &err), &err,
                 ERROR_CONFIG, "--set k: bytes that are no UTF-8");
    expect_tree(root, "{k:[]}");
}

static void set_goes_through_lists(void **state)
{
    (void)state;
    struct error err;
    struct node *root = parsed("l: [{w: 1}, {w: 2}]\n");
    EXPECT_OK(node_set(&arena, root, &(struct assignment){"l.1.w", "9", "--set"}, &err), &err);
    EXPECT_OK(node_set(&arena, root, &(struct assignment){"l.2.w", "10", "--set"}, &err), &err);
    expect_tree(root, "{l:[{w:1},{w:9},{w:10}]}");
    static const char *const bad[] = {"l.4", "l.-1.w", "l.x", "l.99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_ERROR(node_set(&arena, root, &(struct assignment){bad[i], "1", "--set"}, &err), &err,
                     ERROR_CONFIG, "is no item of a list of 3");
    }
}

static void set_refuses_what_is_no_path(void **state)
{
    (void)state;
    struct error err;
    struct node *root = parsed("a: text\n");
    static const char *const bad[] = {"",   ".",    ".a",
                                      "a.", "a..b", "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_ERROR(node_set(&arena, root, &(struct assignment){bad[i], "1", "--set"}, &err), &err,
                     ERROR_CONFIG, "is no path like");
    }
    EXPECT_ERROR(node_set(&arena, root, &(struct assignment){"a.b", "1", "--set a.b"}, &err), &err,
                 ERROR_CONFIG, "--set a.b: 'b' would stand below the text 'text'");
    expect_tree(root, "{a:text}");
    EXPECT_OK(node_set(&arena, root,
                       &(struct assignment){"b.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", "1", "x"},
                       &err),
              &err);
}

static void place_of_what_is_no_file(void **state)
{
    (void)state;
    struct node node = {.origin = "DEPLOY_ACTION_FILE"};
    assert_string_equal(node_place(&arena, &node), "DEPLOY_ACTION_FILE");
}

#define TEST(name) cmocka_unit_test_teardown(name, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(trees_are_read),
        TEST(nothing_is_an_empty_map),
        TEST(nodes_know_their_place),
        TEST(quotes_and_tags_make_text),
        TEST(get_finds_a_key),
        TEST(aliases_become_copies),
        TEST(merge_keys_fill_what_is_missing),
        TEST(duplicates_are_errors),
        TEST(cycles_are_errors),
        TEST(alias_bombs_are_errors),
        TEST(ten_thousand_nodes_are_the_limit),
        TEST(forty_levels_are_the_limit),
        TEST(aliases_do_not_go_deeper),
        TEST(only_one_document),
        TEST(bytes_must_be_utf8),
        TEST(controls_are_errors_with_a_place),
        TEST(one_mebibyte_is_the_limit),
        TEST(syntax_errors_have_a_place),
        TEST(set_makes_maps_on_the_way),
        TEST(set_takes_values_as_yaml),
        TEST(set_goes_through_lists),
        TEST(set_refuses_what_is_no_path),
        TEST(place_of_what_is_no_file),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
