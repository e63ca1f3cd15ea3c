/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"
#include "process_test.h"

#include <sched.h>
#include <sys/resource.h>

static void collects_both_streams_and_the_code(void **state)
{
    (void)state;
    assert_int_equal(run_shell("echo out; echo err >&2; echo end; exit 3"), 0);
    assert_int_equal(result.exit_code, 3);
    assert_int_equal(result.signal, 0);
    assert_int_equal(result.error.kind, ERROR_NONE);
    assert_string_equal(result.output.data, "out\nerr\nend\n");
    assert_false(result.cut);
    assert_true(result.took_ms >= 0 && result.took_ms < TIME_SLACK);
}

static void arguments_are_not_parsed(void **state)
{
    const char *const argv[] = {"printf", "%s|", "a b", "$HOME", "*", "", "'", NULL};
    const struct process_spec spec = {.argv = argv};
    (void)state;
    assert_int_equal(run_spec(&spec), 0);
    assert_int_equal(result.exit_code, 0);
    assert_string_equal(result.output.data, "a b|$HOME|*||'|");
}

static void variables_are_added_and_the_last_counts(void **state)
{
    const char *const variables[] = {"IO_TEST=first", "IO_OTHER=2", "IO_TEST=last=1", NULL};
    const struct process_spec spec = {.shell = "env | grep '^IO_' | sort", .variables = variables};
    (void)state;
    setenv("IO_TEST", "old", 1);
    setenv("IO_TESTER", "kept", 1);
    assert_int_equal(run_spec(&spec), 0);
    assert_string_equal(result.output.data, "IO_OTHER=2\nIO_TEST=last=1\nIO_TESTER=kept\n");
    assert_string_equal(getenv("IO_TEST"), "old");
}

static void a_path_among_the_variables_finds_the_program(void **state)
{
    const char *const argv[] = {"io-test-tool", NULL};
    char path[200];
    const char *const variables[] = {path, NULL};
    const struct process_spec spec = {.argv = argv, .variables = variables};
    (void)state;
    snprintf(path, sizeof(path), "PATH=%s:/usr/bin:/bin", folder);
    write_file(in_folder("io-test-tool"), "#!/bin/sh\necho found\n");
    assert_int_equal(run_spec(&spec), 0);
    assert_string_equal(result.output.data, "found\n");
}

static void runs_in_the_folder(void **state)
{
    struct process_spec spec = {.shell = "pwd -P", .directory = folder};
    char expected[128];
    (void)state;
    snprintf(expected, sizeof(expected), "%s\n", folder);
    assert_int_equal(run_spec(&spec), 0);
    assert_string_equal(result.output.data, expected);
    spec.directory = "/no/such/folder";
    assert_int_equal(run_spec(&spec), -1);
    assert_int_equal(error.kind, ERROR_NOTFOUND);
    assert_non_null(strstr(error.message, "/no/such/folder"));
}

static void a_program_that_cannot_run_is_named(void **state)
{
    const char *absent[] = {"no-such-program-here", "x", NULL};
    const char *denied[] = {"./plain", NULL};
    const char *nothing[] = {NULL};
    struct process_spec spec = {.argv = absent};
    (void)state;
    assert_int_equal(run_spec(&spec), -1);
    assert_int_equal(error.kind, ERROR_NOTFOUND);
    assert_non_null(strstr(error.message, "'no-such-program-here'"));
    assert_int_equal(result.exit_code, -1);
    write_file(in_folder("plain"), "text");
    chmod(in_folder("plain"), 0600);
    spec = (struct process_spec){.argv = denied, .directory = folder};
    assert_int_equal(run_spec(&spec), -1);
    assert_int_equal(error.kind, ERROR_DENIED);
    assert_non_null(strstr(error.message, "./plain"));
    spec = (struct process_spec){.argv = nothing};
    assert_int_equal(run_spec(&spec), -1);
    assert_int_equal(error.kind, ERROR_CONFIG);
    spec = (struct process_spec){.argv = NULL};
    assert_int_equal(run_spec(&spec), -1);
    assert_int_equal(error.kind, ERROR_CONFIG);
}

static void input_reaches_the_command(void **state)
{
    size_t size = 1024 * 1024;
    char *text = malloc(size + 1);
    struct process_spec spec = {.shell = "cat", .max_output = size + 1};
    (void)state;
    memset(text, 'x', size);
    text[size] = '\0';
    spec.input = text;
    assert_int_equal(run_spec(&spec), 0);
    assert_int_equal(result.output.length, size);
    assert_string_equal(result.output.data, text);
    spec.shell = "true"; /* does not read it */
    assert_int_equal(run_spec(&spec), 0);
    assert_int_equal(result.exit_code, 0);
    spec.input = "";
    spec.shell = "wc -c | tr -d ' '";
    assert_int_equal(run_spec(&spec), 0);
    assert_string_equal(result.output.data, "0\n");
    spec.input = NULL;
    spec.shell = "readlink /proc/self/fd/0";
    assert_int_equal(run_spec(&spec), 0);
    assert_string_equal(result.output.data, "/dev/null\n");
    free(text);
}

static void an_end_by_signal_is_told(void **state)
{
    const struct process_spec spec = {.shell = "echo before; kill -SEGV $$"};
    (void)state;
    assert_int_equal(run_spec(&spec), 0);
    assert_int_equal(result.exit_code, -1);
    assert_int_equal(result.signal, SIGSEGV);
    assert_int_equal(result.error.kind, ERROR_NONE);
    assert_int_equal(process_failed(&spec, &result, &error), -1);
    assert_int_equal(error.kind, ERROR_REMOTE);
    assert_string_equal(error.message, "'echo before; kill -SEGV $$' was ended by SIGSEGV: before");
}

static void a_failure_shows_the_last_line(void **state)
{
    const struct process_spec spec = {.shell = "printf 'one\\ntwo \\033[1m\\n\\n  \\n'; exit 7"};
    const char *const argv[] = {"false", "a\nb", NULL};
    const struct process_spec silent = {.argv = argv};
    (void)state;
    assert_int_equal(run_spec(&spec), 0);
    assert_int_equal(process_failed(&spec, &result, &error), -1);
    assert_non_null(strstr(error.message, "ended with code 7: two \\x1b[1m"));
    assert_int_equal(run_spec(&silent), 0);
    assert_int_equal(process_failed(&silent, &result, &error), -1);
    assert_string_equal(error.message, "'false a b' ended with code 1");
}

static void a_long_command_is_shown_cut(void **state)
{
    char line[300];
    struct process_spec spec = {.shell = line};
    struct arena arena;
    (void)state;
    arena_init(&arena);
    memset(line, 'y', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    assert_true(strlen(process_shown(&arena, &spec)) <= 80);
    spec.shell = "short";
    assert_string_equal(process_shown(&arena, &spec), "short");
    arena_release(&arena);
}

static void a_flood_is_drained_and_cut(void **state)
{
    const struct process_spec spec = {.shell = "head -c 1000000000 /dev/zero; echo end >&2",
                                      .timeout_ms = 60000,
                                      .max_output = 1000};
    struct rusage before, after;
    (void)state;
    getrusage(RUSAGE_SELF, &before);
    assert_int_equal(run_spec(&spec), 0);
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(result.exit_code, 0);
    assert_true(result.cut);
    assert_int_equal(result.output.length, 1000);
    assert_true(after.ru_maxrss - before.ru_maxrss < 4096);
}

static void exactly_the_limit_is_not_cut(void **state)
{
    const struct process_spec spec = {.shell = "head -c 1000 /dev/zero", .max_output = 1000};
    (void)state;
    assert_int_equal(run_spec(&spec), 0);
    assert_false(result.cut);
    assert_int_equal(result.output.length, 1000);
}

static void what_was_in_the_pipe_at_the_end_is_kept(void **state)
{
    const struct process_spec spec = {.shell = "head -c 3000000 /dev/zero", .max_output = 4000000};
    (void)state;
    assert_int_equal(run_spec(&spec), 0);
    assert_int_equal(result.output.length, 3000000);
    /* The same when we have no time to read for longer than the grace. */
    struct operation operation = {.kind = OPERATION_PROCESS, .process = spec};
    assert_int_equal(loop_start(loop, &operation, &error), 0);
    usleep(600000);
    while (!operation.done) {
        assert_int_equal(loop_wait(loop, loop_mono() + 20000, &error), 0);
    }
    assert_int_equal(operation.result.output.length, 3000000);
    assert_false(operation.result.cut);
    operation_release(&operation);
}

static void loop_stop_ends_a_command(void **state)
{
    struct operation operation = {.kind = OPERATION_PROCESS, .process = {.shell = "sleep 100"}};
    (void)state;
    assert_int_equal(loop_start(loop, &operation, &error), 0);
    assert_int_equal(loop_wait(loop, loop_mono() + 100, &error), 0);
    assert_false(operation.done);
    int64_t start = loop_mono();
    loop_stop(loop, &operation);
    assert_true(operation.done);
    assert_true(loop_mono() - start < TIME_SLACK);
    assert_int_equal(operation.result.error.kind, ERROR_CANCELLED);
    assert_string_equal(operation.result.error.message, "stopped");
    assert_int_equal(operation.result.signal, SIGTERM);
    operation_release(&operation);
}

static void a_stop_before_the_exec_works(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct operation operation = {.kind = OPERATION_PROCESS, .process = {.shell = "sleep 9"}};
        assert_int_equal(loop_start(loop, &operation, &error), 0);
        loop_stop(loop, &operation);
        assert_true(operation.done);
        assert_int_equal(operation.result.error.kind, ERROR_CANCELLED);
        assert_true(operation.result.took_ms < TIME_SLACK);
        operation_release(&operation);
    }
}

static void a_signal_cancels_the_run(void **state)
{
    (void)state;
    pid_t peer = signal_later(SIGTERM, 150);
    assert_int_equal(run_shell("sleep 100"), -1);
    assert_int_equal(error.kind, ERROR_CANCELLED);
    assert_string_equal(error.message, "cancelled by SIGTERM");
    assert_int_equal(result.error.kind, ERROR_CANCELLED);
    assert_true(result.took_ms < TIME_SLACK);
    waitpid(peer, NULL, 0);
}

/* Once all four have said that they are deaf by now. */
static pid_t signal_the_stubborn(void)
{
    pid_t target = getpid();
    pid_t pid = fork_peer();
    if (pid == 0) {
        bool ready = appears(in_folder("deaf0"), 20000) && appears(in_folder("deaf1"), 20000) &&
                     appears(in_folder("deaf2"), 20000) && appears(in_folder("deaf3"), 20000);
        kill(target, ready ? SIGINT : SIGHUP);
        _exit(0);
    }
    return pid;
}

static void stubborn_commands_are_stopped_side_by_side(void **state)
{
    struct operation all[4];
    char lines[4][256];
    (void)state;
    memset(all, 0, sizeof(all));
    for (size_t i = 0; i < 4; i++) {
        snprintf(lines[i], sizeof(lines[i]),
                 "trap '' TERM; echo >%s/deaf%zu; while :; do sleep 1; done", folder, i);
        all[i].kind = OPERATION_PROCESS;
        all[i].process.shell = lines[i];
    }
    pid_t peer = signal_the_stubborn();
    assert_int_equal(loop_run_all(loop, all, 4, &error), -1);
    assert_string_equal(error.message, "cancelled by SIGINT");
    waitpid(peer, NULL, 0);
    for (size_t i = 0; i < 4; i++) {
        assert_true(all[i].done);
        assert_int_equal(all[i].result.error.kind, ERROR_CANCELLED);
        assert_int_equal(all[i].result.signal, SIGKILL);
        /* One after the other the fourth would have been stopped 3 s after the first. */
        assert_true(all[i].result.took_ms - all[0].result.took_ms < 2000);
        operation_release(&all[i]);
    }
}

static void a_shielded_command_runs_to_its_end(void **state)
{
    (void)state;
    loop_shield(loop, true);
    kill(getpid(), SIGTERM);
    assert_int_equal(run_shell("sleep 0.2; echo safe"), 0);
    assert_string_equal(result.output.data, "safe\n");
    loop_shield(loop, false);
    assert_int_equal(loop_signal(loop), SIGTERM);
}

static int run_recorded(const char *line, const char *record)
{
    const struct process_spec spec = {
        .shell = line, .timeout_ms = 20000, .record = record, .record_name = "id/step/start/a"};
    return run_spec(&spec);
}

static void a_record_outlives_the_command(void **state)
{
    const char *record = in_folder("commands.log");
    enum recorded recorded;
    int code = -1;
    (void)state;
    assert_int_equal(process_recorded(record, "id/step/start/a", &recorded, &code, &error), 0);
    assert_int_equal(recorded, RECORDED_NEVER);
    assert_int_equal(run_recorded("exit 7", record), 0);
    assert_int_equal(process_recorded(record, "id/step/start/a", &recorded, &code, &error), 0);
    assert_int_equal(recorded, RECORDED_ENDED);
    assert_int_equal(code, 7);
    assert_int_equal(process_recorded(record, "id/step/start/b", &recorded, &code, &error), 0);
    assert_int_equal(recorded, RECORDED_NEVER);
}

/* What a full disk cut off must not swallow the next line. */
static void a_torn_record_is_ended_first(void **state)
{
    const char *record = in_folder("torn.log");
    enum recorded recorded;
    int code = -1;
    (void)state;
    write_file(record, "begun id/st");
    assert_int_equal(run_recorded("true", record), 0);
    assert_int_equal(process_recorded(record, "id/step/start/a", &recorded, &code, &error), 0);
    assert_int_equal(recorded, RECORDED_ENDED);
    assert_int_equal(code, 0);
}

static void what_cannot_be_recorded_is_not_done(void **state)
{
    char line[200];
    (void)state;
    snprintf(line, sizeof(line), "touch '%s'", in_folder("done"));
    assert_int_equal(run_recorded(line, "/dev/full"), -1);
    assert_string_equal(error.message, "cannot write '/dev/full': No space left on device");
    assert_false(file_exists(in_folder("done")));
    assert_int_equal(run_recorded(line, in_folder("no/such/folder")), -1);
    assert_false(file_exists(in_folder("done")));
}

static void many_run_at_once(void **state)
{
    struct operation all[24];
    (void)state;
    memset(all, 0, sizeof(all));
    for (size_t i = 0; i < 24; i++) {
        all[i].kind = OPERATION_PROCESS;
        all[i].process.shell = i == 5 ? "exit 5" : "sleep 0.3; echo done";
    }
    all[7].process = (struct process_spec){.argv = (const char *const[]){"no-such-tool", NULL}};
    all[8].process = (struct process_spec){.argv = NULL};
    int64_t start = loop_mono();
    assert_int_equal(loop_run_all(loop, all, 24, &error), 0);
    assert_true(loop_mono() - start < TIME_SLACK);
    for (size_t i = 0; i < 24; i++) {
        assert_true(all[i].done);
        if (i != 5 && i != 7 && i != 8) {
            assert_string_equal(all[i].result.output.data, "done\n");
        }
    }
    assert_int_equal(all[5].result.exit_code, 5);
    assert_int_equal(all[7].result.error.kind, ERROR_NOTFOUND);
    assert_int_equal(all[8].result.error.kind, ERROR_CONFIG);
    for (size_t i = 0; i < 24; i++) {
        operation_release(&all[i]);
    }
}

static void the_command_starts_with_a_clean_slate(void **state)
{
    (void)state;
    /* Signals 1 to 28: those of threads (32, 33) may be ignored by whoever started the test. */
    assert_int_equal(run_shell("awk '/^Sig(Ign|Blk):/ { print substr($2, 10) }' /proc/self/status"),
                     0);
    assert_string_equal(result.output.data, "0000000\n0000000\n");
    NOT_UNDER_VALGRIND();
    assert_int_equal(run_shell("ls /proc/self/fd | tr '\\n' ' '"), 0);
    assert_string_equal(result.output.data, "0 1 2 3 "); /* 3 is the folder it lists */
}

static int be_pid_one(void)
{
    struct loop *own = NULL;
    struct process_spec spec = {.shell = "(sleep 0.2; exit 9) & exit 3"};
    siginfo_t info;
    int state_of = -1;
    if (getpid() != 1 || loop_open(&own, NULL) < 0) {
        return 1;
    }
    if (process_run(own, &spec, &result, NULL) < 0 || result.exit_code != 3) {
        return 2;
    }
    if (loop_wait(own, loop_mono() + 500, NULL) < 0) {
        return 3;
    }
    /* Its orphan came to us and is gone. */
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD) {
        return 4;
    }
    state_of = kill(1, SIGTERM);
    return state_of == 0 && loop_signal(own) == SIGTERM ? 0 : 5;
}

static int enter_namespace(void)
{
    int status = -1;
    if (unshare(CLONE_NEWPID) < 0) {
        return 77;
    }
    pid_t pid = fork();
    if (pid == 0) {
        _exit(be_pid_one());
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static void works_as_pid_one(void **state)
{
    (void)state;
    loop_free(loop);
    loop = NULL;
    int status = status_of(enter_namespace);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int run_without_descriptors(void)
{
    struct loop *own = NULL;
    struct process_spec spec = {.shell = "cat; echo hi; exit 4"};
    close(0);
    close(1);
    close(2);
    if (loop_open(&own, NULL) < 0 || process_run(own, &spec, &result, NULL) < 0) {
        return 1;
    }
    return result.exit_code == 4 && strcmp(result.output.data, "hi\n") == 0 ? 0 : 2;
}

static int run_with_children_ignored(void)
{
    struct loop *own = NULL;
    struct process_spec spec = {.shell = "exit 6"};
    signal(SIGCHLD, SIG_IGN);
    if (loop_open(&own, NULL) < 0 || process_run(own, &spec, &result, NULL) < 0) {
        return 1;
    }
    return result.exit_code == 6 ? 0 : 2;
}

static int run_out_of_descriptors(void)
{
    struct loop *own = NULL;
    struct process_spec spec = {.shell = "echo hi"};
    if (loop_open(&own, NULL) < 0) {
        return 1;
    }
    struct rlimit limit = {.rlim_cur = 3, .rlim_max = 3};
    setrlimit(RLIMIT_NOFILE, &limit);
    return process_run(own, &spec, &result, NULL) < 0 ? 0 : 2;
}

static void odd_surroundings_work(void **state)
{
    (void)state;
    loop_free(loop);
    loop = NULL;
    assert_int_equal(status_of(run_without_descriptors), 0);
    assert_int_equal(status_of(run_with_children_ignored), 0);
    NOT_UNDER_VALGRIND(); /* which keeps descriptors aside */
    assert_int_equal(status_of(run_out_of_descriptors), 0);
}

static void no_descriptor_is_lost(void **state)
{
    const char *const absent[] = {"no-such-program-here", NULL};
    const struct process_spec bad = {.argv = absent};
    (void)state;
    int before = dup(0);
    close(before);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(run_shell("exit 1"), 0);
        assert_int_equal(run_spec(&bad), -1);
    }
    int after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(collects_both_streams_and_the_code),
        TEST(arguments_are_not_parsed),
        TEST(variables_are_added_and_the_last_counts),
        TEST(a_path_among_the_variables_finds_the_program),
        TEST(runs_in_the_folder),
        TEST(a_program_that_cannot_run_is_named),
        TEST(input_reaches_the_command),
        TEST(an_end_by_signal_is_told),
        TEST(a_failure_shows_the_last_line),
        TEST(a_long_command_is_shown_cut),
        TEST(a_flood_is_drained_and_cut),
        TEST(exactly_the_limit_is_not_cut),
        TEST(what_was_in_the_pipe_at_the_end_is_kept),
        TEST(loop_stop_ends_a_command),
        TEST(a_stop_before_the_exec_works),
        TEST(a_signal_cancels_the_run),
        TEST(stubborn_commands_are_stopped_side_by_side),
        TEST(a_shielded_command_runs_to_its_end),
        TEST(a_record_outlives_the_command),
        TEST(a_torn_record_is_ended_first),
        TEST(what_cannot_be_recorded_is_not_done),
        TEST(many_run_at_once),
        TEST(the_command_starts_with_a_clean_slate),
        TEST(works_as_pid_one),
        TEST(odd_surroundings_work),
        TEST(no_descriptor_is_lost),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
