/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"
#include "io_test.h"

#include "arena.h"
#include "forge.h"

static struct arena arena;
static struct error err;

static const char *const variables[] = {
    "GITHUB_ACTIONS",     "GITHUB_OUTPUT",       "GITHUB_STEP_SUMMARY",
    "GITHUB_REPOSITORY",  "GITHUB_SHA",          "GITHUB_REF",
    "GITHUB_REF_NAME",    "GITHUB_ACTOR",        "GITHUB_TRIGGERING_ACTOR",
    "GITHUB_RUN_ID",      "GITHUB_SERVER_URL",   "GITLAB_CI",
    "CI_PROJECT_DIR",     "CI_PROJECT_PATH",     "CI_COMMIT_SHA",
    "CI_COMMIT_REF_NAME", "CI_COMMIT_TAG",       "GITLAB_USER_LOGIN",
    "GITLAB_USER_NAME",   "CI_JOB_URL",          "CI_PIPELINE_URL",
    "CI_PIPELINE_ID",     "CI_ENVIRONMENT_NAME",
};

static int bare(void **state)
{
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        unsetenv(variables[i]);
    }
    return enter_folder(state);
}

static int clean(void **state)
{
    arena_release(&arena);
    return leave_folder(state);
}

static const struct forge_driver *on_github(void)
{
    setenv("GITHUB_ACTIONS", "true", 1);
    setenv("GITHUB_OUTPUT", in_folder("output"), 1);
    setenv("GITHUB_STEP_SUMMARY", in_folder("summary"), 1);
    return forge_here();
}

static const struct forge_driver *on_gitlab(void)
{
    setenv("GITLAB_CI", "true", 1);
    setenv("CI_PROJECT_DIR", folder, 1);
    return forge_here();
}

static const char *content(const char *name)
{
    struct buf buf;
    EXPECT_OK(file_read(in_folder(name), 4 << 20, false, &buf, &err), &err);
    const char *text = arena_text(&arena, buf.data);
    buf_release(&buf);
    return text;
}

static void test_detection(void **state)
{
    (void)state;
    assert_string_equal(forge_here()->name, "local");
    setenv("GITHUB_ACTIONS", "false", 1);
    setenv("GITLAB_CI", "", 1);
    assert_string_equal(forge_here()->name, "local");
    assert_string_equal(on_gitlab()->name, "gitlab");
    assert_int_equal(forge_here()->style, LOG_GITLAB);
    assert_string_equal(on_github()->name, "github");
    assert_int_equal(forge_here()->style, LOG_GITHUB);
}

static void test_github_facts(void **state)
{
    struct forge_facts facts;
    (void)state;
    setenv("ACTIONS_RUNTIME_TOKEN", "runtime-token", 1);
    const char *before = getenv("ACTIONS_RUNTIME_TOKEN");
    on_github()->facts(&arena, &facts);
    assert_null(getenv("ACTIONS_RUNTIME_TOKEN"));
    assert_string_equal(before, "");
    assert_null(facts.project);
    assert_null(facts.run_url);
    assert_null(facts.run_key);
    setenv("GITHUB_REPOSITORY", "org/shop", 1);
    setenv("GITHUB_SHA", "abc123", 1);
    setenv("GITHUB_REF", "refs/heads/main", 1);
    setenv("GITHUB_ACTOR", "ann", 1);
    setenv("GITHUB_RUN_ID", "42", 1);
    setenv("GITHUB_SERVER_URL", "https://git.example.com", 1);
    forge_here()->facts(&arena, &facts);
    assert_string_equal(facts.project, "org/shop");
    assert_string_equal(facts.commit, "abc123");
    assert_string_equal(facts.ref, "refs/heads/main");
    assert_string_equal(facts.actor, "ann");
    assert_string_equal(facts.run_url, "https://git.example.com/org/shop/actions/runs/42");
    assert_string_equal(facts.run_key, "github-42");
    setenv("GITHUB_REF_NAME", "main", 1);
    setenv("GITHUB_TRIGGERING_ACTOR", "bob", 1); /* who pressed re-run */
    forge_here()->facts(&arena, &facts);
    assert_string_equal(facts.ref, "main");
    assert_string_equal(facts.actor, "bob");
}

static void test_gitlab_facts(void **state)
{
    struct forge_facts facts;
    (void)state;
    setenv("CI_PROJECT_PATH", "org/shop", 1);
    setenv("CI_COMMIT_SHA", "abc123", 1);
    setenv("CI_COMMIT_REF_NAME", "main", 1);
    setenv("GITLAB_USER_LOGIN", "ann", 1);
    setenv("CI_JOB_URL", "https://gitlab.example.com/org/shop/-/jobs/7", 1);
    setenv("CI_PIPELINE_ID", "42", 1);
    setenv("CI_ENVIRONMENT_NAME", "production", 1);
    on_gitlab()->facts(&arena, &facts);
    assert_string_equal(facts.project, "org/shop");
    assert_string_equal(facts.commit, "abc123");
    assert_string_equal(facts.ref, "main");
    assert_string_equal(facts.actor, "ann");
    assert_string_equal(facts.run_url, "https://gitlab.example.com/org/shop/-/jobs/7");
    assert_string_equal(facts.run_key, "gitlab-42"); /* a retried job has a new job id */
    assert_string_equal(facts.environment, "production");
}

/* Reads an output file as GitHub's runner does. */
static const char *runner_value(const char *text, const char *name)
{
    const char *found = NULL;
    while (*text != '\0') {
        const char *mark = strstr(text, "<<"), *newline = strchr(text, '\n');
        assert_true(mark && newline && mark < newline);
        const char *key = arena_text_n(&arena, text, (size_t)(mark - text));
        const char *delimiter = arena_text_n(&arena, mark + 2, (size_t)(newline - mark - 2));
        const char *end = strstr(newline + 1, arena_format(&arena, "\n%s\n", delimiter));
        assert_non_null(end);
        if (strcmp(key, name) == 0) {
            found = arena_text_n(&arena, newline + 1, (size_t)(end - newline - 1));
        }
        text = end + strlen(delimiter) + 2;
    }
    return found;
}

static void test_github_outputs(void **state)
{
    const char *nasty = "line\nverdict=forged\nname<<EOF\nEOF\n::set-output name=x::y";
    const struct forge_output outputs[] = {
        {"verdict", "ROLLED_BACK"}, {"exit-code", "2"}, {"report", nasty}, {"state", NULL}};
    (void)state;
    EXPECT_OK(on_github()->outputs(outputs, 4, &err), &err);
    const struct forge_output again = {"version", "v3"};
    EXPECT_OK(on_github()->outputs(&again, 1, &err), &err);
    const char *text = content("output");
    assert_string_equal(runner_value(text, "verdict"), "ROLLED_BACK");
    assert_string_equal(runner_value(text, "exit-code"), "2");
    assert_string_equal(runner_value(text, "report"), nasty);
    assert_string_equal(runner_value(text, "state"), "");
    assert_string_equal(runner_value(text, "version"), "v3");
}

static void test_github_delimiters_differ(void **state)
{
    const struct forge_output outputs[] = {{"verdict", "a"}, {"version", "b"}};
    (void)state;
    EXPECT_OK(on_github()->outputs(outputs, 2, &err), &err);
    const char *text = content("output");
    const char *first = strstr(text, "<<deploy_"), *second = strstr(first + 2, "<<deploy_");
    assert_memory_not_equal(first, second, 9 + 32);
    assert_int_equal(strspn(first + 9, "0123456789abcdef"), 32);
}

static void test_github_refuses(void **state)
{
    const struct forge_output wrong = {"ver=dict\nx", "a"}, right = {"verdict", "a"};
    const struct forge_driver *forge = on_github();
    (void)state;
    EXPECT_ERROR(forge->outputs(&wrong, 1, &err), &err, ERROR_BUG, "no name of an output");
    assert_false(file_exists(in_folder("output")));
    char *large = calloc(1, (2 << 20) + 1);
    memset(large, 'x', 2 << 20);
    const struct forge_output huge = {"report", large};
    EXPECT_ERROR(forge->outputs(&huge, 1, &err), &err, ERROR_FORMAT, "1 MiB");
    free(large);
    setenv("GITHUB_OUTPUT", in_folder("none/output"), 1);
    EXPECT_ERROR(forge->outputs(&right, 1, &err), &err, ERROR_NOTFOUND, "cannot open");
    unsetenv("GITHUB_OUTPUT");
    EXPECT_ERROR(forge->outputs(&right, 1, &err), &err, ERROR_NOTFOUND, "GITHUB_OUTPUT");
    unsetenv("GITHUB_STEP_SUMMARY");
    EXPECT_ERROR(forge->summary("x", 1, &err), &err, ERROR_NOTFOUND, "GITHUB_STEP_SUMMARY");
}

static void test_github_summary(void **state)
{
    const struct forge_driver *forge = on_github();
    (void)state;
    EXPECT_OK(forge->summary("# one\n", 6, &err), &err);
    EXPECT_OK(forge->summary("# two\n", 6, &err), &err);
    assert_string_equal(content("summary"), "# one\n# two\n");
}

static char *long_report(size_t lines, const char *line)
{
    const size_t length = strlen(line);
    char *text = malloc(lines * length + 1);
    for (size_t i = 0; i < lines; i++) {
        memcpy(text + i * length, line, length);
    }
    text[lines * length] = '\0';
    return text;
}

static void test_github_summary_cut(void **state)
{
    const struct forge_driver *forge = on_github();
    char *report = long_report(40000, "| a line of thirty-two bytes äö|\n");
    (void)state;
    EXPECT_OK(forge->summary(report, strlen(report), &err), &err);
    const char *text = content("summary");
    const size_t length = strlen(text);
    assert_true(length <= 900 * 1024 && length > 890 * 1024);
    const char *notice = strstr(text, "was cut here");
    assert_non_null(notice);
    /* Whole lines only, before the notice. */
    const char *end = strstr(text, "\n\n> [!WARNING]");
    assert_memory_equal(end - 4, "ö|\n", 4);
    /* What comes on top finds no room, and does not grow the file. */
    EXPECT_OK(forge->summary(report, strlen(report), &err), &err);
    assert_true(strlen(content("summary")) <= 900 * 1024);
    free(report);
}

static void test_github_summary_fence(void **state)
{
    char *report = long_report(40000, "a line of a log, within a fence\n");
    (void)state;
    memcpy(report, "```\n", 4);
    EXPECT_OK(on_github()->summary(report, strlen(report), &err), &err);
    assert_non_null(strstr(content("summary"), "\n```\n\n\n> [!WARNING]"));
    free(report);
}

static void test_gitlab_outputs(void **state)
{
    const struct forge_output outputs[] = {
        {"verdict", "DEPLOYED"}, {"exit-code", "0"}, {"report", "a\nFORGED=1\r\nb"}};
    (void)state;
    EXPECT_OK(on_gitlab()->outputs(outputs, 3, &err), &err);
    assert_string_equal(content(".deploy/outputs.env"),
                        "DEPLOY_VERDICT=DEPLOYED\nDEPLOY_EXIT_CODE=0\n"
                        "DEPLOY_REPORT=a FORGED=1  b\n");
    EXPECT_OK(on_gitlab()->outputs(outputs, 1, &err), &err);
    assert_string_equal(content(".deploy/outputs.env"), "DEPLOY_VERDICT=DEPLOYED\n");
    EXPECT_OK(on_gitlab()->summary("# report", 8, &err), &err);
}

static void test_gitlab_too_large(void **state)
{
    char *large = long_report(500, "0123456789");
    const struct forge_output output = {"report", large};
    (void)state;
    EXPECT_ERROR(on_gitlab()->outputs(&output, 1, &err), &err, ERROR_FORMAT, "5 KB");
    assert_false(file_exists(in_folder(".deploy/outputs.env")));
    free(large);
}

static void test_local(void **state)
{
    const struct forge_output output = {"verdict", "DEPLOYED"};
    const struct forge_driver *forge = forge_here();
    struct forge_facts facts;
    (void)state;
    setenv("USER", "ann", 1);
    forge->facts(&arena, &facts);
    assert_string_equal(facts.actor, "ann");
    assert_null(facts.project);
    EXPECT_OK(forge->outputs(&output, 1, &err), &err);
    EXPECT_OK(forge->summary("# report", 8, &err), &err);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, bare, clean)
    const struct CMUnitTest tests[] = {
        CASE(test_detection),
        CASE(test_github_facts),
        CASE(test_gitlab_facts),
        CASE(test_github_outputs),
        CASE(test_github_delimiters_differ),
        CASE(test_github_refuses),
        CASE(test_github_summary),
        CASE(test_github_summary_cut),
        CASE(test_github_summary_fence),
        CASE(test_gitlab_outputs),
        CASE(test_gitlab_too_large),
        CASE(test_local),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
