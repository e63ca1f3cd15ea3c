/* SPDX-License-Identifier: Apache-2.0
 *
 * Buffers with a ceiling, and the one escaper for each place that text goes to.
 */
#ifndef TEXT_H
#define TEXT_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

/* Bytes that belong to somebody else. */
struct slice {
    const char *data;
    size_t length;
};

/* A growing byte string, always NUL-terminated, that never grows past `max` bytes: what
 * does not fit is dropped and `overflow` is set. data is "" while empty. */
struct buf {
    char *data;
    size_t length, capacity, max;
    bool overflow;
};

void buf_init(struct buf *buf, size_t max);
void buf_release(struct buf *buf);
void buf_clear(struct buf *buf);
void buf_add(struct buf *buf, const char *data, size_t length);
void buf_adds(struct buf *buf, const char *text);
void buf_addf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
#define AUTO_BUF __attribute__((cleanup(buf_release)))

bool text_equal(const char *a, const char *b); /* NULL equals NULL only */
bool text_starts(const char *text, const char *prefix);
bool text_blank(const char *text); /* NULL, empty or white space */

/* The candidate nearest to word, or NULL where none is near enough to be meant
 * (Damerau distance <= 1 + length/4). candidates ends in NULL. */
const char *text_nearest(const char *word, const char *const candidates[]);

/* Numbers; the whole text must be the number. */
MUST_CHECK int text_int(const char *text, int64_t *out, struct error *err);
MUST_CHECK int text_real(const char *text, double *out, struct error *err); /* finite only */
/* "250ms" "5s" "10m" "2h" "30d" "1h30m" → milliseconds; a bare number is an error that
 * names the units. Range 0 … 366 days. */
MUST_CHECK int text_duration(const char *text, int64_t *ms, struct error *err);
/* Milliseconds as a person writes them: "250ms" "5s" "10m" "1h30m". */
const char *text_of_duration(struct arena *arena, int64_t ms);

/* Wall time, milliseconds since 1970 → "2026-11-24T22:39:22Z"; and back. */
const char *text_of_time(struct arena *arena, int64_t wall_ms);
MUST_CHECK int text_time(const char *text, int64_t *wall_ms, struct error *err);

/* UTF-8: valid text is kept, invalid bytes become U+FFFD; cut at a code point. */
bool text_utf8_valid(const char *text, size_t length);
/* The length of the longest valid beginning, and how many code points it has. */
size_t text_utf8_prefix(const char *text, size_t length, size_t *points);
const char *text_clean(struct arena *arena, const char *text, size_t length, size_t max);
/* The same of a text of others that is to be shown: secrets in it are *** before it is cut. */
const char *text_shown(struct arena *arena, const char *text, size_t length, size_t max);

/* Bytes of the code point at text where that changes how its neighbours are shown: a control
 * character, a line separator, a direction. Else 0, and point is left alone. */
size_t text_unshowable(const char *text, uint32_t *point);

/* Escapers: append `text` so that it is only text in that place. */
void text_to_markdown(struct buf *out, const char *text); /* table cells and lines */
void text_to_url(struct buf *out, const char *text);      /* RFC 3986 unreserved kept */
void text_to_terminal(struct buf *out, const char *text); /* control bytes shown as \x1b */

/* SHA-256 of data as 64 hex digits and NUL. */
void text_sha256(char out[static 65], const void *data, size_t length);
/* HMAC-SHA-256, likewise. */
void text_hmac(char out[static 65], struct slice key, struct slice data);

#endif
