/* SPDX-License-Identifier: Apache-2.0 */
/* Included first when clang-tidy reads a source: it cannot see into another file, and has to know
 * that these always return -1. */
#include "error.h"

#define error_set(...) ((void)error_set(__VA_ARGS__), -1)
#define error_system(...) ((void)error_system(__VA_ARGS__), -1)
#define error_wrap(...) ((void)error_wrap(__VA_ARGS__), -1)
