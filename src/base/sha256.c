/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <mbedtls/sha256.h>
#include <stdlib.h>
#include <string.h>

#define SUM 32
#define BLOCK 64

/* Software cannot fail at this; a sum that was not made must never be compared. */
static void add_up(unsigned char out[static SUM], const struct slice *parts, size_t count)
{
    mbedtls_sha256_context context;
    int failed = 0;
    mbedtls_sha256_init(&context);
    failed |= mbedtls_sha256_starts(&context, 0);
    for (size_t i = 0; i < count; i++) {
        failed |=
            mbedtls_sha256_update(&context, (const unsigned char *)parts[i].data, parts[i].length);
    }
    failed |= mbedtls_sha256_finish(&context, out);
    mbedtls_sha256_free(&context);
    if (failed != 0) {
        abort();
    }
}

static void print(char out[static 65], const unsigned char sum[static SUM])
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < SUM; i++) {
        out[2 * i] = hex[sum[i] >> 4];
        out[2 * i + 1] = hex[sum[i] & 15];
    }
    out[2 * SUM] = '\0';
}

void text_sha256(char out[static 65], const void *data, size_t length)
{
    unsigned char sum[SUM];
    const struct slice all = {length > 0 ? data : "", length};
    add_up(sum, &all, 1);
    print(out, sum);
}

/* RFC 2104. */
void text_hmac(char out[static 65], struct slice key, struct slice data)
{
    unsigned char sum[SUM], inner[BLOCK] = {0}, outer[BLOCK];
    if (key.length > BLOCK) {
        add_up(inner, &key, 1);
    } else {
        memcpy(inner, key.data, key.length);
    }
    for (size_t i = 0; i < BLOCK; i++) {
        outer[i] = inner[i] ^ 0x5c;
        inner[i] ^= 0x36;
    }
    add_up(sum, (const struct slice[]){{(const char *)inner, BLOCK}, data}, 2);
    add_up(sum, (const struct slice[]){{(const char *)outer, BLOCK}, {(const char *)sum, SUM}}, 2);
    print(out, sum);
    explicit_bzero(inner, sizeof inner);
    explicit_bzero(outer, sizeof outer);
}
