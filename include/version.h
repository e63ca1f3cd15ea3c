/* SPDX-License-Identifier: Apache-2.0 */
/* What this program is. The build writes the values. */
#ifndef VERSION_H
#define VERSION_H

extern const char program_version[]; /* "0.1.0" */
extern const char program_commit[];  /* twelve hex digits, or "unknown" */

#endif
