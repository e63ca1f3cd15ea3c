/* SPDX-License-Identifier: Apache-2.0
 *
 * cmocka with its needs, and what the unit tests expect of errors.
 */
#ifndef EXPECT_H
#define EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "error.h"
#include "slowly.h"

/* The call failed with this kind, and its message holds this text. */
#define EXPECT_ERROR(call, err, wanted_kind, wanted_text)                                \
    do {                                                                                 \
        (err)->kind = ERROR_NONE;                                                        \
        (err)->message[0] = '\0';                                                        \
        assert_int_equal((call), -1);                                                    \
        assert_string_equal(error_kind_name((err)->kind), error_kind_name(wanted_kind)); \
        if (strstr((err)->message, (wanted_text)) == NULL) {                             \
            fail_msg("'%s' does not hold '%s'", (err)->message, (wanted_text));          \
        }                                                                                \
    } while (0)

/* The call succeeded; where not, its message is shown. */
#define EXPECT_OK(call, err)                                  \
    do {                                                      \
        (err)->message[0] = '\0';                             \
        if ((call) != 0) {                                    \
            fail_msg("unexpected error: %s", (err)->message); \
        }                                                     \
    } while (0)

#endif
