/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of a jq program, looked at without running it.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "error.h"

/* ERROR_CONFIG for what a query must not reach for: the environment, further input, files,
 * the terminal, and the regular expressions that are not built in. */
MUST_CHECK int program_look(const char *program, struct error *err);

#endif
