/* SPDX-License-Identifier: Apache-2.0 */
/* The files of templates/, carried inside the program. The build writes the table. */
#ifndef EMBEDDED_H
#define EMBEDDED_H

#include <stddef.h>

struct embedded {
    const char *name; /* path below templates/ */
    const char *data; /* ends with a NUL that size does not count */
    size_t size;
};

extern const struct embedded embedded_files[]; /* sorted by name, ends with a null name */

/* The file of this name, or NULL. */
const struct embedded *embedded_find(const char *name);

#endif
