/* SPDX-License-Identifier: Apache-2.0 */
#include "metric_test.h"

/* A source whose one SLO reads `line` as a plain number. */
static void open_line(const char *line)
{
    char yaml[1024];
    snprintf(yaml, sizeof(yaml),
             "metrics:\n  command: { timeout: 1s }\nslos:\n"
             "  queue: { target: 10, value: '%s' }\n",
             line);
    open_source("command", yaml);
}

static void expect_line(const char *line, double value)
{
    open_line(line);
    expect_gauge("queue", value);
}

static void expect_no_line(const char *line, enum nothing nothing, const char *why)
{
    open_line(line);
    expect_nothing("queue", nothing, why);
}

static void test_values(void **state)
{
    (void)state;
    expect_line("echo 7", 7);
    expect_line("printf 0.5", 0.5);
    expect_line("echo; echo \"  1e3  \"; echo", 1000);
    /* curl's meter goes to the same place as the number. */
    expect_line("printf \"  %% Total    %% Received\\n100    14  100    14    0     0\\r\" >&2; "
                "echo >&2; echo 4",
                4);
}

static void test_nothings(void **state)
{
    (void)state;
    expect_no_line("true", NOTHING_NO_DATA, "prints nothing");
    expect_no_line("echo null", NOTHING_NO_DATA, "prints nothing");
}

static void test_garbage(void **state)
{
    (void)state;
    expect_no_line("echo many", NOTHING_GARBAGE, "prints 'many', not a number");
    expect_no_line("echo 1 2", NOTHING_GARBAGE, "not a number");
    expect_no_line("echo 1; echo 2", NOTHING_MULTI_SERIES, "prints 2 numbers");
    expect_no_line("echo NaN", NOTHING_NAN, "echo NaN");
    expect_no_line("echo +Inf", NOTHING_NAN, "echo +Inf");
}

static void test_failures(void **state)
{
    (void)state;
    expect_no_line("echo 5; echo broken >&2; exit 3", NOTHING_UNREACHABLE, "broken");
    expect_no_line("kill -9 $$", NOTHING_UNREACHABLE, "SIGKILL");
    expect_no_line("no-such-command-here", NOTHING_UNREACHABLE, "127");
    const int64_t started = loop_mono();
    expect_no_line("sleep 60", NOTHING_UNREACHABLE, "sleep 60");
    expect_no_line("yes 1", NOTHING_UNREACHABLE, "yes 1");
    assert_true(loop_mono() - started < 4 * TIME_SLACK);
}

static void test_much_output(void **state)
{
    (void)state;
    expect_line("head -c 50000 /dev/zero | tr \"\\0\" x; echo; echo 8", 8);
    /* Half a number could be what was kept. */
    expect_no_line("head -c 65530 /dev/zero | tr \"\\0\" x; echo; echo 123456789", NOTHING_GARBAGE,
                   "more than a number");
    expect_no_line("head -c 3000000 /dev/zero", NOTHING_GARBAGE, "more than a number");
}

static void test_counts(void **state)
{
    (void)state;
    open_source("command", "metrics:\n  command: {}\nslos:\n"
                           "  error-rate: { bad: 'echo 3', total: 'echo 1000' }\n"
                           "  availability: { target: 99%, total: 'echo 4 2000' }\n"
                           "  throughput: { total: 'echo 500' }\n"
                           "  conversion: { total: 'echo 5' }\n");
    read_slo("error-rate");
    expect_series(0, "candidate", 3, 1000);
    read_slo("availability");
    expect_series(0, "candidate", 4, 2000);
    read_slo("throughput");
    expect_series(0, "candidate", 0, 500);
    expect_nothing("conversion", NOTHING_GARBAGE, "two numbers, bad and total");
}

static void test_environment(void **state)
{
    (void)state;
    open_source("command", "metrics:\n  command: {}\nslos:\n"
                           "  queue: { target: 10, value: 'echo \"$arm/$slot/$instance/$version/"
                           "$window\" > seen; echo 1' }\n");
    expect_gauge("queue", 1);
    expect_file("seen", "candidate/green/green-1 green-2/v2/5m\n");
    read_arm("queue", ARM_STABLE);
    expect_file("seen", "stable/blue/blue-1 blue-2/v2/5m\n");
}

/* All commands of a reading run at the same time. */
static void test_together(void **state)
{
    (void)state;
    open_source("command", "metrics:\n  command: { timeout: 10s }\nslos:\n"
                           "  queue: { target: 10, value: 'sleep 1; echo 1' }\n"
                           "  error-rate: { bad: 'sleep 1; echo 2', total: 'sleep 1; echo 3' }\n");
    const struct metric_query queries[] = {
        query_of("queue", ARM_STABLE), query_of("queue", ARM_CANDIDATE),
        query_of("error-rate", ARM_STABLE), query_of("error-rate", ARM_CANDIDATE)};
    struct reading readings[4];
    const int64_t started = loop_mono();
    assert_int_equal(driver->read(metric, queries, 4, readings, &arena), 0);
    assert_true(loop_mono() - started < 1000 + TIME_SLACK);
    assert_true(readings[1].gauge == 1 && readings[3].series[0].bad == 2);
}

static void test_cancelled(void **state)
{
    (void)state;
    open_line("sleep 30");
    const struct metric_query query = query_of("queue", ARM_CANDIDATE);
    const pid_t pid = signal_later(SIGTERM, 200);
    assert_int_equal(driver->read(metric, &query, 1, &reading, &arena), -1);
    waitpid(pid, NULL, 0);
}

static void test_refusals(void **state)
{
    (void)state;
    open_source("command", "metrics:\n  command: {}\nslos:\n  error-rate: { target: 1% }\n"
                           "  latency-p99: { total: 'echo 1' }\n"
                           "  availability: { target: 99%, value: 'echo 1' }\n");
    expect_refusal("error-rate", "needs `value` or `total`");
    expect_refusal("latency-p99", "needs `value`: a command");
    expect_refusal("availability", "in which unit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_values),      CASE(test_nothings), CASE(test_garbage),     CASE(test_failures),
        CASE(test_much_output), CASE(test_counts),   CASE(test_environment), CASE(test_together),
        CASE(test_cancelled),   CASE(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
