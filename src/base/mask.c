/* SPDX-License-Identifier: Apache-2.0 */
#include "mask.h"

#include "arena.h"

#include <stdlib.h>
#include <string.h>

/* Shorter texts stand everywhere: masking them would hide the log, not the secret. */
enum { MASK_MIN = 4, LINE_MIN = 8 };

static bool add_form(struct masks *masks, const char *text, size_t length)
{
    if (length < MASK_MIN) {
        return false;
    }
    for (size_t i = 0; i < masks->count; i++) {
        if (masks->items[i].length == length && memcmp(masks->items[i].text, text, length) == 0) {
            return false;
        }
    }
    if (masks->count == masks->capacity) {
        masks->capacity = masks->capacity == 0 ? 16 : masks->capacity * 2;
        masks->items = memory_resize(masks->items, masks->capacity * sizeof *masks->items);
    }
    struct mask *mask = &masks->items[masks->count++];
    *mask = (struct mask){memory_alloc(length), length};
    memcpy(mask->text, text, length);
    masks->starts[(unsigned char)text[0]] = true;
    return true;
}

/* A key of many lines is most often printed line by line. */
static void add_lines(struct masks *masks, const char *value)
{
    while (*value != '\0') {
        size_t length = strcspn(value, "\r\n");
        if (length >= LINE_MIN) {
            add_form(masks, value, length);
        }
        value += length + (value[length] != '\0');
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

/* Base64 writes the same bytes in three ways, by where they stand in the text. Of each way
 * only those letters are fixed in which no bit of a neighbour takes part. */
static void add_base64(struct masks *masks, const char *value, const char *letters)
{
    size_t length = strlen(value);
    unsigned char *shifted = memory_alloc(length + 2);
    struct buf text AUTO_BUF;
    buf_init(&text, length * 2 + 16);
    memset(shifted, 0, 2);
    memcpy(shifted + 2, value, length);
    for (size_t shift = 0; shift < 3; shift++) {
        buf_clear(&text);
        encode64(&text, shifted + 2 - shift, length + shift, letters);
        size_t from = (shift * 8 + 5) / 6, to = (shift + length) * 8 / 6;
        add_form(masks, text.data + from, to - from);
        if (shift == 0) {
            add_form(masks, text.data, text.length);
            add_form(masks, text.data, (length * 8 + 5) / 6);
        }
    }
    explicit_bzero(shifted, length + 2);
    explicit_bzero(text.data, text.length);
    free(shifted);
}

bool masks_add(struct masks *masks, const char *value)
{
    static const char standard[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char for_urls[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if (value == NULL || !add_form(masks, value, strlen(value))) {
        return false;
    }
    add_lines(masks, value);
    add_base64(masks, value, standard);
    add_base64(masks, value, for_urls);
    struct buf url AUTO_BUF;
    buf_init(&url, strlen(value) * 3);
    text_to_url(&url, value);
    add_form(masks, url.data, url.length);
    explicit_bzero(url.data, url.length);
    return true;
}

/* How many bytes from `text` on are covered by the longest mask that matches here. */
static size_t covered(const struct masks *masks, const char *text, size_t left, bool cut)
{
    size_t longest = 0;
    if (!masks->starts[(unsigned char)text[0]]) {
        return 0;
    }
    for (size_t i = 0; i < masks->count; i++) {
        size_t length = masks->items[i].length;
        if (length > left) {
            length = cut ? left : 0;
        }
        if (length > longest && memcmp(masks->items[i].text, text, length) == 0) {
            longest = length;
        }
    }
    return longest;
}

void masks_apply(const struct masks *masks, const char *text, size_t length, bool cut,
                 struct buf *out)
{
    size_t end = 0; /* of what the masks seen so far cover; masks may overlap */
    for (size_t i = 0; i < length; i++) {
        bool inside = i > 0 && i <= end && end > 0;
        size_t more = covered(masks, text + i, length - i, cut);
        if (more > 0 && !inside) {
            buf_add(out, "***", 3);
        }
        if (more > 0 && i + more > end) {
            end = i + more;
        }
        if (i >= end) {
            buf_add(out, text + i, 1);
        }
    }
}

void masks_release(struct masks *masks)
{
    for (size_t i = 0; i < masks->count; i++) {
        explicit_bzero(masks->items[i].text, masks->items[i].length);
        free(masks->items[i].text);
    }
    free(masks->items);
    *masks = (struct masks){0};
}
