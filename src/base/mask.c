/* SPDX-License-Identifier: Apache-2.0 */
#include "mask.h"

#include "arena.h"
#include "match.h"
#include "shape.h"

#include <stdlib.h>
#include <string.h>

/* LINE_MIN: shorter lines of a value of many stand everywhere, unless they are much of it. */
enum { LINE_MIN = 8, LINE_PART = 4 };

/* One form of a secret. */
struct mask {
    char *text;
    size_t length;
    bool exact;  /* an encoding; what is not is looked for behind escapes, too */
    size_t next; /* of the same first byte; its number, 0: none */
};

static struct {
    struct mask *items;
    size_t count, capacity;
    size_t first[256]; /* by the first byte: a number, which is an index and 1; 0: none */
} known;

static bool is_known(struct slice form, bool exact)
{
    for (size_t i = 0; i < known.count; i++) {
        const struct mask *mask = &known.items[i];
        if (mask->length == form.length && mask->exact == exact &&
            memcmp(mask->text, form.data, form.length) == 0) {
            return true;
        }
    }
    return false;
}

static bool add_form(struct slice form, bool exact)
{
    if (form.length < MASK_MIN || is_known(form, exact)) {
        return false;
    }
    if (known.count == known.capacity) {
        known.capacity = known.capacity == 0 ? 16 : known.capacity * 2;
        known.items = memory_resize(known.items, known.capacity * sizeof *known.items);
    }
    size_t *first = &known.first[(unsigned char)form.data[0]];
    struct mask *mask = &known.items[known.count++];
    *mask = (struct mask){memory_alloc(form.length), form.length, exact, *first};
    memcpy(mask->text, form.data, form.length);
    *first = known.count;
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice trimmed(struct slice text)
{
    while (text.length > 0 && is_space(text.data[0])) {
        text.data++;
        text.length--;
    }
    while (text.length > 0 && is_space(text.data[text.length - 1])) {
        text.length--;
    }
    return text;
}

/* A key of many lines is most often printed line by line. */
static void add_lines(struct slice value)
{
    for (size_t at = 0; at < value.length;) {
        size_t length = 0;
        while (at + length < value.length && strchr("\r\n", value.data[at + length]) == NULL) {
            length++;
        }
        const struct slice line = trimmed((struct slice){value.data + at, length});
        if (line.length >= LINE_MIN || line.length * LINE_PART >= value.length) {
            add_form(line, false);
        }
        at += length + 1;
    }
}

static void encode64(struct buf *out, const unsigned char *data, size_t length, const char *letters)
{
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        unsigned group = (unsigned)data[i] << 16 | (left > 1 ? (unsigned)data[i + 1] << 8 : 0) |
                         (left > 2 ? (unsigned)data[i + 2] : 0);
        char four[4] = {letters[group >> 18], letters[group >> 12 & 63], '=', '='};
        if (left > 1) {
            four[2] = letters[group >> 6 & 63];
        }
        if (left > 2) {
            four[3] = letters[group & 63];
        }
        buf_add(out, four, sizeof four);
    }
}

/* As mail and base64(1) break it. */
static void add_broken(struct slice text, size_t width)
{
    for (size_t at = 0; text.length > width && at < text.length; at += width) {
        const size_t left = text.length - at;
        const size_t length = left < width ? left : width;
        if (length >= LINE_MIN) {
            add_form((struct slice){text.data + at, length}, true);
        }
    }
}

/* Base64 writes the same bytes in three ways, by where they stand in the text. Of each way
 * only those letters are fixed in which no bit of a neighbour takes part. */
static void add_base64(struct slice value, const char *letters)
{
    const size_t length = value.length;
    unsigned char *shifted = memory_alloc(length + 2);
    struct buf text AUTO_BUF;
    buf_init(&text, length * 2 + 16);
    memset(shifted, 0, 2);
    memcpy(shifted + 2, value.data, length);
    for (size_t shift = 0; shift < 3; shift++) {
        buf_clear(&text);
        encode64(&text, shifted + 2 - shift, length + shift, letters);
        size_t from = (shift * 8 + 5) / 6, to = (shift + length) * 8 / 6;
        add_form((struct slice){text.data + from, to - from}, true);
        if (shift == 0) {
            add_form((struct slice){text.data, text.length}, true);
            add_form((struct slice){text.data, (length * 8 + 5) / 6}, true);
            add_broken((struct slice){text.data, text.length}, 76);
            add_broken((struct slice){text.data, text.length}, 64);
        }
    }
    explicit_bzero(shifted, length + 2);
    explicit_bzero(text.data, text.length);
    free(shifted);
}

static void add_hex(struct slice value, const char *digits)
{
    struct buf text AUTO_BUF;
    buf_init(&text, value.length * 2);
    for (size_t i = 0; i < value.length; i++) {
        const unsigned char byte = (unsigned char)value.data[i];
        buf_add(&text, &digits[byte >> 4], 1);
        buf_add(&text, &digits[byte & 15], 1);
    }
    add_form((struct slice){text.data, text.length}, true);
    explicit_bzero(text.data, text.length);
}

static void add_encodings(struct slice value)
{
    static const char standard[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char for_urls[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    add_base64(value, standard);
    add_base64(value, for_urls);
    add_hex(value, "0123456789abcdef");
    add_hex(value, "0123456789ABCDEF");
}

bool mask_add(const char *value)
{
    const struct slice whole = {value, value != NULL ? strlen(value) : 0};
    const struct slice inner = trimmed(whole);
    if (!add_form(inner, false)) {
        return false;
    }
    add_lines(inner);
    add_encodings(inner);
    if (inner.length != whole.length) {
        add_encodings(whole); /* `echo "$TOKEN" | base64` takes the line's end along */
    }
    return true;
}

/* How many bytes from `text` on are covered by the longest form that matches here. */
static size_t covered(struct slice text, bool cut)
{
    const bool opener = strchr(MATCH_OPENERS, text.data[0]) != NULL;
    const size_t first = known.first[(unsigned char)text.data[0]];
    size_t longest = 0;
    for (size_t i = opener ? known.count : first; i > 0;) {
        const struct mask *mask = &known.items[i - 1];
        const struct slice form = {mask->text, mask->length};
        const size_t length = match_form(form, text, mask->exact, cut);
        longest = length > longest ? length : longest;
        i = opener ? i - 1 : mask->next;
    }
    return longest;
}

static void hide_known(struct buf *out, struct slice text, bool cut)
{
    size_t end = 0; /* of what the forms seen so far cover; they may overlap */
    for (size_t i = 0; i < text.length; i++) {
        bool inside = i > 0 && i <= end && end > 0;
        size_t more = covered((struct slice){text.data + i, text.length - i}, cut);
        if (more > 0 && !inside) {
            buf_add(out, "***", 3);
        }
        if (more > 0 && i + more > end) {
            end = i + more;
        }
        if (i >= end) {
            buf_add(out, text.data + i, 1);
        }
    }
}

static void hide_shapes(struct buf *out, struct slice text)
{
    size_t done = 0;
    for (size_t i = 0; i < text.length;) {
        struct span span = {i, i};
        if (!shape_at(text, i, &span)) {
            i++;
            continue;
        }
        buf_add(out, text.data + done, span.from - done);
        buf_adds(out, "***");
        done = i = span.to;
    }
    if (done < text.length) { /* else there may be no text at all */
        buf_add(out, text.data + done, text.length - done);
    }
}

void mask_apply(struct buf *out, const char *text, size_t length, bool cut)
{
    struct buf half AUTO_BUF;
    buf_init(&half, length * 3);
    if (known.count == 0) {
        hide_shapes(out, (struct slice){text, length});
        return;
    }
    hide_known(&half, (struct slice){text, length}, cut);
    hide_shapes(out, (struct slice){half.data, half.length});
    explicit_bzero(half.data, half.length);
}

const char *mask_text(struct arena *arena, const char *text)
{
    const size_t length = text != NULL ? strlen(text) : 0;
    struct buf out AUTO_BUF;
    buf_init(&out, length * 3);
    mask_apply(&out, text, length, false);
    if (text == NULL || strcmp(text, out.data) == 0) {
        return text;
    }
    return arena_text_n(arena, out.data, out.length);
}

void mask_forget(void)
{
    for (size_t i = 0; i < known.count; i++) {
        explicit_bzero(known.items[i].text, known.items[i].length);
        free(known.items[i].text);
    }
    free(known.items);
    memset(&known, 0, sizeof known);
}
