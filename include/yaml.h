/* SPDX-License-Identifier: Apache-2.0
 *
 * A YAML 1.1 file as a tree of nodes that know where they stand. Aliases are resolved;
 * a cyclic alias, an alias bomb (> 10,000 nodes), a duplicate key, depth > 40, more than
 * one document, bytes that are no UTF-8 and files > 1 MiB are errors with line:col.
 */
#ifndef YAML_H
#define YAML_H

#include "text.h"

#include <stddef.h>

struct arena;

enum node_kind { NODE_SCALAR, NODE_MAP, NODE_LIST };

struct node {
    enum node_kind kind;
    int line, column;    /* from 1; 0: not from a file (`--set`, environment) */
    const char *origin;  /* file name, or "--set x.y", or the environment variable */
    const char *text;    /* NODE_SCALAR: its text */
    bool quoted;         /* NODE_SCALAR: was quoted, so "1" is text and ~ is not null */
    struct node **keys;  /* NODE_MAP: scalars, in order */
    struct node **items; /* NODE_MAP: values; NODE_LIST: items */
    size_t count;
};

#define YAML_MAX_BYTES (1024 * 1024)

/* origin is the name shown in errors. An empty file is an empty map. */
MUST_CHECK int yaml_parse(struct arena *arena, const char *origin, struct slice text,
                          struct node **out, struct error *err);

/* The value of key, or NULL. */
const struct node *node_get(const struct node *map, const char *key);

/* `--set path=value`, and where it was said. */
struct assignment {
    const char *path, *value, *origin;
};

/* Sets a dotted path ("strategies.rolling.batch") to a scalar, creating maps on the way;
 * value is read as YAML, so lists work. A path through a list takes its index. */
MUST_CHECK int node_set(struct arena *arena, struct node *root, const struct assignment *assignment,
                        struct error *err);

/* "deploy.yaml:12:5" or the origin alone. */
const char *node_place(struct arena *arena, const struct node *node);

#endif
