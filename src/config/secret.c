/* SPDX-License-Identifier: Apache-2.0 */
#include "binder.h"

#include "arena.h"
#include "file.h"
#include "mask.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

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
    if (node->kind == NODE_SCALAR && mask_is_secret(node->text)) {
        tell_value(b, key, node);
    }
    for (size_t i = 0; node->kind != NODE_SCALAR && i < node->count; i++) {
        const struct node *name = node->kind == NODE_MAP ? node->keys[i] : NULL;
        const struct node *value = node->items[i];
        if (name && mask_is_secret(name->text)) {
            tell_value(b, NULL, name);
            scan(b, NULL, value);
        } else if (name && value->kind == NODE_SCALAR &&
                   mask_is_name(name->text, strlen(name->text))) {
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
        struct node where = {.origin = slots[i].place.origin,
                             .line = slots[i].place.line,
                             .column = slots[i].place.column};
        if (text_blank(value)) {
            problems_add(config->arena, problems, &where,
                         "the environment variable '%s' is %s; the secret it names is needed",
                         secret->env, value ? "empty" : "not set");
        } else if (strlen(value) < MASK_MIN) {
            problems_add(config->arena, problems, &where,
                         "the environment variable '%s' holds fewer than %d bytes: too short for "
                         "a secret, and to be kept out of logs",
                         secret->env, MASK_MIN);
        } else {
            secret->value = take_copy(value);
        }
    }
}

/* ---- secrets that the configuration does not name ---------------------------------- */

#define FILE_MAX_BYTES ((size_t)64 * 1024)
#define SOFT_MIN 8

/* Names that may mean something else: such a value must be longer to be one. */
static bool is_soft_name(const char *name, size_t length)
{
    static const char *const words[] = {"_KEY",  "_PASS", "_PASSPHRASE", "_PWD", "_PAT",
                                        "_AUTH", "_DSN",  "_JWT",        "_CRED"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t size = strlen(words[i]);
        if (length > size && strncasecmp(name + length - size, words[i], size) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_plain_word(const char *value)
{
    static const char *const words[] = {"true", "false", "none", "null", "auto", NULL};
    for (size_t i = 0; words[i]; i++) {
        if (strcasecmp(value, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void hide_file(const char *path)
{
    AUTO_BUF struct buf text = {0};
    if (file_read(path, FILE_MAX_BYTES, false, &text, NULL) == 0) {
        mask_add(text.data);
        explicit_bzero(text.data, text.length);
    }
}

static void hide_password(const char *value)
{
    const char *scheme = strstr(value, "://");
    const size_t length = scheme ? strcspn(scheme + 3, "/?# ") : 0;
    const char *host = scheme ? memrchr(scheme + 3, '@', length) : NULL;
    const char *colon = host ? memchr(scheme + 3, ':', (size_t)(host - scheme) - 3) : NULL;
    char password[256];
    if (!colon || (size_t)(host - colon) > sizeof password) {
        return;
    }
    memcpy(password, colon + 1, (size_t)(host - colon) - 1);
    password[host - colon - 1] = '\0';
    mask_add(password);
    explicit_bzero(password, sizeof password);
}

static void hide_variable(const char *name, size_t length, const char *value)
{
    static const char file[] = "_FILE";
    const size_t suffix = sizeof file - 1;
    const bool is_file = length > suffix && memcmp(name + length - suffix, file, suffix) == 0;
    length -= is_file ? suffix : 0;
    const bool hard = mask_is_name(name, length);
    if (!hard && !is_soft_name(name, length)) {
        hide_password(value);
    } else if (is_file || (value[0] == '/' && file_exists(value))) {
        hide_file(value);
    } else if (!is_plain_word(value) && (hard || strlen(value) >= SOFT_MIN)) {
        mask_add(value);
    }
}

void config_hide_environment(void)
{
    for (char **entry = environ; entry && *entry; entry++) {
        const char *equal = strchr(*entry, '=');
        if (equal) {
            hide_variable(*entry, (size_t)(equal - *entry), equal + 1);
        }
    }
}

/* They stay where they are: the user's commands need them. */
static void hide_named(const struct config *config, void (*mask)(void *, const char *),
                       void *context)
{
    for (size_t i = 0; i < config->mask_env.count; i++) {
        const char *value = getenv(config->mask_env.items[i]);
        if (value && mask) {
            mask(context, value);
        }
    }
}

int config_secrets(struct config *config, void (*mask)(void *, const char *), void *context,
                   struct problems *problems)
{
    struct secret_slot *slots = config->secrets.items;
    size_t before = problems->count;
    take(config, problems);
    hide_named(config, mask, context);
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
