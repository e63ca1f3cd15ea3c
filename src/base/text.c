/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an empty buffer shows; never written to. */
static char nothing[1];

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.data = nothing, .max = max};
}

void buf_release(struct buf *buf)
{
    if (buf->capacity > 0) {
        free(buf->data);
    }
    buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
    if (buf->capacity > 0) {
        buf->data[0] = '\0';
    }
    buf->length = 0;
    buf->overflow = false;
}

/* Room for `more` bytes and the NUL, or for as many as the ceiling allows: how many. */
static size_t buf_reserve(struct buf *buf, size_t more)
{
    size_t room = buf->max - buf->length;
    if (more > room) {
        buf->overflow = true;
        more = room;
    }
    if (more == 0) {
        return 0;
    }
    size_t needed = buf->length + more + 1;
    if (needed > buf->capacity) {
        size_t wanted = buf->capacity < 32 ? 64 : buf->capacity * 2;
        if (wanted > buf->max + 1) {
            wanted = buf->max + 1;
        }
        if (wanted < needed) {
            wanted = needed;
        }
        buf->data = memory_resize(buf->capacity > 0 ? buf->data : NULL, wanted);
        buf->capacity = wanted;
    }
    return more;
}

void buf_add(struct buf *buf, const char *data, size_t length)
{
    size_t fits = buf_reserve(buf, length);
    if (fits > 0) {
        memcpy(buf->data + buf->length, data, fits);
        buf->length += fits;
        buf->data[buf->length] = '\0';
    }
}

void buf_adds(struct buf *buf, const char *text)
{
    if (text != NULL) {
        buf_add(buf, text, strlen(text));
    }
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int wanted = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (wanted > 0) {
        size_t fits = buf_reserve(buf, (size_t)wanted);
        if (fits > 0) {
            vsnprintf(buf->data + buf->length, fits + 1, format, again);
            buf->length += fits;
        }
    }
    va_end(again);
}

bool text_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool text_starts(const char *text, const char *prefix)
{
    return text != NULL && prefix != NULL && strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_blank(const char *text)
{
    return text == NULL || text[strspn(text, " \t\r\n\v\f")] == '\0';
}

/* Longer words are no typing mistakes of a name of ours. */
enum { WORD_MAX = 64 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, changes and swaps of neighbours that make a out of b. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= b_length; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], above2[j - 2] + 1);
            }
        }
    }
    return rows[a_length % 3][b_length];
}

const char *text_nearest(const char *word, const char *const candidates[])
{
    size_t length = word != NULL ? strnlen(word, WORD_MAX + 1) : WORD_MAX + 1;
    if (length > WORD_MAX) {
        return NULL;
    }
    const char *nearest = NULL;
    size_t limit = 1 + length / 4 + 1;
    for (size_t i = 0; candidates[i] != NULL; i++) {
        size_t other = strnlen(candidates[i], WORD_MAX + 1);
        if (other > WORD_MAX) {
            continue;
        }
        size_t steps = distance(word, length, candidates[i], other);
        if (steps < limit) {
            limit = steps;
            nearest = candidates[i];
        }
    }
    return nearest;
}
