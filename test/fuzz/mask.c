/* SPDX-License-Identifier: Apache-2.0
 *
 * Masks: nothing of a secret is left in a text, as it is, encoded, or as one of our own escapers
 * writes it. The first line is the secret, the rest the text, in which `@@` stands for it.
 */
#include "json.h"
#include "mask.h"

#include "fuzz.h"

static void base64(struct buf *out, const unsigned char *data, size_t length)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        unsigned group = 0;
        for (size_t k = 0; k < 3; k++) {
            group = group << 8 | (i + k < length ? data[i + k] : 0U);
        }
        for (size_t k = 0; k < 4; k++) {
            bool filled = i + k <= length;
            buf_addf(out, "%c", filled ? letters[group >> (18 - 6 * k) & 63] : '=');
        }
    }
}

static void apply(const char *text, struct buf *out)
{
    buf_clear(out);
    mask_apply(out, text, strlen(text), false);
}

static const char *with_secret(struct arena *arena, const char *text, const char *secret)
{
    struct buf out AUTO_BUF;
    buf_init(&out, 1 << 20);
    while (*text != '\0') {
        bool here = strncmp(text, "@@", 2) == 0;
        if (here) {
            buf_adds(&out, secret);
        } else {
            buf_add(&out, text, 1);
        }
        text += here ? 2 : 1;
    }
    return arena_text_n(arena, out.data, out.length);
}

static void hex(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        buf_addf(out, "%02x", (unsigned)(unsigned char)*text);
    }
}

/* Between quotes that are not part of it. */
static void json_text_of(struct buf *out, const char *text)
{
    struct json *json AUTO_JSON = json_of_text(text);
    char *printed = json_print(json, false);
    buf_add(out, printed + 1, strlen(printed) - 2);
    free(printed);
}

static void encode(struct buf *out, const char *secret, int how)
{
    buf_clear(out);
    switch (how) {
    case 0:
        base64(out, (const unsigned char *)secret, strlen(secret));
        break;
    case 1:
        text_to_url(out, secret);
        break;
    case 2:
        hex(out, secret);
        break;
    case 3:
        json_text_of(out, secret);
        break;
    default:
        text_to_terminal(out, secret);
        break;
    }
}

/* What is no UTF-8 is written anew, controls beyond ASCII have no form of their own, and what
 * looks like an escape itself can be read in two ways. */
static bool has_one_reading(const char *text)
{
    static const char *const escapes[] = {"'\\''", "'\"'\"'", "&amp;", "&lt;",
                                          "&gt;",  "&quot;",  "&#",    "&apos;"};
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at >= 0x80) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        if (strstr(text, escapes[i]) != NULL) {
            return false;
        }
    }
    return true;
}

static void check(struct arena *arena, const char *secret, const char *text)
{
    struct buf out AUTO_BUF, coded AUTO_BUF;
    const char *all = with_secret(arena, text, secret);
    const int ways = has_one_reading(secret) ? 5 : 3;
    buf_init(&out, 1 << 20);
    buf_init(&coded, 1 << 20);
    apply(all, &out);
    REQUIRE(strstr(out.data, secret) == NULL);
    for (int how = 0; how < ways; how++) {
        encode(&coded, secret, how);
        apply(coded.data, &out);
        REQUIRE(strcmp(out.data, "***") == 0);
    }
}

/* White space around a secret is none of it. */
static const char *trimmed(struct arena *arena, const char *text)
{
    static const char blanks[] = " \t\r\n";
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]) != NULL) {
        length--;
    }
    return arena_text_n(arena, text, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct slice rest = {(const char *)data, size};
    const char *secret = input_line(&arena, &rest), *text = input_text(&arena, &rest);
    bool known = mask_add(secret);
    secret = trimmed(&arena, secret);
    REQUIRE(!known || strlen(secret) >= MASK_MIN);
    if (known && strchr(secret, '*') == NULL) {
        check(&arena, secret, text);
    }
    mask_forget();
    return 0;
}
