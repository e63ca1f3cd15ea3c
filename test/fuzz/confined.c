/* SPDX-License-Identifier: Apache-2.0
 *
 * jq programs that may never end, in a process of their own: it ends by itself or is ended, and
 * neither crashes nor sees the environment. The first line is the program.
 */
#include "../../src/base/program.h"
#include "json.h"
#include "query.h"

#include "fuzz.h"

#define MARK "e5ca9ed"

static void check_error(const struct error *err)
{
    static const char *const crashes[] = {"(signal 0)", "(signal 11)", "(signal 4)", "(signal 8)"};
    REQUIRE(err->kind == ERROR_CONFIG || err->kind == ERROR_FORMAT || err->kind == ERROR_TIMEOUT);
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++) {
        const char *end = strrchr(err->message, '(');
        REQUIRE(strstr(err->message, "ended without an answer") == NULL || end == NULL ||
                strcmp(end, crashes[i]) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct slice rest = {(const char *)data, size};
    const char *program = input_line(&arena, &rest), *variable = "NAME=" MARK;
    struct json *results AUTO_JSON = NULL;
    struct error err = {0};
    if (program_look(program, &err) != 0 || memmem(data, size, MARK, strlen(MARK)) != NULL) {
        return 0;
    }
    set_environment(&arena, &variable, 1);
    int result = query_run(program, rest, 5, &results, &err);
    restore_environment();
    if (result != 0) {
        check_error(&err);
        return 0;
    }
    char *text = json_print(results, false);
    REQUIRE(json_size(results) <= 5 && strstr(text, MARK) == NULL);
    free(text);
    return 0;
}
