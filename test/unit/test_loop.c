/* SPDX-License-Identifier: Apache-2.0 */
#include "io_test.h"

#include "clock.h"

static void waits_until_the_deadline(void **state)
{
    (void)state;
    struct loop *loop = open_loop();
    int64_t start = loop_mono();
    assert_int_equal(loop_wait(loop, start + 120, &error), 0);
    int64_t took = loop_mono() - start;
    assert_true(took >= 120 && took < 120 + TIME_SLACK);
    assert_int_equal(loop_wait(loop, start, &error), 0); /* in the past: at once */
    loop_free(loop);
}

static void wait_operations_end_in_order(void **state)
{
    (void)state;
    struct loop *loop = open_loop();
    struct operation slow = {.kind = OPERATION_WAIT, .wait_ms = 300};
    struct operation quick = {.kind = OPERATION_WAIT, .wait_ms = 50};
    int64_t far = loop_mono() + 10000;
    assert_int_equal(loop_start(loop, &slow, &error), 0);
    assert_int_equal(loop_start(loop, &quick, &error), 0);
    assert_int_equal(loop_wait(loop, far, &error), 0);
    assert_true(quick.done);
    assert_false(slow.done);
    assert_int_equal(loop_wait(loop, far, &error), 0);
    assert_true(slow.done);
    assert_true(loop_mono() < far);
    loop_free(loop);
}

static void a_stopped_wait_is_done_and_not_news(void **state)
{
    (void)state;
    struct loop *loop = open_loop();
    struct operation one = {.kind = OPERATION_WAIT, .wait_ms = 60000};
    assert_int_equal(loop_start(loop, &one, &error), 0);
    loop_stop(loop, &one);
    assert_true(one.done);
    loop_stop(loop, &one); /* harmless */
    int64_t start = loop_mono();
    assert_int_equal(loop_wait(loop, start + 80, &error), 0);
    assert_true(loop_mono() - start >= 80);
    operation_release(&one);
    loop_free(loop);
}

static void release_and_free_stop_what_runs(void **state)
{
    (void)state;
    struct loop *loop = open_loop();
    struct operation one = {.kind = OPERATION_WAIT, .wait_ms = 60000};
    struct operation two = {.kind = OPERATION_WAIT, .wait_ms = 60000};
    assert_int_equal(loop_start(loop, &one, &error), 0);
    assert_int_equal(loop_start(loop, &two, &error), 0);
    operation_release(&one);
    assert_true(one.done);
    loop_free(loop);
    assert_true(two.done);
}

static void misuse_is_told(void **state)
{
    (void)state;
    struct loop *loop = open_loop();
    struct loop *second = NULL;
    struct operation one = {.kind = OPERATION_WAIT, .wait_ms = 60000};
    struct operation none = {.kind = OPERATION_NONE};
    assert_int_equal(loop_open(&second, &error), -1);
    assert_int_equal(error.kind, ERROR_BUG);
    assert_int_equal(loop_start(loop, &one, &error), 0);
    assert_int_equal(loop_start(loop, &one, &error), -1);
    assert_int_equal(error.kind, ERROR_BUG);
    assert_int_equal(loop_start(loop, &none, &error), -1);
    assert_int_equal(error.kind, ERROR_BUG);
    loop_free(loop);
    loop_free(NULL);
}

static void the_clock_sleeps_without_losing_news(void **state)
{
    (void)state;
    struct loop *loop = open_loop();
    struct clock clock;
    struct operation one = {.kind = OPERATION_WAIT, .wait_ms = 20};
    clock_init(&clock, loop);
    int64_t start = clock.mono(&clock);
    assert_true(clock.wall(&clock) > INT64_C(1600000000000));
    assert_int_equal(loop_start(loop, &one, &error), 0);
    assert_int_equal(clock.sleep(&clock, start + 100, &error), 0);
    assert_true(clock.mono(&clock) >= start + 100);
    assert_true(one.done);
    assert_int_equal(loop_wait(loop, loop_mono() + 10000, &error), 0);
    assert_true(loop_mono() < start + 5000);
    loop_free(loop);
}

static void each_signal_cancels_and_is_named(void **state)
{
    static const struct {
        int number;
        const char *words;
    } cases[] = {{SIGTERM, "cancelled by SIGTERM"},
                 {SIGINT, "cancelled by SIGINT"},
                 {SIGHUP, "cancelled by SIGHUP"}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct loop *loop = open_loop();
        assert_int_equal(loop_signal(loop), 0);
        int64_t start = loop_mono();
        pid_t peer = signal_later(cases[i].number, 50);
        assert_int_equal(loop_wait(loop, start + 20000, &error), -1);
        assert_int_equal(error.kind, ERROR_CANCELLED);
        assert_string_equal(error.message, cases[i].words);
        assert_int_equal(loop_signal(loop), cases[i].number);
        assert_true(loop_mono() - start < 50 + TIME_SLACK);
        assert_int_equal(loop_wait(loop, start + 20000, &error), -1); /* it stays so */
        waitpid(peer, NULL, 0);
        loop_free(loop);
    }
}

static void a_shield_hides_the_signal(void **state)
{
    (void)state;
    struct loop *loop = open_loop();
    struct clock clock;
    clock_init(&clock, loop);
    clock.shield(&clock, true);
    kill(getpid(), SIGTERM);
    int64_t start = loop_mono();
    assert_int_equal(clock.sleep(&clock, start + 100, &error), 0);
    assert_true(loop_mono() - start >= 100);
    assert_int_equal(clock.cancelled(&clock), 0);
    clock.shield(&clock, false);
    assert_int_equal(clock.cancelled(&clock), SIGTERM);
    assert_int_equal(clock.sleep(&clock, loop_mono() + 5000, &error), -1);
    assert_int_equal(error.kind, ERROR_CANCELLED);
    loop_free(loop);
}

static int take_two_signals(void)
{
    struct loop *loop = NULL;
    if (loop_open(&loop, NULL) < 0) {
        return 1;
    }
    loop_shield(loop, true);
    kill(getpid(), SIGINT);
    if (loop_wait(loop, loop_mono() + 20, NULL) < 0) {
        return 2;
    }
    kill(getpid(), SIGTERM);
    return 3;
}

static int take_one_signal_twice(void)
{
    struct loop *loop = NULL;
    if (loop_open(&loop, NULL) < 0) {
        return 1;
    }
    kill(getpid(), SIGTERM);
    kill(getpid(), SIGTERM); /* timeout(1) does this */
    if (loop_signal(loop) != SIGTERM) {
        return 2;
    }
    usleep(200000);
    kill(getpid(), SIGTERM);
    return 3;
}

static void a_second_signal_ends_at_once(void **state)
{
    (void)state;
    int status = status_of(take_two_signals);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
    status = status_of(take_one_signal_twice);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
}

static int hang_up_under_nohup(void)
{
    struct loop *loop = NULL;
    signal(SIGHUP, SIG_IGN);
    if (loop_open(&loop, NULL) < 0) {
        return 1;
    }
    kill(getpid(), SIGHUP);
    int seen = loop_signal(loop);
    loop_free(loop);
    return seen;
}

static int start_with_blocked_signals(void)
{
    struct loop *loop = NULL;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    if (loop_open(&loop, NULL) < 0) {
        return 1;
    }
    kill(getpid(), SIGTERM);
    return loop_signal(loop) == SIGTERM ? 0 : 2;
}

static int write_into_a_broken_pipe(void)
{
    struct loop *loop = NULL;
    int fds[2];
    if (loop_open(&loop, NULL) < 0 || pipe(fds) < 0) {
        return 1;
    }
    close(fds[0]);
    return write(fds[1], "x", 1) < 0 && errno == EPIPE ? 0 : 2;
}

static int start_without_descriptors(void)
{
    struct loop *loop = NULL;
    bool inherited[64];
    for (int fd = 0; fd < 64; fd++) {
        inherited[fd] = fcntl(fd, F_GETFD) >= 0;
    }
    close(0);
    close(1);
    close(2);
    if (loop_open(&loop, NULL) < 0) {
        return 1;
    }
    for (int fd = 0; fd <= 2; fd++) {
        struct stat status;
        if (fstat(fd, &status) < 0 || !S_ISCHR(status.st_mode)) {
            return 2;
        }
    }
    for (int fd = 3; fd < 64; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (!inherited[fd] && flags >= 0 && (flags & FD_CLOEXEC) == 0) {
            return 3;
        }
    }
    return 0;
}

static void odd_starts_work(void **state)
{
    (void)state;
    assert_int_equal(status_of(hang_up_under_nohup), 0);
    assert_int_equal(status_of(start_with_blocked_signals), 0);
    assert_int_equal(status_of(write_into_a_broken_pipe), 0);
    assert_int_equal(status_of(start_without_descriptors), 0);
}

static void handlers_are_given_back(void **state)
{
    (void)state;
    struct sigaction action;
    loop_free(open_loop());
    sigaction(SIGTERM, NULL, &action);
    assert_true(action.sa_handler == SIG_DFL);
    sigaction(SIGPIPE, NULL, &action);
    assert_true(action.sa_handler == SIG_DFL);
}

static void run_all_is_cancelled_as_one(void **state)
{
    (void)state;
    struct loop *loop = open_loop();
    struct operation waits[3] = {
        {.kind = OPERATION_WAIT, .wait_ms = 30},
        {.kind = OPERATION_WAIT, .wait_ms = 60000},
        {.kind = OPERATION_WAIT, .wait_ms = 60000},
    };
    pid_t peer = signal_later(SIGTERM, 200);
    assert_int_equal(loop_run_all(loop, waits, 3, &error), -1);
    assert_int_equal(error.kind, ERROR_CANCELLED);
    assert_true(waits[0].done && waits[1].done && waits[2].done);
    waitpid(peer, NULL, 0);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_until_the_deadline),
        cmocka_unit_test(wait_operations_end_in_order),
        cmocka_unit_test(a_stopped_wait_is_done_and_not_news),
        cmocka_unit_test(release_and_free_stop_what_runs),
        cmocka_unit_test(misuse_is_told),
        cmocka_unit_test(the_clock_sleeps_without_losing_news),
        cmocka_unit_test(each_signal_cancels_and_is_named),
        cmocka_unit_test(a_shield_hides_the_signal),
        cmocka_unit_test(a_second_signal_ends_at_once),
        cmocka_unit_test(odd_starts_work),
        cmocka_unit_test(handlers_are_given_back),
        cmocka_unit_test(run_all_is_cancelled_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
