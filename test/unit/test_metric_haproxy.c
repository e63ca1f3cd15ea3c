/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client saw through a real HAProxy is what the source counts.
 */
#include "metric_test.h"

#include "haproxy.h"

#define SOURCE "metrics:\n  haproxy: { timeout: 2s }\nslos:\n  error-rate: { target: 1% }\n"

/* How a server treats its connections. */
enum manner { GOOD, FAILING, ABSENT, RESETTING, SLOW, CUT, NOISY, MUTE, EARLY, CHANGING, MANNERS };
static const char *const manners[] = {"good", "failing", "absent", "resetting", "slow",
                                      "cut",  "noisy",   "mute",   "early",     "changing"};

static pid_t servers[MANNERS], haproxy;
static int ports[MANNERS], frontend;

/* ---- servers ---------------------------------------------------------------------- */

static void say(int fd, const char *text)
{
    send_all(fd, text, strlen(text));
}

static void reset(int fd)
{
    const struct linger now = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void treat(int fd, enum manner manner, int number)
{
    static const enum manner turns[] = {GOOD, RESETTING, FAILING, CUT, GOOD, MUTE};
    switch (manner == CHANGING ? turns[number % 6] : manner) {
    case FAILING:
        say(fd, "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno");
        break;
    case RESETTING:
        reset(fd);
        break;
    case SLOW:
        sleep(30);
        break;
    case CUT:
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        break;
    case NOISY:
        say(fd, "SSH-2.0-OpenSSH\r\n\r\n");
        break;
    case MUTE:
        break;
    case EARLY:
        say(fd, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
        /* fall through */
    default:
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        break;
    }
}

static void serve(int listener, enum manner manner)
{
    signal(SIGCHLD, SIG_IGN);
    for (int number = 0;; number++) {
        const int fd = accept(listener, NULL, NULL);
        if (fd >= 0 && fork() == 0) {
            char request[4096];
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (recv(fd, request, sizeof(request), 0) > 0) {
                treat(fd, manner, number);
            }
            close(fd);
            _exit(0);
        }
        close(fd);
    }
}

static void start_servers(void)
{
    for (int i = 0; i < MANNERS; i++) {
        const int listener = listen_tcp(AF_INET, &ports[i]);
        servers[i] = i == ABSENT ? 0 : fork_peer();
        if (i != ABSENT && servers[i] == 0) {
            serve(listener, (enum manner)i);
        }
        close(listener);
    }
}

/* ---- HAProxy ---------------------------------------------------------------------- */

static void write_haproxy(const char *defaults)
{
    AUTO_BUF struct buf text;
    buf_init(&text, 1 << 16);
    buf_addf(&text,
             "global\n  stats socket %s mode 600 level admin\n"
             "defaults\n  mode http\n  timeout connect 1s\n  timeout client 20s\n"
             "  timeout server 700ms\n  retries 1\n%s"
             "frontend f\n  bind 127.0.0.1:%d\n  default_backend shop\nbackend shop\n",
             in_folder("ha.sock"), defaults, frontend);
    for (int i = 0; i < MANNERS; i++) {
        buf_addf(&text, "  server %s 127.0.0.1:%d weight 0\n", manners[i], ports[i]);
    }
    write_file(in_folder("ha.cfg"), text.data);
}

static void start_haproxy(const char *defaults)
{
    close(listen_tcp(AF_INET, &frontend));
    write_haproxy(defaults);
    haproxy = fork_peer();
    if (haproxy == 0) {
        const int fd = open(in_folder("ha.log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        dup2(fd, 2);
        execlp("haproxy", "haproxy", "-db", "-f", in_folder("ha.cfg"), (char *)NULL);
        execl("/usr/sbin/haproxy", "haproxy", "-db", "-f", in_folder("ha.cfg"), (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 * SLOWLY; i++) {
        const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const struct sockaddr_in address = {.sin_family = AF_INET,
                                            .sin_port = htons((uint16_t)frontend),
                                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        const bool there = connect(probe, (const struct sockaddr *)&address, sizeof(address)) == 0;
        close(probe);
        if (there && file_exists(in_folder("ha.sock"))) { /* who answers may be another */
            return;
        }
        usleep(10000);
    }
    fail_msg("haproxy does not start");
}

static void ask(const char *commands)
{
    struct buf answer;
    const struct haproxy_settings settings = {in_folder("ha.sock"), "shop", 5000};
    EXPECT_OK(haproxy_ask(&context, &settings, commands, &answer, &error), &error);
    buf_release(&answer);
}

static void only(enum manner manner)
{
    char commands[1024] = "";
    for (int i = 0; i < MANNERS; i++) {
        const size_t used = strlen(commands);
        snprintf(commands + used, sizeof(commands) - used, "%sset server shop/%s weight %d",
                 i > 0 ? ";" : "", manners[i], i == (int)manner ? 100 : 0);
    }
    ask(commands);
}

/* ---- the client ------------------------------------------------------------------- */

static int connect_frontend(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)frontend),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* One request; true where a whole answer below 500 came. */
static bool request(void)
{
    char answer[8192];
    size_t used = 0;
    ssize_t got = 0;
    const char *text = "GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n";
    const int fd = connect_frontend();
    if (fd < 0 || send(fd, text, strlen(text), MSG_NOSIGNAL) < 0) {
        return false;
    }
    do {
        got = recv(fd, answer + used, sizeof(answer) - 1 - used, 0);
        used += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    close(fd);
    answer[used] = '\0';
    const char *last = strstr(answer, "HTTP/1.1 103") ? strstr(answer + 1, "HTTP/1.1") : answer;
    return strncmp(last, "HTTP/1.1 2", 10) == 0 && !strstr(last, "half");
}

static int failures_of(int count)
{
    int failed = 0;
    for (int i = 0; i < count; i++) {
        failed += !request();
    }
    return failed;
}

static int set_up(void **state)
{
    haproxy = 0;
    if (metric_begin(state) != 0) {
        return -1;
    }
    start_servers();
    return 0;
}

static int tear_down(void **state)
{
    for (int i = 0; i < MANNERS; i++) {
        if (servers[i] > 0) {
            end_peer(servers[i]);
        }
    }
    if (haproxy > 0) {
        end_peer(haproxy);
    }
    return metric_end(state);
}

static void open_haproxy(const char *defaults)
{
    char yaml[1024];
    start_haproxy(defaults);
    snprintf(yaml, sizeof(yaml), "traffic:\n  haproxy: { socket: '%s', backend: shop }\n%s",
             in_folder("ha.sock"), SOURCE);
    open_source("haproxy", yaml);
}

/* The counts of the server of that manner, by its name or by the instance's `server`. */
static struct series counts_of(enum manner manner)
{
    static struct instance one;
    static const struct instance *const list[] = {&one};
    one = (struct instance){.name = "green-1", .server = manners[manner]};
    struct metric_query query = {
        .slo = slo_named("error-rate"), .arm = ARM_CANDIDATE, .instances = list, .count = 1};
    assert_int_equal(driver->read(metric, &query, 1, &reading, &arena), 0);
    if (reading.kind != READING_COUNTS) {
        fail_msg("no counts: %s", reading.why);
    }
    return reading.series[0];
}

static void expect_counts(enum manner manner, double bad, double total)
{
    const struct series series = counts_of(manner);
    if (series.bad != bad || series.total != total) {
        fail_msg("%s: %g of %g, not %g of %g", manners[manner], series.bad, series.total, bad,
                 total);
    }
}

/* ---- tests ------------------------------------------------------------------------ */

/* Every way to fail, each alone: exactly what the client saw. */
static void test_every_manner(void **state)
{
    (void)state;
    open_haproxy("");
    for (int manner = 0; manner < MANNERS; manner++) {
        const int count = manner == SLOW ? 4 : 12;
        only((enum manner)manner);
        expect_counts((enum manner)manner, 0, 0);
        const int failed = failures_of(count);
        assert_int_equal(failed, manner == GOOD || manner == EARLY ? 0
                                 : manner == CHANGING              ? 8
                                                                   : count);
        expect_counts((enum manner)manner, failed, count);
    }
    for (int manner = 0; manner < MANNERS; manner++) {
        assert_true(counts_of((enum manner)manner).total > 0);
    }
}

/* HAProxy asks another server instead: the client sees nothing, the server still failed. */
static void test_redispatch(void **state)
{
    (void)state;
    open_haproxy("  option redispatch\n  retries 3\n");
    expect_counts(ABSENT, 0, 0);
    only(GOOD);
    ask("set server shop/absent weight 100");
    assert_int_equal(failures_of(20), 0);
    const struct series absent = counts_of(ABSENT);
    assert_true(absent.bad >= 5 && absent.bad == absent.total);
    expect_counts(GOOD, 0, 20);
}

/* The server dies in the middle, connections kept alive or not. */
static void test_killed(void **state)
{
    (void)state;
    open_haproxy("  option http-server-close\n");
    only(GOOD);
    expect_counts(GOOD, 0, 0);
    assert_int_equal(failures_of(10), 0);
    end_peer(servers[GOOD]);
    servers[GOOD] = 0;
    assert_int_equal(failures_of(10), 10);
    expect_counts(GOOD, 10, 20);
}

/* While requests are under way the counts are near, and never go back. */
static void test_under_load(void **state)
{
    (void)state;
    open_haproxy("");
    only(CHANGING);
    expect_counts(CHANGING, 0, 0);
    pid_t clients[4];
    for (int i = 0; i < 4; i++) {
        clients[i] = fork_peer();
        if (clients[i] == 0) {
            failures_of(150);
            _exit(0);
        }
    }
    struct series last = {.bad = 0};
    for (int running = 4; running > 0;) {
        const struct series now = counts_of(CHANGING);
        assert_true(now.bad >= last.bad && now.total >= last.total && now.bad <= now.total);
        last = now;
        running -= waitpid(-1, NULL, WNOHANG) > 0;
        usleep(2000);
    }
    /* 600 requests in turns of six, four of which fail. */
    const struct series end = counts_of(CHANGING);
    assert_true(end.total >= 600 && end.total <= 606);
    assert_true(end.bad >= 400 && end.bad <= 406);
}

/* The old process's counts are gone; ours go on. */
static void test_restarts(void **state)
{
    (void)state;
    open_haproxy("");
    only(FAILING);
    expect_counts(FAILING, 0, 0);
    failures_of(5);
    expect_counts(FAILING, 5, 5);
    ask("clear counters all");
    expect_counts(FAILING, 5, 5);
    failures_of(3);
    expect_counts(FAILING, 8, 8);
    end_peer(haproxy);
    const struct instance *const list[] = {&instances[0]};
    const struct metric_query query = {slo_named("error-rate"), ARM_STABLE, list, 1};
    assert_int_equal(driver->read(metric, &query, 1, &reading, &arena), 0);
    assert_int_equal(reading.kind, READING_NOTHING);
    assert_int_equal(reading.nothing, NOTHING_UNREACHABLE);
    unlink(in_folder("ha.sock"));
    start_haproxy("");
    only(FAILING);
    failures_of(2);
    expect_counts(FAILING, 10, 10);
}

static void test_names(void **state)
{
    (void)state;
    open_haproxy("");
    expect_nothing("error-rate", NOTHING_PARTIAL, "backend 'shop' has no server 'green-1'");
    struct metric_query query = query_of("error-rate", ARM_CANDIDATE);
    query.count = 0;
    assert_int_equal(driver->read(metric, &query, 1, &reading, &arena), 0);
    assert_int_equal(reading.nothing, NOTHING_NO_DATA);
    char yaml[512];
    snprintf(yaml, sizeof(yaml),
             "metrics:\n  haproxy: { socket: '%s', backend: nope }\nslos:\n"
             "  error-rate: { target: 1%% }\n",
             in_folder("ha.sock"));
    open_source("haproxy", yaml);
    expect_nothing("error-rate", NOTHING_NO_DATA, "No such proxy.");
}

static void test_refusals(void **state)
{
    (void)state;
    open_source("haproxy", SOURCE "  latency-p99: {}\n  throughput: {}\n  user-activity: {}\n"
                                  "  availability: { target: 99%, bad: x, total: y }\n"
                                  "  queue: { value: x, target: 5 }\n");
    expect_refusal("latency-p99", "means only");
    expect_refusal("user-activity", "requests only");
    expect_refusal("availability", "takes no selectors");
    expect_refusal("queue", "takes no selectors");
    assert_null(refusal("error-rate"));
    assert_null(refusal("throughput"));
}

static void expect_closed(const char *yaml, const char *why)
{
    configure("haproxy", yaml);
    EXPECT_ERROR(driver->open(&context, &metric, &error), &error, ERROR_CONFIG, why);
    metric = NULL;
}

static void test_settings(void **state)
{
    (void)state;
    expect_closed("metrics:\n  haproxy: { backend: 'a;b' }\n", "no name of a backend");
    expect_closed("metrics:\n  haproxy: { backend: 'a b' }\n", "no name of a backend");
    expect_closed("metrics:\n  haproxy: { socket: nowhere }\n", "neither a path nor host:port");
    expect_closed("traffic:\n  command: { observe: 'true', shift: 'true' }\n"
                  "metrics:\n  haproxy: { backend: shop }\n",
                  "needs `socket`");
}

/* ---- an impostor at the socket ---------------------------------------------------- */

static void impostor(const char *text, size_t megabytes)
{
    const int listener = listen_unix(in_folder("fake.sock"), 4);
    const pid_t pid = fork_peer();
    if (pid == 0) {
        const int fd = accept(listener, NULL, NULL);
        char line[1024];
        static char zeros[1 << 20];
        if (recv(fd, line, sizeof(line), 0) > 0) {
            send_all(fd, text, strlen(text));
        }
        for (size_t i = 0; i < megabytes; i++) {
            send_all(fd, zeros, sizeof(zeros));
        }
        _exit(0);
    }
    close(listener);
    haproxy = pid;
}

static void expect_impostor(const char *text, size_t megabytes, enum nothing nothing,
                            const char *why)
{
    char yaml[512];
    impostor(text, megabytes);
    snprintf(yaml, sizeof(yaml),
             "metrics:\n  haproxy: { socket: '%s', backend: shop, timeout: 20s "
             "}\nslos:\n  error-rate: { target: 1%% }\n",
             in_folder("fake.sock"));
    open_source("haproxy", yaml);
    expect_nothing("error-rate", nothing, why);
    end_peer(haproxy);
    haproxy = 0;
    unlink(in_folder("fake.sock"));
}

static void test_impostors(void **state)
{
    (void)state;
    expect_impostor("HTTP/1.1 400 Bad Request\r\n\r\n", 0, NOTHING_UNREACHABLE, "HTTP/1.1 400");
    expect_impostor("no table at all\n\n", 0, NOTHING_GARBAGE, "no table came back");
    expect_impostor("", 0, NOTHING_UNREACHABLE, "ended early");
    expect_impostor("# pxname,svname,stot,\nshop,green-1,123", 0, NOTHING_UNREACHABLE,
                    "ended early");
    expect_impostor("# pxname,svname,stot,\nshop,green-1,123,\n", 0, NOTHING_UNREACHABLE,
                    "ended early");
    expect_impostor("Permission denied\n", 0, NOTHING_UNREACHABLE, "level admin");
    expect_impostor("Unknown command, but maybe one of\n", 0, NOTHING_UNREACHABLE,
                    "Unknown command");
    expect_impostor("# pxname,svname,stot,\nshop,green-1,many,\n\n", 0, NOTHING_GARBAGE,
                    "stot is 'many'");
    expect_impostor("# pxname,svname,stot,\nshop,green-1,-4,\n\n", 0, NOTHING_GARBAGE, "'-4'");
    expect_impostor("# pxname,stot,\nshop,4,\n\n", 0, NOTHING_GARBAGE, "columns");
    expect_impostor("# pxname,svname,stot,\n\n", 0, NOTHING_NO_DATA, "no server in backend");
    expect_impostor("# pxname,svname,mode,\nshop,green-1,tcp,\nshop,green-2,tcp,\n\n", 0,
                    NOTHING_NO_DATA, "mode");
    expect_impostor("# pxname,svname,\n", 100, NOTHING_GARBAGE, "larger than");
}

int main(void)
{
#define REAL(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        REAL(test_every_manner), REAL(test_redispatch), REAL(test_killed),
        REAL(test_under_load),   REAL(test_restarts),   REAL(test_names),
        CASE(test_refusals),     CASE(test_settings),   CASE(test_impostors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
