/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses as they are shown: no user, no password, no value of a query comes through; what is
 * escaped for one comes back whole.
 */
#include "http.h"

#include "fuzz.h"

#define SECRET "s3cr3tXYZ"

static void check_shown(struct arena *arena, const char *url)
{
    const char *shown = http_url_shown(arena, url);
    REQUIRE(text_utf8_valid(shown, strlen(shown)) && strlen(shown) <= 2048);
    REQUIRE(strpbrk(shown, "\r\n\t ") == NULL || strcmp(shown, "(no valid URL)") == 0);
    REQUIRE(strstr(shown, "@") == NULL || strchr(shown, '/') < strchr(shown, '@'));
}

/* The same with a secret at each place where people put one. */
static void check_secret(struct arena *arena, const char *text)
{
    if (strstr(text, SECRET) != NULL || strpbrk(text, "/?#&=\\") != NULL) {
        return;
    }
    static const char *const shapes[] = {
        "http://user:%s" SECRET "@h/p",    "https://%s" SECRET "@h",  "http://h/p?%s=" SECRET,
        "http://h/?a=1&%s=" SECRET "&c=3", "http://h/p?" SECRET "%s", "http://h/p#" SECRET "%s",
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const char *mark = strstr(shapes[i], "%s");
        const char *url =
            arena_format(arena, "%.*s%s%s", (int)(mark - shapes[i]), shapes[i], text, mark + 2);
        REQUIRE(strstr(http_url_shown(arena, url), SECRET) == NULL);
    }
}

static int hex(char digit)
{
    return digit <= '9' ? digit - '0' : digit - 'A' + 10;
}

static void check_escaped(const char *text)
{
    struct buf out AUTO_BUF;
    const char *at = text;
    buf_init(&out, 1 << 20);
    text_to_url(&out, text);
    for (size_t i = 0; i < out.length; i++, at++) {
        int byte = out.data[i];
        if (byte == '%') {
            byte = hex(out.data[i + 1]) << 4 | hex(out.data[i + 2]);
            i += 2;
        }
        REQUIRE((unsigned char)*at == byte);
    }
    REQUIRE(*at == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    const struct slice all = {(const char *)data, size};
    const char *text = input_text(&arena, &all);
    check_shown(&arena, text);
    check_secret(&arena, text);
    check_escaped(text);
    return 0;
}
