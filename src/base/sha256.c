/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <mbedtls/sha256.h>
#include <stdlib.h>

void text_sha256(char out[static 65], const void *data, size_t length)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char sum[32];
    /* Software cannot fail at this; a sum that was not made must never be compared. */
    if (mbedtls_sha256(length > 0 ? data : (const void *)"", length, sum, 0) != 0) {
        abort();
    }
    for (size_t i = 0; i < sizeof sum; i++) {
        out[2 * i] = hex[sum[i] >> 4];
        out[2 * i + 1] = hex[sum[i] & 15];
    }
    out[64] = '\0';
}
