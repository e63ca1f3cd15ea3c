/* SPDX-License-Identifier: Apache-2.0
 *
 * What is a secret by its shape alone.
 */
#ifndef SHAPE_H
#define SHAPE_H

#include "text.h"

/* Bytes [from, to) of a text. */
struct span {
    size_t from, to;
};

/* Where the shape of a secret shows at `at`: which bytes behind it are the secret. */
bool shape_at(struct slice text, size_t at, struct span *out);

#endif
