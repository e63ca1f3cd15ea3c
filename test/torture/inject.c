/* SPDX-License-Identifier: Apache-2.0
 *
 * One call of the program fails. Linked into build/torture/deploy-action, with --wrap for every
 * row of calls.h.
 *
 * TORTURE_LOG=file  a struct log, mapped by all processes: how often each call was made, and from
 *                   where; read by test/suites/torture
 * TORTURE=[child.|grandchild.]function:n[:errno]   the n-th call of that function, counted over
 *                   all processes of that distance from the first one, fails
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES = 9, LEVELS = 3, CALLS_MAX = 96, NAME = 16, ENTRIES = 400000 };

struct entry {
    uint32_t level, call, number, place; /* place: a hash of the frames */
};

struct log {
    _Atomic uint32_t struck, used;
    uint64_t frames[FRAMES]; /* of the call that failed, as offsets into the program */
    char names[CALLS_MAX][NAME];
    _Atomic uint32_t counts[LEVELS][CALLS_MAX];
    struct entry entries[ENTRIES];
};

enum call {
#define CALL(name, ...) CALL_##name,
#define DONE CALL
#define FORK CALL
#include "calls.h"
    CALLS
};

static const char names[CALLS_MAX][NAME] = {
#undef CALL
#define CALL(name, ...) #name,
#include "calls.h"
};

static const char *const levels[LEVELS] = {"", "child.", "grandchild."};
static struct log *writes;
static uint32_t level;
static struct {
    uint32_t level, call, number;
    int error;
} wish;
static uintptr_t stack_top;
extern char base[] __asm__("__executable_start");

/* The libraries have no frame pointers: what their register holds may be no frame. */
__attribute__((no_sanitize("address", "undefined"))) static void walk(uint64_t frames[FRAMES])
{
    const uintptr_t *frame = __builtin_frame_address(0);
    for (size_t i = 0; i < FRAMES; i++) {
        const uintptr_t next = frame[0];
        frames[i] = frame[1] - (uintptr_t)base;
        if (next <= (uintptr_t)frame || next + 16 > stack_top || next % 8 != 0) {
            return;
        }
        frame = (const uintptr_t *)next;
    }
}

static uint32_t hash(const uint64_t frames[FRAMES])
{
    uint64_t value = 14695981039346656037U;
    for (size_t i = 0; i < FRAMES; i++) {
        value = (value ^ frames[i]) * 1099511628211U;
    }
    return (uint32_t)(value ^ value >> 32);
}

static void note(enum call call, uint32_t number)
{
    uint64_t frames[FRAMES] = {0};
    uint32_t at = atomic_fetch_add(&writes->used, 1);
    walk(frames);
    if (at < ENTRIES) {
        writes->entries[at] = (struct entry){level, call, number, hash(frames)};
    }
}

static bool strike(enum call call, int error)
{
    if (writes == NULL) {
        return false;
    }
    uint32_t number = atomic_fetch_add(&writes->counts[level][call], 1) + 1;
    if (wish.number == 0) {
        note(call, number);
    }
    if (number != wish.number || call != wish.call || level != wish.level) {
        return false;
    }
    walk(writes->frames);
    atomic_store(&writes->struck, 1);
    errno = wish.error != 0 ? wish.error : error;
    return true;
}

#define WRAP(name, type, parameters) \
    type __real_##name parameters;   \
    type __wrap_##name parameters;   \
    type __wrap_##name parameters

#undef CALL
#undef DONE
#undef FORK
#define CALL(name, type, failed, error, parameters, arguments)                  \
    WRAP(name, type, parameters)                                                \
    {                                                                           \
        return strike(CALL_##name, error) ? (failed) : __real_##name arguments; \
    }
#define DONE(name, type, failed, error, parameters, arguments) \
    WRAP(name, type, parameters)                               \
    {                                                          \
        type result = __real_##name arguments;                 \
        return strike(CALL_##name, error) ? (failed) : result; \
    }
#define FORK(name, type, failed, error, parameters, arguments)                        \
    WRAP(name, type, parameters)                                                      \
    {                                                                                 \
        type child = strike(CALL_##name, error) ? (failed) : __real_##name arguments; \
        level += child == 0 && level + 1 < LEVELS ? 1 : 0;                            \
        return child;                                                                 \
    }
#include "calls.h"

static void read_wish(const char *text)
{
    char *end = NULL;
    for (wish.level = LEVELS - 1; wish.level > 0; wish.level--) {
        size_t length = strlen(levels[wish.level]);
        if (strncmp(text, levels[wish.level], length) == 0) {
            text += length;
            break;
        }
    }
    size_t length = strcspn(text, ":");
    for (uint32_t i = 0; i < CALLS; i++) {
        if (strncmp(names[i], text, length) == 0 && names[i][length] == '\0') {
            wish.call = i;
            wish.number = (uint32_t)strtoul(text + length + 1, &end, 10);
        }
    }
    wish.error = end != NULL && *end == ':' ? (int)strtol(end + 1, NULL, 10) : 0;
    if (wish.number == 0) {
        abort();
    }
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("TORTURE_LOG"), *text = getenv("TORTURE");
    int fd = path == NULL ? -1 : __real_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || __real_ftruncate(fd, sizeof(struct log)) < 0) {
        return;
    }
    void *map = mmap(NULL, sizeof(struct log), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    __real_close(fd);
    if (map == MAP_FAILED) {
        return;
    }
    stack_top = (uintptr_t)environ & ~(uintptr_t)15;
    if (text != NULL) {
        read_wish(text);
    }
    writes = map;
    memcpy(writes->names, names, sizeof(names));
}
