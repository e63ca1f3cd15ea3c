/* SPDX-License-Identifier: Apache-2.0
 *
 * How many times as long as usual things may take; valgrind's flavour says more.
 */
#ifndef SLOWLY
#define SLOWLY 1
#endif

/* Where what is tested is hidden by valgrind itself, which has files open in each process. */
#ifdef MEMCHECK
#define NOT_UNDER_VALGRIND() skip()
#else
#define NOT_UNDER_VALGRIND() ((void)0)
#endif
