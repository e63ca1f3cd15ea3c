/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include "arena.h"
#include "mask.h"

#include <string.h>
#include <strings.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
#define ZERO_WIDTH "\xE2\x80\x8B"  /* U+200B */

/* Length of the valid sequence at p and its code point, or 0 where it is no UTF-8:
 * overlong forms, surrogates and what lies beyond U+10FFFF are none (RFC 3629). */
static size_t utf8_step(const unsigned char *p, size_t left, uint32_t *point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (p[0] < 0x80) {
        *point = p[0];
        return 1;
    }
    size_t length = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || length > left) {
        return 0;
    }
    uint32_t value = p[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
        value = value << 6 | (p[i] & 0x3Fu);
    }
    if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
        return 0;
    }
    *point = value;
    return length;
}

size_t text_utf8_prefix(const char *text, size_t length, size_t *points)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t done = 0;
    uint32_t point;
    *points = 0;
    while (done < length) {
        size_t step = utf8_step(p + done, length - done, &point);
        if (step == 0) {
            break;
        }
        done += step;
        ++*points;
    }
    return done;
}

bool text_utf8_valid(const char *text, size_t length)
{
    size_t points;
    return text_utf8_prefix(text, length, &points) == length;
}

const char *text_clean(struct arena *arena, const char *text, size_t length, size_t max)
{
    const unsigned char *p = (const unsigned char *)text;
    struct buf out AUTO_BUF;
    buf_init(&out, max);
    for (size_t i = 0; i < length;) {
        uint32_t point = 0;
        size_t step = utf8_step(p + i, length - i, &point);
        bool kept = step > 0 && point != 0;
        const char *piece = kept ? text + i : REPLACEMENT;
        size_t size = kept ? step : strlen(REPLACEMENT);
        if (size > max - out.length) {
            break;
        }
        buf_add(&out, piece, size);
        i += step > 0 ? step : 1;
    }
    return arena_text_n(arena, out.data, out.length);
}

/* No secret is longer than this: of an answer of 8 MiB only the beginning is looked through. */
#define SECRET_MAX ((size_t)64 * 1024)

const char *text_shown(struct arena *arena, const char *text, size_t length, size_t max)
{
    struct buf masked AUTO_BUF;
    const size_t enough = max * 4 + SECRET_MAX;
    const bool cut = length > enough;
    length = cut ? enough : length;
    buf_init(&masked, length * 3);
    mask_apply(&masked, text, length, cut);
    const char *shown = text_clean(arena, masked.data, masked.length, max);
    explicit_bzero(masked.data, masked.length);
    return shown;
}

/* Code points that change how their neighbours are shown: controls, line separators and
 * the bidirectional overrides with which a text can be made to read as another. */
static bool unshowable(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x061C ||
           (point >= 0x200E && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
           (point >= 0x2066 && point <= 0x2069);
}

size_t text_unshowable(const char *text, uint32_t *point)
{
    uint32_t found = 0;
    if (*text >= ' ' && *text <= '~') {
        return 0; /* all of nearly every text */
    }
    size_t step = utf8_step((const unsigned char *)text, strnlen(text, 4), &found);
    if (step == 0 || !unshowable(found)) {
        return 0;
    }
    *point = found;
    return step;
}

/* Appends one code point as it may be seen, and gives its length in the input.
 * `slash` is what stands for a backslash in that place. */
static size_t add_shown(struct buf *out, const char *text, size_t left, const char *slash)
{
    const unsigned char *p = (const unsigned char *)text;
    uint32_t point = 0;
    size_t step = utf8_step(p, left, &point);
    if (step == 0) {
        buf_addf(out, "%sx%02x", slash, (unsigned)p[0]);
        return 1;
    }
    if (unshowable(point)) {
        buf_addf(out, point < 0x100 ? "%sx%02x" : "%su%04x", slash, (unsigned)point);
    } else {
        buf_add(out, text, step);
    }
    return step;
}

void text_to_terminal(struct buf *out, const char *text)
{
    size_t left = text != NULL ? strlen(text) : 0;
    while (left > 0) {
        size_t step = 1;
        if (*text == '\t') {
            buf_add(out, text, 1);
        } else {
            step = add_shown(out, text, left, "\\");
        }
        text += step;
        left -= step;
    }
}

void text_to_url(struct buf *out, const char *text)
{
    for (const char *p = text != NULL ? text : ""; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        bool kept = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '.' || c == '_' || c == '~';
        if (kept) {
            buf_add(out, p, 1);
        } else {
            buf_addf(out, "%%%02X", (unsigned)c);
        }
    }
}

static bool word_byte(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

/* "-5" and "+5" are numbers, "- 5" is a list. */
static bool digit_follows(const char *text)
{
    return (text[0] == '-' || text[0] == '+') && text[1] >= '0' && text[1] <= '9';
}

/* Marks that mean something only where a line begins: lists, headings under a line, and
 * GitLab's quick actions, which a comment of ours would carry out with our rights. */
static size_t add_line_start(struct buf *out, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (text[digits] == '\0') {
        return 0;
    }
    bool numbered = digits > 0 && strchr(".)", text[digits]) && strchr(" \t", text[digits + 1]);
    bool marked = digits == 0 && strchr("-+=/", text[0]) && !digit_follows(text);
    if (!numbered && !marked) {
        return 0;
    }
    buf_add(out, text, digits);
    buf_add(out, "\\", 1);
    buf_add(out, text + digits, 1);
    return digits + 1;
}

/* Characters that Markdown, HTML or the forge's own links give a meaning; 0: none. */
static size_t add_markdown(struct buf *out, const char *start, const char *text)
{
    char before = text > start ? text[-1] : ' ';
    switch (text[0]) {
    case '<':
        buf_adds(out, "&lt;");
        return 1;
    case '>':
        buf_adds(out, "&gt;");
        return 1;
    case '&':
        buf_adds(out, "&amp;");
        return 1;
    case '@': /* a mention is found after escapes are undone: only a gap prevents it */
        buf_adds(out, "@" ZERO_WIDTH);
        return 1;
    case '#':
        buf_adds(out, "\\#" ZERO_WIDTH);
        return 1;
    case '_': /* inside a word it is no emphasis: http_requests_total stays readable */
        buf_adds(out, word_byte(before) && word_byte(text[1]) ? "_" : "\\_");
        return 1;
    case ':':
        buf_adds(out, strncmp(text, "://", 3) == 0 ? "\\:" : ":");
        return 1;
    case '.':
        buf_adds(out, text - start >= 3 && strncasecmp(text - 3, "www", 3) == 0 ? "\\." : ".");
        return 1;
    case '\\':
    case '`':
    case '*':
    case '[':
    case ']':
    case '|':
    case '~':
    case '$':
        buf_add(out, "\\", 1);
        buf_add(out, text, 1);
        return 1;
    default:
        return 0;
    }
}

void text_to_markdown(struct buf *out, const char *text)
{
    if (text == NULL) {
        return;
    }
    text += strspn(text, " \t\r\n");
    size_t left = strlen(text);
    const char *start = text;
    size_t step = add_line_start(out, text);
    while (left > 0) {
        if (step == 0 && strchr("\t\r\n", *text) != NULL) {
            buf_add(out, " ", 1);
            step = 1;
        }
        if (step == 0) {
            step = add_markdown(out, start, text);
        }
        if (step == 0) {
            step = add_shown(out, text, left, "\\\\");
        }
        text += step;
        left -= step;
        step = 0;
    }
}
