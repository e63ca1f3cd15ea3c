/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that dies together. Two arenas live in a run: `run` (to the end of the process)
 * and `tick` (reset each engine tick, so that a two-hour watch stays flat).
 * Allocation never fails to the caller: when the system has no memory left, the process
 * says so and ends with code 6; the journal on disk is valid at every instant.
 */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *head;
};

/* No allocation; a zeroed struct is an initialised one. */
void arena_init(struct arena *arena);

/* Drops everything allocated; the arena can be used again. arena_reset keeps one block. */
void arena_reset(struct arena *arena);
void arena_release(struct arena *arena);

/* Zeroed, aligned for any type; size 0 gives a unique pointer. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size);

/* Grows an array that was allocated here from `count` to at least count + 1 elements,
 * doubling; the caller stores the result and its new capacity. */
void *arena_grow(struct arena *arena, void *old, size_t count, size_t *capacity, size_t size);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

/* Copies; the result is NUL-terminated. text may be NULL: NULL. */
char *arena_text(struct arena *arena, const char *text);
char *arena_text_n(struct arena *arena, const char *text, size_t length);
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* For the few owners outside arenas (json trees, what libcurl keeps): never NULL; to be
 * freed with free(). memory_text copies. */
void *memory_alloc(size_t size);
void *memory_zeroed(size_t count, size_t size);
void *memory_resize(void *old, size_t size);
char *memory_text(const char *text);

/* What happens where there is none, for libraries that ask: says so, ends with code 6. */
_Noreturn void memory_gone(void);

#endif
