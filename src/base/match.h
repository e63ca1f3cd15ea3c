/* SPDX-License-Identifier: Apache-2.0
 *
 * A form of a secret in a text, however it was escaped on its way there.
 */
#ifndef MATCH_H
#define MATCH_H

#include "text.h"

/* With these an escaped form may begin; else it begins as the form does. */
#define MATCH_OPENERS "%\\&+"

/* How many bytes of text, from its beginning, are the form: all of it, its beginning where
 * the text ends as `cut` says, or as much as stood before something was cut off. `exact`:
 * escapes are not looked through. 0: none. */
size_t match_form(struct slice form, struct slice text, bool exact, bool cut);

#endif
