/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs.h"

#include "arena.h"
#include "text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* These take a strategy and a version; the others work from what is recorded. */
static bool takes_version(const char *command)
{
    return text_equal(command, "run") || text_equal(command, "plan");
}

struct reader {
    struct arena *arena;
    const char *const *commands;
    struct inputs *in;
    struct error *err;
    const char **words; /* positionals that are no directory */
    size_t count;
    const struct option **given; /* on the command line */
    size_t given_count;
    const char *directory;
};

static bool listed(const char *word, const char *const *list)
{
    for (size_t i = 0; list[i]; i++) {
        if (text_equal(list[i], word)) {
            return true;
        }
    }
    return false;
}

static enum strategy strategy_of(const char *word)
{
    for (int i = STRATEGY_BLUE_GREEN; strategy_names[i]; i++) {
        if (text_equal(strategy_names[i], word)) {
            return (enum strategy)i;
        }
    }
    return STRATEGY_NONE;
}

static const char *meant(struct arena *arena, const char *word, const char *const *names,
                         const char *prefix)
{
    const char *near = text_nearest(word, names);
    return near ? arena_format(arena, " (did you mean '%s%s'?)", prefix, near) : "";
}

static int unknown_strategy(struct reader *r, const char *word)
{
    return error_set(r->err, ERROR_USAGE,
                     "unknown strategy '%s'%s; strategies: blue-green, canary, rolling", word,
                     meant(r->arena, word, strategy_names + 1, ""));
}

static bool is_true(const char *value)
{
    static const char *const words[] = {"true", "yes", "on", "1", NULL};
    return listed(value, words);
}

static bool is_false(const char *value)
{
    static const char *const words[] = {"false", "no", "off", "0", NULL};
    return listed(value, words);
}

static void add_text(struct reader *r, struct texts *texts, const char *value)
{
    size_t capacity = texts->count;
    texts->items =
        arena_grow(r->arena, texts->items, texts->count, &capacity, sizeof *texts->items);
    texts->items[texts->count++] = arena_text(r->arena, value);
}

/* `origin` is how the caller wrote the name: "--json", "INPUT_JSON". */
static int put(struct reader *r, const struct option *option, const char *origin, const char *value)
{
    void *target = (char *)r->in + option->offset;
    if (option->type == FIELD_BOOL) {
        if (!is_true(value) && !is_false(value)) {
            return error_set(r->err, ERROR_USAGE, "%s must be true or false, not '%s'", origin,
                             value);
        }
        *(bool *)target = is_true(value);
    } else if (option->type == FIELD_ENUM) {
        enum strategy strategy = strategy_of(value);
        if (strategy == STRATEGY_NONE) {
            return unknown_strategy(r, value);
        }
        *(enum strategy *)target = strategy;
    } else if (option->type == FIELD_TEXTS) {
        add_text(r, target, value);
    } else {
        *(const char **)target = arena_text(r->arena, value);
    }
    return 0;
}

static const struct option *option_find(const char *name, size_t length)
{
    for (const struct option *row = inputs_options; row->name; row++) {
        bool same = strlen(row->name) == length && !strncmp(row->name, name, length);
        if (same && *row->commands) {
            return row;
        }
    }
    return NULL;
}

static const struct option *letter_find(char letter)
{
    for (const struct option *row = inputs_options; row->name; row++) {
        if (row->letter && row->letter == letter) {
            return row;
        }
    }
    return NULL;
}

static int unknown_option(struct reader *r, const char *shown)
{
    size_t count = 0;
    const char **names = arena_array(r->arena, 64, sizeof *names);
    for (const struct option *row = inputs_options; row->name && count < 63; row++) {
        if (*row->commands) {
            names[count++] = row->name;
        }
    }
    const char *word = shown + strspn(shown, "-");
    return error_set(r->err, ERROR_USAGE, "Unknown option: %s%s", shown,
                     meant(r->arena, word, names, "--"));
}

static int put_given(struct reader *r, const struct option *option, const char *origin,
                     const char *value)
{
    r->given[r->given_count++] = option;
    return put(r, option, origin, value);
}

/* One option at argv[i]; gives how many arguments it took, or -1. */
static int read_option(struct reader *r, char **argv, int left)
{
    const char *word = argv[0];
    bool is_long = word[1] == '-';
    const char *equal = is_long ? strchr(word, '=') : NULL;
    size_t length = equal ? (size_t)(equal - word) : strlen(word);
    const struct option *option = NULL;
    if (is_long) {
        option = option_find(word + 2, length - 2);
    } else if (length == 2) {
        option = letter_find(word[1]);
    }
    const char *origin = arena_text_n(r->arena, word, length);
    if (!option) {
        return unknown_option(r, origin);
    }
    if (equal || option->type == FIELD_BOOL) {
        return put_given(r, option, origin, equal ? equal + 1 : "true") < 0 ? -1 : 1;
    }
    if (left < 2) {
        return error_set(r->err, ERROR_USAGE, "%s needs a value: write %s %s", origin, origin,
                         option->value);
    }
    return put_given(r, option, origin, argv[1]) < 0 ? -1 : 2;
}

/* S-034: a word with "/" or equal to "." is the project directory. */
static int read_word(struct reader *r, const char *word)
{
    if (!strchr(word, '/') && !text_equal(word, ".")) {
        r->words[r->count++] = word;
        return 0;
    }
    if (r->directory) {
        return error_set(r->err, ERROR_USAGE, "two project directories: '%s' and '%s'",
                         r->directory, word);
    }
    r->directory = word;
    return 0;
}

static int read_arguments(struct reader *r, int argc, char **argv)
{
    bool plain = false;
    for (int i = 1; i < argc;) {
        int took = 1;
        if (!plain && text_equal(argv[i], "--")) {
            plain = true;
        } else if (i == 1 && text_equal(argv[i], "--version")) {
            r->words[r->count++] = "version";
        } else if (!plain && argv[i][0] == '-' && argv[i][1]) {
            took = read_option(r, argv + i, argc - i);
        } else if (read_word(r, argv[i]) < 0) {
            took = -1;
        }
        if (took < 0) {
            return -1;
        }
        i += took;
    }
    return 0;
}

/* INPUT_PROJECT-DIRECTORY as GitHub writes it, DEPLOY_ACTION_PROJECT_DIRECTORY as a shell can. */
static const char *variable_name(struct arena *arena, const char *prefix, const char *name,
                                 bool hyphens)
{
    char *text = arena_format(arena, "%s%s", prefix, name);
    for (char *at = text; *at; at++) {
        *at = *at == '-' && !hyphens ? '_' : (char)toupper((unsigned char)*at);
    }
    return text;
}

/* A list input has one item a line. */
static int put_lines(struct reader *r, const struct option *option, const char *origin,
                     const char *value)
{
    for (const char *at = value; *at;) {
        size_t length = strcspn(at, "\r\n");
        const char *line = arena_text_n(r->arena, at, length);
        if (!text_blank(line) && put(r, option, origin, line) < 0) {
            return -1;
        }
        at += length;
        at += strspn(at, "\r\n");
    }
    return 0;
}

static int read_variable(struct reader *r, const struct option *option)
{
    const char *input = variable_name(r->arena, "INPUT_", option->name, true);
    const char *other = variable_name(r->arena, "DEPLOY_ACTION_", option->name, false);
    const char *origin = text_blank(getenv(input)) ? other : input;
    const char *value = getenv(origin);
    if (!value || text_blank(value)) {
        return 0;
    }
    if (option->type == FIELD_TEXTS) {
        return put_lines(r, option, origin, value);
    }
    return put(r, option, origin, value);
}

static bool is_given(const struct reader *r, const struct option *option)
{
    for (size_t i = 0; i < r->given_count; i++) {
        if (r->given[i] == option) {
            return true;
        }
    }
    return false;
}

/* Before the words are read, so that they win; options that were given are left alone. */
static int read_environment(struct reader *r)
{
    for (const struct option *row = inputs_options; row->name; row++) {
        if (!is_given(r, row) && read_variable(r, row) < 0) {
            return -1;
        }
    }
    return 0;
}

static void shift_word(struct reader *r)
{
    r->words++;
    r->count--;
}

/* The first word: a strategy means run (S-004). */
static int read_command(struct reader *r)
{
    const char *first = r->count ? r->words[0] : NULL;
    struct inputs *in = r->in;
    if (first && strategy_of(first) != STRATEGY_NONE) {
        in->command = "run";
    } else if (first && listed(first, r->commands)) {
        in->command = first;
        shift_word(r);
    } else if (first && !in->command) {
        const char *near = meant(r->arena, first, r->commands, "");
        return error_set(r->err, ERROR_USAGE, "unknown command '%s'%s", first,
                         *near ? near : meant(r->arena, first, strategy_names + 1, ""));
    } else if (!in->command && (in->strategy != STRATEGY_NONE || in->version)) {
        in->command = "run";
    }
    if (in->command && strategy_of(in->command) != STRATEGY_NONE) {
        in->strategy = strategy_of(in->command);
        in->command = "run";
    }
    if (in->command && !listed(in->command, r->commands)) {
        return error_set(r->err, ERROR_USAGE, "unknown command '%s'%s", in->command,
                         meant(r->arena, in->command, r->commands, ""));
    }
    return 0;
}

/* `run canary 1.2.3`, or `run 1.2.3` where the strategy is an input. */
static int read_target(struct reader *r)
{
    if (r->count == 0) {
        return 0;
    }
    enum strategy strategy = strategy_of(r->words[0]);
    if (strategy == STRATEGY_NONE && (r->in->strategy == STRATEGY_NONE || r->count > 1)) {
        return unknown_strategy(r, r->words[0]);
    }
    if (strategy != STRATEGY_NONE) {
        r->in->strategy = strategy;
        shift_word(r);
    }
    if (r->count) {
        r->in->version = r->words[0];
        shift_word(r);
    }
    return 0;
}

bool inputs_is_version(const char *text)
{
    const char *chars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+:@~-";
    return text && isalnum((unsigned char)text[0]) && strlen(text) <= 128 &&
           strspn(text, chars) == strlen(text);
}

static int check_version(struct reader *r)
{
    if (!r->in->version || inputs_is_version(r->in->version)) {
        return 0;
    }
    return error_set(r->err, ERROR_USAGE,
                     "'%.140s' is no version: it begins with a letter or digit and holds letters, "
                     "digits and . _ + : @ ~ -, 128 at most",
                     r->in->version);
}

static int check_needed(struct reader *r)
{
    const struct inputs *in = r->in;
    if (in->strategy == STRATEGY_NONE) {
        return error_set(r->err, ERROR_USAGE,
                         "strategy and version are missing: write deploy-action %s "
                         "<blue-green|canary|rolling> <version>",
                         in->command);
    }
    if (!in->version) {
        return error_set(r->err, ERROR_USAGE,
                         "version is missing: write deploy-action %s %s <version>", in->command,
                         strategy_names[in->strategy]);
    }
    return 0;
}

static int refuse_word(struct reader *r)
{
    const char *word = r->words[0];
    if (strategy_of(word) != STRATEGY_NONE) {
        return error_set(r->err, ERROR_USAGE,
                         "'%s' takes no strategy, but '%s' was given: it goes by the run that is "
                         "recorded",
                         r->in->command, word);
    }
    return error_set(r->err, ERROR_USAGE,
                     "'%s' does not take the argument '%s'; a directory has a '/', as in './%s'",
                     r->in->command, word, word);
}

static int read_rest(struct reader *r)
{
    bool needs = takes_version(r->in->command);
    if (needs && read_target(r) < 0) {
        return -1;
    }
    if (r->count) {
        return refuse_word(r);
    }
    return check_version(r) < 0 ? -1 : needs ? check_needed(r) : 0;
}

/* An option of another command is as unknown here as one of none (S-033). */
static int check_options(struct reader *r)
{
    const char *command = arena_format(r->arena, " %s ", r->in->command);
    for (size_t i = 0; i < r->given_count; i++) {
        const struct option *option = r->given[i];
        if (!text_equal(option->commands, "*") && !strstr(option->commands, command)) {
            return error_set(r->err, ERROR_USAGE,
                             "Unknown option: --%s (it belongs to%.*s, not to '%s')", option->name,
                             (int)strlen(option->commands) - 1, option->commands, r->in->command);
        }
    }
    return 0;
}

static void put_defaults(struct reader *r)
{
    static const char *const actors[] = {"GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER"};
    struct inputs *in = r->in;
    in->directory = r->directory ? r->directory : in->directory ? in->directory : ".";
    in->file = in->file ? in->file : "deploy.yaml";
    in->guidance = in->guidance ? in->guidance : "";
    for (size_t i = 0; !in->by && i < sizeof actors / sizeof actors[0]; i++) {
        const char *actor = getenv(actors[i]);
        in->by = text_blank(actor) ? NULL : arena_text(r->arena, actor);
    }
}

int inputs_read(struct arena *arena, char **argv, const char *const *commands, struct inputs *out,
                struct error *err)
{
    int argc = 0;
    while (argv[argc]) {
        argc++;
    }
    size_t most = argc > 0 ? (size_t)argc : 1;
    struct reader r = {.arena = arena, .commands = commands, .in = out, .err = err};
    *out = (struct inputs){0};
    r.words = arena_array(arena, most, sizeof *r.words);
    r.given = arena_array(arena, most, sizeof *r.given);
    if (read_arguments(&r, argc, argv) < 0 || read_environment(&r) < 0 || read_command(&r) < 0) {
        return -1;
    }
    if (!out->command && !out->help) {
        return error_set(err, ERROR_USAGE,
                         "no command: write deploy-action run <blue-green|canary|rolling> "
                         "<version>, or deploy-action --help");
    }
    if (out->command && !out->help && (read_rest(&r) < 0 || check_options(&r) < 0)) {
        return -1;
    }
    put_defaults(&r);
    return 0;
}
