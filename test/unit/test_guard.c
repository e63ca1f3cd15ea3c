/* SPDX-License-Identifier: Apache-2.0 */
#include "process_test.h"

static void the_time_limit_ends_a_command(void **state)
{
    const struct process_spec spec = {.shell = "echo begun; sleep 100", .timeout_ms = 1500};
    (void)state;
    assert_int_equal(run_spec(&spec), -1);
    assert_int_equal(error.kind, ERROR_TIMEOUT);
    assert_string_equal(error.message, "'echo begun; sleep 100' did not end within 1s500ms");
    assert_int_equal(result.exit_code, -1);
    assert_int_equal(result.signal, SIGTERM);
    assert_string_equal(result.output.data, "begun\n");
    assert_true(result.took_ms >= 1500 && result.took_ms < 1500 + TIME_SLACK);
}

static void an_endless_flood_ends_in_time(void **state)
{
    const struct process_spec spec = {.shell = "trap '' TERM PIPE; yes & yes >&2; yes",
                                      .timeout_ms = 300};
    (void)state;
    assert_int_equal(run_spec(&spec), -1);
    assert_int_equal(error.kind, ERROR_TIMEOUT);
    assert_true(result.cut);
    assert_true(result.took_ms < 2000 + TIME_SLACK);
}

static void who_ignores_the_request_is_killed_with_all_children(void **state)
{
    char line[512];
    const struct process_spec spec = {.shell = line, .timeout_ms = 1000};
    (void)state;
    snprintf(line, sizeof(line),
             "trap '' TERM HUP INT; (sh -c 'echo $$ >%s/grandchild; sleep 100; sleep 100') & "
             "echo $$ >%s/leader; while :; do sleep 100; done",
             folder, folder);
    assert_int_equal(run_spec(&spec), -1);
    assert_int_equal(error.kind, ERROR_TIMEOUT);
    assert_int_equal(result.signal, SIGKILL);
    assert_true(result.took_ms >= 2000 && result.took_ms < 2500 + TIME_SLACK);
    assert_true(dies(in_folder("leader"), 100));
    assert_true(dies(in_folder("grandchild"), 100));
}

static void children_left_behind_by_a_stop_are_ended(void **state)
{
    char line[512];
    const struct process_spec spec = {.shell = line, .timeout_ms = 1000};
    (void)state;
    /* The leader ends at once, its child does not. */
    snprintf(line, sizeof(line),
             "sh -c 'trap \"\" TERM; echo $$ >%s/stubborn; while :; do sleep 1; done' & wait",
             folder);
    assert_int_equal(run_spec(&spec), -1);
    assert_int_equal(error.kind, ERROR_TIMEOUT);
    assert_true(dies(in_folder("stubborn"), 100));
}

static void a_polite_end_is_not_waited_out(void **state)
{
    const struct process_spec spec = {.shell = "trap 'echo bye; exit 0' TERM; while :; do sleep "
                                               "0.05; done",
                                      .timeout_ms = 1000};
    (void)state;
    assert_int_equal(run_spec(&spec), -1);
    assert_int_equal(error.kind, ERROR_TIMEOUT);
    assert_int_equal(result.exit_code, 0);
    assert_non_null(strstr(result.output.data, "bye\n"));
    assert_true(result.took_ms < 1900);
}

static void a_stopped_group_that_sleeps_in_sigstop_is_ended(void **state)
{
    const struct process_spec spec = {.shell = "kill -STOP $$", .timeout_ms = 200};
    (void)state;
    assert_int_equal(run_spec(&spec), -1);
    assert_int_equal(error.kind, ERROR_TIMEOUT);
}

static void a_daemon_does_not_hold_us(void **state)
{
    char line[256];
    (void)state;
    snprintf(line, sizeof(line), "sleep 30 & echo $! >%s/daemon; echo hi", folder);
    assert_int_equal(run_shell(line), 0);
    assert_int_equal(result.exit_code, 0);
    assert_string_equal(result.output.data, "hi\n");
    assert_true(result.took_ms < TIME_SLACK);
    assert_true(is_alive(in_folder("daemon")));
    end_by_file(in_folder("daemon"));
    /* Nor one that goes on writing. */
    assert_int_equal(run_shell("yes & echo hi"), 0);
    assert_int_equal(result.exit_code, 0);
    assert_true(result.took_ms < TIME_SLACK);
}

static void signals_to_our_group_spare_the_command(void **state)
{
    (void)state;
    /* As a terminal's Ctrl-C does: here to the group of a child that runs the command. */
    loop_free(loop);
    loop = NULL;
    pid_t pid = fork_peer();
    if (pid == 0) {
        struct loop *own = NULL;
        struct process_spec spec = {.shell = "touch ready; sleep 0.5; echo unharmed",
                                    .directory = folder};
        setpgid(0, 0);
        if (loop_open(&own, NULL) < 0) {
            _exit(1);
        }
        loop_shield(own, true);
        if (process_run(own, &spec, &result, NULL) < 0) {
            _exit(2);
        }
        _exit(strcmp(result.output.data, "unharmed\n") == 0 ? 0 : 3);
    }
    int status;
    assert_true(appears(in_folder("ready"), 20000));
    kill(-pid, SIGINT);
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_guard_keeps_nothing_else_open(void **state)
{
    int lock = -1;
    (void)state;
    assert_int_equal(file_lock(in_folder("guard.lock"), "me", &lock, &error), 0);
    int other = open("/etc/passwd", O_RDONLY); /* inherited without CLOEXEC */
    int far = fcntl(other, F_DUPFD, 300);
    process_guard_lock(lock);
    assert_int_equal(run_shell("for f in /proc/$PPID/fd/*; do readlink $f; done | sort"), 0);
    process_guard_lock(-1);
    assert_null(strstr(result.output.data, "passwd"));
    assert_null(strstr(result.output.data, "eventpoll"));
    assert_non_null(strstr(result.output.data, "guard.lock"));
    size_t lines = 0;
    for (const char *p = result.output.data; *p != '\0'; p++) {
        lines += *p == '\n';
    }
    close(far);
    close(other);
    file_unlock(lock);
    NOT_UNDER_VALGRIND();
    /* null three times and once more, control, output, lock, the command's pipe */
    assert_true(lines <= 8);
}

static void the_command_does_not_get_the_lock(void **state)
{
    int lock = -1;
    (void)state;
    assert_int_equal(file_lock(in_folder("own.lock"), "me", &lock, &error), 0);
    process_guard_lock(lock);
    assert_int_equal(run_shell("for f in /proc/$$/fd/*; do readlink $f; done"), 0);
    process_guard_lock(-1);
    assert_null(strstr(result.output.data, "own.lock"));
    file_unlock(lock);
}

/* Runs a line under a lock in a child, with `out` as its stdout, and SIGKILLs the child
 * once the command has begun. */
static void run_and_be_killed(const char *line, int64_t timeout_ms, int out)
{
    unlink(in_folder("begun"));
    pid_t pid = fork_peer();
    if (pid == 0) {
        struct loop *own = NULL;
        struct process_spec spec = {.shell = line, .timeout_ms = timeout_ms, .directory = folder};
        int lock = -1;
        dup2(out, 1);
        dup2(out, 2);
        if (loop_open(&own, NULL) < 0 ||
            file_lock(in_folder("run.lock"), "run 4711", &lock, NULL) < 0) {
            _exit(1);
        }
        process_guard_lock(lock);
        _exit(process_run(own, &spec, &result, NULL) < 0);
    }
    assert_true(appears(in_folder("begun"), 5000));
    end_peer(pid);
}

static bool lock_gets_free(int ms)
{
    int lock = -1;
    for (; ms > 0; ms -= 10) {
        if (file_lock(in_folder("run.lock"), "next", &lock, NULL) == 0) {
            file_unlock(lock);
            return true;
        }
        usleep(10000);
    }
    return false;
}

static void a_command_outlives_our_sigkill_under_the_lock(void **state)
{
    int lock = -1, fds[2];
    char byte;
    (void)state;
    loop_free(loop);
    loop = NULL;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    run_and_be_killed("touch begun; yes | head -c 300000; sleep 0.7; echo x; touch finished", 20000,
                      fds[1]);
    close(fds[1]);
    int64_t killed = loop_mono();
    /* Who waits for the end of our stdout does not wait for the command. */
    assert_int_equal(read(fds[0], &byte, 1), 0);
    close(fds[0]);
    assert_false(file_exists(in_folder("finished")));
    assert_int_equal(file_lock(in_folder("run.lock"), "second", &lock, &error), -1);
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_non_null(strstr(error.message, "run 4711"));
    assert_true(appears(in_folder("finished"), 5000));
    assert_true(loop_mono() - killed > 300);
    assert_true(lock_gets_free(3000));
}

static void an_orphaned_command_is_held_to_its_limit(void **state)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    (void)state;
    loop_free(loop);
    loop = NULL;
    run_and_be_killed("trap '' TERM; echo $$ >orphan; touch begun; while :; do sleep 1; done", 800,
                      null);
    close(null);
    assert_true(is_alive(in_folder("orphan")));
    assert_true(lock_gets_free(3000 + TIME_SLACK));
    assert_true(dies(in_folder("orphan"), 100));
}

static void a_killed_guard_takes_its_command_along(void **state)
{
    char line[256];
    (void)state;
    snprintf(line, sizeof(line), "echo $$ >%s/ward; kill -KILL $PPID; sleep 50", folder);
    assert_int_equal(run_shell(line), -1);
    assert_int_equal(error.kind, ERROR_REMOTE);
    assert_non_null(strstr(error.message, "the guard of"));
    assert_int_equal(result.exit_code, -1);
    assert_true(dies(in_folder("ward"), 2000));
}

static void a_frozen_guard_is_given_up(void **state)
{
    char line[256];
    const struct process_spec spec = {.shell = line, .timeout_ms = 200};
    (void)state;
    snprintf(line, sizeof(line), "echo $$ >%s/frozen; kill -STOP $PPID; sleep 50", folder);
    assert_int_equal(run_spec(&spec), -1);
    assert_int_equal(error.kind, ERROR_TIMEOUT);
    assert_true(dies(in_folder("frozen"), 2000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_time_limit_ends_a_command),
        TEST(an_endless_flood_ends_in_time),
        TEST(who_ignores_the_request_is_killed_with_all_children),
        TEST(children_left_behind_by_a_stop_are_ended),
        TEST(a_polite_end_is_not_waited_out),
        TEST(a_stopped_group_that_sleeps_in_sigstop_is_ended),
        TEST(a_daemon_does_not_hold_us),
        TEST(signals_to_our_group_spare_the_command),
        TEST(the_guard_keeps_nothing_else_open),
        TEST(the_command_does_not_get_the_lock),
        TEST(a_command_outlives_our_sigkill_under_the_lock),
        TEST(an_orphaned_command_is_held_to_its_limit),
        TEST(a_killed_guard_takes_its_command_along),
        TEST(a_frozen_guard_is_given_up),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
