/* SPDX-License-Identifier: Apache-2.0
 *
 * What jq makes of hostile JSON, in this process, where the sanitizer sees it: results are JSON,
 * and whatever comes from the child is read or refused. The first byte is the program: they end
 * by themselves, and are compiled once, which takes a hundred times as long as to run one.
 */
#include "../../src/base/query.c"

#include "fuzz.h"

#include <sanitizer/lsan_interface.h>

static const char *const programs[] = {
    ".",
    ".status == \"ok\"",
    ".value",
    ".list[0]",
    "length",
    "keys",
    "to_entries | map(.key)",
    "[.[]?]",
    ".. | numbers",
    "tojson",
    "tojson | fromjson",
    "fromjson",
    "tostring",
    "tonumber",
    "sort",
    "unique",
    "group_by(type)",
    "add",
    "any",
    "all",
    "min, max",
    "paths",
    "[leaf_paths]",
    "map(tojson) | join(\",\")",
    "explode | implode",
    "ascii_downcase | split(\",\")",
    "startswith(\"a\")",
    ".[1:3]",
    ".[-1:]",
    "@base64, @uri, @html, @json",
    "@base64d",
    "todate",
    "fromdate",
    "if . then 1 else 2 end",
    ".a.b.c // \"none\"",
    ".value * 100 | floor",
    "\"v \\(.version)\"",
    "with_entries(.value |= tostring)",
    "flatten",
    "tostream",
};
enum { PROGRAMS = sizeof programs / sizeof programs[0] };

static void check_error(const struct error *err)
{
    REQUIRE(err->kind == ERROR_CONFIG || err->kind == ERROR_FORMAT || err->kind == ERROR_NOTFOUND);
    REQUIRE(err->message[0] != '\0');
}

static jq_state *kept[PROGRAMS];

static jq_state *compiled(size_t index)
{
    struct error err = {0};
    if (kept[index] == NULL) {
        REQUIRE(compile(programs[index], &kept[index], &err) == 0);
    }
    return kept[index];
}

/* valgrind has no way not to look at one of them, and no need to be fast. */
static void let_go(size_t index)
{
#ifdef MEMCHECK
    jq_teardown(&kept[index]);
#else
    (void)index;
#endif
}

static void check_lines(const struct buf *lines)
{
    struct error err = {0};
    for (const char *line = lines->data; *line != '\0';) {
        struct json *json AUTO_JSON = NULL;
        size_t length = strcspn(line, "\n");
        if (json_parse(line + 1, length - 1, &json, &err) != 0) {
            REQUIRE(strstr(err.message, "nested") != NULL || strstr(err.message, "NUL") != NULL);
        }
        line += length + 1;
    }
}

static void run_over(size_t index, struct slice input)
{
    const struct task task = {
        .program = programs[index], .input = input.data, .length = input.length, .outputs = 5};
    struct buf lines AUTO_BUF;
    struct error err = {0};
    jv value;
    buf_init(&lines, RESULTS_BYTES);
    int result = parse_input(&task, &value, &err);
    if (result == 0) {
        /* What a kept program holds is not seen to be held. */
        __lsan_disable();
        result = draw(compiled(index), value, &task, &lines, &err);
        __lsan_enable();
        let_go(index);
    }
    if (result == 0) {
        check_lines(&lines);
    } else {
        check_error(&err);
    }
}

/* As if the child had sent it. */
static void receive(struct slice input)
{
    struct buf received AUTO_BUF, out AUTO_BUF;
    struct error err = {0};
    buf_init(&received, RESULTS_BYTES + 1);
    buf_init(&out, RESULTS_BYTES);
    buf_add(&received, input.data, input.length);
    if (decode(&received, &out, &err) != 0) {
        REQUIRE(err.kind != ERROR_NONE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice all = {(const char *)data, size};
    if (size > 0) {
        run_over(data[0] % PROGRAMS, (struct slice){all.data + 1, all.length - 1});
    }
    receive(all);
    return 0;
}
