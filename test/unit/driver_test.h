/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of drivers share: a project folder with a deploy.yaml that is really read,
 * and the context that a driver gets.
 */
#ifndef DRIVER_TEST_H
#define DRIVER_TEST_H

#include "arena.h"
#include "clock.h"
#include "driver.h"
#include "expect.h"
#include "io_test.h"

#define METRICS_YAML "metrics:\n  scrape: { path: /metrics }\n"

static struct arena arena;
static struct loop *loop;
static struct clock real_clock;
static struct config *config;
static struct driver_context context;
static struct variable variables[] = {
    {"app", "shop"},    {"version", "v2"}, {"image", "registry/shop:v2"},
    {"base_url", NULL}, {NULL, NULL},
};

static inline int driver_begin(void **state)
{
    arena_init(&arena);
    if (enter_folder(state) != 0 || loop_open(&loop, &error) != 0) {
        return -1;
    }
    clock_init(&real_clock, loop);
    return 0;
}

static inline int driver_end(void **state)
{
    loop_free(loop);
    loop = NULL;
    arena_release(&arena);
    return leave_folder(state);
}

/* Reads the file as main does; a wrong file fails the test with every problem of it. */
static inline void load_config(const char *yaml)
{
    struct problems problems = {0};
    const struct config_source source = {.path = in_folder("deploy.yaml"), .directory = folder};
    write_file(source.path, yaml);
    if (config_load(&arena, &source, &config, &problems, &error) < 0) {
        for (size_t i = 0; i < problems.count; i++) {
            print_error("%s\n", problems.items[i]);
        }
        fail_msg("%s", error.message);
    }
    context = (struct driver_context){
        .config = config,
        .arena = &arena,
        .clock = &real_clock,
        .loop = loop,
        .variables = variables,
    };
}

static inline char *read_back(const char *name)
{
    struct buf text;
    EXPECT_OK(file_read(in_folder(name), 1 << 20, false, &text, &error), &error);
    char *copy = arena_text(&arena, text.data);
    buf_release(&text);
    return copy;
}

static inline void expect_file(const char *name, const char *wanted)
{
    assert_string_equal(read_back(name), wanted);
}

#endif
