/* SPDX-License-Identifier: Apache-2.0 */
#include "binder.h"

#include "arena.h"
#include "mask.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1024 * 1024)

const char *const run_variables[] = {"app",    "version", "image",  "base_url", "instance", "slot",
                                     "server", "arm",     "window", "weight",   "state",    NULL};

/* One `${name}`; start points at the dollar. */
struct reference {
    const char *start, *end;
    char name[64];
};

static bool name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Reads the reference at text, which begins with "${"; name is "" where it is no plain one. */
static struct reference reference_read(const char *text)
{
    struct reference found = {.start = text};
    const char *name = text + 2;
    size_t length = 0;
    while (name_char(name[length])) {
        length++;
    }
    found.end = name + length;
    if (*found.end != '}' || length == 0 || length >= sizeof found.name) {
        return found;
    }
    memcpy(found.name, name, length);
    found.end++;
    return found;
}

/* The next "${"; `$${` stands for the three characters and is stepped over. */
static const char *reference_find(const char *text)
{
    const char *at = text;
    while ((at = strchr(at, '$')) != NULL) {
        if (at[1] == '$' && at[2] == '{') {
            at += 3;
        } else if (at[1] == '{') {
            return at;
        } else {
            at++;
        }
    }
    return NULL;
}

static bool is_upper(const char *name)
{
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(name);
}

static bool is_known(const char *name)
{
    for (size_t i = 0; run_variables[i]; i++) {
        if (text_equal(name, run_variables[i])) {
            return true;
        }
    }
    return false;
}

static void note_use(struct binder *b, const struct node *node, const char *name)
{
    if (b->in_check && !b->base_url && text_equal(name, "base_url")) {
        b->base_url = node;
    }
}

/* The environment's value for ${UPPER}; NULL after a problem. */
static const char *from_environment(struct binder *b, const struct node *node, const char *name)
{
    const char *value = getenv(name);
    if (text_blank(value)) {
        PROBLEM(b, node, "the environment variable '%s' is %s; set it, or write the value here",
                name, value ? "empty" : "not set");
        return NULL;
    }
    if (mask_is_secret(value)) {
        PROBLEM(b, node,
                "the environment variable '%s' holds a secret, which would be logged here; "
                "name it in a key that ends in -env",
                name);
        return NULL;
    }
    if (b->in_words && mask_is_name(name, strlen(name))) {
        PROBLEM(b, node,
                "'${%s}' would put a secret into a command line, which everybody on the machine "
                "can read; the command has %s in its environment",
                name, name);
        return NULL;
    }
    return value;
}

/* What stands for the reference; NULL after a problem. */
static const char *reference_value(struct binder *b, const struct node *node,
                                   const struct reference *found)
{
    if (!found->name[0]) {
        PROBLEM(b, node,
                "'${' without a plain name and '}' behind it; write ${NAME}, or $${ "
                "for the characters themselves");
        return NULL;
    }
    if (is_upper(found->name)) {
        return from_environment(b, node, found->name);
    }
    note_use(b, node, found->name);
    if (is_known(found->name)) {
        return arena_format(b->arena, "${%s}", found->name);
    }
    PROBLEM(b, node, "unknown variable '${%s}'%s", found->name,
            bind_hint(b, found->name, run_variables, "variables"));
    return NULL;
}

const char *bind_expand(struct binder *b, const struct node *node, const char *text)
{
    AUTO_BUF struct buf out;
    buf_init(&out, TEXT_MAX);
    bool good = true;
    const char *rest = text, *dollar;
    while ((dollar = reference_find(rest)) != NULL) {
        struct reference found = reference_read(dollar);
        const char *value = reference_value(b, node, &found);
        buf_add(&out, rest, (size_t)(dollar - rest));
        buf_adds(&out, value ? value : "");
        good = good && value;
        rest = found.end;
    }
    buf_adds(&out, rest);
    return good ? arena_text_n(b->arena, out.data, out.length) : NULL;
}

/* A line may set its own variables (`for i in 1 2; do … ${i}`): a name that also stands
 * somewhere without a dollar is taken as one of these. */
static bool line_sets(const char *line, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = line; (at = strstr(at, name)) != NULL; at += length) {
        char before = at == line ? ' ' : at[-1];
        if (!name_char(before) && before != '{' && before != '$' && !name_char(at[length])) {
            return true;
        }
    }
    return false;
}

/* The same reference stands before it, and was looked at there. */
static bool is_repeated(const char *text, const struct reference *found)
{
    return memmem(text, (size_t)(found->start - text), found->start,
                  (size_t)(found->end - found->start)) != NULL;
}

void bind_shell(struct binder *b, const struct node *node, const char *text)
{
    const char *at = text;
    while ((at = strstr(at, "${")) != NULL) {
        struct reference found = reference_read(at);
        at += 2;
        note_use(b, node, found.name);
        if (!found.name[0] || is_upper(found.name) || is_known(found.name) ||
            is_repeated(text, &found)) {
            continue;
        }
        const char *meant = text_nearest(found.name, run_variables);
        if (meant && !line_sets(text, found.name)) {
            PROBLEM(b, node, "unknown variable '${%s}' (did you mean '${%s}'?)", found.name, meant);
        }
    }
}

static const char *value_of(const struct variable *variables, const char *name)
{
    for (size_t i = 0; variables && variables[i].name; i++) {
        if (text_equal(variables[i].name, name)) {
            return variables[i].value ? variables[i].value : "";
        }
    }
    return NULL;
}

const char *field_expand(struct arena *arena, const char *text, const struct variable *variables)
{
    if (!text || !strchr(text, '$')) {
        return text;
    }
    AUTO_BUF struct buf out;
    buf_init(&out, TEXT_MAX);
    for (const char *at = text; *at;) {
        if (text_starts(at, "$${")) {
            buf_adds(&out, "${");
            at += 3;
            continue;
        }
        struct reference found = {.end = at + 1};
        if (text_starts(at, "${")) {
            found = reference_read(at);
        }
        const char *value = found.name[0] ? value_of(variables, found.name) : NULL;
        if (value) {
            buf_adds(&out, value);
        } else {
            buf_add(&out, at, (size_t)(found.end - at));
        }
        at = found.end;
    }
    return arena_text_n(arena, out.data, out.length);
}

#define HIDDEN_OPEN "\xEF\x9F\xBE"  /* U+F7FE */
#define HIDDEN_CLOSE "\xEF\x9F\xBF" /* U+F7FF */

char *braces_hide(struct arena *arena, const char *text, size_t *length)
{
    char *out = arena_alloc(arena, *length * 3 + 1);
    size_t used = 0;
    const char *end = text + *length, *close = NULL;
    for (const char *at = text; at < end; at++) {
        if (at[0] == '{' && at > text && at[-1] == '$') {
            size_t span = strcspn(at + 1, "{}\n");
            close = at + 1 + span < end && at[1 + span] == '}' ? at + 1 + span : NULL;
            if (close) {
                memcpy(out + used, HIDDEN_OPEN, 3);
                used += 3;
                continue;
            }
        }
        if (at == close) {
            memcpy(out + used, HIDDEN_CLOSE, 3);
            used += 3;
            continue;
        }
        out[used++] = *at;
    }
    *length = used;
    return out;
}

static const char *text_show(struct arena *arena, const char *text)
{
    if (!text || !strstr(text, "$" HIDDEN_OPEN)) {
        return text;
    }
    char *out = arena_text(arena, text);
    size_t used = 0;
    for (const char *at = text; *at;) {
        bool open = text_starts(at, HIDDEN_OPEN), close = text_starts(at, HIDDEN_CLOSE);
        out[used++] = open ? '{' : close ? '}' : *at;
        at += open || close ? 3 : 1;
    }
    out[used] = '\0';
    return out;
}

void braces_show(struct arena *arena, struct node *root)
{
    root->text = text_show(arena, root->text);
    for (size_t i = 0; i < root->count; i++) {
        if (root->keys) {
            braces_show(arena, root->keys[i]);
        }
        braces_show(arena, root->items[i]);
    }
}
