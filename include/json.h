/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON trees with case-sensitive, typed access, and tables that bind JSON to structs.
 * Only src/base/json.c knows the library behind. 64-bit integers beyond 2^53 must be text.
 */
#ifndef JSON_H
#define JSON_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

struct arena;
struct json; /* a node; children belong to their parent */

/* Depth <= 64; trailing bytes other than white space are an error. *out: json_free. */
MUST_CHECK int json_parse(const char *text, size_t length, struct json **out, struct error *err);
void json_free(struct json *json);
void json_cleanup(struct json **json);
#define AUTO_JSON __attribute__((cleanup(json_cleanup)))

/* Reading. NULL in gives NULL/default out, so that chains need one check at the end. */
const struct json *json_get(const struct json *object, const char *key);
const struct json *json_at(const struct json *array, size_t index);
size_t json_size(const struct json *array_or_object);
const char *json_key(const struct json *member);        /* name of an object's member */
const char *json_text(const struct json *json);         /* NULL unless a string */
bool json_number(const struct json *json, double *out); /* false unless a number */
bool json_bool(const struct json *json);                /* true only for true */
bool json_is_null(const struct json *json);
bool json_is_object(const struct json *json);
bool json_is_array(const struct json *json);

/* Building; json_set_* and json_append take ownership of value. NULL text becomes null. What
 * is printed is rid of secrets (mask.h), but for names, which others must find again. */
struct json *json_object(void);
struct json *json_array(void);
struct json *json_of_text(const char *text);
struct json *json_of_name(const char *name);
struct json *json_of_number(double number);
struct json *json_of_bool(bool value);
struct json *json_copy(const struct json *json);
void json_set(struct json *object, const char *key, struct json *value);
void json_set_text(struct json *object, const char *key, const char *text);
void json_set_name(struct json *object, const char *key, const char *name);
void json_set_number(struct json *object, const char *key, double number);
void json_set_bool(struct json *object, const char *key, bool value);
void json_append(struct json *array, struct json *value);
/* Printed text; caller frees with free(). pretty: two spaces, one member a line. No byte of it
 * is a command of a terminal or of a CI. */
char *json_print(const struct json *json, bool pretty);

/* A struct as a table: the one source for saving and loading it. */
enum json_type {
    JSON_TEXT,   /* const char *          NULL is left out; saved as json_of_text */
    JSON_NAME,   /* const char *          NULL is left out; saved as json_of_name */
    JSON_INT64,  /* int64_t */
    JSON_INT,    /* int */
    JSON_REAL,   /* double                NaN is null */
    JSON_BOOL,   /* bool */
    JSON_ENUM,   /* int-sized enum        by `names`, ended by NULL */
    JSON_STRUCT, /* embedded struct       by `fields` */
    JSON_ARRAY,  /* T *, size_t           by `fields`, `size`, `count_offset` */
    JSON_TEXTS,  /* const char **, size_t by `count_offset`; as JSON_TEXT */
    JSON_NAMES,  /* the same, as JSON_NAME */
    JSON_REALS   /* double *, size_t      by `count_offset` */
};

struct json_field {
    const char *name; /* NULL ends a table */
    enum json_type type;
    size_t offset;
    const char *const *names;
    const struct json_field *fields;
    size_t size, count_offset;
};

/* Missing members keep what *base has; a wrong type is ERROR_FORMAT with the path
 * ("steps[3].status: …"). Unknown members are ignored (written by a newer minor version).
 * Texts and arrays live in arena. */
MUST_CHECK int json_load(const struct json *json, const struct json_field *fields, void *base,
                         struct arena *arena, struct error *err);
struct json *json_save(const struct json_field *fields, const void *base);

#endif
