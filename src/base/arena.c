/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* To the sanitizer and to valgrind a block is one piece of memory: they are told which parts of it
 * are nobody's, and each allocation has a gap behind it. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#elif defined(MEMCHECK)
#include <valgrind/memcheck.h>
#define ASAN_POISON_MEMORY_REGION(address, size) VALGRIND_MAKE_MEM_NOACCESS(address, size)
#define ASAN_UNPOISON_MEMORY_REGION(address, size) VALGRIND_MAKE_MEM_DEFINED(address, size)
enum { GAP = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
enum { GAP = 0 };
#endif

/* A block larger than BLOCK_KEPT was made for one large thing and is not worth keeping. */
enum { BLOCK_FIRST = 16 * 1024, BLOCK_KEPT = 1024 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    max_align_t data[];
};

/* Without memory nothing can be formatted or saved: say so and stop. */
_Noreturn void memory_gone(void)
{
    static const char message[] =
        "deploy-action: out of memory; run it again, it goes on where it was\n";
    ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
    (void)written; /* nobody is left to be told */
    _exit(6);
}

void *memory_alloc(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);
    if (memory == NULL) {
        memory_gone();
    }
    return memory;
}

void *memory_zeroed(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
    if (memory == NULL) {
        memory_gone();
    }
    return memory;
}

char *memory_text(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(memory_alloc(size), text, size);
}

void *memory_resize(void *old, size_t size)
{
    void *memory = realloc(old, size > 0 ? size : 1);
    if (memory == NULL) {
        memory_gone();
    }
    return memory;
}

void arena_init(struct arena *arena)
{
    arena->head = NULL;
}

static void free_blocks(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;
        ASAN_UNPOISON_MEMORY_REGION(block->data, block->size);
        free(block);
        block = next;
    }
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = arena->head;
    if (kept == NULL) {
        return;
    }
    if (kept->size > BLOCK_KEPT) {
        arena_release(arena);
        return;
    }
    free_blocks(kept->next);
    kept->next = NULL;
    ASAN_UNPOISON_MEMORY_REGION(kept->data, kept->used);
    memset(kept->data, 0, kept->used);
    ASAN_POISON_MEMORY_REGION(kept->data, kept->used);
    kept->used = 0;
}

void arena_release(struct arena *arena)
{
    free_blocks(arena->head);
    arena->head = NULL;
}

static struct arena_block *add_block(struct arena *arena, size_t needed)
{
    size_t size = arena->head != NULL ? arena->head->size * 2 : BLOCK_FIRST;
    if (size > BLOCK_KEPT) {
        size = BLOCK_KEPT;
    }
    if (size < needed) {
        size = needed;
    }
    struct arena_block *block = calloc(1, sizeof *block + size);
    if (block == NULL) {
        memory_gone();
    }
    ASAN_POISON_MEMORY_REGION(block->data, size);
    block->size = size;
    block->next = arena->head;
    arena->head = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t unit = sizeof(max_align_t);
    if (size > PTRDIFF_MAX - sizeof(struct arena_block) - unit - GAP) {
        memory_gone();
    }
    size_t needed = (size == 0 ? unit : (size + unit - 1) / unit * unit) + GAP;
    struct arena_block *block = arena->head;
    if (block == NULL || block->size - block->used < needed) {
        block = add_block(arena, needed);
    }
    void *memory = (char *)block->data + block->used;
    ASAN_UNPOISON_MEMORY_REGION(memory, size);
    block->used += needed;
    return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size > 0 && count > PTRDIFF_MAX / size) {
        memory_gone();
    }
    return arena_alloc(arena, count * size);
}

void *arena_grow(struct arena *arena, void *old, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return old;
    }
    if (count > PTRDIFF_MAX / 2) {
        memory_gone();
    }
    size_t wanted = count < 4 ? 8 : count * 2;
    void *grown = arena_array(arena, wanted, size);
    if (count > 0) {
        memcpy(grown, old, count * size);
    }
    *capacity = wanted;
    return grown;
}

char *arena_text_n(struct arena *arena, const char *text, size_t length)
{
    if (text == NULL) {
        return NULL;
    }
    if (length > PTRDIFF_MAX - 1) {
        memory_gone();
    }
    char *copy = arena_alloc(arena, length + 1);
    memcpy(copy, text, length);
    return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
    return text != NULL ? arena_text_n(arena, text, strlen(text)) : NULL;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t size = length < 0 ? 1 : (size_t)length + 1;
    char *text = arena_alloc(arena, size);
    if (length >= 0) {
        vsnprintf(text, size, format, again);
    }
    va_end(again);
    return text;
}
