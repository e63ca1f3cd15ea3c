/* SPDX-License-Identifier: Apache-2.0
 *
 * Masks: nothing of a secret is left in a text, as it is, line by line, in base64 or escaped
 * for a URL. The first line is the secret, the rest the text, in which `@@` stands for it.
 */
#include "mask.h"

#include "fuzz.h"

#include <ctype.h>

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

static void check(struct arena *arena, const char *secret, const char *text)
{
    struct buf out AUTO_BUF, coded AUTO_BUF;
    const char *all = with_secret(arena, text, secret);
    buf_init(&out, 1 << 20);
    buf_init(&coded, 1 << 20);
    apply(all, &out);
    REQUIRE(strstr(out.data, secret) == NULL);
    base64(&coded, (const unsigned char *)secret, strlen(secret));
    apply(coded.data, &out);
    REQUIRE(strcmp(out.data, "***") == 0);
    buf_clear(&coded);
    text_to_url(&coded, secret);
    apply(coded.data, &out);
    REQUIRE(strcmp(out.data, "***") == 0);
}

/* White space around a secret is none of it. */
static const char *trimmed(struct arena *arena, const char *text)
{
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)*text)) {
        text++;
        length--;
    }
    while (length > 0 && isspace((unsigned char)text[length - 1])) {
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
