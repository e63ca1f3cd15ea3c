/* SPDX-License-Identifier: Apache-2.0
 *
 * What the targets share. A target is one file: LLVMFuzzerTestOneInput takes any bytes, gives
 * them to one parser, and REQUIREs what must hold of every outcome. Where a parser takes more
 * than one text, the first lines of the input are the others.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "arena.h"
#include "text.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must be true of any input; the process ends here where it is not. */
#define REQUIRE(condition) ((condition) ? (void)0 : require_failed(#condition, __FILE__, __LINE__))
_Noreturn void require_failed(const char *condition, const char *file, int line);

#define AUTO_ARENA __attribute__((cleanup(arena_release)))

/* The first line of *rest, which goes on behind it; all of it where there is no newline. */
const char *input_line(struct arena *arena, struct slice *rest);
/* What is left, as a text. */
const char *input_text(struct arena *arena, const struct slice *rest);

/* The path of a file that holds these bytes, until the next call. */
const char *file_of(struct slice content);
/* An open file for output, empty, and what was written to it. */
int output_open(void);
const char *output_path(void); /* of the same */
const char *output_text(struct arena *arena);

/* `file:LINE:COLUMN: ` at the start of message, within the text the message is about. */
bool tells_place(const char *message, const char *file, struct slice text);

/* One line, no control bytes but tabs, UTF-8. */
bool is_clean_line(const char *text);

/* The environment during one input: lines of "NAME=value"; NULL takes it back. */
void set_environment(struct arena *arena, const char *const *lines, size_t count);
void restore_environment(void);

#endif
