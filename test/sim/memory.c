/* SPDX-License-Identifier: Apache-2.0
 *
 * In place of the C library's allocator, which gives large blocks back to the kernel each time:
 * blocks of powers of two, kept for the next seed. One thread.
 */
#if !defined(__SANITIZE_ADDRESS__) && !defined(MEMCHECK)

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define CLASSES 48
#define CHUNK ((size_t)64 << 20)

union head {
    struct {
        unsigned class;
    } of;
    max_align_t align;
};
struct spare {
    struct spare *next;
};

static struct spare *spare[CLASSES];
static char *at, *end;

static void *more(size_t size)
{
    if ((size_t)(end - at) < size) {
        size_t chunk = size > CHUNK ? size : CHUNK;
        char *memory =
            mmap(NULL, chunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            return NULL;
        at = memory;
        end = memory + chunk;
    }
    char *block = at;
    at += size;
    return block;
}

/* Under another name: what is known as malloc before a memset is made a calloc. */
static void *block_of(size_t size)
{
    unsigned class = 5;
    if (size > (size_t)1 << 40) {
        errno = ENOMEM;
        return NULL;
    }
    while ((size_t)1 << class < size + sizeof(union head))
        class ++;
    union head *head = (union head *)(void *)spare[class];
    if (head != NULL)
        spare[class] = spare[class]->next;
    else
        head = more((size_t)1 << class);
    if (head == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    head->of.class = class;
    return head + 1;
}

void *malloc(size_t size)
{
    return block_of(size);
}

void free(void *memory)
{
    if (memory == NULL)
        return;
    union head *head = (union head *)memory - 1;
    unsigned class = head->of.class;
    struct spare *block = (struct spare *)(void *)head;
    block->next = spare[class];
    spare[class] = block;
}

void *calloc(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    void *memory = block_of(count * size);
    return memory == NULL ? NULL : memset(memory, 0, count * size);
}

void *realloc(void *old, size_t size)
{
    void *memory = block_of(size);
    if (memory == NULL || old == NULL)
        return memory;
    size_t room = ((size_t)1 << ((union head *)old - 1)->of.class) - sizeof(union head);
    memcpy(memory, old, room < size ? room : size);
    free(old);
    return memory;
}

#endif
