/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include "arena.h"
#include "inputs.h"
#include "text.h"

#include <stdlib.h>

static const char *const commands[] = {"run",      "plan",   "validate", "status",  "promote",
                                       "rollback", "retire", "report",   "history", "init",
                                       "schema",   "doctor", "version",  NULL};

static struct arena arena;
static struct inputs in;
static struct error err;

/* Reads a command line of words between spaces; `_` in a word stands for a space. */
static int read_line(const char *line)
{
    char *argv[32] = {arena_text(&arena, "deploy-action")};
    int argc = 1;
    for (const char *at = line; *at && argc < 31;) {
        size_t length = strcspn(at, " ");
        char *word = arena_text_n(&arena, at, length);
        for (char *c = word; *c; c++) {
            *c = *c == '_' ? ' ' : *c;
        }
        argv[argc++] = word;
        at += length + strspn(at + length, " ");
    }
    return inputs_read(&arena, argv, commands, &in, &err);
}

static const char *const cleared[] = {"INPUT_COMMAND",
                                      "INPUT_STRATEGY",
                                      "INPUT_VERSION",
                                      "INPUT_PROJECT-DIRECTORY",
                                      "INPUT_GUIDANCE",
                                      "INPUT_INTERACTIVE",
                                      "INPUT_SET",
                                      "INPUT_JSON",
                                      "INPUT_FILE",
                                      "DEPLOY_ACTION_VERSION",
                                      "DEPLOY_ACTION_STRATEGY",
                                      "DEPLOY_ACTION_PROJECT_DIRECTORY",
                                      "DEPLOY_ACTION_NO_COLOR",
                                      "INPUT_ANSWER",
                                      "GITHUB_ACTOR",
                                      "GITLAB_USER_LOGIN",
                                      "USER",
                                      NULL};

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    for (size_t i = 0; cleared[i]; i++) {
        (void)unsetenv(cleared[i]);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_release(&arena);
    return set_up(state);
}

/* S-004, S-028…S-035, D-01 */
static void words(void **state)
{
    static const struct {
        const char *line, *command;
        enum strategy strategy;
        const char *version, *directory;
    } rows[] = {
        {"run canary v1.2", "run", STRATEGY_CANARY, "v1.2", "."},
        {"canary v1.2", "run", STRATEGY_CANARY, "v1.2", "."},
        {"blue-green 1.2.3+b4", "run", STRATEGY_BLUE_GREEN, "1.2.3+b4", "."},
        {"rolling 7 .", "run", STRATEGY_ROLLING, "7", "."},
        {"rolling 7 ./shop", "run", STRATEGY_ROLLING, "7", "./shop"},
        {"./shop rolling 7", "run", STRATEGY_ROLLING, "7", "./shop"},
        {"run /srv/shop rolling 7", "run", STRATEGY_ROLLING, "7", "/srv/shop"},
        {"plan blue-green v2 a/b", "plan", STRATEGY_BLUE_GREEN, "v2", "a/b"},
        {"run canary -- v2", "run", STRATEGY_CANARY, "v2", "."},
        {"validate ./x", "validate", STRATEGY_NONE, NULL, "./x"},
        {"status", "status", STRATEGY_NONE, NULL, "."},
        {"version", "version", STRATEGY_NONE, NULL, "."},
        {"--version", "version", STRATEGY_NONE, NULL, "."},
        {"canary sha256:0a1b", "run", STRATEGY_CANARY, "sha256:0a1b", "."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        EXPECT_OK(read_line(rows[i].line), &err);
        assert_string_equal(in.command, rows[i].command);
        assert_int_equal(in.strategy, rows[i].strategy);
        assert_true(text_equal(in.version, rows[i].version));
        assert_string_equal(in.directory, rows[i].directory);
        assert_string_equal(in.guidance, "");
        assert_string_equal(in.file, "deploy.yaml");
        assert_false(in.interactive);
    }
}

/* S-033: the first words are exactly these. */
static void unknown_options(void **state)
{
    static const char *const lines[][2] = {
        {"run canary 1 --bogus", "Unknown option: --bogus"},
        {"--bogus", "Unknown option: --bogus"},
        {"run canary 1 --guidence x", "Unknown option: --guidence (did you mean '--guidance'?)"},
        {"run canary 1 --jsn=true", "Unknown option: --jsn (did you mean '--json'?)"},
        {"run canary 1 -x", "Unknown option: -x"},
        {"run canary 1 -qf", "Unknown option: -qf"},
        {"status --supersede", "Unknown option: --supersede (it belongs to run, not to 'status')"},
        {"run canary 1 --strategy x", "Unknown option: --strategy"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        EXPECT_ERROR(read_line(lines[i][0]), &err, ERROR_USAGE, lines[i][1]);
        assert_true(text_starts(err.message, "Unknown option: "));
        assert_int_equal(error_exit_code(err.kind), 1);
    }
}

static void usage_errors(void **state)
{
    static const char *const lines[][2] = {
        {"", "no command"},
        {"rnu canary 1", "unknown command 'rnu' (did you mean 'run'?)"},
        {"canry 1", "unknown command 'canry' (did you mean 'canary'?)"},
        {"run canry 1", "unknown strategy 'canry' (did you mean 'canary'?)"},
        {"run", "strategy and version are missing"},
        {"run 1.2", "unknown strategy '1.2'"},
        {"canary", "version is missing: write deploy-action run canary <version>"},
        {"plan rolling", "version is missing: write deploy-action plan rolling <version>"},
        {"run canary 1 2", "does not take the argument '2'"},
        {"run canary 1 a/b c/d", "two project directories: 'a/b' and 'c/d'"},
        {"run canary -f", "-f needs a value: write -f PATH"},
        {"run canary 1 --guidance", "--guidance needs a value: write --guidance TEXT"},
        {"run canary v1_2", "'v1 2' is no version"},
        {"run canary :1", "':1' is no version"},
        {"promote canary", "takes no strategy"},
        {"status 1.2", "does not take the argument '1.2'"},
        {"schema shop", "a directory has a '/', as in './shop'"},
        {"run canary 1 --json=maybe", "--json must be true or false, not 'maybe'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        EXPECT_ERROR(read_line(lines[i][0]), &err, ERROR_USAGE, lines[i][1]);
    }
    const char *longest = arena_format(&arena, "canary %0128d", 1);
    EXPECT_OK(read_line(longest), &err);
    EXPECT_ERROR(read_line(arena_format(&arena, "canary %0129d", 1)), &err, ERROR_USAGE, "128");
}

/* S-027…S-032 */
static void options(void **state)
{
    (void)state;
    EXPECT_OK(read_line("run --guidance be_quick canary 1 --interactive -f x.yaml --set a=1 "
                        "--set=b=c=2 -q --json --by me --comment why_not --state s.json"),
              &err);
    assert_string_equal(in.guidance, "be quick");
    assert_true(in.interactive && in.quiet && in.json);
    assert_string_equal(in.file, "x.yaml");
    assert_string_equal(in.by, "me");
    assert_string_equal(in.comment, "why not");
    assert_string_equal(in.state, "s.json");
    assert_int_equal(in.sets.count, 2);
    assert_string_equal(in.sets.items[1], "b=c=2");
    EXPECT_OK(read_line("canary 1 --guidance --interactive"), &err);
    assert_string_equal(in.guidance, "--interactive");
    assert_false(in.interactive);
    EXPECT_OK(read_line("canary 1 --guidance=a=b --interactive=false"), &err);
    assert_string_equal(in.guidance, "a=b");
    assert_false(in.interactive);
}

static void help_asks_for_nothing(void **state)
{
    static const char *const lines[] = {"--help",    "-h",          "run --help",
                                        "canary -h", "status x -h", "run nonsense --help"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        EXPECT_OK(read_line(lines[i]), &err);
        assert_true(in.help);
    }
}

static void set(const char *name, const char *value)
{
    assert_int_equal(setenv(name, value, 1), 0);
}

static void action_inputs(void **state)
{
    (void)state;
    set("INPUT_STRATEGY", "canary");
    set("INPUT_VERSION", "v3");
    set("INPUT_PROJECT-DIRECTORY", "shop");
    set("INPUT_GUIDANCE", "be careful");
    set("INPUT_INTERACTIVE", "false");
    set("INPUT_SET", "a.b=1\n\n c=2\r\nd=3\n");
    set("INPUT_FILE", "");
    EXPECT_OK(read_line(""), &err);
    assert_string_equal(in.command, "run");
    assert_int_equal(in.strategy, STRATEGY_CANARY);
    assert_string_equal(in.version, "v3");
    assert_string_equal(in.directory, "shop");
    assert_string_equal(in.guidance, "be careful");
    assert_string_equal(in.file, "deploy.yaml");
    assert_int_equal(in.sets.count, 3);
    assert_string_equal(in.sets.items[2], "d=3");
    set("INPUT_COMMAND", "promote");
    EXPECT_OK(read_line(""), &err);
    assert_string_equal(in.command, "promote");
    set("INPUT_COMMAND", "rolling");
    EXPECT_OK(read_line(""), &err);
    assert_string_equal(in.command, "run");
    assert_int_equal(in.strategy, STRATEGY_ROLLING);
}

/* An argument wins over an input, an input over the environment. */
static void precedence(void **state)
{
    (void)state;
    set("DEPLOY_ACTION_VERSION", "v1");
    set("DEPLOY_ACTION_STRATEGY", "rolling");
    set("DEPLOY_ACTION_PROJECT_DIRECTORY", "env");
    set("DEPLOY_ACTION_NO_COLOR", "1");
    EXPECT_OK(read_line("run"), &err);
    assert_string_equal(in.version, "v1");
    assert_int_equal(in.strategy, STRATEGY_ROLLING);
    assert_string_equal(in.directory, "env");
    assert_true(in.no_color);
    set("INPUT_VERSION", "v2");
    EXPECT_OK(read_line("run"), &err);
    assert_string_equal(in.version, "v2");
    set("INPUT_VERSION", " ");
    EXPECT_OK(read_line("run"), &err);
    assert_string_equal(in.version, "v1");
    EXPECT_OK(read_line("run v4"), &err);
    assert_string_equal(in.version, "v4");
    assert_int_equal(in.strategy, STRATEGY_ROLLING);
    set("INPUT_SET", "a=1");
    EXPECT_OK(read_line("canary v5 ./x --set b=2"), &err);
    assert_int_equal(in.strategy, STRATEGY_CANARY);
    assert_string_equal(in.directory, "./x");
    assert_int_equal(in.sets.count, 1);
    assert_string_equal(in.sets.items[0], "b=2");
}

static void wrong_inputs(void **state)
{
    (void)state;
    set("INPUT_STRATEGY", "canry");
    EXPECT_ERROR(read_line("run"), &err, ERROR_USAGE, "unknown strategy 'canry'");
    set("INPUT_STRATEGY", "canary");
    set("INPUT_VERSION", "a b");
    EXPECT_ERROR(read_line("run"), &err, ERROR_USAGE, "'a b' is no version");
    set("INPUT_VERSION", "1");
    set("INPUT_INTERACTIVE", "perhaps");
    EXPECT_ERROR(read_line("run"), &err, ERROR_USAGE,
                 "INPUT_INTERACTIVE must be true or false, not 'perhaps'");
    set("INPUT_INTERACTIVE", "");
    set("INPUT_COMMAND", "deploi");
    EXPECT_ERROR(read_line(""), &err, ERROR_USAGE, "unknown command 'deploi'");
}

static void who_it_is(void **state)
{
    (void)state;
    EXPECT_OK(read_line("status"), &err);
    assert_null(in.by);
    set("USER", "root");
    EXPECT_OK(read_line("status"), &err);
    assert_string_equal(in.by, "root");
    set("GITHUB_ACTOR", "octocat");
    EXPECT_OK(read_line("promote"), &err);
    assert_string_equal(in.by, "octocat");
    EXPECT_OK(read_line("promote --by ann"), &err);
    assert_string_equal(in.by, "ann");
}

/* Names and letters are unique, and every option says what it does. */
static void the_table_is_sound(void **state)
{
    (void)state;
    for (const struct option *a = inputs_options; a->name; a++) {
        assert_true(a->doc && *a->doc && a->commands);
        assert_true(a->type == FIELD_BOOL || a->value);
        for (const struct option *b = inputs_options; b < a; b++) {
            assert_string_not_equal(a->name, b->name);
            assert_false(a->letter && a->letter == b->letter);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(words),
        TEST(unknown_options),
        TEST(usage_errors),
        TEST(options),
        TEST(help_asks_for_nothing),
        TEST(action_inputs),
        TEST(precedence),
        TEST(wrong_inputs),
        TEST(who_it_is),
        TEST(the_table_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
