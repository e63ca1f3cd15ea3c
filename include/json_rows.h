/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of a json_field table (json.h) whose members are called in the file as in the
 * struct. ROW_END ends the table.
 */
#ifndef JSON_ROWS_H
#define JSON_ROWS_H

#include "json.h"

#include <stddef.h>

#define ROW_PLAIN(json, struct_, member) \
    .name = #member, .type = (json), .offset = offsetof(struct_, member)

#define ROW_TEXT(struct_, member)             \
    {                                         \
        ROW_PLAIN(JSON_TEXT, struct_, member) \
    }
#define ROW_NAME(struct_, member)             \
    {                                         \
        ROW_PLAIN(JSON_NAME, struct_, member) \
    }
#define ROW_INT64(struct_, member)             \
    {                                          \
        ROW_PLAIN(JSON_INT64, struct_, member) \
    }
#define ROW_INT(struct_, member)             \
    {                                        \
        ROW_PLAIN(JSON_INT, struct_, member) \
    }
#define ROW_REAL(struct_, member)             \
    {                                         \
        ROW_PLAIN(JSON_REAL, struct_, member) \
    }
#define ROW_BOOL(struct_, member)             \
    {                                         \
        ROW_PLAIN(JSON_BOOL, struct_, member) \
    }
#define ROW_ENUM(struct_, member, words)                        \
    {                                                           \
        ROW_PLAIN(JSON_ENUM, struct_, member), .names = (words) \
    }
#define ROW_STRUCT(struct_, member, table)                         \
    {                                                              \
        ROW_PLAIN(JSON_STRUCT, struct_, member), .fields = (table) \
    }
/* `number` is the member that counts the entries; `row` is one entry's type. */
#define ROW_TEXTS(struct_, member, number)                                                \
    {                                                                                     \
        ROW_PLAIN(JSON_TEXTS, struct_, member), .count_offset = offsetof(struct_, number) \
    }
#define ROW_NAMES(struct_, member, number)                                                \
    {                                                                                     \
        ROW_PLAIN(JSON_NAMES, struct_, member), .count_offset = offsetof(struct_, number) \
    }
#define ROW_ARRAY(struct_, member, number, table, row)                                    \
    {                                                                                     \
        ROW_PLAIN(JSON_ARRAY, struct_, member), .fields = (table), .size = sizeof(row),   \
                                                .count_offset = offsetof(struct_, number) \
    }
#define ROW_END      \
    {                \
        .name = NULL \
    }

#endif
