/* SPDX-License-Identifier: Apache-2.0 */
#include "openmetrics.h"

#include "arena.h"
#include "text.h"

#include <ctype.h>
#include <string.h>

#define PATTERN_MAX 500
#define REPEATS_MAX 1000

struct scanner {
    const char *text, *at;
    struct arena *arena;
};

static void skip_blanks(struct scanner *scanner)
{
    while (isspace((unsigned char)*scanner->at)) {
        scanner->at++;
    }
}

static int broken(const struct scanner *scanner, const char *what, struct error *err)
{
    return error_set(err, ERROR_CONFIG, "selector '%.200s': %s at '%.30s'", scanner->text, what,
                     *scanner->at != '\0' ? scanner->at : "its end");
}

static bool name_byte(char byte, bool first, bool colon)
{
    return isalpha((unsigned char)byte) || byte == '_' || (colon && byte == ':') ||
           (!first && isdigit((unsigned char)byte));
}

static int read_name(struct scanner *scanner, bool colon, const char **out, struct error *err)
{
    const char *start = scanner->at;
    while (name_byte(*scanner->at, scanner->at == start, colon)) {
        scanner->at++;
    }
    if (scanner->at == start) {
        return broken(scanner, "a name is missing", err);
    }
    *out = arena_text_n(scanner->arena, start, (size_t)(scanner->at - start));
    return 0;
}

static int read_operator(struct scanner *scanner, enum om_match *out, struct error *err)
{
    static const struct {
        const char *sign;
        enum om_match match;
    } signs[] = {{"=~", OM_LIKE}, {"!~", OM_UNLIKE}, {"!=", OM_UNEQUAL}, {"=", OM_EQUAL}};
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (text_starts(scanner->at, signs[i].sign)) {
            scanner->at += strlen(signs[i].sign);
            *out = signs[i].match;
            return 0;
        }
    }
    return broken(scanner, "one of = != =~ !~ is missing", err);
}

static int read_quoted(struct scanner *scanner, const char **out, struct error *err)
{
    const char quote = *scanner->at;
    if (quote != '"' && quote != '\'') {
        return broken(scanner, "a quoted text is missing", err);
    }
    char *value = arena_alloc(scanner->arena, strlen(scanner->at) + 1);
    size_t length = 0;
    for (scanner->at++; *scanner->at != quote; scanner->at++) {
        const bool escaped = *scanner->at == '\\';
        scanner->at += escaped;
        if (escaped && (*scanner->at == '\0' || !strchr("\\\"'n", *scanner->at))) {
            return broken(scanner, "an escape other than \\\\ \\\" \\' \\n", err);
        }
        if (*scanner->at == '\0') {
            return broken(scanner, "the closing quote is missing", err);
        }
        value[length++] = escaped && *scanner->at == 'n' ? '\n' : *scanner->at;
    }
    scanner->at++;
    *out = value;
    return 0;
}

static int read_matcher(struct scanner *scanner, struct om_selector *out, struct error *err)
{
    if (out->count == OM_LABELS_MAX) {
        return broken(scanner, "more matchers than labels can be", err);
    }
    struct om_matcher *matcher = &out->matchers[out->count];
    skip_blanks(scanner);
    if (read_name(scanner, false, &matcher->label, err) != 0) {
        return -1;
    }
    skip_blanks(scanner);
    if (read_operator(scanner, &matcher->match, err) != 0) {
        return -1;
    }
    skip_blanks(scanner);
    if (read_quoted(scanner, &matcher->value, err) != 0) {
        return -1;
    }
    skip_blanks(scanner);
    out->count++;
    return 0;
}

static int read_matchers(struct scanner *scanner, struct om_selector *out, struct error *err)
{
    out->matchers = arena_array(scanner->arena, OM_LABELS_MAX, sizeof(*out->matchers));
    scanner->at++;
    skip_blanks(scanner);
    while (*scanner->at != '}') {
        if (read_matcher(scanner, out, err) != 0) {
            return -1;
        }
        if (*scanner->at == ',') {
            scanner->at++;
            skip_blanks(scanner);
        } else if (*scanner->at != '}') {
            return broken(scanner, "`,` or `}` is missing", err);
        }
    }
    scanner->at++;
    return 0;
}

int om_selector_parse(const char *text, struct arena *arena, struct om_selector *out,
                      struct error *err)
{
    struct scanner scanner = {text, text, arena};
    *out = (struct om_selector){.name = NULL};
    skip_blanks(&scanner);
    if (read_name(&scanner, true, &out->name, err) != 0) {
        return -1;
    }
    skip_blanks(&scanner);
    if (*scanner.at == '{' && read_matchers(&scanner, out, err) != 0) {
        return -1;
    }
    skip_blanks(&scanner);
    if (*scanner.at != '\0') {
        return broken(&scanner,
                      "only name{label=\"x\",…} can stand here, an expression goes "
                      "into `value`: it goes on",
                      err);
    }
    return 0;
}

/* The end of `[…]`; NULL where the two languages read it differently, or there is none. */
static const char *bracket_end(const char *at)
{
    at += at[1] == '^' ? 2 : 1;
    at += *at == ']';
    while (*at != ']') {
        if (*at == '\0' || *at == '[' || *at == '\\') {
            return NULL;
        }
        at++;
    }
    return at;
}

/* The end of `{2}` or `{1,3}`. Counts within counts multiply, and make large automata. */
static const char *count_end(const char *at, size_t *repeats)
{
    size_t number = 0, digits = 0, most = 1;
    bool comma = false;
    for (at++; *at != '}'; at++) {
        if (*at == ',' && !comma && digits > 0) {
            comma = true;
            number = digits = 0;
            continue;
        }
        if (!isdigit((unsigned char)*at) || ++digits > 2) {
            return NULL;
        }
        number = number * 10 + (size_t)(*at - '0');
        most = number > most ? number : most;
    }
    *repeats *= most;
    return (digits > 0 || comma) && *repeats <= REPEATS_MAX ? at : NULL;
}

/* RE2, which users know from Prometheus, and POSIX agree on much. NULL, or where they do not. */
static const char *strange_part(const char *pattern)
{
    size_t groups = 0, repeats = 1;
    bool operand = false; /* what stands before can be repeated */
    for (const char *at = pattern, *end; *at != '\0'; at = end + 1) {
        const bool repeat = strchr("*+?{", *at) != NULL;
        end = *at == '['    ? bracket_end(at)
              : *at == '{'  ? count_end(at, &repeats)
              : *at == '\\' ? at + 1
                            : at;
        const bool letter = *at == '\\' && (isalnum((unsigned char)at[1]) || at[1] == '\0');
        const bool closed = *at == ')' && groups == 0;
        if (!end || letter || closed || (repeat && !operand) || *at == '}') {
            return at;
        }
        groups = groups + (*at == '(') - (*at == ')');
        operand = !repeat && strchr("(|^$", *at) == NULL;
    }
    return groups > 0 ? strchr(pattern, '(') : NULL;
}

static int compile_one(struct om_matcher *matcher, struct error *err)
{
    char anchored[PATTERN_MAX + 8];
    const size_t length = strlen(matcher->value);
    const char *strange = strange_part(matcher->value);
    if (strange) {
        return error_set(err, ERROR_CONFIG,
                         "the pattern '%.200s' is not understood here at "
                         "'%.20s' (use . .* .+ | [0-9] groups and {2})",
                         matcher->value, strange);
    }
    if (length > PATTERN_MAX) {
        return error_set(err, ERROR_CONFIG, "the pattern '%.60s…' is longer than %d bytes",
                         matcher->value, PATTERN_MAX);
    }
    memcpy(anchored, "^(", 2);
    memcpy(anchored + 2, matcher->value, length);
    memcpy(anchored + 2 + length, ")$", 3);
    const int code = regcomp(&matcher->pattern, anchored, REG_EXTENDED | REG_NOSUB);
    if (code != 0) {
        char text[128];
        regerror(code, &matcher->pattern, text, sizeof(text));
        return error_set(err, ERROR_CONFIG, "the pattern '%.200s': %s", matcher->value, text);
    }
    matcher->compiled = true;
    return 0;
}

int om_selector_compile(struct om_selector *selector, struct error *err)
{
    for (size_t i = 0; i < selector->count; i++) {
        struct om_matcher *matcher = &selector->matchers[i];
        const bool pattern = matcher->match == OM_LIKE || matcher->match == OM_UNLIKE;
        if (pattern && !matcher->compiled && compile_one(matcher, err) != 0) {
            return -1;
        }
    }
    return 0;
}

void om_selector_release(struct om_selector *selector)
{
    for (size_t i = 0; i < selector->count; i++) {
        if (selector->matchers[i].compiled) {
            regfree(&selector->matchers[i].pattern);
            selector->matchers[i].compiled = false;
        }
    }
}

static bool matches(const struct om_matcher *matcher, const char *value)
{
    switch (matcher->match) {
    case OM_EQUAL:
        return strcmp(matcher->value, value) == 0;
    case OM_UNEQUAL:
        return strcmp(matcher->value, value) != 0;
    case OM_LIKE:
        return regexec(&matcher->pattern, value, 0, NULL, 0) == 0;
    case OM_UNLIKE:
        return regexec(&matcher->pattern, value, 0, NULL, 0) != 0;
    }
    return false;
}

/* OpenMetrics writes the counter `requests` as `requests_total`. */
enum om_selected om_named(const char *asked, const char *name)
{
    const size_t length = strlen(asked);
    if (strncmp(asked, name, length) != 0) {
        return OM_NOT;
    }
    if (name[length] == '\0') {
        return OM_EXACTLY;
    }
    return strcmp(name + length, "_total") == 0 ? OM_AS_TOTAL : OM_NOT;
}

enum om_selected om_selects(const struct om_selector *selector, const struct om_sample *sample)
{
    const enum om_selected selected = om_named(selector->name, sample->name);
    for (size_t i = 0; selected != OM_NOT && i < selector->count; i++) {
        const struct om_matcher *matcher = &selector->matchers[i];
        if (!matches(matcher, om_label_of(sample, matcher->label))) {
            return OM_NOT;
        }
    }
    return selected;
}
