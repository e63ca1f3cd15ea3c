/* SPDX-License-Identifier: Apache-2.0
 *
 * Points at which the tests kill us. In release builds these are nothing.
 *
 * With -DFAULT_POINTS: FAULT_TRACE=file appends "n name" for each point passed;
 * FAULT_KILL=n raises SIGKILL at the n-th point, FAULT_KILL=name at the first of that name;
 * FAULT_KILL=n:TERM sends SIGTERM (or INT) to ourselves there instead.
 */
#ifndef FAULT_H
#define FAULT_H

#ifdef FAULT_POINTS
void fault_point(const char *name);
#else
#define fault_point(name) ((void)(name))
#endif

#endif
