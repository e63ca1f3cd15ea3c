/* SPDX-License-Identifier: Apache-2.0 */
#include "match.h"

#include <ctype.h>
#include <string.h>

#define ZERO_WIDTH "\xE2\x80\x8B" /* between the characters of a mention in Markdown */
#define SHELL_QUOTE "'\\''"       /* a quote between quotes */
#define SHELL_QUOTED "'\"'\"'"    /* the same, otherwise */
#define ELLIPSIS "\xE2\x80\xA6"

/* SLASHES_MAX: escaped so often, a text is none that anybody wrote. */
enum { CUT_MIN = 8, PART = 3, ENTITY_MAX = 8, SLASHES_MAX = 64 };

/* What is left of the text and of the value. */
struct walk {
    const unsigned char *text, *text_end, *value, *value_end;
};

/* Takes one byte of the value, as the text writes it; false: it stands for another one. */
typedef bool take(struct walk *walk);

static size_t text_left(const struct walk *walk)
{
    return (size_t)(walk->text_end - walk->text);
}

static bool follows(const struct walk *walk, const char *word)
{
    return text_left(walk) >= strlen(word) && memcmp(walk->text, word, strlen(word)) == 0;
}

static bool take_same(struct walk *walk)
{
    if (*walk->text != *walk->value) {
        return false;
    }
    walk->text++;
    walk->value++;
    return true;
}

/* The number that `count` hex (or octal) digits make; -1: other characters. */
static int number_of(const unsigned char *text, size_t count, int base)
{
    int number = 0;
    for (size_t i = 0; i < count; i++) {
        const char c = (char)(text[i] | 0x20);
        int digit = text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : -1;
        if (c >= 'a' && c <= 'f') {
            digit = c - 'a' + 10;
        }
        if (digit < 0 || digit >= base) {
            return -1;
        }
        number = number * base + digit;
    }
    return number;
}

/* `count` digits behind `skip` bytes that write the value's next byte as a number. */
static bool take_number(struct walk *walk, size_t skip, size_t count, int base)
{
    if (text_left(walk) < skip + count ||
        number_of(walk->text + skip, count, base) != *walk->value) {
        return false;
    }
    walk->text += skip + count;
    walk->value++;
    return true;
}

static bool take_percent(struct walk *walk)
{
    if (*walk->text == '%' && take_number(walk, 1, 2, 16)) {
        return true;
    }
    if (*walk->text == '+' && *walk->value == ' ') {
        walk->text++;
        walk->value++;
        return true;
    }
    return take_same(walk);
}

static size_t utf8_of(unsigned point, unsigned char out[static 4])
{
    if (point < 0x80) {
        out[0] = (unsigned char)point;
        return 1;
    }
    const size_t more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
    for (size_t i = more; i > 0; i--) {
        out[i] = (unsigned char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    out[0] = (unsigned char)(leads[more] | point);
    return more + 1;
}

static size_t slashes(const unsigned char *at, const unsigned char *end)
{
    size_t count = 0;
    while (count < SLASHES_MAX && at + count < end && at[count] == '\\') {
        count++;
    }
    return count;
}

/* `u00e9`, and two of them for a code point beyond 16 bits; the text stands at the `u`. */
static bool take_unicode(struct walk *walk)
{
    if (text_left(walk) < 5) {
        return false;
    }
    int point = number_of(walk->text + 1, 4, 16);
    size_t length = 5;
    if (point >= 0xD800 && point < 0xDC00) {
        const size_t second = length + slashes(walk->text + length, walk->text_end);
        if (text_left(walk) < second + 5 || walk->text[second] != 'u') {
            return false;
        }
        const int low = number_of(walk->text + second + 1, 4, 16);
        point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
        length = second + 5;
    }
    unsigned char bytes[4];
    const size_t size = point < 0 ? 0 : utf8_of((unsigned)point, bytes);
    if (size == 0 || (size_t)(walk->value_end - walk->value) < size ||
        memcmp(bytes, walk->value, size) != 0) {
        return false;
    }
    walk->text += length;
    walk->value += size;
    return true;
}

/* Behind a backslash, or several: what was escaped twice is looked through as well. */
static bool take_escape(struct walk *walk)
{
    static const char letters[] = "nrtbfvae0", meant[] = "\n\r\t\b\f\v\a\x1b";
    walk->text += slashes(walk->text, walk->text_end);
    if (walk->text == walk->text_end) {
        return true;
    }
    const char *letter = memchr(letters, *walk->text, sizeof(letters) - 1);
    if (letter != NULL && (unsigned char)meant[letter - letters] == *walk->value) {
        walk->text++;
        walk->value++;
        return true;
    }
    if ((*walk->text == 'u' && take_unicode(walk)) ||
        (*walk->text == 'x' && take_number(walk, 1, 2, 16)) || take_number(walk, 0, 3, 8)) {
        return true;
    }
    return take_same(walk);
}

static bool take_entity(struct walk *walk)
{
    static const struct {
        const char *text;
        char meant;
    } entities[] = {
        {"&amp;", '&'}, {"&lt;", '<'},    {"&gt;", '>'},   {"&quot;", '"'},
        {"&#34;", '"'}, {"&apos;", '\''}, {"&#39;", '\''}, {"&#x27;", '\''},
    };
    for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
        if (entities[i].meant == (char)*walk->value && follows(walk, entities[i].text)) {
            walk->text += strlen(entities[i].text);
            walk->value++;
            return true;
        }
    }
    return take_same(walk);
}

/* Escapes of JSON, C, shells, Markdown and HTML in any mixture. */
static bool take_escaped(struct walk *walk)
{
    if (*walk->value != (unsigned char)ZERO_WIDTH[0] && follows(walk, ZERO_WIDTH)) {
        walk->text += strlen(ZERO_WIDTH);
        return true;
    }
    if (*walk->value == '\\') {
        const size_t wanted = slashes(walk->value, walk->value_end);
        const size_t got = slashes(walk->text, walk->text_end);
        if (got < wanted && got < text_left(walk)) {
            return false;
        }
        walk->text += got;
        walk->value += got < wanted ? got : wanted;
        /* The last of them may have been the escape of the byte behind. */
        if (got > wanted && walk->value < walk->value_end) {
            (void)take_escape(walk);
        }
        return true;
    }
    if (*walk->value == '\'' && (follows(walk, SHELL_QUOTE) || follows(walk, SHELL_QUOTED))) {
        walk->text += follows(walk, SHELL_QUOTE) ? strlen(SHELL_QUOTE) : strlen(SHELL_QUOTED);
        walk->value++;
        return true;
    }
    if (*walk->text == '\\') {
        return take_escape(walk);
    }
    if (*walk->text == '&') {
        return take_entity(walk);
    }
    /* A text made one line; and a line's end as another system writes it. */
    if (*walk->value < ' ' && (*walk->text == ' ' || *walk->text == '\r')) {
        walk->value += *walk->text == '\r' ? 0 : 1;
        walk->text++;
        return true;
    }
    return take_same(walk);
}

/* What stands behind a piece that was cut to be shown. */
static bool was_cut(const struct walk *walk)
{
    return walk->text == walk->text_end || *walk->text == '\'' || *walk->text == '"' ||
           *walk->text < ' ' || follows(walk, ELLIPSIS);
}

static size_t match_by(take *one, struct slice value, struct slice text, bool cut)
{
    const unsigned char *text_at = (const unsigned char *)text.data;
    const unsigned char *value_at = (const unsigned char *)value.data;
    struct walk walk = {text_at, text_at + text.length, value_at, value_at + value.length};
    for (struct walk next = walk; next.value < next.value_end && next.text < next.text_end;) {
        if (!one(&next)) {
            break;
        }
        walk = next;
    }
    const size_t found = (size_t)(walk.value - value_at);
    const bool whole = walk.value == walk.value_end;
    const bool ended = cut && found > 0 && walk.text == walk.text_end;
    const bool part = found >= CUT_MIN && (was_cut(&walk) || found * PART >= value.length);
    return whole || ended || part ? (size_t)(walk.text - text_at) : 0;
}

/* An escape that opens a match must be one: `\n` before the secret `name` is none. */
static bool opens(struct slice value, struct slice text)
{
    if (text.data[0] != '\\' || value.data[0] == '\\') {
        return true;
    }
    const unsigned char *at = (const unsigned char *)text.data;
    const size_t count = slashes(at, at + text.length);
    const char after = count < text.length ? text.data[count] : 'x';
    return after != value.data[0] || !isalnum((unsigned char)after);
}

size_t match_form(struct slice form, struct slice text, bool exact, bool cut)
{
    size_t longest = match_by(take_same, form, text, cut);
    if (exact) {
        return longest;
    }
    const size_t percent = match_by(take_percent, form, text, cut);
    longest = percent > longest ? percent : longest;
    const size_t escaped = opens(form, text) ? match_by(take_escaped, form, text, cut) : 0;
    return escaped > longest ? escaped : longest;
}
