/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets in all the forms in which they may turn up in a text, and their removal.
 */
#ifndef MASK_H
#define MASK_H

#include "text.h"

struct mask {
    char *text;
    size_t length;
};

struct masks {
    struct mask *items;
    size_t count, capacity;
    bool starts[256]; /* the first bytes of all items */
};

/* Raw, line by line, base64 (also inside of a longer base64 text) and URL-escaped.
 * False where the value is known already or shorter than four bytes. */
bool masks_add(struct masks *masks, const char *value);

/* Appends text with *** for everything that any mask covers. `cut`: the text goes on where
 * it ends, so that the beginning of a mask at the end is covered too. */
void masks_apply(const struct masks *masks, const char *text, size_t length, bool cut,
                 struct buf *out);

/* Zeroes what it frees. */
void masks_release(struct masks *masks);

#endif
