/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef MEMCHECK
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>

/* valgrind looks by itself, at the end. */
void __lsan_disable(void)
{
}

void __lsan_enable(void)
{
}

int __lsan_do_recoverable_leak_check(void)
{
    return 0;
}

void __sanitizer_set_death_callback(void (*callback)(void))
{
    (void)callback;
}
#endif

_Noreturn void require_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}

const char *input_line(struct arena *arena, struct slice *rest)
{
    const char *newline = memchr(rest->data, '\n', rest->length);
    size_t length = newline != NULL ? (size_t)(newline - rest->data) : rest->length;
    const char *line = arena_text_n(arena, rest->data, length);
    length += newline != NULL;
    rest->data += length;
    rest->length -= length;
    return line;
}

const char *input_text(struct arena *arena, const struct slice *rest)
{
    return arena_text_n(arena, rest->data, rest->length);
}

/* Files in memory, kept open: a file a run would be most of the work. */
static int memory_file(int *fd, char path[static 32])
{
    if (*fd < 0) {
        *fd = memfd_create("fuzz", 0);
        REQUIRE(*fd >= 0);
    }
    snprintf(path, 32, "/proc/self/fd/%d", *fd);
    REQUIRE(ftruncate(*fd, 0) == 0 && lseek(*fd, 0, SEEK_SET) == 0);
    return *fd;
}

const char *file_of(struct slice content)
{
    static int fd = -1;
    static char path[32];
    memory_file(&fd, path);
    for (size_t at = 0; at < content.length;) {
        ssize_t wrote = write(fd, content.data + at, content.length - at);
        REQUIRE(wrote > 0);
        at += (size_t)wrote;
    }
    return path;
}

static int output = -1;
static char output_name[] = "/tmp/fuzz-output-XXXXXX";

static void output_remove(void)
{
    unlink(output_name);
}

int output_open(void)
{
    if (output < 0) {
        output = mkstemp(output_name);
        REQUIRE(output >= 0 && atexit(output_remove) == 0);
    }
    REQUIRE(ftruncate(output, 0) == 0 && lseek(output, 0, SEEK_SET) == 0);
    return output;
}

const char *output_path(void)
{
    output_open();
    return output_name;
}

const char *output_text(struct arena *arena)
{
    off_t size = lseek(output, 0, SEEK_END);
    REQUIRE(size >= 0);
    char *text = arena_alloc(arena, (size_t)size + 1);
    REQUIRE(pread(output, text, (size_t)size, 0) == (ssize_t)size);
    return text;
}

static size_t lines_of(struct slice text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.length; i++) {
        /* Whatever a YAML reader may take for a line's end. */
        count += text.data[i] == '\n' || text.data[i] == '\r' || text.data[i] == '\x85' ||
                 text.data[i] == '\xa8' || text.data[i] == '\xa9';
    }
    return count;
}

bool tells_place(const char *message, const char *file, struct slice text)
{
    size_t length = strlen(file);
    if (strncmp(message, file, length) != 0 || message[length] != ':') {
        return false;
    }
    char *end = NULL;
    unsigned long line = strtoul(message + length + 1, &end, 10);
    if (*end != ':') {
        return false;
    }
    unsigned long column = strtoul(end + 1, &end, 10);
    return *end == ':' && end[1] == ' ' && end[2] != '\0' && line >= 1 && column >= 1 &&
           line <= lines_of(text) + 1 && column <= text.length + 2;
}

bool is_clean_line(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7f) {
            return false;
        }
    }
    return text_utf8_valid(text, strlen(text));
}

static char **real_environment;

void set_environment(struct arena *arena, const char *const *lines, size_t count)
{
    char **all = arena_array(arena, count + 1, sizeof *all);
    for (size_t i = 0; i < count; i++) {
        all[i] = arena_text(arena, lines[i]);
    }
    real_environment = environ;
    environ = all;
}

void restore_environment(void)
{
    environ = real_environment;
}
