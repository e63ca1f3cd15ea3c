/* SPDX-License-Identifier: Apache-2.0
 *
 * `${name}` in texts: a text without it stays as it is, a value is put in once and never read
 * again, and braces hidden from the YAML reader come back.
 */
#include "../../src/config/variables.c"

#include "fuzz.h"

static const struct variable variables[] = {
    {"version", "V${version}"}, {"app", ""}, {"base_url", "http://${app}/"}, {NULL, NULL}};

/* Written anew, by the rules of the manual. */
static void expand_plainly(struct buf *out, const char *text)
{
    while (*text != '\0') {
        bool found = false;
        for (size_t i = 0; variables[i].name != NULL && !found; i++) {
            char mark[32];
            size_t length = strlen(variables[i].name) + 3;
            memcpy(mark, "${", 2);
            memcpy(mark + 2, variables[i].name, length - 3);
            mark[length - 1] = '}';
            found = strncmp(text, mark, length) == 0;
            if (found) {
                buf_adds(out, variables[i].value);
                text += length;
            }
        }
        if (!found && strncmp(text, "$${", 3) == 0) {
            buf_adds(out, "${");
            text += 3;
        } else if (!found) {
            buf_add(out, text++, 1);
        }
    }
}

static void try_bind(struct arena *arena, const char *text)
{
    struct problems problems = {0};
    struct binder binder = {.arena = arena, .problems = &problems};
    const struct node node = {.kind = NODE_SCALAR, .text = text, .origin = "f", .line = 3};
    const char *line = "NAME=value";
    set_environment(arena, &line, 1);
    const char *bound = bind_expand(&binder, &node, text);
    bind_shell(&binder, &node, text);
    restore_environment();
    REQUIRE((bound == NULL) <= (problems.count > 0));
    if (strchr(text, '$') == NULL) {
        REQUIRE(bound != NULL && strcmp(bound, text) == 0 && problems.count == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct buf out AUTO_BUF;
    const struct slice all = {(const char *)data, size};
    const char *text = input_text(&arena, &all);
    size_t length = strlen(text);
    buf_init(&out, 1 << 20);
    expand_plainly(&out, text);
    REQUIRE(strcmp(field_expand(&arena, text, variables), out.data) == 0);
    const char *hidden = braces_hide(&arena, text, &length);
    if (strstr(text, HIDDEN_OPEN) == NULL && strstr(text, HIDDEN_CLOSE) == NULL) {
        const char *copy = arena_text_n(&arena, hidden, length);
        REQUIRE(strcmp(text_show(&arena, copy), text) == 0);
    }
    try_bind(&arena, text);
    return 0;
}
