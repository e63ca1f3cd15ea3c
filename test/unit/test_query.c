/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include "json.h"
#include "query.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int run(const char *program, const char *input, size_t max, struct json **out,
               struct error *err)
{
    return query_run(program, (struct slice){input, strlen(input)}, max, out, err);
}

static void expect_results(const char *program, const char *input, size_t max, const char *wanted)
{
    struct error err;
    struct json *results AUTO_JSON = NULL;
    EXPECT_OK(run(program, input, max, &results, &err), &err);
    char *text = json_print(results, false);
    assert_string_equal(text, wanted);
    free(text);
}

#define EXPECT_RUN_ERROR(program, input, kind, wanted)                                        \
    do {                                                                                      \
        struct error err_;                                                                    \
        struct json *results_ = NULL;                                                         \
        EXPECT_ERROR(run((program), (input), 10, &results_, &err_), &err_, (kind), (wanted)); \
        assert_null(results_);                                                                \
    } while (0)

/* Neither checks nor runs. */
static void expect_refused(const char *program, const char *wanted)
{
    struct error err;
    EXPECT_ERROR(query_check(program, &err), &err, ERROR_CONFIG, wanted);
    EXPECT_RUN_ERROR(program, "{}", ERROR_CONFIG, wanted);
}

static void plain_programs_run(void **state)
{
    (void)state;
    expect_results(".", "{\"a\":[1,2.5,null,true,\"x\"]}", 10, "[{\"a\":[1,2.5,null,true,\"x\"]}]");
    expect_results(".a.b[1]", "{\"a\":{\"b\":[1,2]}}", 10, "[2]");
    expect_results(".a.b", "{}", 10, "[null]");
    expect_results(".[]", "[1,2,3]", 10, "[1,2,3]");
    expect_results("empty", "{}", 10, "[]");
    expect_results("[.[] | select(.ok) | .n] | add", "[{\"ok\":true,\"n\":1},{\"n\":5}]", 10,
                   "[1]");
    expect_results("\"v\\(.a)!\"", "{\"a\":1}", 10, "[\"v1!\"]");
    expect_results(".a == \"x\" and (.b | length) >= 2", "{\"a\":\"x\",\"b\":[1,2]}", 1, "[true]");
}

static void programs_that_may_loop_run_too(void **state)
{
    (void)state;
    expect_results("range(3)", "null", 10, "[0,1,2]");
    expect_results("[limit(2; .[])]", "[1,2,3]", 10, "[[1,2]]");
    expect_results("reduce .[] as $x (0; . + $x)", "[1,2,3]", 10, "[6]");
    expect_results("def f: . + 1; f | f", "1", 10, "[3]");
    expect_results("[.. | numbers]", "{\"a\":1,\"b\":[2]}", 10, "[[1,2]]");
    expect_results(".a = 2 | .b |= . * 3", "{\"a\":1,\"b\":2}", 10, "[{\"a\":2,\"b\":6}]");
    expect_results("first(range(10;0;-1))", "null", 10, "[10]");
    expect_results("last(range(10000))", "null", 10, "[9999]");
    expect_results("{a, b: [.b, 1]}", "{\"a\":1,\"b\":2}", 10, "[{\"a\":1,\"b\":[2,1]}]");
    expect_results("\"\\n\\\"\"", "null", 10, "[\"\\n\\\"\"]");
}

static void outputs_are_limited(void **state)
{
    (void)state;
    struct error err;
    expect_results(".[]", "[1,2,3]", 2, "[1,2]");
    expect_results(".[]", "[1,2,3]", 0, "[]");
    /* what would fail later is not drawn */
    expect_results(".[0], error(\"late\")", "[1]", 1, "[1]");
    struct json *results AUTO_JSON = NULL;
    EXPECT_OK(run("range(5000)", "null", 4000, &results, &err), &err);
    assert_int_equal(json_size(results), 1000);
    struct json *endless AUTO_JSON = NULL;
    EXPECT_OK(run("repeat(1)", "null", SIZE_MAX, &endless, &err), &err);
    assert_int_equal(json_size(endless), 1000);
}

static void wrong_programs_say_why(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {".a[", "jq '.a[': syntax error"},
        {"", "Top-level program not given"},
        {"foo", "jq 'foo': foo/0 is not defined"},
        {"$x", "$x is not defined"},
        {".a |", "syntax error"},
        {"def f: 1;", "Top-level program not given"},
        {"\"\\q\"", "Invalid escape"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_refused(cases[i][0], cases[i][1]);
    }
}

static void input_must_be_one_json_text(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "  ", "{", "[1,]", "1 2", "<html>", "{\"a\":}", "'x'"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_RUN_ERROR(".", bad[i], ERROR_FORMAT, "the input of jq is no JSON");
    }
    /* the length counts */
    struct error err;
    struct json *results AUTO_JSON = NULL;
    EXPECT_OK(query_run(".", (struct slice){"[1]x", 3}, 5, &results, &err), &err);
    assert_int_equal(json_size(results), 1);
}

static void failures_of_a_program_are_told(void **state)
{
    (void)state;
    EXPECT_RUN_ERROR(".a.b", "{\"a\":[]}", ERROR_FORMAT, "jq '.a.b': Cannot index array");
    EXPECT_RUN_ERROR("error(\"my words\")", "{}", ERROR_FORMAT, "my words");
    EXPECT_RUN_ERROR("error({a: 1})", "{}", ERROR_FORMAT, "{\"a\":1}");
    EXPECT_RUN_ERROR("range(3) | error", "{}", ERROR_FORMAT, "0");
    EXPECT_RUN_ERROR("[.[] as $x | $x.a]", "[1]", ERROR_FORMAT, "Cannot index number");
    EXPECT_RUN_ERROR("\"bye\" | halt_error", "{}", ERROR_FORMAT, "bye");
    expect_results("1, halt, 2", "{}", 10, "[1]");
}

static void results_may_not_be_too_deep(void **state)
{
    (void)state;
    EXPECT_RUN_ERROR("reduce range(100) as $i (1; [.])", "{}", ERROR_FORMAT,
                     "nested deeper than 64");
    expect_results("reduce range(100) as $i (1; [.]) | tojson | length", "{}", 10, "[201]");
}

static int64_t work_of_children(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* The program is given up, after not much more than its second of work. */
static void expect_ended(const char *program)
{
    int64_t before = work_of_children();
    EXPECT_RUN_ERROR(program, "[1]", ERROR_TIMEOUT, "still running after one second");
    int64_t took = work_of_children() - before;
    assert_true(took < 2500);
}

static void endless_programs_are_ended(void **state)
{
    (void)state;
    static const char *const endless[] = {"last(range(1e12))", "def f: f; f", "[while(true; .)]",
                                          "until(false; .)", "first(range(1e12) | select(. < 0))"};
    for (size_t i = 0; i < sizeof endless / sizeof endless[0]; i++) {
        expect_ended(endless[i]);
    }
}

/* Its memory would be 160 GB; the limit of memory itself is none under the sanitizer. */
static void greedy_programs_are_ended(void **state)
{
    (void)state;
    struct error err;
    struct json *none = NULL;
    assert_int_equal(run("[range(1e10)] | length", "1", 1, &none, &err), -1);
}

/* Nothing in these programs repeats, but their outputs multiply. */
static void multiplied_outputs_are_ended(void **state)
{
    (void)state;
    enum { COUNT = 50000 };
    char *input = malloc(2 * COUNT + 2);
    input[0] = '[';
    for (size_t i = 0; i < COUNT; i++) {
        memcpy(input + 1 + 2 * i, "1,", 2);
    }
    memcpy(input + 2 * COUNT, "]", 2);
    static const char *const programs[] = {
        "[.[] + .[]] | length",
        "[(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)"
        "-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)-(1,2)]"};
    alarm(60 * SLOWLY); /* of hours */
    for (size_t i = 0; i < 2; i++) {
        EXPECT_RUN_ERROR(programs[i], input, ERROR_TIMEOUT, "still running after one second");
    }
    alarm(0);
    free(input);
}

static void no_child_is_left(void **state)
{
    (void)state;
    struct error err;
    struct json *results AUTO_JSON = NULL;
    EXPECT_OK(run("range(2)", "1", 10, &results, &err), &err);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    /* nor a descriptor */
    int lowest = open("/dev/null", O_RDONLY);
    close(lowest);
    expect_ended("def f: f; f");
    int again = open("/dev/null", O_RDONLY);
    close(again);
    assert_int_equal(again, lowest);
}

static int signals_seen;
static void count_signal(int number)
{
    (void)number;
    signals_seen++;
}

/* A signal to the whole process group ends the child by its own means and is seen once. */
static void signals_stay_apart(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = count_signal}, before;
    assert_int_equal(sigaction(SIGPROF, &action, &before), 0);
    sigset_t blocked, now;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGPROF);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    /* The child's timer works though its parent handles and blocks the signal. */
    expect_ended("def f: f; f");
    sigprocmask(SIG_SETMASK, NULL, &now);
    assert_true(sigismember(&now, SIGPROF));
    assert_false(sigismember(&now, SIGTERM));
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    assert_int_equal(signals_seen, 0);
    raise(SIGPROF);
    assert_int_equal(signals_seen, 1);
    sigaction(SIGPROF, &before, NULL);
}

static void large_results_are_refused(void **state)
{
    (void)state;
    NOT_UNDER_VALGRIND(); /* 8 MiB are more than a second of work */
    struct error err;
    /* more than a pipe holds comes through it */
    struct json *results AUTO_JSON = NULL;
    EXPECT_OK(run("\"x\" * 200000", "1", 1, &results, &err), &err);
    assert_int_equal(strlen(json_text(json_at(results, 0))), 200000);
    /* a tag, two quotes and a newline go with each text */
    const size_t most = 8 * 1024 * 1024 - 4;
    char *input = malloc(most + 4);
    memset(input, 'x', most + 4);
    input[0] = '"';
    input[most + 1] = '"';
    struct json *large AUTO_JSON = NULL, *none = NULL;
    EXPECT_OK(query_run(".", (struct slice){input, most + 2}, 1, &large, &err), &err);
    assert_int_equal(strlen(json_text(json_at(large, 0))), most);
    input[most + 1] = 'x';
    input[most + 2] = '"';
    EXPECT_ERROR(query_run(".", (struct slice){input, most + 3}, 1, &none, &err), &err,
                 ERROR_FORMAT, "results larger than 8 MiB");
    free(input);
}

/* ~/.jq is a library that jq would load by itself. */
static void home_is_not_read(void **state)
{
    (void)state;
    char folder[] = "/tmp/query-XXXXXX", file[64];
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/.jq", folder);
    FILE *stream = fopen(file, "w");
    assert_non_null(stream);
    fputs("def secret: \"from home\"; def length: 77;", stream);
    fclose(stream);
    const char *home = getenv("HOME");
    char *before = home != NULL ? strdup(home) : NULL;
    setenv("HOME", folder, 1);
    struct error err;
    EXPECT_ERROR(query_check("secret", &err), &err, ERROR_CONFIG, "secret/0 is not defined");
    expect_results("length", "[1]", 10, "[1]");
    assert_string_equal(getenv("HOME"), folder); /* ours is as it was */
    if (before != NULL) {
        setenv("HOME", before, 1);
    }
    free(before);
    unlink(file);
    rmdir(folder);
}

static void expect_number(const char *program, const char *input, double wanted)
{
    struct error err;
    double number = -77;
    EXPECT_OK(query_number(program, input, strlen(input), &number, &err), &err);
    assert_true(number == wanted);
}

static void numbers_are_taken(void **state)
{
    (void)state;
    expect_number(".a", "{\"a\":1.5}", 1.5);
    expect_number(".a", "{\"a\":\"0.25\"}", 0.25);
    expect_number(".data.result[0].value[1]", "{\"data\":{\"result\":[{\"value\":[1,\"3e-2\"]}]}}",
                  0.03);
    expect_number("length", "[]", 0);
    expect_number(".[]", "[7,null]", 7); /* the first one */
    expect_number("[range(4)] | add", "0", 6);
    expect_number(".", "-0.0001", -0.0001);
    expect_number(".", "0.30000000000000004", 0.30000000000000004);
}

#define EXPECT_NO_NUMBER(program, input, kind, wanted)                                        \
    do {                                                                                      \
        struct error err_;                                                                    \
        double number_ = -77;                                                                 \
        EXPECT_ERROR(query_number((program), (input), strlen(input), &number_, &err_), &err_, \
                     (kind), (wanted));                                                       \
        assert_true(number_ == -77);                                                          \
    } while (0)

static void nothing_is_told_by_its_name(void **state)
{
    (void)state;
    EXPECT_NO_NUMBER(".a", "{}", ERROR_NOTFOUND, "jq '.a' gave null");
    EXPECT_NO_NUMBER(".[]", "[]", ERROR_NOTFOUND, "jq '.[]' gave no output");
    EXPECT_NO_NUMBER("empty", "1", ERROR_NOTFOUND, "gave no output");
    EXPECT_NO_NUMBER("nan", "1", ERROR_NOTFOUND, "gave NaN");
    EXPECT_NO_NUMBER("[nan] | first(range(1;2)) as $x | .[0]", "1", ERROR_NOTFOUND, "gave NaN");
    EXPECT_NO_NUMBER(".", "\"NaN\"", ERROR_NOTFOUND, "gave NaN");
}

static void other_results_are_no_numbers(void **state)
{
    (void)state;
    static const char *const inputs[] = {"true",     "false",   "\"\"", "\"x\"", "\"1 \"",
                                         "\"+Inf\"", "\"0x1\"", "[1]",  "{}",    "\"null\""};
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        EXPECT_NO_NUMBER(".", inputs[i], ERROR_FORMAT, "which is no finite number");
    }
    EXPECT_NO_NUMBER("infinite", "1", ERROR_FORMAT, "gave infinity, which is no finite number");
    EXPECT_NO_NUMBER("-infinite", "1", ERROR_FORMAT, "gave infinity");
    EXPECT_NO_NUMBER(".", "x", ERROR_FORMAT, "no JSON");
    EXPECT_NO_NUMBER(".a", "1", ERROR_FORMAT, "Cannot index number");
    EXPECT_NO_NUMBER(".a[", "1", ERROR_CONFIG, "syntax error");
}

static void expect_truth(const char *program, const char *input, bool wanted, const char *text)
{
    struct error err;
    bool truth = !wanted;
    char got[200];
    EXPECT_OK(query_truth(program, (struct slice){input, strlen(input)}, &truth, got, &err), &err);
    assert_int_equal(truth, wanted);
    assert_string_equal(got, text);
}

static void truth_is_jqs_truth(void **state)
{
    (void)state;
    expect_truth(".a", "{\"a\":true}", true, "true");
    expect_truth(".a", "{\"a\":false}", false, "false");
    expect_truth(".a", "{}", false, "null");
    expect_truth(".a", "{\"a\":0}", true, "0");
    expect_truth(".a", "{\"a\":\"\"}", true, "");
    expect_truth(".a", "{\"a\":\"false\"}", true, "false");
    expect_truth(".a", "{\"a\":[1,\"x\"]}", true, "[1,\"x\"]");
    expect_truth("empty", "{}", false, "no output");
    expect_truth(".[]", "[false,true]", false, "false");
    expect_truth(".version == \"1.2\"", "{\"version\":\"1.2\"}", true, "true");
    expect_truth("nan", "1", false, "null"); /* as jq writes it: no proof of anything */
}

static void what_was_got_is_short(void **state)
{
    (void)state;
    char input[1000] = "\"", wanted[200];
    memset(input + 1, 'x', 198);
    memcpy(input + 199, "\xC3\xA9 and more\"", 13);
    memset(wanted, 'x', 198);
    wanted[198] = '\0';
    expect_truth(".", input, true, wanted);
    memcpy(input + 199, "y\"", 3);
    memcpy(wanted + 198, "y", 2);
    expect_truth(".", input, true, wanted);
    struct error err;
    bool truth;
    char got[200];
    EXPECT_ERROR(query_truth(".a.b", (struct slice){"{\"a\":1}", 7}, &truth, got, &err), &err,
                 ERROR_FORMAT, "Cannot index number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_programs_run),
        cmocka_unit_test(programs_that_may_loop_run_too),
        cmocka_unit_test(outputs_are_limited),
        cmocka_unit_test(wrong_programs_say_why),
        cmocka_unit_test(input_must_be_one_json_text),
        cmocka_unit_test(failures_of_a_program_are_told),
        cmocka_unit_test(results_may_not_be_too_deep),
        cmocka_unit_test(endless_programs_are_ended),
        cmocka_unit_test(greedy_programs_are_ended),
        cmocka_unit_test(multiplied_outputs_are_ended),
        cmocka_unit_test(no_child_is_left),
        cmocka_unit_test(signals_stay_apart),
        cmocka_unit_test(large_results_are_refused),
        cmocka_unit_test(home_is_not_read),
        cmocka_unit_test(numbers_are_taken),
        cmocka_unit_test(nothing_is_told_by_its_name),
        cmocka_unit_test(other_results_are_no_numbers),
        cmocka_unit_test(truth_is_jqs_truth),
        cmocka_unit_test(what_was_got_is_short),
    };
    return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
