/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of config/ share; no door to other rooms.
 */
#ifndef BINDER_H
#define BINDER_H

#include "config.h"
#include "yaml.h"

struct binder {
    struct arena *arena;
    struct problems *problems;
    struct secret_slot *secrets;
    size_t secret_count, secret_capacity;
    bool in_check;
    bool in_words;               /* of a command line, which everybody on the machine can read */
    const struct node *base_url; /* the first check that uses ${base_url} */
};

struct secret_slot {
    struct secret *secret;
    struct place place;
};

/* The keys that one map may have: those of fields and, where room is set, one driver's. */
struct scope {
    const char *name; /* for messages; "" at the top of the file */
    const struct field *fields;
    const char *room;
    struct choice *choice;
};

#define PROBLEM(b, node, ...) problems_add((b)->arena, (b)->problems, (node), __VA_ARGS__)

/* Binds every key of map, then the defaults of those that are not there. */
void bind_map(struct binder *b, const struct node *map, const struct scope *scope, void *base);
/* Binds one value to base + field->offset. */
void bind_value(struct binder *b, const struct node *node, const struct field *field, void *base);
void bind_scalar(struct binder *b, const struct node *node, const struct field *field,
                 void *target);
bool bind_is_scalar(enum field_type type);

/* "; keys here: a, b" and " (did you mean 'a'?)", or "". names ends in NULL. */
const char *bind_hint(struct binder *b, const char *word, const char *const *names,
                      const char *what);
/* The names of a table, of the drivers of a room (NULL: none), ended by NULL. */
const char **bind_names(struct arena *arena, const struct field *fields, const char *room);
/* The text of a scalar for a message: short, and never a secret. */
const char *bind_shown(struct binder *b, const struct node *node);
bool bind_is_name(const char *text); /* PATTERN_NAME */
bool node_is_null(const struct node *node);
/* Given under its name or its alias. */
const struct node *field_node(const struct node *map, const struct field *field);
/* The field that `driver: VALUE` stands for, or NULL where a map is needed. */
const struct field *field_short(const struct field *fields);
/* error_rate → error-rate */
const char *bind_hyphens(struct arena *arena, const char *name);
/* A field's default as a node; NULL: none. */
const struct node *field_default(struct arena *arena, const struct field *field);
/* What could be written for a field: its default, or an example of its type. */
const char *field_sample(struct arena *arena, const struct field *field);

/* Puts the environment into ${UPPER} and checks ${lower}; NULL after a problem. */
const char *bind_expand(struct binder *b, const struct node *node, const char *text);
/* For a line that the shell expands: only a mistyped ${lower} is a problem. */
void bind_shell(struct binder *b, const struct node *node, const char *text);
extern const char *const run_variables[]; /* ended by NULL */

/* Flow YAML cannot hold `{ url: ${base_url} }` unquoted. Braces of ${…} become private
 * characters before parsing, and braces again in the tree. */
char *braces_hide(struct arena *arena, const char *text, size_t *length);
void braces_show(struct arena *arena, struct node *root);

void secret_scan(struct binder *b, const struct node *root);

extern const struct field config_fields[];
extern const struct field slo_fields[];
extern const struct field *const check_tables[2]; /* of gates, of smoke */

/* After binding: kinds, defaults, units and sources of `slos:`. */
void slo_finish(struct binder *b, const struct node *root, struct config *config);
/* What a name of `slos:` asks of its line, for the schema. */
struct slo_shape {
    const char *pattern;   /* of the name */
    const char *target;    /* pattern of the target; NULL: any; "": no such name */
    const char *senseless; /* a rule that has no meaning here, or NULL */
    bool needs_target;
    bool needs_selector; /* and one rule: a measure of the user's own */
};
extern const struct slo_shape slo_shapes[];                   /* ended by pattern NULL */
extern const char *const slo_selectors[], *const slo_rules[]; /* ended by NULL */

/* Exact patterns, for the schema and for the readers. */
#define PATTERN_ENV "[A-Z_][A-Z0-9_]*"
#define PATTERN_DURATION "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
#define PATTERN_SHARE "^(0?100(\\.0+)?|0{0,2}[0-9]{1,2}(\\.[0-9]+)?)%$"
#define PATTERN_CHANGE "^([0-9]{1,4}(\\.[0-9]+)?%|none)$"
#define PATTERN_RATE "^[0-9]+(\\.[0-9]+)? ?(req)?/s$"
#define PATTERN_NUMBER "^[0-9]+(\\.[0-9]+)?$"
#define PATTERN_NAME "^[A-Za-z0-9][A-Za-z0-9._-]*$"

#endif
