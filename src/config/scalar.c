/* SPDX-License-Identifier: Apache-2.0 */
#include "binder.h"

#include "arena.h"
#include "mask.h"
#include "query.h"
#include "text.h"

#include <math.h>
#include <string.h>

bool node_is_null(const struct node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    if (node->kind != NODE_SCALAR || node->quoted) {
        return false;
    }
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++) {
        if (text_equal(node->text, nulls[i])) {
            return true;
        }
    }
    return false;
}

const char *bind_shown(struct binder *b, const struct node *node)
{
    if (node->kind != NODE_SCALAR) {
        return node->kind == NODE_MAP ? "a map" : "a list";
    }
    if (mask_is_secret(node->text)) {
        return "(a secret)";
    }
    return arena_format(b->arena, "'%s'", text_shown(b->arena, node->text, strlen(node->text), 60));
}

const char *field_sample(struct arena *arena, const struct field *field)
{
    static const char *const samples[] = {
        [FIELD_TEXT] = "NAME",
        [FIELD_URL] = "https://shop.example.com",
        [FIELD_JQ] = ".value",
        [FIELD_BOOL] = "true",
        [FIELD_INT] = "1",
        [FIELD_DURATION] = "10m",
        [FIELD_PERCENT] = "5%",
        [FIELD_QUANTITY] = "0.1%, 500ms or 1000 req/s",
        [FIELD_TEXTS] = "[A, B]",
        [FIELD_COMMAND] = "./script.sh",
        [FIELD_SECRET] = "API_TOKEN",
        [FIELD_CHECKS] = "{command: ./check.sh}",
    };
    if (field->def) {
        return field->def;
    }
    if (field->type == FIELD_ENUM) {
        return field->names[0];
    }
    if (field->type == FIELD_ENUMS) {
        return arena_format(arena, "[%s]", field->names[0]);
    }
    if (field->type == FIELD_DRIVER || field->type == FIELD_DRIVERS) {
        return arena_format(arena, "{%s: …}", bind_names(arena, NULL, field->room)[0]);
    }
    if (field->type == FIELD_INT && field->min > 1) {
        return arena_format(arena, "%lld", (long long)field->min);
    }
    const char *sample =
        field->type < sizeof samples / sizeof samples[0] ? samples[field->type] : NULL;
    return sample ? sample : field->type == FIELD_ROWS ? "[{…}]" : "{…}";
}

/* The text of a scalar that must not be empty; NULL after a problem. */
static const char *plain_text(struct binder *b, const struct node *node, const struct field *field)
{
    if (node->kind != NODE_SCALAR) {
        PROBLEM(b, node, "'%s' is %s, not one value; write %s: %s", field->name,
                bind_shown(b, node), field->name, field_sample(b->arena, field));
        return NULL;
    }
    if (node_is_null(node) || !node->text[0]) {
        PROBLEM(b, node, "'%s' has no value; write %s: %s", field->name, field->name,
                field_sample(b->arena, field));
        return NULL;
    }
    return node->text;
}

static void wrong(struct binder *b, const struct node *node, const struct field *field,
                  const char *what)
{
    PROBLEM(b, node, "'%s' is %s, but must be %s; write %s: %s", field->name, bind_shown(b, node),
            what, field->name, field_sample(b->arena, field));
}

static void bind_text(struct binder *b, const struct node *node, const struct field *field,
                      void *target)
{
    const char *text = plain_text(b, node, field);
    if (text) {
        *(const char **)target = bind_expand(b, node, text);
    }
}

/* Same language as the schema's pattern for addresses. */
static const char *url_fault(const char *url)
{
    const char *rest = url;
    if (text_starts(url, "https://")) {
        rest = url + 8;
    } else if (text_starts(url, "http://")) {
        rest = url + 7;
    } else if (!text_starts(url, "${")) {
        return "an address that begins with https:// or http://";
    }
    size_t host = strcspn(rest, "/?#");
    if (host == 0) {
        return "an address with a host";
    }
    if (memchr(rest, '@', host)) {
        return "an address without user and password";
    }
    for (const char *at = url; *at; at++) {
        if ((unsigned char)*at <= ' ' || *at == 0x7f) {
            return "an address without white space (write %20)";
        }
    }
    return NULL;
}

static void bind_url(struct binder *b, const struct node *node, const struct field *field,
                     void *target)
{
    const char *text = plain_text(b, node, field);
    const char *url = text ? bind_expand(b, node, text) : NULL;
    if (!url || mask_is_secret(text)) {
        return;
    }
    const char *fault = url_fault(url);
    if (fault && text_equal(text, url)) {
        wrong(b, node, field, fault);
    } else if (fault) {
        PROBLEM(b, node, "'%s' takes its value from the environment (%s), where it is not %s",
                field->name, bind_shown(b, node), fault);
    }
    *(const char **)target = url;
}

static void bind_jq(struct binder *b, const struct node *node, const struct field *field,
                    void *target)
{
    const char *text = plain_text(b, node, field);
    const char *program = text ? bind_expand(b, node, text) : NULL;
    if (!program || mask_is_secret(program)) {
        return;
    }
    struct error err = {0};
    if (query_check(program, &err) < 0) {
        const bool wrong = err.kind == ERROR_CONFIG;
        PROBLEM(b, node, "'%s' %s: %s", field->name,
                wrong ? "is no jq program" : "cannot be checked", err.message);
    }
    *(const char **)target = program;
}

static void bind_bool(struct binder *b, const struct node *node, const struct field *field,
                      void *target)
{
    static const char *const words[] = {"false", "no",  "off", "False", "FALSE",
                                        "true",  "yes", "on",  "True",  "TRUE"};
    const char *text = plain_text(b, node, field);
    if (!text) {
        return;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text_equal(text, words[i]) && !(node->quoted && words[i][0] < 'a')) {
            *(bool *)target = i >= 5;
            return;
        }
    }
    wrong(b, node, field, "true or false");
}

static bool is_whole(const char *text)
{
    const char *digits = text + (*text == '-');
    size_t length = strspn(digits, "0123456789");
    return length > 0 && digits[length] == '\0' && (length == 1 || digits[0] != '0');
}

static bool in_range(struct binder *b, const struct node *node, const struct field *field,
                     int64_t value)
{
    bool duration = field->type == FIELD_DURATION;
    int64_t bound = value < field->min ? field->min : field->max;
    if (value >= field->min && (field->max == 0 || value <= field->max)) {
        return true;
    }
    PROBLEM(b, node, "'%s' is %s; the %s is %s", field->name, bind_shown(b, node),
            value < field->min ? "smallest" : "largest",
            duration ? text_of_duration(b->arena, bound)
                     : arena_format(b->arena, "%lld", (long long)bound));
    return false;
}

static void bind_int(struct binder *b, const struct node *node, const struct field *field,
                     void *target)
{
    const char *text = plain_text(b, node, field);
    struct error err = {0};
    int64_t value = 0;
    if (!text) {
        return;
    }
    if (node->quoted || !is_whole(text) || text_int(text, &value, &err) < 0) {
        wrong(b, node, field, node->quoted ? "a whole number without quotes" : "a whole number");
    } else if (in_range(b, node, field, value)) {
        *(int64_t *)target = value;
    }
}

static void bind_duration(struct binder *b, const struct node *node, const struct field *field,
                          void *target)
{
    const char *text = plain_text(b, node, field);
    struct error err = {0};
    int64_t value = 0;
    if (!text || mask_is_secret(text)) {
        return;
    }
    if (text_duration(text, &value, &err) < 0) {
        PROBLEM(b, node, "'%s': %s", field->name, err.message);
    } else if (in_range(b, node, field, value)) {
        *(int64_t *)target = value;
    }
}

/* Up to `whole` digits, perhaps a fraction; gives what follows, NULL: no number. */
static const char *number_end(const char *text, size_t whole)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > whole) {
        return NULL;
    }
    const char *end = text + digits;
    if (*end == '.') {
        size_t fraction = strspn(end + 1, "0123456789");
        end = fraction ? end + 1 + fraction : NULL;
    }
    return end;
}

static double number_of(const char *text, const char *end)
{
    char copy[64];
    double value = NAN;
    size_t length = (size_t)(end - text);
    if (length < sizeof copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
        if (text_real(copy, &value, NULL) < 0) {
            value = NAN;
        }
    }
    return value;
}

/* As a ratio; NaN: not a percentage. */
static double percent_of(const char *text)
{
    const char *end = number_end(text, 4);
    return end && text_equal(end, "%") ? number_of(text, end) / 100 : NAN;
}

static void bind_percent(struct binder *b, const struct node *node, const struct field *field,
                         void *target)
{
    const char *text = plain_text(b, node, field);
    if (!text) {
        return;
    }
    double ratio = percent_of(text);
    double most = field->max ? (double)field->max / 100 : 1;
    if (field->min < 0 && text_equal(text, "none")) {
        *(double *)target = -1;
    } else if (isnan(ratio)) {
        wrong(b, node, field, "a percentage with its sign");
    } else if (ratio > most) {
        PROBLEM(b, node, "'%s' is %s; the largest is %.0f%%", field->name, bind_shown(b, node),
                most * 100);
    } else {
        *(double *)target = ratio;
    }
}

static bool quantity_of(const char *text, struct quantity *out)
{
    const char *end = number_end(text, 15);
    int64_t ms = 0;
    if (!isnan(percent_of(text))) {
        *out = (struct quantity){percent_of(text), UNIT_RATIO, true};
    } else if (text_duration(text, &ms, NULL) == 0) {
        *out = (struct quantity){(double)ms, UNIT_MS, true};
    } else if (end && *end == '\0') {
        *out = (struct quantity){number_of(text, end), UNIT_NONE, true};
    } else if (end && (text_equal(end, "/s") || text_equal(end, " /s") ||
                       text_equal(end, "req/s") || text_equal(end, " req/s"))) {
        *out = (struct quantity){number_of(text, end), UNIT_PER_SECOND, true};
    }
    return out->set && isfinite(out->value);
}

static void bind_quantity(struct binder *b, const struct node *node, const struct field *field,
                          void *target)
{
    const char *text = plain_text(b, node, field);
    struct quantity quantity = {0};
    if (!text) {
        return;
    }
    if (quantity_of(text, &quantity)) {
        *(struct quantity *)target = quantity;
    } else {
        wrong(b, node, field, "a number with its unit");
    }
}

/* The index of a word; -1 after a problem. */
static int word_index(struct binder *b, const struct node *node, const struct field *field)
{
    const char *text = plain_text(b, node, field);
    if (!text) {
        return -1;
    }
    for (int i = 0; field->names[i]; i++) {
        if (text_equal(text, field->names[i])) {
            return i;
        }
    }
    if (!mask_is_secret(text)) {
        PROBLEM(b, node, "unknown value %s of '%s'%s", bind_shown(b, node), field->name,
                bind_hint(b, text, field->names, "known"));
    }
    return -1;
}

static void bind_enum(struct binder *b, const struct node *node, const struct field *field,
                      void *target)
{
    int index = word_index(b, node, field);
    if (index >= 0) {
        *(int *)target = index;
    }
}

static void bind_enums(struct binder *b, const struct node *node, const struct field *field,
                       void *target)
{
    if (node->kind != NODE_LIST) {
        wrong(b, node, field, "a list");
        return;
    }
    unsigned bits = 0;
    for (size_t i = 0; i < node->count; i++) {
        int index = word_index(b, node->items[i], field);
        bits |= index >= 0 ? 1U << index : 0;
    }
    *(unsigned *)target = bits;
}

static const char *one_text(struct binder *b, const struct node *node, const struct field *field)
{
    if (field->names) {
        int index = word_index(b, node, field);
        return index < 0 ? NULL : field->names[index];
    }
    const char *text = plain_text(b, node, field);
    return text ? bind_expand(b, node, text) : NULL;
}

static void bind_texts(struct binder *b, const struct node *node, const struct field *field,
                       void *target)
{
    struct texts *texts = target;
    size_t count = node->kind == NODE_LIST ? node->count : 1;
    if (node->kind == NODE_MAP) {
        wrong(b, node, field, "a text or a list of texts");
        return;
    }
    texts->items = arena_array(b->arena, count + 1, sizeof *texts->items);
    for (size_t i = 0; i < count; i++) {
        const struct node *item = node->kind == NODE_LIST ? node->items[i] : node;
        const char *text = one_text(b, item, field);
        if (text) {
            texts->items[texts->count++] = text;
        }
    }
}

static void bind_words(struct binder *b, const struct node *node, const struct field *field,
                       struct command *command)
{
    command->argv = arena_array(b->arena, node->count + 1, sizeof *command->argv);
    for (size_t i = 0; i < node->count; i++) {
        const struct node *item = node->items[i];
        if (item->kind != NODE_SCALAR) {
            wrong(b, item, field, "a line for the shell or a list of words");
            continue;
        }
        b->in_words = true;
        const char *word = bind_expand(b, item, item->text);
        b->in_words = false;
        command->argv[command->argc++] = word ? word : "";
    }
    if (node->count == 0 || text_blank(command->argv[0])) {
        PROBLEM(b, node, "'%s' is an empty list; write %s: [program, argument]", field->name,
                field->name);
    }
}

static void bind_command(struct binder *b, const struct node *node, const struct field *field,
                         void *target)
{
    struct command *command = target;
    if (node->kind == NODE_LIST) {
        bind_words(b, node, field, command);
        return;
    }
    command->shell = plain_text(b, node, field);
    if (command->shell) {
        bind_shell(b, node, command->shell);
    }
}

static bool is_env_name(const char *text)
{
    return !strchr("0123456789", text[0]) && strlen(text) < 128 &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(text);
}

static void bind_secret(struct binder *b, const struct node *node, const struct field *field,
                        void *target)
{
    struct secret *secret = target;
    const char *text = plain_text(b, node, field);
    if (!text || mask_is_secret(text)) {
        return;
    }
    if (!is_env_name(text)) {
        PROBLEM(b, node,
                "'%s' takes the name of an environment variable in capitals, never the secret "
                "itself; write %s: API_TOKEN",
                field->name, field->name);
        return;
    }
    secret->env = text;
    b->secrets =
        arena_grow(b->arena, b->secrets, b->secret_count, &b->secret_capacity, sizeof *b->secrets);
    b->secrets[b->secret_count++] =
        (struct secret_slot){secret, {node->origin, node->line, node->column}};
}

typedef void scalar_reader(struct binder *, const struct node *, const struct field *, void *);

static scalar_reader *const readers[] = {
    [FIELD_TEXT] = bind_text,       [FIELD_URL] = bind_url,
    [FIELD_JQ] = bind_jq,           [FIELD_BOOL] = bind_bool,
    [FIELD_INT] = bind_int,         [FIELD_DURATION] = bind_duration,
    [FIELD_PERCENT] = bind_percent, [FIELD_QUANTITY] = bind_quantity,
    [FIELD_ENUM] = bind_enum,       [FIELD_ENUMS] = bind_enums,
    [FIELD_TEXTS] = bind_texts,     [FIELD_COMMAND] = bind_command,
    [FIELD_SECRET] = bind_secret,
};

bool bind_is_scalar(enum field_type type)
{
    return type < sizeof readers / sizeof readers[0];
}

void bind_scalar(struct binder *b, const struct node *node, const struct field *field, void *target)
{
    readers[field->type](b, node, field, target);
}
