/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of commands and of their guard share.
 */
#ifndef PROCESS_TEST_H
#define PROCESS_TEST_H

#include "io_test.h"

static struct loop *loop;
static struct process_result result;

static inline int set_up(void **state)
{
    (void)state;
    memset(&error, 0, sizeof(error));
    memset(&result, 0, sizeof(result));
    /* A folder there that we may not enter would make an absent program a forbidden one. */
    setenv("PATH", "/usr/bin:/bin", 1);
    return loop_open(&loop, &error);
}

static inline int tear_down(void **state)
{
    (void)state;
    process_result_release(&result);
    loop_free(loop);
    return 0;
}

static inline int run_spec(const struct process_spec *spec)
{
    process_result_release(&result);
    return process_run(loop, spec, &result, &error);
}

static inline int run_shell(const char *line)
{
    const struct process_spec spec = {.shell = line, .timeout_ms = 20000};
    return run_spec(&spec);
}

/* Of a process named in a file; zombies count as gone. */
static inline bool is_alive(const char *pid_file)
{
    struct buf text;
    char path[64], line[256] = "";
    assert_int_equal(file_read(pid_file, 64, false, &text, &error), 0);
    snprintf(path, sizeof(path), "/proc/%ld/stat", strtol(text.data, NULL, 10));
    buf_release(&text);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    bool read = fgets(line, sizeof(line), file) != NULL;
    fclose(file);
    const char *end = strrchr(line, ')');
    return read && end != NULL && end[2] != 'Z' && end[2] != 'X';
}

static inline bool dies(const char *pid_file, int ms)
{
    for (; ms > 0 && is_alive(pid_file); ms -= 10) {
        usleep(10000);
    }
    return !is_alive(pid_file);
}

static inline void end_by_file(const char *pid_file)
{
    struct buf text;
    if (file_read(pid_file, 64, false, &text, NULL) == 0 && strtol(text.data, NULL, 10) > 1) {
        kill((pid_t)strtol(text.data, NULL, 10), SIGKILL);
    }
    buf_release(&text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
