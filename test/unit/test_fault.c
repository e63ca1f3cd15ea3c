/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"
#include "io_test.h"

#ifndef FAULT_POINTS
#error the tests are built with fault points
#endif

static const char *wish;

static int pass_points(void)
{
    struct loop *loop = NULL;
    struct process_spec spec = {.shell = "echo a b"};
    struct process_result result;
    setenv("FAULT_TRACE", in_folder("trace"), 1);
    if (wish != NULL) {
        setenv("FAULT_KILL", wish, 1);
    }
    if (loop_open(&loop, NULL) < 0 || file_write(in_folder("x"), "1", 1, NULL) < 0) {
        return 1;
    }
    int outcome = process_run(loop, &spec, &result, &error);
    process_result_release(&result);
    return outcome == 0 ? 0 : error.kind == ERROR_CANCELLED ? 40 + loop_signal(loop) : 2;
}

static int pass_with(const char *kill_at)
{
    unlink(in_folder("trace"));
    unlink(in_folder("x"));
    wish = kill_at;
    return status_of(pass_points);
}

static void points_are_counted_and_named(void **state)
{
    struct buf trace;
    (void)state;
    assert_int_equal(pass_with(NULL), 0);
    assert_int_equal(file_read(in_folder("trace"), 1000, true, &trace, &error), 0);
    assert_string_equal(trace.data, "1 file.write.before\n2 file.written\n"
                                    "3 process.before echo a b\n4 process.after echo a b\n");
    buf_release(&trace);
}

static void the_wished_point_kills(void **state)
{
    (void)state;
    int status = pass_with("1");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_false(file_exists(in_folder("x")));
    status = pass_with("2");
    assert_true(WIFSIGNALED(status));
    assert_true(file_exists(in_folder("x")));
    assert_int_equal(pass_with("99"), 0);
    assert_true(WIFSIGNALED(pass_with("file.written")));
    assert_true(file_exists(in_folder("x")));
    assert_int_equal(pass_with("file.writte"), 0);
    assert_int_equal(pass_with("file.written.x"), 0);
    assert_int_equal(pass_with("rubbish"), 0);
}

static void or_asks_politely(void **state)
{
    (void)state;
    int status = pass_with("3:TERM");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 40 + SIGTERM);
    status = pass_with("3:INT");
    assert_int_equal(WEXITSTATUS(status), 40 + SIGINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_counted_and_named),
        cmocka_unit_test(the_wished_point_kills),
        cmocka_unit_test(or_asks_politely),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
