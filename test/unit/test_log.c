/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms = 5000;

/* Instead of the C library's: these tests live in a time of their own. */
int clock_gettime(clockid_t clock, struct timespec *time)
{
    (void)clock;
    *time = (struct timespec){.tv_sec = now_ms / 1000, .tv_nsec = now_ms % 1000 * 1000000};
    return 0;
}

static void lines_follow_the_level(void **state)
{
    (void)state;
    static const char *const wanted[] = {"e\n", "e\nw\n", "e\nw\ni\n", "e\nw\ni\nd\n"};
    for (int level = LOG_ERROR; level <= LOG_DETAIL; level++) {
        struct capture c = capture(LOG_PLAIN, (enum log_level)level, false);
        log_line(c.log, LOG_ERROR, "e");
        log_line(c.log, LOG_WARN, "w");
        log_line(c.log, LOG_INFO, "i");
        log_line(c.log, LOG_DETAIL, "d");
        assert_int_equal(log_quiet(c.log), level == LOG_ERROR);
        assert_int_equal(log_style_of(c.log), LOG_PLAIN);
        expect_last(&c, wanted[level]);
    }
    log_free(NULL);
}

static void lines_are_colored_when_asked(void **state)
{
    (void)state;
    struct capture c = capture(LOG_TERMINAL, LOG_DETAIL, true);
    log_line(c.log, LOG_ERROR, "e%d", 1);
    log_line(c.log, LOG_WARN, "w");
    log_line(c.log, LOG_INFO, "i");
    log_line(c.log, LOG_DETAIL, "d");
    log_group(c.log, "Group", 0);
    expect_last(&c, "\033[31me1\033[0m\n\033[33mw\033[0m\ni\n\033[2md\033[0m\n"
                    "\033[1mGroup\033[0m\n");
}

static void a_line_stays_one_line(void **state)
{
    (void)state;
    struct capture c = plain();
    log_line(c.log, LOG_INFO, "%s", "a\nb\rc\x1b[2Jd\x07\x7f\xC2\x9B e\tf \xC3\xA9 \xFF");
    expect_last(&c, "a\\x0ab\\x0dc\\x1b[2Jd\\x07\\x7f\\x9b e\tf \xC3\xA9 \\xff\n");
}

static void commands_are_broken_up(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"::set-output name=x::y", ": :set-output name=x::y\n"},
        {"  \t::error::x", "  \t: :error::x\n"},
        {"::", ": :\n"},
        {":::", ": ::\n"},
        {"a ::error::x", "a ::error::x\n"},
        {": :x", ": :x\n"},
        {"\xC2\xA0::error::x", "\xC2\xA0: :error::x\n"},         /* no-break space */
        {"\xE2\x80\x8B::error::x", "\xE2\x80\x8B: :error::x\n"}, /* zero-width space */
        {"\xEF\xBB\xBF::error::x", "\xEF\xBB\xBF: :error::x\n"}, /* byte order mark */
        {"\n::error::x", "\\x0a::error::x\n"},
        {"##[error]x", "## [error]x\n"},
        {"a ##[set-env name=A]b", "a ## [set-env name=A]b\n"},
        {"###[x", "### [x\n"},
        {"#\xE2\x80\x8B#[x", "#\xE2\x80\x8B# [x\n"},
        {"#[x] ## [y", "#[x] ## [y\n"},
        {"##[a]##[b]", "## [a]## [b]\n"},
        {"fe80::1", "fe80::1\n"},
    };
    for (int style = LOG_PLAIN; style <= LOG_GITLAB; style++) {
        struct capture c = capture((enum log_style)style, LOG_INFO, false);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            log_line(c.log, LOG_INFO, "%s", cases[i][0]);
            expect_written(&c, cases[i][1]);
        }
        expect_last(&c, "");
    }
}

static void long_lines_are_cut(void **state)
{
    (void)state;
    struct capture c = plain();
    const size_t most = 32 * 1024 - 1;
    char *text = calloc(1, 100000), *wanted = calloc(1, 400000);
    memset(text, 'x', most);
    memset(wanted, 'x', most);
    wanted[most] = '\n';
    log_line(c.log, LOG_INFO, "%s", text);
    expect_written(&c, wanted);
    memset(text, 'x', 99999);
    memcpy(wanted + most, " [cut]\n", 8);
    log_line(c.log, LOG_INFO, "%s", text);
    expect_written(&c, wanted);
    /* escaping makes four bytes of one: nothing of it is lost */
    memset(text, '\x01', most);
    text[most] = '\0';
    for (size_t i = 0; i < most; i++) {
        memcpy(wanted + 4 * i, "\\x01", 4);
    }
    memcpy(wanted + 4 * most, "\n", 2);
    log_line(c.log, LOG_INFO, "%s", text);
    expect_last(&c, wanted);
    free(text);
    free(wanted);
}

static void groups_of_github(void **state)
{
    (void)state;
    struct capture c = github();
    log_mask(c.log, "hunter2");
    expect_written(&c, "::add-mask::hunter2\n");
    log_group(c.log, "Check 50%: hunter2\n::x", 1000);
    log_line(c.log, LOG_INFO, "inside");
    log_group_end(c.log, 2000);
    log_group_end(c.log, 2000);
    expect_written(&c, "::group::Check 50%25: ***\\x0a::x\ninside\n::endgroup::\n");
    log_group(c.log, "One", 0);
    log_group(c.log, "Two", 0); /* not nested: the first one ends */
    expect_written(&c, "::group::One\n::endgroup::\n::group::Two\n");
    expect_last(&c, "::endgroup::\n");
}

static void groups_of_gitlab(void **state)
{
    (void)state;
    struct capture c = capture(LOG_GITLAB, LOG_INFO, true);
    log_group(c.log, "Pre-flight: 5 checks", 1795559962999);
    expect_written(&c, "\033[0Ksection_start:1795559962:Pre_flight__5_checks_1[collapsed=true]\r"
                       "\033[0KPre-flight: 5 checks\n");
    log_group_end(c.log, 1795559970000);
    expect_written(&c, "\033[0Ksection_end:1795559970:Pre_flight__5_checks_1\r\033[0K\n");
    log_group(c.log, "\033[0Ksection_end:1:x\r a very long title that goes on and on", 7000);
    expect_written(&c,
                   "\033[0Ksection_start:7:_x1b_0Ksection_end_1_x_x0d_a_very_long_t_2[collapsed="
                   "true]\r\033[0K\\x1b[0Ksection_end:1:x\\x0d a very long title that goes on and "
                   "on\n");
    expect_last(&c, "\033[0Ksection_end:7:_x1b_0Ksection_end_1_x_x0d_a_very_long_t_2\r\033[0K\n");
}

static void groups_elsewhere_are_a_line(void **state)
{
    (void)state;
    struct capture c = plain();
    log_group(c.log, "Title", 0);
    log_group_end(c.log, 0);
    expect_last(&c, "Title\n");
    c = capture(LOG_GITHUB, LOG_WARN, false);
    log_group(c.log, "Title", 0);
    log_group_end(c.log, 0);
    expect_last(&c, "");
}

static void annotations_of_github(void **state)
{
    (void)state;
    struct capture c = github();
    log_annotate(c.log, LOG_ERROR, "dir/a,b:c%.yaml", 12, "50% of:\r\nall, \x1b[31m");
    expect_written(&c, "::error file=dir/a%2Cb%3Ac%25.yaml,line=12::50%25 of:%0D%0Aall, "
                       "\\x1b[31m\n");
    log_annotate(c.log, LOG_WARN, "f", 0, "x");
    log_annotate(c.log, LOG_INFO, NULL, 5, "y");
    log_annotate(c.log, LOG_DETAIL, NULL, 0, "z");
    expect_written(&c, "::warning file=f::x\n::notice::y\n::notice::z\n");
    log_annotate(c.log, LOG_ERROR, "##[a", 1, "x ##[error]y\n::error::z");
    expect_written(&c, "::error file=## [a,line=1::x ## [error]y%0A: :error::z\n");
    log_mask(c.log, "geheim");
    log_annotate(c.log, LOG_ERROR, "geheim.yaml", 1, "a geheim");
    expect_last(&c, "::add-mask::geheim\n::error file=***.yaml,line=1::a ***\n");
}

static void annotations_elsewhere_are_lines(void **state)
{
    (void)state;
    struct capture c = capture(LOG_GITLAB, LOG_WARN, false);
    log_annotate(c.log, LOG_ERROR, "f.yaml", 3, "wrong");
    log_annotate(c.log, LOG_WARN, "f.yaml", 0, "::odd");
    log_annotate(c.log, LOG_WARN, "f.yaml", 3, "f.yaml:3:7: once");
    log_annotate(c.log, LOG_WARN, NULL, 3, "::alone");
    log_annotate(c.log, LOG_INFO, NULL, 0, "not at this level");
    expect_last(&c, "f.yaml:3: wrong\nf.yaml: ::odd\nf.yaml:3:7: once\n: :alone\n");
    c = capture(LOG_GITHUB, LOG_ERROR, false);
    log_annotate(c.log, LOG_WARN, NULL, 0, "not at this level");
    log_annotate(c.log, LOG_ERROR, NULL, 0, "at this");
    expect_last(&c, "::error::at this\n");
}

static void the_live_line_makes_way(void **state)
{
    (void)state;
    struct capture c = capture(LOG_TERMINAL, LOG_INFO, false);
    log_live(c.log, "watch %d %%", 5);
    expect_written(&c, "\r\033[Kwatch 5 %");
    log_line(c.log, LOG_INFO, "line");
    expect_written(&c, "\r\033[Kline\nwatch 5 %");
    log_live(c.log, "watch 6");
    expect_written(&c, "\r\033[Kwatch 6");
    log_live(c.log, "%s", "");
    expect_written(&c, "\r\033[K");
    log_live(c.log, "%s", "");
    log_line(c.log, LOG_INFO, "line");
    expect_written(&c, "line\n");
    log_live(c.log, "last");
    expect_written(&c, "\r\033[Klast");
    expect_last(&c, "\r\033[K");
}

static void the_live_line_is_harmless(void **state)
{
    (void)state;
    struct capture c = capture(LOG_TERMINAL, LOG_INFO, false);
    log_mask(c.log, "geheim");
    log_live(c.log, "%s", "\x1b[2J geheim\n");
    expect_last(&c, "\r\033[K\\x1b[2J ***\\x0a\r\033[K");
    c = capture(LOG_TERMINAL, LOG_WARN, false);
    log_live(c.log, "not at this level");
    expect_last(&c, "");
}

static void elsewhere_live_is_a_line_now_and_then(void **state)
{
    (void)state;
    struct capture c = github();
    log_live(c.log, "first");
    expect_written(&c, "first\n");
    now_ms += 29999;
    log_live(c.log, "too soon");
    expect_written(&c, "");
    now_ms += 1;
    log_live(c.log, "%s", "");
    expect_written(&c, "");
    log_live(c.log, "::due");
    expect_written(&c, ": :due\n");
    now_ms += 30001;
    log_live(c.log, "again");
    log_live(c.log, "not again");
    expect_last(&c, "again\n");
}

/* Without a terminal behind it, 80 columns. */
static void the_live_line_is_cut_to_the_width(void **state)
{
    (void)state;
    struct capture c = capture(LOG_TERMINAL, LOG_INFO, false);
    char text[200], wanted[200];
    memset(text, 'x', 100);
    text[100] = '\0';
    memcpy(wanted, "\r\033[K", 5);
    memset(wanted + 4, 'x', 79);
    wanted[83] = '\0';
    log_live(c.log, "%s", text);
    expect_written(&c, wanted);
    text[79] = '\0';
    log_live(c.log, "%s", text);
    expect_written(&c, wanted);
    expect_last(&c, "\r\033[K");
}

static void the_width_is_asked_for(void **state)
{
    (void)state;
    char got[100];
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int fd = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(fd >= 0);
    struct termios raw;
    struct winsize size = {.ws_row = 24, .ws_col = 10};
    assert_int_equal(tcgetattr(fd, &raw), 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(fd, TCSANOW, &raw), 0);
    assert_int_equal(ioctl(fd, TIOCSWINSZ, &size), 0);
    struct log *log = log_open(fd, LOG_TERMINAL, LOG_INFO, false);
    log_live(log, "%s",
             "\xC3\xA9\xC3\xA9\xC3\xA9"
             "3456789abc");
    ssize_t length = read(master, got, sizeof got - 1);
    assert_true(length > 0);
    got[length] = '\0';
    assert_string_equal(got, "\r\033[K\xC3\xA9\xC3\xA9\xC3\xA9"
                             "345678");
    log_free(log);
    close(fd);
    close(master);
}

static void a_reader_that_is_gone_stops_nothing(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    struct log *log = log_open(ends[1], LOG_PLAIN, LOG_INFO, false);
    log_line(log, LOG_INFO, "nobody reads this");
    log_free(log);
    close(ends[1]);
    log = log_open(-1, LOG_PLAIN, LOG_INFO, false);
    log_line(log, LOG_INFO, "nor this");
    log_free(log);
    signal(SIGPIPE, SIG_DFL);
}

/* A pipe that is full and does not block: the rest is written once there is room. */
static void a_slow_reader_gets_all(void **state)
{
    (void)state;
    int ends[2], status = -1;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    pid_t child = fork();
    if (child == 0) {
        static char text[30000];
        memset(text, '\x01', sizeof text - 1); /* four bytes each: more than a pipe holds */
        struct log *log = log_open(ends[1], LOG_PLAIN, LOG_INFO, false);
        log_line(log, LOG_INFO, "%s", text);
        log_free(log);
        _exit(0);
    }
    close(ends[1]);
    fcntl(ends[0], F_SETFL, 0);
    usleep(100000);
    size_t total = 0;
    char part[1000];
    for (ssize_t got = 1; got > 0; total += got > 0 ? (size_t)got : 0) {
        got = read(ends[0], part, sizeof part);
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(total, 29999 * 4 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_follow_the_level),
        cmocka_unit_test(lines_are_colored_when_asked),
        cmocka_unit_test(a_line_stays_one_line),
        cmocka_unit_test(commands_are_broken_up),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(groups_of_github),
        cmocka_unit_test(groups_of_gitlab),
        cmocka_unit_test(groups_elsewhere_are_a_line),
        cmocka_unit_test(annotations_of_github),
        cmocka_unit_test(annotations_elsewhere_are_lines),
        cmocka_unit_test(the_live_line_makes_way),
        cmocka_unit_test(the_live_line_is_harmless),
        cmocka_unit_test(elsewhere_live_is_a_line_now_and_then),
        cmocka_unit_test(the_live_line_is_cut_to_the_width),
        cmocka_unit_test(the_width_is_asked_for),
        cmocka_unit_test(a_reader_that_is_gone_stops_nothing),
        cmocka_unit_test(a_slow_reader_gets_all),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
