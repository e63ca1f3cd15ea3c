/* SPDX-License-Identifier: Apache-2.0
 *
 * jq programs that run in this process, over hostile JSON: results are JSON, numbers are finite,
 * the environment is not seen, and the work is bounded. The first line is the program. To compile
 * one takes a hundred times as long as to run it: those of late are kept.
 */
#include "../../src/base/query.c"

#include "fuzz.h"

#include <sanitizer/lsan_interface.h>

#define MARK "e5ca9ed"
enum { KEPT_MAX = 64 };

struct kept {
    char *program;
    jq_state *jq;
};

static void check_error(const struct error *err)
{
    REQUIRE(err->kind == ERROR_CONFIG || err->kind == ERROR_FORMAT || err->kind == ERROR_NOTFOUND);
    REQUIRE(err->message[0] != '\0');
}

/* Every question of query.h: of each new program, and now and then of one that is kept. */
static void ask_all(const char *program, struct slice input)
{
    struct json *results AUTO_JSON = NULL;
    struct error err = {0};
    double number = NAN;
    bool truth = false;
    char got[200] = "";
    if (query_run(program, input, 5, &results, &err) == 0) {
        REQUIRE(json_is_array(results) && json_size(results) <= 5);
    } else {
        check_error(&err);
    }
    if (query_number(program, input.data, input.length, &number, &err) == 0) {
        REQUIRE(isfinite(number));
    } else {
        check_error(&err);
    }
    if (query_truth(program, input, &truth, got, &err) == 0) {
        REQUIRE(strlen(got) < sizeof got && text_utf8_valid(got, strlen(got)));
    } else {
        check_error(&err);
    }
}

/* The compiled program; NULL where it is none. Takes the place of the oldest. */
static jq_state *compiled(const char *program, struct slice input)
{
    static struct kept kept[KEPT_MAX];
    static size_t next;
    for (size_t i = 0; i < KEPT_MAX; i++) {
        if (kept[i].program != NULL && strcmp(kept[i].program, program) == 0) {
            return kept[i].jq;
        }
    }
    struct error err = {0};
    jq_state *jq = NULL;
    if (compile(program, &jq, &err) != 0) {
        check_error(&err);
        return NULL;
    }
    ask_all(program, input);
    struct kept *place = &kept[next++ % KEPT_MAX];
    if (place->program != NULL) {
        jq_teardown(&place->jq);
        free(place->program);
    }
    *place = (struct kept){strdup(program), jq};
    return jq;
}

static void run_over(jq_state *jq, const char *program, struct slice input)
{
    const struct task task = {
        .program = program, .input = input.data, .length = input.length, .outputs = 5};
    struct buf lines AUTO_BUF;
    struct error err = {0};
    jv value;
    buf_init(&lines, RESULTS_BYTES);
    int result = parse_input(&task, &value, &err);
    if (result == 0) {
        /* What a kept program holds is not seen to be held. */
        __lsan_disable();
        result = draw(jq, value, &task, &lines, &err);
        __lsan_enable();
    }
    if (result != 0) {
        check_error(&err);
        return;
    }
    REQUIRE(strstr(lines.data, MARK) == NULL);
    for (const char *line = lines.data; *line != '\0';) {
        struct json *json AUTO_JSON = NULL;
        size_t length = strcspn(line, "\n");
        if (json_parse(line + 1, length - 1, &json, &err) != 0) {
            REQUIRE(strstr(err.message, "nested") != NULL || strstr(err.message, "NUL") != NULL);
        }
        line += length + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct slice rest = {(const char *)data, size};
    const char *program = input_line(&arena, &rest), *variable = "NAME=" MARK;
    struct error err = {0};
    bool plain = false;
    if (program_look(program, &plain, &err) != 0) {
        REQUIRE(err.kind == ERROR_CONFIG);
    } else if (plain && memmem(data, size, MARK, strlen(MARK)) == NULL) {
        set_environment(&arena, &variable, 1);
        jq_state *jq = compiled(program, rest);
        if (jq != NULL) {
            run_over(jq, program, rest);
        }
        if (jq != NULL && size % 16 == 15) {
            ask_all(program, rest);
        }
        REQUIRE(strcmp(environ[0], variable) == 0);
        restore_environment();
    }
    return 0;
}
