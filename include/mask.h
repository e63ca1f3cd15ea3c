/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets, and how they are kept out of everything that is written. One list a process,
 * so that a text is rid of them where it is born: before it is cut, escaped or saved.
 */
#ifndef MASK_H
#define MASK_H

#include "text.h"

struct arena;

#define MASK_MIN 4 /* bytes; shorter values stand everywhere, and cannot be hidden */

/* From now on value is *** in every text that is shown or saved: raw, line by line, cut
 * after its eighth byte or later, base64 and hexadecimal (also inside of a longer text),
 * and with any mixture of the escapes of URLs, JSON, C, shells, Markdown and HTML. White
 * space around it does not count. False where nothing is new or it is too short. */
bool mask_add(const char *value);

/* Zeroes all of it and forgets it. */
void mask_forget(void);

/* Appends text with *** for every secret known, and for what is one by its shape: tokens of
 * well-known makers, private keys, passwords in addresses, `Authorization` and cookies,
 * `token=…` and `"password": "…"`. `cut`: the text goes on where it ends, so that the
 * beginning of a secret at its end is one too. */
void mask_apply(struct buf *out, const char *text, size_t length, bool cut);

/* text itself or a new text in arena; NULL: NULL. */
const char *mask_text(struct arena *arena, const char *text);

/* A secret by its shape, for places where none may stand at all: a token of a well-known
 * maker, a private key, an address with a password that is no shell variable. */
bool mask_is_secret(const char *text);
/* A name that says so: `token`, `API_KEY`, `db-password`; in any case, with _ or -. */
bool mask_is_name(const char *name, size_t length);

#endif
