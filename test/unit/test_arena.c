/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include "arena.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sanitizer/asan_interface.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef MEMCHECK
#include <valgrind/memcheck.h>

/* Without a report, which a question by the program itself would be. */
int __asan_address_is_poisoned(void const volatile *address)
{
    enum { NOT_OURS = 3 };
    unsigned char bits = 0;
    return VALGRIND_GET_VBITS(address, &bits, 1) == NOT_OURS;
}

void *__asan_region_is_poisoned(void *start, size_t size)
{
    for (char *at = start; at < (char *)start + size; at++) {
        if (__asan_address_is_poisoned(at)) {
            return at;
        }
    }
    return NULL;
}
#endif

static void all_zero(const void *memory, size_t size)
{
    const unsigned char *bytes = memory;
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(bytes[i], 0);
    }
}

static void init_allocates_nothing(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    assert_null(arena.head);
    arena_reset(&arena);
    arena_release(&arena);
    assert_null(arena.head);
}

static void memory_is_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    struct arena arena = {0};
    char *before = NULL;
    for (size_t size = 0; size < 300; size++) {
        char *memory = arena_alloc(&arena, size);
        assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
        all_zero(memory, size);
        memset(memory, 0xAA, size);
        assert_ptr_not_equal(memory, before);
        before = memory;
    }
    arena_release(&arena);
}

static void size_zero_is_unique(void **state)
{
    (void)state;
    struct arena arena = {0};
    void *a = arena_alloc(&arena, 0), *b = arena_alloc(&arena, 0);
    void *c = arena_array(&arena, 0, 8), *d = arena_array(&arena, 8, 0);
    assert_ptr_not_equal(a, b);
    assert_ptr_not_equal(b, c);
    assert_ptr_not_equal(c, d);
    arena_release(&arena);
}

static void old_memory_stays_while_new_comes(void **state)
{
    (void)state;
    struct arena arena = {0};
    enum { COUNT = 3000 };
    char *texts[COUNT];
    for (int i = 0; i < COUNT; i++) {
        texts[i] = arena_format(&arena, "text number %d with some length", i);
    }
    char *large = arena_alloc(&arena, 3 * 1024 * 1024);
    all_zero(large, 3 * 1024 * 1024);
    for (int i = 0; i < COUNT; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "text number %d with some length", i);
        assert_string_equal(texts[i], wanted);
    }
    arena_release(&arena);
}

static void reset_keeps_one_block_and_zeroes_it(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (int i = 0; i < 100; i++) {
        memset(arena_alloc(&arena, 1000), 0xFF, 1000);
    }
    struct arena_block *kept = arena.head;
    arena_reset(&arena);
    assert_ptr_equal(arena.head, kept);
    char *again = arena_alloc(&arena, 10000);
    assert_ptr_equal(arena.head, kept);
    all_zero(again, 10000);
    arena_release(&arena);
}

static void the_sanitizer_sees_beyond_each_end(void **state)
{
    (void)state;
    struct arena arena = {0};
    const size_t whole = sizeof(max_align_t); /* no room is left over by rounding up */
    char *first = arena_alloc(&arena, 13), *second = arena_alloc(&arena, whole);
    const char *third = arena_alloc(&arena, whole);
    const char *ends[] = {first + 13, second - 1, second + whole, third - 1, third + whole};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        assert_true(__asan_address_is_poisoned(ends[i]));
    }
    assert_null(__asan_region_is_poisoned(first, 13));
    assert_null(__asan_region_is_poisoned(second, whole));
    arena_reset(&arena);
    assert_true(__asan_address_is_poisoned(first));
    assert_ptr_equal(arena_alloc(&arena, 1), first);
    assert_true(__asan_address_is_poisoned(first + 1));
    arena_release(&arena);
}

static void reset_drops_a_huge_block(void **state)
{
    (void)state;
    struct arena arena = {0};
    memset(arena_alloc(&arena, 2 * 1024 * 1024), 1, 10);
    arena_reset(&arena);
    assert_null(arena.head);
    all_zero(arena_alloc(&arena, 100), 100);
    arena_release(&arena);
}

static void grow_doubles_and_copies(void **state)
{
    (void)state;
    struct arena arena = {0};
    int *numbers = NULL;
    size_t capacity = 0, moves = 0;
    for (size_t count = 0; count < 1000; count++) {
        int *grown = arena_grow(&arena, numbers, count, &capacity, sizeof *numbers);
        moves += grown != numbers;
        numbers = grown;
        assert_true(capacity > count);
        assert_int_equal(numbers[count], 0);
        numbers[count] = (int)count;
    }
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(numbers[i], i);
    }
    assert_true(moves <= 12);
    arena_release(&arena);
}

static void texts_are_copied(void **state)
{
    (void)state;
    struct arena arena = {0};
    char original[] = "abcdef";
    char *copy = arena_text(&arena, original), *part = arena_text_n(&arena, original, 3);
    original[0] = 'X';
    assert_string_equal(copy, "abcdef");
    assert_string_equal(part, "abc");
    assert_string_equal(arena_text(&arena, ""), "");
    assert_null(arena_text(&arena, NULL));
    assert_null(arena_text_n(&arena, NULL, 3));
    assert_string_equal(arena_format(&arena, "%s-%d", "a", 7), "a-7");
    assert_string_equal(arena_format(&arena, "%s", ""), "");
    arena_release(&arena);
}

struct sample {
    int number;
    char *text;
};

static void new_gives_a_typed_zero(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct sample *sample = ARENA_NEW(&arena, struct sample);
    assert_int_equal(sample->number, 0);
    assert_null(sample->text);
    arena_release(&arena);
}

static void plain_memory_never_is_null(void **state)
{
    (void)state;
    char *memory = memory_alloc(0);
    assert_non_null(memory);
    memory = memory_resize(memory, 100);
    memset(memory, 'x', 100);
    memory = memory_resize(memory, 0);
    assert_non_null(memory);
    free(memory);
    memory = memory_zeroed(10, 10);
    all_zero(memory, 100);
    free(memory);
    memory = memory_zeroed(0, 0);
    assert_non_null(memory);
    free(memory);
    memory = memory_text("text");
    assert_string_equal(memory, "text");
    free(memory);
}

static void too_much(int which)
{
    struct arena arena = {0};
    /* Not constants, so that no compiler warns of what is asked for here. */
    volatile size_t huge = SIZE_MAX, half = SIZE_MAX / 2 + 2;
    size_t capacity = 0;
    switch (which) {
    case 0:
        arena_alloc(&arena, huge);
        break;
    case 1:
        arena_array(&arena, half, 2); /* 4 after the product has wrapped */
        break;
    case 2:
        arena_grow(&arena, NULL, half, &capacity, 8);
        break;
    case 3:
        free(memory_alloc(huge / 2));
        break;
    case 4:
        free(memory_resize(NULL, huge / 2));
        break;
    case 5:
        free(memory_zeroed(huge / 4, 2));
        break;
    default:
        break;
    }
}

/* The exit code of a child that asks for too much, and what it said. */
static int code_of_child(int which, char *said, size_t size)
{
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        too_much(which);
        _exit(42);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got = 1; got > 0 && length<size - 1; length += got> 0 ? (size_t)got : 0) {
        got = read(ends[0], said + length, size - 1 - length);
    }
    said[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define OUT_OF_MEMORY "deploy-action: out of memory; run it again, it goes on where it was\n"

static void without_memory_the_process_ends_with_6(void **state)
{
    (void)state;
    char said[4096];
    for (int which = 0; which < 3; which++) {
        assert_int_equal(code_of_child(which, said, sizeof said), 6);
        assert_string_equal(said, OUT_OF_MEMORY);
    }
    assert_int_equal(code_of_child(99, said, sizeof said), 42);
}

static void plain_memory_ends_with_6_too(void **state)
{
    (void)state;
    char said[4096];
    for (int which = 3; which < 6; which++) {
        assert_int_equal(code_of_child(which, said, sizeof said), 6);
        assert_non_null(strstr(said, OUT_OF_MEMORY));
    }
}

/* The sanitizer would end the process itself where malloc is asked for too much. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_allocates_nothing),
        cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(size_zero_is_unique),
        cmocka_unit_test(old_memory_stays_while_new_comes),
        cmocka_unit_test(reset_keeps_one_block_and_zeroes_it),
        cmocka_unit_test(the_sanitizer_sees_beyond_each_end),
        cmocka_unit_test(reset_drops_a_huge_block),
        cmocka_unit_test(grow_doubles_and_copies),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(new_gives_a_typed_zero),
        cmocka_unit_test(plain_memory_never_is_null),
        cmocka_unit_test(without_memory_the_process_ends_with_6),
        cmocka_unit_test(plain_memory_ends_with_6_too),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
