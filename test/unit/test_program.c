/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include "json.h"
#include "query.h"

#include <stdlib.h>

/* Neither checks nor runs. */
static void expect_refused(const char *program, const char *wanted)
{
    struct error err;
    struct json *results = NULL;
    EXPECT_ERROR(query_check(program, &err), &err, ERROR_CONFIG, wanted);
    EXPECT_ERROR(query_run(program, (struct slice){"{}", 2}, 1, &results, &err), &err, ERROR_CONFIG,
                 wanted);
    assert_null(results);
}

static void expect_allowed(const char *program)
{
    struct error err;
    struct json *results = NULL;
    EXPECT_OK(query_check(program, &err), &err);
    EXPECT_OK(query_run(program, (struct slice){"{}", 2}, 0, &results, &err), &err);
    json_free(results);
}

static void the_environment_is_not_seen(void **state)
{
    (void)state;
    expect_refused("$ENV", "'$ENV' is not allowed: queries do not see the environment");
    expect_refused("$ENV.HOME", "environment");
    expect_refused("env", "'env' is not allowed");
    expect_refused(".a | env.HOME", "environment");
    expect_refused("\"x\\(\"y\\(env)\")\"", "environment");
    expect_refused("..|env", "environment");
    expect_refused("{a: env}", "environment");
    expect_refused(".[env]", "environment");
    expect_refused("[1][env:]", "environment");
    expect_refused("# comment\nenv", "environment");
    expect_refused("# goes on \\\n is comment \"\nenv", "environment");
    expect_refused("$__prog_args", "environment");
}

static void there_is_only_the_input(void **state)
{
    (void)state;
    expect_refused("input", "there is one input");
    expect_refused("[inputs]", "there is one input");
    expect_refused("input_filename", "there is one input");
    expect_refused("input_line_number", "there is one input");
    expect_refused("debug", "do not print");
    expect_refused(".a | debug(\"x\")", "do not print");
    expect_refused("stderr", "do not print");
    expect_refused("include \"x\"; .", "do not read files");
    expect_refused("import \"x\" as x; .", "do not read files");
    expect_refused("\"x\" | modulemeta", "do not read files");
}

static void regular_expressions_are_not_there(void **state)
{
    (void)state;
    static const char *const words[] = {"test(\"x\")",       "match(\"x\")",  "capture(\"x\")",
                                        "scan(\"x\")",       "splits(\"x\")", "sub(\"x\"; \"y\")",
                                        "gsub(\"x\"; \"y\")"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        expect_refused(words[i], "this jq has no regular expressions");
    }
}

static void names_of_members_are_allowed(void **state)
{
    (void)state;
    static const char *const allowed[] = {".env",
                                          ".input.test",
                                          "{env: 1}",
                                          "{env : .test, input: 2}",
                                          "{input, debug}",
                                          "\"env\"",
                                          "# env\n.",
                                          ".a[\"env\"]",
                                          "\"\\\\(env)\"",
                                          ".env?",
                                          "{\"a\": .match}",
                                          "$__loc__",
                                          "@text",
                                          "@json \"x\\(.test)\"",
                                          ".a as $input | $input",
                                          "1e3",
                                          ".a # \\\\\n"};
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        expect_allowed(allowed[i]);
    }
}

static void long_and_deep_programs_are_refused(void **state)
{
    (void)state;
    struct error err;
    char *program = malloc(20000);
    memset(program, ' ', 20000);
    program[0] = '.';
    program[16 * 1024] = '\0';
    expect_allowed(program);
    program[16 * 1024] = ' ';
    program[16 * 1024 + 1] = '\0';
    EXPECT_ERROR(query_check(program, &err), &err, ERROR_CONFIG, "longer than 16 KiB");
    for (int depth = 64; depth <= 65; depth++) {
        memset(program, '(', (size_t)depth);
        program[depth] = '.';
        memset(program + depth + 1, ')', (size_t)depth);
        program[2 * depth + 1] = '\0';
        if (depth == 64) {
            expect_allowed(program);
        } else {
            EXPECT_ERROR(query_check(program, &err), &err, ERROR_CONFIG, "nested deeper than 64");
        }
    }
    free(program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_is_not_seen),
        cmocka_unit_test(there_is_only_the_input),
        cmocka_unit_test(regular_expressions_are_not_there),
        cmocka_unit_test(names_of_members_are_allowed),
        cmocka_unit_test(long_and_deep_programs_are_refused),
    };
    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
