/* SPDX-License-Identifier: Apache-2.0 */
#include "binder.h"

#include "arena.h"
#include "text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A token: what it begins with and how many of its own characters make it one. */
static const struct {
    const char *prefix;
    size_t least;
} tokens[] = {
    {"ghp_", 8},   {"gho_", 8},
    {"ghs_", 8},   {"ghu_", 8},
    {"ghr_", 8},   {"github_pat_", 8},
    {"glpat-", 8}, {"xoxb-", 8},
    {"xoxp-", 8},  {"xoxa-", 8},
    {"xoxs-", 8},  {"AKIA", 12},
    {"ASIA", 12},  {"hooks.slack.com/", 1},
};

static bool has_token(const char *text, const char *prefix, size_t least)
{
    const char *chars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-/";
    bool upper = isupper((unsigned char)prefix[0]) != 0;
    for (const char *at = text; (at = strstr(at, prefix)) != NULL; at++) {
        bool inside = at > text && isalnum((unsigned char)at[-1]);
        size_t length =
            strspn(at + strlen(prefix), upper ? "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" : chars);
        if (!inside && length >= least) {
            return true;
        }
    }
    return false;
}

/* `scheme://user:password@host`; a password that is `$NAME` for the shell is none. */
static bool has_password(const char *text)
{
    for (const char *at = text; (at = strstr(at, "://")) != NULL;) {
        at += 3;
        size_t length = strcspn(at, "/?# \t\r\n\"'<>");
        const char *host = memchr(at, '@', length);
        const char *colon = host ? memchr(at, ':', (size_t)(host - at)) : NULL;
        if (colon && colon + 1 < host && colon[1] != '$') {
            return true;
        }
    }
    return false;
}

bool secret_in(const char *text)
{
    if (!text) {
        return false;
    }
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        if (has_token(text, tokens[i].prefix, tokens[i].least)) {
            return true;
        }
    }
    const char *begin = strstr(text, "-----BEGIN ");
    return (begin && strstr(begin, "PRIVATE KEY")) || has_password(text);
}

bool secret_key(const char *key)
{
    static const char *const words[] = {"token",       "password",   "passwd",  "secret",
                                        "api-key",     "apikey",     "webhook", "webhook-url",
                                        "private-key", "access-key", "bearer",  "credentials"};
    char plain[64];
    size_t length = strlen(key);
    if (length >= sizeof plain) {
        return false;
    }
    for (size_t i = 0; i <= length; i++) {
        plain[i] = key[i] == '_' ? '-' : (char)tolower((unsigned char)key[i]);
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t size = strlen(words[i]);
        if (size <= length && text_equal(plain + length - size, words[i]) &&
            (size == length || plain[length - size - 1] == '-')) {
            return true;
        }
    }
    return false;
}

/* The variable that `${NAME}` names, so that the advice can be pasted. */
static const char *variable_in(struct arena *arena, const char *text)
{
    size_t length = strlen(text);
    if (length < 4 || !text_starts(text, "${") ||
        strspn(text + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != length - 3 ||
        text[length - 1] != '}') {
        return "NAME";
    }
    return arena_text_n(arena, text + 2, length - 3);
}

static void tell_key(struct binder *b, const struct node *key, const struct node *value)
{
    const char *name = variable_in(b->arena, value->text);
    PROBLEM(b, value,
            "'%s' would put a secret into this file; write %s-env: %s and give the value in the "
            "environment variable %s",
            key->text, bind_hyphens(b->arena, key->text), name, name);
}

static void tell_value(struct binder *b, const char *key, const struct node *value)
{
    PROBLEM(b, value,
            "%s looks like a secret, which must not stand in this file; keep it in an environment "
            "variable and name that in a key that ends in -env, such as token-env: NAME",
            key ? arena_format(b->arena, "the value of '%s'", key) : "this");
}

static void scan(struct binder *b, const char *key, const struct node *node)
{
    if (node->kind == NODE_SCALAR && secret_in(node->text)) {
        tell_value(b, key, node);
    }
    for (size_t i = 0; node->kind != NODE_SCALAR && i < node->count; i++) {
        const struct node *name = node->kind == NODE_MAP ? node->keys[i] : NULL;
        const struct node *value = node->items[i];
        if (name && secret_in(name->text)) {
            tell_value(b, NULL, name);
            scan(b, NULL, value);
        } else if (name && value->kind == NODE_SCALAR && secret_key(name->text)) {
            tell_key(b, name, value);
        } else {
            scan(b, name ? name->text : key, value);
        }
    }
}

void secret_scan(struct binder *b, const struct node *root)
{
    scan(b, NULL, root);
}

static char *take_copy(const char *value)
{
    size_t size = strlen(value) + 1;
    char *copy = memory_alloc(size);
    memcpy(copy, value, size);
    return copy;
}

/* Several keys may name one variable: it is unset only after all have their copy. */
static void take(struct config *config, struct problems *problems)
{
    struct secret_slot *slots = config->secrets.items;
    for (size_t i = 0; i < config->secrets.count; i++) {
        struct secret *secret = slots[i].secret;
        const char *value = getenv(secret->env);
        if (!text_blank(value)) {
            secret->value = take_copy(value);
            continue;
        }
        struct node where = {.origin = slots[i].place.origin,
                             .line = slots[i].place.line,
                             .column = slots[i].place.column};
        problems_add(config->arena, problems, &where,
                     "the environment variable '%s' is %s; the secret it names is needed",
                     secret->env, value ? "empty" : "not set");
    }
}

int config_secrets(struct config *config, void (*mask)(void *, const char *), void *context,
                   struct problems *problems)
{
    struct secret_slot *slots = config->secrets.items;
    size_t before = problems->count;
    take(config, problems);
    for (size_t i = 0; i < config->secrets.count; i++) {
        struct secret *secret = slots[i].secret;
        if (secret->value && mask) {
            mask(context, secret->value);
        }
        char *value = getenv(secret->env);
        if (value) {
            /* unsetenv leaves the bytes where /proc/PID/environ shows them */
            explicit_bzero(value, strlen(value));
            (void)unsetenv(secret->env);
        }
    }
    return problems->count > before ? -1 : 0;
}

void config_forget(struct config *config)
{
    struct secret_slot *slots = config ? config->secrets.items : NULL;
    for (size_t i = 0; slots && i < config->secrets.count; i++) {
        struct secret *secret = slots[i].secret;
        if (secret->value) {
            explicit_bzero(secret->value, strlen(secret->value));
            free(secret->value);
            secret->value = NULL;
        }
    }
}
