/* SPDX-License-Identifier: Apache-2.0
 *
 * The seal of the state: an HMAC over every other byte of the file, as its first member. Where
 * artifacts and caches can be written by more jobs than the one that deploys, it tells our own
 * state from a forged one.
 */
#include "seal.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

#define HEX 64

static const char before[] = "{\n  \"seal\": \"", after[] = "\",";
#define WHOLE (sizeof before - 1 + HEX + sizeof after - 1)

static void sign(const char *key, struct slice text, char out[static HEX + 1])
{
    text_hmac(out, (struct slice){key, strlen(key)}, text);
}

void seal_put(const char *key, const char *text, struct buf *out)
{
    char sum[HEX + 1];
    sign(key, (struct slice){text, strlen(text)}, sum);
    buf_addf(out, "%s%s%s%s", before, sum, after, text + 1); /* behind its brace */
}

/* In the same time wherever they differ. */
static bool same(const char *a, const char *b)
{
    unsigned different = 0;
    for (size_t i = 0; i < HEX; i++) {
        different |= (unsigned)(unsigned char)a[i] ^ (unsigned)(unsigned char)b[i];
    }
    return different == 0;
}

int seal_check(const char *key, const struct buf *file, struct error *err)
{
    char sum[HEX + 1];
    const char *end = file->data + WHOLE - (sizeof after - 1);
    if (file->length <= WHOLE || !text_starts(file->data, before) || !text_starts(end, after)) {
        return error_set(err, ERROR_STATE, "state has no seal, and state-key-env asks for one");
    }
    struct buf rest AUTO_BUF;
    buf_init(&rest, file->length);
    buf_adds(&rest, "{");
    buf_add(&rest, file->data + WHOLE, file->length - WHOLE);
    sign(key, (struct slice){rest.data, rest.length}, sum);
    if (!same(sum, file->data + sizeof before - 1)) {
        return error_set(err, ERROR_STATE,
                         "state does not have the seal of our key: somebody else wrote it, or the "
                         "key was changed");
    }
    return 0;
}
