/* SPDX-License-Identifier: Apache-2.0
 *
 * jq programs over JSON, as users know them from scripts. Without oniguruma: `test`,
 * `match` and `sub` say that they are not there. $ENV is empty.
 */
#ifndef QUERY_H
#define QUERY_H

#include "text.h"

#include <stddef.h>

struct json;

/* Compiles only: ERROR_CONFIG with jq's own words where the program is wrong. */
MUST_CHECK int query_check(const char *program, struct error *err);

/* Runs program over the JSON text `input` and gives its first `max` results as an array
 * (json_free). At most 1000 outputs are drawn and a program that runs longer than one
 * second ends in ERROR_TIMEOUT. input that is not JSON: ERROR_FORMAT. */
MUST_CHECK int query_run(const char *program, struct slice input, size_t max, struct json **out,
                         struct error *err);

/* One finite number: what query_run gives must be a number or a string that is one.
 * No output, null, NaN: ERROR_NOTFOUND with the name of that nothing (D-19). */
MUST_CHECK int query_number(const char *program, const char *input, size_t length, double *out,
                            struct error *err);

/* True where the first result is neither false nor null; *got is a short text of it. */
MUST_CHECK int query_truth(const char *program, struct slice input, bool *out, char got[static 200],
                           struct error *err);

#endif
