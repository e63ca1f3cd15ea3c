/* SPDX-License-Identifier: Apache-2.0
 *
 * Escapers: a text in a table cell, on a terminal or in a message is only text there.
 */
#include "fuzz.h"

/* A backslash before at escapes it, unless it is escaped itself. */
static bool is_escaped(const char *start, const char *at)
{
    size_t count = 0;
    while (at > start && at[-1] == '\\') {
        count++;
        at--;
    }
    return count % 2 == 1;
}

static void try_markdown(const char *text)
{
    struct buf out AUTO_BUF;
    buf_init(&out, 1 << 20);
    text_to_markdown(&out, text);
    REQUIRE(is_clean_line(out.data) && strchr(out.data, '\t') == NULL);
    REQUIRE(strpbrk(out.data, "<>") == NULL);
    for (const char *at = out.data; *at != '\0'; at++) {
        if (strchr("`*[]|~$#", *at) != NULL) {
            REQUIRE(is_escaped(out.data, at));
        }
        REQUIRE(strncmp(at, "://", 3) != 0 || is_escaped(out.data, at));
        REQUIRE(*at != '@' || strncmp(at + 1, "\xE2\x80\x8B", 3) == 0);
        REQUIRE(*at != '&' || strncmp(at, "&lt;", 4) == 0 || strncmp(at, "&gt;", 4) == 0 ||
                strncmp(at, "&amp;", 5) == 0);
    }
    REQUIRE(strchr("/=+-", out.data[0]) == NULL || out.data[0] == '\0' ||
            (strchr("+-", out.data[0]) != NULL && out.data[1] >= '0' && out.data[1] <= '9'));
}

static void try_terminal(const char *text)
{
    struct buf out AUTO_BUF;
    buf_init(&out, 1 << 20);
    text_to_terminal(&out, text);
    REQUIRE(is_clean_line(out.data));
    /* No override of the direction of writing. */
    REQUIRE(strstr(out.data, "\xE2\x80\xAE") == NULL && strstr(out.data, "\xE2\x81\xA6") == NULL);
    if (text[strspn(text, "abcdefghijklmnopqrstuvwxyz 0123456789\t:/.-")] == '\0') {
        REQUIRE(strcmp(out.data, text) == 0);
    }
}

static void try_clean(struct arena *arena, const struct slice *bytes, size_t max)
{
    const char *clean = text_clean(arena, bytes->data, bytes->length, max);
    REQUIRE(strlen(clean) <= max && text_utf8_valid(clean, strlen(clean)));
    if (text_utf8_valid(bytes->data, bytes->length) && bytes->length <= max &&
        memchr(bytes->data, '\0', bytes->length) == NULL) {
        REQUIRE(strlen(clean) == bytes->length && memcmp(clean, bytes->data, bytes->length) == 0);
    }
}

static void try_error(const char *text)
{
    struct error err = {0};
    REQUIRE(error_set(&err, ERROR_FORMAT, "%s", text) == -1);
    REQUIRE(strlen(err.message) < ERROR_MESSAGE_MAX);
    REQUIRE(error_wrap(&err, "%s", text) == -1);
    if (text_utf8_valid(text, strlen(text))) {
        REQUIRE(text_utf8_valid(err.message, strlen(err.message)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    const struct slice all = {(const char *)data, size};
    static const char *const names[] = {"canary", "rolling", "blue-green", NULL};
    const char *text = input_text(&arena, &all), *near = text_nearest(text, names);
    try_markdown(text);
    try_terminal(text);
    try_clean(&arena, &all, size);
    try_clean(&arena, &all, size > 0 ? data[0] : 0);
    try_error(text);
    REQUIRE(near == NULL || strlen(text) <= strlen(near) + 1 + strlen(text) / 4);
    return 0;
}
