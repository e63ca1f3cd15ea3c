/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUN_VALID_H
#define RUN_VALID_H

#include "run.h"

/* What types alone do not say of a run that was read from a file: texts that every reader
 * relies on, numbers in range, ids that are unique. Fills in what may be missing. */
MUST_CHECK int run_valid(struct run *run, struct arena *arena, struct error *err);

#endif
