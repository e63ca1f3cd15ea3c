/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML: an error tells its line and column; a tree that was read, printed without aliases and
 * read again is the same.
 */
#include "yaml.h"

#include "fuzz.h"

static uint32_t code_point(const unsigned char **at)
{
    uint32_t point = **at;
    size_t more = point >= 0xF0 ? 3 : point >= 0xE0 ? 2 : point >= 0xC0 ? 1 : 0;
    point &= more > 0 ? 0x3FU >> more : 0x7FU;
    for (++*at; more > 0; more--, ++*at) {
        point = point << 6 | (**at & 0x3FU);
    }
    return point;
}

static void print_text(struct buf *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    buf_adds(out, "\"");
    while (*at != '\0') {
        uint32_t point = code_point(&at);
        if (point < 0x20 || point > 0x7E || point == '"' || point == '\\') {
            buf_addf(out, "\\U%08x", point);
        } else {
            buf_addf(out, "%c", (int)point);
        }
    }
    buf_adds(out, "\"");
}

static void print_node(struct buf *out, const struct node *node)
{
    if (node->kind == NODE_SCALAR) {
        print_text(out, node->text);
        return;
    }
    buf_adds(out, node->kind == NODE_MAP ? "{" : "[");
    for (size_t i = 0; i < node->count && !out->overflow; i++) {
        buf_adds(out, i > 0 ? ",\n" : "");
        if (node->kind == NODE_MAP) {
            buf_adds(out, "? ");
            print_text(out, node->keys[i]->text);
            buf_adds(out, " : ");
        }
        print_node(out, node->items[i]);
    }
    buf_adds(out, node->kind == NODE_MAP ? "}" : "]");
}

static void same_node(const struct node *a, const struct node *b)
{
    REQUIRE(a->kind == b->kind && a->count == b->count);
    REQUIRE(a->line >= 1 && a->column >= 1);
    if (a->kind == NODE_SCALAR) {
        REQUIRE(strcmp(a->text, b->text) == 0);
        REQUIRE(text_utf8_valid(a->text, strlen(a->text)));
    }
    for (size_t i = 0; i < a->count; i++) {
        if (a->kind == NODE_MAP) {
            same_node(a->keys[i], b->keys[i]);
            REQUIRE(node_get(a, a->keys[i]->text) == a->items[i]);
        }
        same_node(a->items[i], b->items[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct buf out AUTO_BUF;
    const struct slice text = {(const char *)data, size};
    struct node *node = NULL, *again = NULL;
    struct error err = {0};
    buf_init(&out, YAML_MAX_BYTES);
    if (yaml_parse(&arena, "f.yaml", text, &node, &err) != 0) {
        REQUIRE(err.kind == ERROR_CONFIG && tells_place(err.message, "f.yaml", text));
        return 0;
    }
    print_node(&out, node);
    if (!out.overflow) {
        REQUIRE(yaml_parse(&arena, "again", (struct slice){out.data, out.length}, &again, &err) ==
                0);
        same_node(node, again);
    }
    return 0;
}
