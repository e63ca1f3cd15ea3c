/* SPDX-License-Identifier: Apache-2.0
 *
 * `--set path=value` over any tree: what was set stands there, and nothing else is lost. The
 * first line is the assignment, the rest is the tree.
 */
#include "yaml.h"

#include "fuzz.h"

static const struct node *find(struct arena *arena, const struct node *node, const char *path)
{
    for (const char *name = path; node != NULL && name != NULL;) {
        const char *dot = strchr(name, '.');
        size_t length = dot != NULL ? (size_t)(dot - name) : strlen(name);
        const char *part = arena_text_n(arena, name, length);
        int64_t index = 0;
        if (node->kind == NODE_LIST && text_int(part, &index, NULL) == 0) {
            node = index >= 0 && (size_t)index < node->count ? node->items[index] : NULL;
        } else {
            node = node_get(node, part);
        }
        name = dot != NULL ? dot + 1 : NULL;
    }
    return node;
}

static size_t count_nodes(const struct node *node, size_t depth)
{
    size_t count = 1;
    REQUIRE(depth <= 64 && node->origin != NULL);
    for (size_t i = 0; i < node->count; i++) {
        count += count_nodes(node->items[i], depth + 1);
        REQUIRE(node->kind != NODE_MAP || node->keys[i]->text != NULL);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct slice rest = {(const char *)data, size};
    const char *line = input_line(&arena, &rest);
    size_t length = strcspn(line, "=");
    const char *path = arena_text_n(&arena, line, length);
    const char *value = line[length] == '=' ? line + length + 1 : "";
    struct node *root = NULL;
    struct error err = {0};
    if (yaml_parse(&arena, "f.yaml", rest, &root, NULL) != 0) {
        return 0;
    }
    size_t before = count_nodes(root, 0);
    const struct node *old = find(&arena, root, path);
    size_t replaced = old != NULL ? count_nodes(old, 0) : 0;
    if (node_set(&arena, root, &(struct assignment){path, value, "--set x"}, &err) != 0) {
        REQUIRE(err.kind == ERROR_CONFIG && text_starts(err.message, "--set x: "));
        return 0;
    }
    const struct node *set = find(&arena, root, path);
    REQUIRE(set != NULL && strcmp(set->origin, "--set x") == 0 && set->line == 0);
    REQUIRE(count_nodes(root, 0) >= before - replaced + count_nodes(set, 0));
    return 0;
}
