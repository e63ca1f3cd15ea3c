/* SPDX-License-Identifier: Apache-2.0 */
#include "shape.h"

#include "mask.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define SPACES " \t\r\n"

enum {
    JWT_PART_MIN = 10,
    LONE_USER_MIN = 20,
    BEARER_MIN = 16,
    SCHEMELESS_MIN = 8,
    NAME_MAX_SHOWN = 63
};

/* What it begins with, how many of its own characters make it one, and which these are. */
struct token {
    const char *prefix;
    size_t least;
    const char *own;
};

static const char wide[] = LETTERS DIGITS "_-/", plain[] = LETTERS DIGITS;
static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS;
static const char url64[] = LETTERS DIGITS "_-";

static const struct token tokens[] = {
    {"ghp_", 8, wide},     {"gho_", 8, wide},        {"ghs_", 8, wide},
    {"ghu_", 8, wide},     {"ghr_", 8, wide},        {"github_pat_", 8, wide},
    {"glpat-", 8, wide},   {"xoxb-", 8, wide},       {"xoxp-", 8, wide},
    {"xoxa-", 8, wide},    {"xoxs-", 8, wide},       {"xapp-", 8, wide},
    {"AKIA", 12, upper},   {"ASIA", 12, upper},      {"hooks.slack.com/", 1, wide},
    {"npm_", 36, plain},   {"pypi-AgEI", 16, url64}, {"dop_v1_", 16, plain},
    {"hvs.", 16, url64},   {"AIza", 30, url64},      {"ya29.", 16, url64},
    {"sk_live_", 8, wide}, {"rk_live_", 8, wide},
};

static size_t run_of(struct slice text, size_t at, const char *accepted)
{
    size_t length = 0;
    while (at + length < text.length && text.data[at + length] != '\0' &&
           strchr(accepted, text.data[at + length]) != NULL) {
        length++;
    }
    return length;
}

static size_t run_without(struct slice text, size_t at, const char *stops)
{
    size_t length = 0;
    while (at + length < text.length && text.data[at + length] != '\0' &&
           strchr(stops, text.data[at + length]) == NULL) {
        length++;
    }
    return length;
}

static bool holds_at(struct slice text, size_t at, const char *word)
{
    const size_t length = strlen(word);
    return at <= text.length && text.length - at >= length &&
           strncasecmp(text.data + at, word, length) == 0;
}

static bool inside_word(struct slice text, size_t at)
{
    return at > 0 && isalnum((unsigned char)text.data[at - 1]);
}

static bool token_at(struct slice text, size_t at, struct span *out)
{
    if (inside_word(text, at)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        if (tokens[i].prefix[0] != text.data[at]) {
            continue; /* all of nearly every text */
        }
        const size_t length = strlen(tokens[i].prefix);
        if (text.length - at < length || memcmp(text.data + at, tokens[i].prefix, length) != 0) {
            continue;
        }
        const size_t own = run_of(text, at + length, tokens[i].own);
        if (own >= tokens[i].least) {
            *out = (struct span){at, at + length + own};
            return true;
        }
    }
    return false;
}

/* Three parts of base64 with dots between them, the first of which begins with `{"`. It does
 * not begin within such a part: else each beginning in a long one would be followed to its end. */
static bool jwt_at(struct slice text, size_t at, struct span *out)
{
    size_t end = at;
    const char before = at > 0 ? text.data[at - 1] : '\0';
    if (!holds_at(text, at, "eyJ") || (before != '\0' && strchr(url64, before) != NULL)) {
        return false;
    }
    for (int part = 0; part < 2; part++) {
        const size_t length = run_of(text, end, url64);
        if (length < JWT_PART_MIN || end + length >= text.length ||
            text.data[end + length] != '.') {
            return false;
        }
        end += length + 1;
    }
    *out = (struct span){at, end + run_of(text, end, url64)};
    return true;
}

/* `scheme://user:password@host`; a password that is `$NAME` for the shell is none, and a
 * user alone is one where it is so long that nobody is called that. */
static bool password_at(struct slice text, size_t at, struct span *out)
{
    if (!holds_at(text, at, "://")) {
        return false;
    }
    const size_t start = at + 3, length = run_without(text, start, "/?#\"'<>" SPACES);
    const char *host = memrchr(text.data + start, '@', length);
    const size_t info = host != NULL ? (size_t)(host - text.data) - start : 0;
    const char *colon = memchr(text.data + start, ':', info);
    const size_t from = colon != NULL ? (size_t)(colon - text.data) + 1 : start;
    const size_t own = start + info - from;
    if (host == NULL || own == 0 || text.data[from] == '$' ||
        (colon == NULL && own < LONE_USER_MIN)) {
        return false;
    }
    *out = (struct span){from, start + info};
    return true;
}

/* Up to the line that ends it; what was cut off goes up to the end. */
static bool private_key_at(struct slice text, size_t at, struct span *out)
{
    static const char begin[] = "-----BEGIN ", end[] = "-----END ", last[] = "-----";
    if (!holds_at(text, at, begin)) {
        return false;
    }
    const char *kind = text.data + at + strlen(begin);
    const size_t left = text.length - at - strlen(begin);
    const size_t name = run_of(text, at + strlen(begin), "ABCDEFGHIJKLMNOPQRSTUVWXYZ ");
    if (memmem(kind, name, "PRIVATE KEY", 11) == NULL) {
        return false;
    }
    const char *stop = memmem(kind, left, end, strlen(end));
    size_t to = text.length;
    if (stop != NULL) {
        const size_t after = (size_t)(stop - text.data) + strlen(end);
        const char *close = memmem(text.data + after, text.length - after, last, strlen(last));
        to = close != NULL ? (size_t)(close - text.data) + strlen(last) : to;
    }
    *out = (struct span){at, to};
    return true;
}

/* What stands behind `name:` or `name=`, perhaps in quotes that JSON has escaped. */
static bool value_at(struct slice text, size_t at, const char *stops, struct span *out)
{
    at += run_of(text, at, " ");
    const size_t quote = at + run_of(text, at, "\\");
    if (quote < text.length && (text.data[quote] == '"' || text.data[quote] == '\'')) {
        at = quote + 1;
        stops = text.data[quote] == '"' ? "\"\n" : "'\n";
    }
    *out = (struct span){at, at + run_without(text, at, stops)};
    while (out->to > out->from && text.data[out->to - 1] == '\\') {
        out->to--;
    }
    /* A variable of the shell, and what somebody hid already. */
    return out->to > out->from && text.data[out->from] != '$' && !holds_at(text, at, "***") &&
           !holds_at(text, at, "\xE2\x80\xA6");
}

static size_t scheme_at(struct slice text, size_t at)
{
    static const char *const schemes[] = {"bearer ", "basic ",     "token ",   "digest ",
                                          "apikey ", "negotiate ", "private ", NULL};
    for (size_t i = 0; schemes[i] != NULL; i++) {
        if (holds_at(text, at, schemes[i])) {
            return strlen(schemes[i]);
        }
    }
    return 0;
}

/* `Authorization: Bearer x`; what is short and no scheme may be a sentence. */
static bool authorization_at(struct slice text, size_t at, struct span *out)
{
    static const char name[] = "authorization";
    if (!holds_at(text, at, name)) {
        return false;
    }
    at += strlen(name);
    at += run_of(text, at, "\"'\\");
    const size_t gap = run_of(text, at, ":=");
    at += gap + run_of(text, at + gap, "\"'\\ ");
    const size_t scheme = scheme_at(text, at);
    return gap > 0 && value_at(text, at + scheme, "\"'," SPACES, out) &&
           (scheme > 0 || out->to - out->from >= SCHEMELESS_MIN);
}

/* Without the name of the header it must look like more than a word of a sentence. */
static bool bearer_at(struct slice text, size_t at, struct span *out)
{
    static const char name[] = "bearer ";
    if (inside_word(text, at) || !holds_at(text, at, name)) {
        return false;
    }
    const size_t from = at + strlen(name), own = run_of(text, from, LETTERS DIGITS "._~+/=-");
    bool digit = false;
    for (size_t i = 0; i < own; i++) {
        digit = digit || isdigit((unsigned char)text.data[from + i]);
    }
    *out = (struct span){from, from + own};
    return own >= BEARER_MIN || (digit && own >= 8);
}

static bool cookie_at(struct slice text, size_t at, struct span *out)
{
    static const char name[] = "cookie: ";
    if (!holds_at(text, at, name)) {
        return false;
    }
    const size_t from = at + strlen(name);
    *out = (struct span){from, from + run_without(text, from, "\"'\r\n")};
    return out->to > out->from && !holds_at(text, from, "***");
}

bool mask_is_name(const char *name, size_t length)
{
    static const char *const words[] = {"token",       "password",   "passwd",  "secret",
                                        "api-key",     "apikey",     "webhook", "webhook-url",
                                        "private-key", "access-key", "bearer",  "credentials"};
    char own[NAME_MAX_SHOWN + 1];
    if (length > NAME_MAX_SHOWN) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        own[i] = name[i] == '_' ? '-' : (char)tolower((unsigned char)name[i]);
    }
    own[length] = '\0';
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const size_t size = strlen(words[i]);
        if (size <= length && text_equal(own + length - size, words[i]) &&
            (size == length || own[length - size - 1] == '-')) {
            return true;
        }
    }
    return false;
}

/* `token=x`, `"token": "x"` and `x-token: x`; in prose a name before a colon is a word. */
static bool named_at(struct slice text, size_t at, struct span *out)
{
    const bool equal = text.data[at] == '=';
    const bool quoted = at > 0 && (text.data[at - 1] == '"' || text.data[at - 1] == '\'');
    size_t end = at - (quoted ? 1U : 0U);
    bool compound = false;
    while (quoted && end > 0 && text.data[end - 1] == '\\') {
        end--;
    }
    size_t from = end;
    while (from > 0 && (isalnum((unsigned char)text.data[from - 1]) ||
                        strchr("_-", text.data[from - 1]) != NULL)) {
        from--;
        compound = compound || !isalnum((unsigned char)text.data[from]);
    }
    if (end == from || !mask_is_name(text.data + from, end - from)) {
        return false;
    }
    if (equal) {
        return !holds_at(text, at + 1, "=") && !holds_at(text, at + 1, " ") &&
               value_at(text, at + 1, "\"'&;,)}]<>" SPACES, out);
    }
    const size_t next = at + 1 + run_of(text, at + 1, " \\");
    const bool text_follows =
        next < text.length && (text.data[next] == '"' || text.data[next] == '\'');
    return ((quoted && text_follows) || (compound && next > at + 1)) &&
           value_at(text, at + 1, "\"'," SPACES, out);
}

bool shape_at(struct slice text, size_t at, struct span *out)
{
    switch (text.data[at]) {
    case ':':
        return password_at(text, at, out) || named_at(text, at, out);
    case '=':
        return named_at(text, at, out);
    case '-':
        return private_key_at(text, at, out);
    case 'e':
        return jwt_at(text, at, out);
    case 'b':
    case 'B':
        return bearer_at(text, at, out);
    case 'c':
    case 'C':
        return cookie_at(text, at, out);
    case 'a':
        return authorization_at(text, at, out);
    case 'A':
        return authorization_at(text, at, out) || token_at(text, at, out);
    default:
        return token_at(text, at, out);
    }
}

bool mask_is_secret(const char *text)
{
    const struct slice whole = {text, text != NULL ? strlen(text) : 0};
    struct span found;
    for (size_t i = 0; i < whole.length; i++) {
        if (token_at(whole, i, &found) || jwt_at(whole, i, &found) ||
            password_at(whole, i, &found) || private_key_at(whole, i, &found)) {
            return true;
        }
    }
    return false;
}
