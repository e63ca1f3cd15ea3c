/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the rows of forge.c and what they share.
 */
#ifndef FORGES_H
#define FORGES_H

#include "forge.h"

extern const struct forge_driver forge_github, forge_gitlab;
extern const struct forge_driver forge_terminal, forge_plain; /* both named "local" */

/* A variable of the environment; NULL also where it is set but empty. */
const char *forge_env(const char *name);
bool forge_env_is(const char *name, const char *value);
/* A copy in arena of the first of the two that is set. */
const char *forge_env_text(struct arena *arena, const char *name, const char *other);

/* `bytes` random bytes as hex digits and NUL. */
#define FORGE_RANDOM 16
MUST_CHECK int forge_random(char out[static 2 * FORGE_RANDOM + 1], struct error *err);

/* Adds to a file that the CI made for us. */
MUST_CHECK int forge_append(const char *path, const char *data, size_t length, struct error *err);

#endif
