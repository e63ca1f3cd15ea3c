/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the seal of the state.
 */
#ifndef SEAL_H
#define SEAL_H

#include "text.h"

/* Appends text, which is a JSON object printed pretty, with its seal. */
void seal_put(const char *key, const char *text, struct buf *out);
/* ERROR_STATE: no seal, or not the one that these bytes have with this key. */
MUST_CHECK int seal_check(const char *key, const struct buf *file, struct error *err);

#endif
