/* SPDX-License-Identifier: Apache-2.0 */
#include "driver_test.h"

#include "haproxy.h"
#include "router.h"

#include <math.h>

#define HEAD                                                                                   \
    "app: shop\nworkload:\n  command:\n    instances: [ { name: x } ]\n    update: \"true\"\n" \
    "    status: \"true\"\n    version: \"true\"\n" METRICS_YAML
#define BLUE_GREEN                                                                       \
    "    server blue1 127.0.0.1:9 weight 100\n    server blue2 127.0.0.1:9 weight 100\n" \
    "    server green1 127.0.0.1:9 weight 0\n    server green2 127.0.0.1:9 weight 0\n"

#define STATE_HEAD \
    "1\n# be_id be_name srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_port\n"

static const struct router_driver *driver;
static struct router *router;
static pid_t haproxy;
static struct instance instances[8];
static struct instances all = {instances, 0};
static char names[8][16];

/* ---- a real HAProxy ---------------------------------------------------------------- */

static bool haproxy_is_there(void)
{
    return access("/usr/sbin/haproxy", X_OK) == 0 || access("/usr/local/sbin/haproxy", X_OK) == 0;
}

static void start_haproxy(const char *servers)
{
    char text[4000];
    snprintf(text, sizeof(text),
             "global\n    stats socket %s/admin.sock level admin\n"
             "    stats socket %s/oper.sock level operator\n    nbthread 1\n"
             "defaults\n    mode http\n    timeout connect 1s\n    timeout client 5s\n"
             "    timeout server 5s\nfrontend f\n    bind unix@%s/front.sock\n"
             "    default_backend shop\nbackend other\n    server o1 127.0.0.1:9\n"
             "backend fixed\n    balance source\n    server blue1 127.0.0.1:9\n"
             "    server blue2 127.0.0.1:9\nbackend shop\n    balance roundrobin\n%s",
             folder, folder, folder, servers);
    write_file(in_folder("haproxy.cfg"), text);
    haproxy = fork_peer();
    if (haproxy == 0) {
        const int quiet = open(in_folder("log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(quiet, 1);
        dup2(quiet, 2);
        setenv("PATH", "/usr/sbin:/usr/local/sbin:/usr/bin:/bin", 1);
        execlp("haproxy", "haproxy", "-db", "-f", in_folder("haproxy.cfg"), (char *)NULL);
        _exit(127);
    }
    assert_true(appears(in_folder("front.sock"), TIME_SLACK));
}

static char *ask(const char *commands)
{
    const struct haproxy_settings settings = {
        .socket = arena_text(&arena, in_folder("admin.sock")), .backend = "shop", .timeout = 2000};
    struct buf answer;
    EXPECT_OK(haproxy_ask(&context, &settings, commands, &answer, &error), &error);
    char *text = arena_text(&arena, answer.data);
    buf_release(&answer);
    return text;
}

static void add_instance(const char *name, const char *slot)
{
    snprintf(names[all.count], sizeof(names[0]), "%s", name);
    instances[all.count] =
        (struct instance){.name = names[all.count], .slot = slot, .server = names[all.count]};
    all.count++;
}

static void load(const char *settings)
{
    char yaml[2000];
    snprintf(yaml, sizeof(yaml), "%straffic:\n  haproxy: { %s }\n", HEAD, settings);
    load_config(yaml);
    context.settings = config->traffic.settings;
    driver = config->traffic.driver->door;
}

static int begin_real(void **state)
{
    all.count = 0;
    haproxy = 0;
    router = NULL;
    return driver_begin(state);
}

static int end_real(void **state)
{
    if (haproxy > 0) {
        end_peer(haproxy);
    }
    return driver_end(state);
}

/* Two slots of two; skipped, and counted as such, where there is no HAProxy. */
static void open_blue_green(const char *servers, const char *settings)
{
    if (!haproxy_is_there()) {
        skip();
    }
    start_haproxy(servers);
    load(settings);
    add_instance("blue1", "blue");
    add_instance("blue2", "blue");
    add_instance("green1", "green");
    add_instance("green2", "green");
    EXPECT_OK(driver->open(&context, &all, &router, &error), &error);
}

#define SOCKET "socket: ./admin.sock, backend: shop"

static struct traffic observe(void)
{
    struct traffic traffic = {0};
    EXPECT_OK(driver->observe(router, &arena, &traffic, &error), &error);
    return traffic;
}

static struct traffic weighted(double weight)
{
    struct traffic traffic = {arena_array(&arena, all.count, sizeof(struct route)), all.count};
    for (size_t i = 0; i < all.count; i++) {
        traffic.items[i].instance = instances[i];
        traffic.items[i].share =
            text_equal(instances[i].slot, "green") ? weight / 2 : (1 - weight) / 2;
    }
    return traffic;
}

static void expect_share(const char *slot, double wanted)
{
    const struct traffic traffic = observe();
    if (fabs(traffic_share(&traffic, slot) - wanted) > 0.004) {
        fail_msg("%s has %f, not %f", slot, traffic_share(&traffic, slot), wanted);
    }
}

static void shifts_through_all_stages(void **state)
{
    static const double stages[] = {0, 0.05, 0.25, 0.5, 1, 0};
    (void)state;
    open_blue_green(BLUE_GREEN, SOCKET);
    expect_share("blue", 1);
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        const struct traffic wanted = weighted(stages[i]);
        EXPECT_OK(driver->shift(router, &wanted, &error), &error);
        expect_share("green", stages[i]);
        EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    }
    assert_true(traffic_share(&(struct traffic){observe().items, 4}, "green") <= 0);
    driver->close(router);
}

static void drains_and_takes_back(void **state)
{
    (void)state;
    open_blue_green(BLUE_GREEN, SOCKET);
    struct traffic wanted = weighted(0);
    wanted.items[0].state = TRAFFIC_DRAIN;
    wanted.items[0].share = 0;
    wanted.items[1].share = 1;
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    struct traffic seen = observe();
    assert_int_equal(seen.items[0].state, TRAFFIC_DRAIN);
    assert_true(seen.items[0].known && seen.items[0].share <= 0 && seen.items[1].share >= 1);
    assert_int_equal(seen.items[0].connections, 0);
    wanted.items[0].state = TRAFFIC_MAINTENANCE;
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    assert_int_equal(observe().items[0].state, TRAFFIC_MAINTENANCE);
    wanted = weighted(0);
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    seen = observe();
    assert_int_equal(seen.items[0].state, TRAFFIC_READY);
    assert_true(fabs(seen.items[0].share - 0.5) < 1e-9);
}

static void a_disabled_server_is_brought_in(void **state)
{
    (void)state;
    open_blue_green("    server blue1 127.0.0.1:9\n    server blue2 127.0.0.1:9\n"
                    "    server green1 127.0.0.1:9 disabled\n"
                    "    server green2 127.0.0.1:9 disabled\n",
                    SOCKET);
    assert_int_equal(observe().items[2].state, TRAFFIC_MAINTENANCE);
    const struct traffic wanted = weighted(0.25);
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    expect_share("green", 0.25);
}

static void works_over_tcp(void **state)
{
    char settings[200], socket_line[400];
    int port = 0;
    (void)state;
    if (!haproxy_is_there()) {
        skip();
    }
    close(listen_tcp(AF_INET, &port));
    snprintf(socket_line, sizeof(socket_line),
             "%s\nglobal\n    stats socket ipv4@127.0.0.1:%d level admin\n", BLUE_GREEN, port);
    snprintf(settings, sizeof(settings), "socket: \"tcp://127.0.0.1:%d\", backend: shop", port);
    open_blue_green(socket_line, settings);
    const struct traffic wanted = weighted(0.1);
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    expect_share("green", 0.1);
}

static void unknown_names_list_the_known(void **state)
{
    (void)state;
    open_blue_green(BLUE_GREEN, "socket: ./admin.sock, backend: shopp");
    struct traffic seen;
    EXPECT_ERROR(driver->observe(router, &arena, &seen, &error), &error, ERROR_NOTFOUND,
                 "has no backend 'shopp'; it has: other, fixed, shop");
    load(SOCKET);
    add_instance("red1", "blue");
    EXPECT_OK(driver->open(&context, &all, &router, &error), &error);
    seen = observe();
    assert_false(seen.items[4].known);
    const struct traffic wanted = weighted(0.1);
    EXPECT_ERROR(driver->shift(router, &wanted, &error), &error, ERROR_NOTFOUND,
                 "has no server 'red1'; it has: blue1, blue2, green1, green2");
}

static void others_must_not_take_traffic(void **state)
{
    (void)state;
    open_blue_green(BLUE_GREEN "    server old 127.0.0.1:9 weight 7\n"
                               "    server sorry 127.0.0.1:9 backup\n",
                    SOCKET);
    const struct traffic wanted = weighted(0.1);
    EXPECT_ERROR(driver->shift(router, &wanted, &error), &error, ERROR_STATE,
                 "server 'shop/old' takes traffic too");
    ask("set server shop/old weight 0");
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    expect_share("green", 0.1);
}

static void a_backup_server_is_no_instance(void **state)
{
    (void)state;
    open_blue_green("    server blue1 127.0.0.1:9\n    server blue2 127.0.0.1:9\n"
                    "    server green1 127.0.0.1:9 backup\n    server green2 127.0.0.1:9\n",
                    SOCKET);
    const struct traffic wanted = weighted(0.1);
    EXPECT_ERROR(driver->shift(router, &wanted, &error), &error, ERROR_STATE,
                 "'shop/green1' is a backup server");
}

static void a_dead_slot_gets_no_traffic(void **state)
{
    (void)state;
    open_blue_green("    server blue1 127.0.0.1:9\n    server blue2 127.0.0.1:9\n"
                    "    server green1 127.0.0.1:9 weight 0 check inter 50ms fall 1\n"
                    "    server green2 127.0.0.1:9 weight 0 check inter 50ms fall 1\n",
                    SOCKET ", wait: 400ms");
    while (observe().items[3].state == TRAFFIC_READY || observe().items[2].state == TRAFFIC_READY) {
        usleep(20000);
    }
    const struct traffic wanted = weighted(0.1), back = weighted(0);
    EXPECT_ERROR(driver->shift(router, &wanted, &error), &error, ERROR_STATE,
                 "is DOWN by HAProxy's own health check");
    expect_share("blue", 1);
    EXPECT_OK(driver->shift(router, &back, &error), &error);
}

static void a_slot_that_comes_up_is_waited_for(void **state)
{
    char servers[500];
    int port = 0;
    (void)state;
    if (!haproxy_is_there()) {
        skip();
    }
    const int listener = listen_tcp(AF_INET, &port);
    snprintf(servers, sizeof(servers),
             "    server blue1 127.0.0.1:9\n    server blue2 127.0.0.1:9\n"
             "    server green1 127.0.0.1:%d weight 0 check inter 100ms fall 1 rise 2\n"
             "    server green2 127.0.0.1:9 weight 0 check inter 50ms fall 1\n",
             port);
    open_blue_green(servers, SOCKET);
    ask("set server shop/green1 health down");
    const struct traffic wanted = weighted(1);
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    expect_share("green", 1);
    assert_int_equal(observe().items[3].state, TRAFFIC_MAINTENANCE);
    close(listener);
}

static void addresses_follow_the_instances(void **state)
{
    (void)state;
    open_blue_green(BLUE_GREEN, SOCKET);
    instances[0].url = "http://127.0.0.1:9/";
    instances[1].url = "http://127.0.0.2:8081";
    instances[2].url = "https://[::1]:8443/base";
    instances[3].url = "http://127.0.0.3";
    load(SOCKET ", set-address: true");
    EXPECT_OK(driver->open(&context, &all, &router, &error), &error);
    const struct traffic wanted = weighted(0.5);
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    const char *now = ask("show servers state shop");
    assert_non_null(strstr(now, "blue2 127.0.0.2 "));
    assert_non_null(strstr(now, "green1 ::1 "));
    assert_non_null(strstr(now, " 8443 "));
    assert_non_null(strstr(now, "green2 127.0.0.3 "));
    instances[3].url = "http://shop.example.com/";
    EXPECT_ERROR(driver->open(&context, &all, &router, &error), &error, ERROR_CONFIG,
                 "set-address needs a 'url' with a number address for instance 'green2'");
}

static void refusals_are_told(void **state)
{
    (void)state;
    open_blue_green(BLUE_GREEN, "socket: ./oper.sock, backend: shop");
    struct traffic wanted = weighted(0.1);
    EXPECT_ERROR(driver->shift(router, &wanted, &error), &error, ERROR_DENIED, "Permission denied");
    all.count = 2;
    load("socket: ./admin.sock, backend: fixed");
    EXPECT_OK(driver->open(&context, &all, &router, &error), &error);
    wanted = weighted(0);
    wanted.items[0].share = 0.2;
    wanted.items[1].share = 0.8;
    EXPECT_ERROR(driver->shift(router, &wanted, &error), &error, ERROR_STATE,
                 "static LB algorithm");
}

static void a_restart_is_seen_and_mended(void **state)
{
    (void)state;
    open_blue_green(BLUE_GREEN, SOCKET);
    const struct traffic wanted = weighted(0.25);
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    end_peer(haproxy);
    haproxy = 0;
    struct traffic seen;
    EXPECT_ERROR(driver->observe(router, &arena, &seen, &error), &error, ERROR_NETWORK,
                 "admin.sock");
    unlink(in_folder("front.sock"));
    unlink(in_folder("admin.sock"));
    EXPECT_ERROR(driver->shift(router, &wanted, &error), &error, ERROR_NETWORK, "admin.sock");
    start_haproxy(BLUE_GREEN);
    expect_share("green", 0);
    EXPECT_OK(driver->shift(router, &wanted, &error), &error);
    expect_share("green", 0.25);
}

/* Answers like HAProxy, but nothing that is set ever comes to be. */
static pid_t start_deaf(void)
{
    const int listener = listen_unix(in_folder("deaf.sock"), 8);
    const pid_t pid = fork_peer();
    if (pid != 0) {
        close(listener);
        return pid;
    }
    for (;;) {
        char request[4000];
        const int peer = accept(listener, NULL, NULL);
        const ssize_t got = recv(peer, request, sizeof(request) - 1, 0);
        request[got > 0 ? got : 0] = '\0';
        const char *answer =
            strncmp(request, "show", 4) == 0 ? STATE_HEAD
                "3 shop blue1 10.0.0.1 2 0 1 80\n3 shop green1 10.0.0.1 2 0 0 80\n"
                "\n# pxname,svname,qcur,scur,bck,status,weight\nshop,blue1,0,0,0,UP,1\n\n"
                                             : "\n\n";
        send(peer, answer, strlen(answer), MSG_NOSIGNAL);
        close(peer);
    }
}

static void what_does_not_hold_is_an_error(void **state)
{
    (void)state;
    const pid_t peer = start_deaf();
    load("socket: ./deaf.sock, backend: shop");
    add_instance("blue1", "blue");
    add_instance("green1", "green");
    EXPECT_OK(driver->open(&context, &all, &router, &error), &error);
    struct traffic wanted = weighted(0.2);
    wanted.items[0].share = 0.8;
    wanted.items[1].share = 0.2;
    EXPECT_ERROR(driver->shift(router, &wanted, &error), &error, ERROR_STATE,
                 "server 'shop/blue1': weight 4 and state ready were set, weight 1 and state "
                 "ready were read back");
    end_peer(peer);
}

static void names_cannot_hold_commands(void **state)
{
    (void)state;
    add_instance("x;disable", "blue");
    load(SOCKET);
    EXPECT_ERROR(driver->open(&context, &all, &router, &error), &error, ERROR_CONFIG,
                 "'x;disable' is no name of a server");
    all.count = 0;
    load("socket: ./admin.sock, backend: \"shop;show env\"");
    EXPECT_ERROR(driver->open(&context, &all, &router, &error), &error, ERROR_CONFIG, "backend");
    load("socket: nonsense, backend: shop");
    EXPECT_ERROR(driver->open(&context, &all, &router, &error), &error, ERROR_CONFIG,
                 "neither a path nor host:port");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_real, end_real)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(shifts_through_all_stages),
        TEST(drains_and_takes_back),
        TEST(a_disabled_server_is_brought_in),
        TEST(works_over_tcp),
        TEST(unknown_names_list_the_known),
        TEST(others_must_not_take_traffic),
        TEST(a_backup_server_is_no_instance),
        TEST(a_dead_slot_gets_no_traffic),
        TEST(a_slot_that_comes_up_is_waited_for),
        TEST(addresses_follow_the_instances),
        TEST(refusals_are_told),
        TEST(a_restart_is_seen_and_mended),
        TEST(what_does_not_hold_is_an_error),
        TEST(names_cannot_hold_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
