/* SPDX-License-Identifier: Apache-2.0
 *
 * A section of deploy.yaml as a table: the one source for parsing, errors, `schema`,
 * `--help` and docs/reference.md. A driver owns the table of its section and names it in
 * its row of src/catalog.c; config/ binds it without knowing the driver.
 */
#ifndef FIELD_H
#define FIELD_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

enum field_type {
    FIELD_TEXT,     /* const char *         ${NAME} (upper case) is taken from the environment */
    FIELD_URL,      /* const char *         as text; http(s), no password inside */
    FIELD_JQ,       /* const char *         as text; must compile */
    FIELD_BOOL,     /* bool                 true, false, yes, no */
    FIELD_INT,      /* int64_t              min … max */
    FIELD_DURATION, /* int64_t, ms          "10m"; min … max in ms */
    FIELD_PERCENT,  /* double, ratio        "5%" or 0.05 is refused: the unit is declared (D-06) */
    FIELD_QUANTITY, /* struct quantity      "0.1%" "500ms" "1000 req/s" "12" */
    FIELD_ENUM,     /* int                  one of names */
    FIELD_ENUMS,    /* unsigned             a list; bit i set for names[i] */
    FIELD_TEXTS,    /* struct texts         a text or a list of texts */
    FIELD_COMMAND,  /* struct command       a line for the shell, or a list of words */
    FIELD_SECRET,   /* struct secret        the name of an environment variable */
    FIELD_SECTION,  /* a struct             by fields */
    FIELD_ROWS,     /* struct rows          a list of structs by fields, size */
    FIELD_NAMED,    /* struct rows          a map name → struct; the name goes to offset 0 */
    FIELD_DRIVER,   /* struct choice        a map with one key, the name of a driver in room */
    FIELD_DRIVERS,  /* struct rows of struct choice; a map with one key a driver */
    FIELD_CHECKS    /* struct rows of struct check_config: one map, or a list of maps, each
                       with common keys and exactly one driver of room "check" */
};

struct field {
    const char *name; /* as written in deploy.yaml; NULL ends a table */
    enum field_type type;
    size_t offset;
    const char *def; /* as it would be written; NULL: unset */
    const char *doc; /* one sentence for help, schema and reference */
    bool required;
    const char *const *names;   /* ENUM, ENUMS; ended by NULL */
    const struct field *fields; /* SECTION, ROWS, NAMED */
    size_t size;                /* of one row */
    const char *room;           /* DRIVER, DRIVERS: "workload", "router", "check", "metric" */
    int64_t min, max;           /* INT, DURATION; both 0: any non-negative */
    const char *alias;          /* another accepted name, or NULL */
};

enum unit { UNIT_NONE, UNIT_RATIO, UNIT_MS, UNIT_PER_SECOND };

struct quantity {
    double value; /* percent as ratio: 0.1% is 0.001 */
    enum unit unit;
    bool set;
};

struct texts {
    const char **items;
    size_t count;
};

struct command { /* exactly one of shell and argv is set; argv ends in NULL */
    const char *shell;
    const char **argv;
    size_t argc;
};

/* Filled by config_secrets(); value is never printed, journaled or put into argv. */
struct secret {
    const char *env;
    char *value;
};

struct rows {
    void *items;
    size_t count;
};

struct place {
    const char *origin;
    int line, column;
};

struct driver_row;

struct choice {
    const struct driver_row *driver; /* NULL: not given */
    void *settings;                  /* the driver's struct */
    struct place place;
};

/* A row of the catalogue, as far as config/ needs it; `door` is the room's driver struct
 * (struct workload_driver, …), known to that room's users only. */
struct driver_row {
    const char *room, *name;
    const char *doc;
    const struct field *fields;
    size_t size; /* of settings; 0: none */
    const void *door;
};

/* All rows, ended by NULL: src/catalog.c. */
extern const struct driver_row *const driver_rows[];

const struct driver_row *driver_find(const char *room, const char *name);

/* Command + variables: `${name}` in argv words and URLs is replaced by the run's variable;
 * shell lines get them as environment variables instead and are left as they are. */
struct variable {
    const char *name, *value;
};
struct arena;
const char *field_expand(struct arena *arena, const char *text, const struct variable *variables);

#endif
