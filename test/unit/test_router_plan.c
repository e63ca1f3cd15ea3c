/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/router/haproxy_servers.h"

#include "arena.h"
#include "expect.h"

#include <math.h>
#include <stdio.h>

static struct arena arena;
static struct error error;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

/* ---- the way from weights to weights ---------------------------------------------- */

struct scene {
    struct server servers[12];
    struct route routes[12];
    struct servers list;
    struct traffic wanted;
};

static void scene_slots(struct scene *scene, int m, int n)
{
    static char labels[12][8];
    memset(scene, 0, sizeof(*scene));
    for (int i = 0; i < m + n; i++) {
        snprintf(labels[i], sizeof(labels[i]), "%c%d", i < m ? 'g' : 'b', i % 10);
        scene->servers[i] = (struct server){.name = labels[i], .operation = 2};
        scene->routes[i].instance = (struct instance){
            .name = labels[i], .server = labels[i], .slot = i < m ? "green" : "blue"};
    }
    scene->list = (struct servers){scene->servers, (size_t)(m + n)};
    scene->wanted = (struct traffic){scene->routes, (size_t)(m + n)};
}

static void want(struct scene *scene, int m, int n, double weight)
{
    for (int i = 0; i < m + n; i++) {
        scene->routes[i].share = i < m ? weight / m : (1 - weight) / n;
    }
}

static double share_of(const struct scene *scene, const char *slot)
{
    double all_weights = 0, of_slot = 0;
    for (size_t i = 0; i < scene->list.count; i++) {
        const struct server *server = &scene->servers[i];
        const double weight = server_state(server) == TRAFFIC_READY ? (double)server->weight : 0;
        all_weights += weight;
        of_slot += text_equal(scene->routes[i].instance.slot, slot) ? weight : 0;
    }
    return all_weights > 0 ? of_slot / all_weights : 0;
}

/* Carries the plan out step by step; the candidate's share stays between old and wanted. */
static void walk(struct scene *scene, double wanted)
{
    struct moves moves;
    const double old = share_of(scene, "green");
    const double least = fmin(old, wanted) - 0.02, most = fmax(old, wanted) + 1e-9;
    moves_plan(&scene->list, &scene->wanted, &arena, &moves);
    for (size_t i = 0; i < moves.count; i++) {
        struct server *server = servers_find(&scene->list, moves.items[i].server->name);
        server->weight = moves.items[i].weight;
        const double now = share_of(scene, "green");
        assert_true(server->weight >= 0 && server->weight <= 256);
        if (now > most || (i + 1 == moves.count && now < least)) {
            fail_msg("%zu servers, from %f to %f, at %f after step %zu: %s", scene->list.count, old,
                     wanted, now, i + 1, moves_commands(&moves, "shop", &arena));
        }
    }
    moves_plan(&scene->list, &scene->wanted, &arena, &moves);
    assert_int_equal(moves.count, 0);
}

static void rising_weights_are_never_passed(void **state)
{
    static const double stages[] = {0.01, 0.05, 0.25, 0.33, 0.5, 0.75, 1, 0};
    (void)state;
    for (int m = 1; m <= 6; m++) {
        for (int n = 1; n <= 6; n++) {
            struct scene scene;
            scene_slots(&scene, m, n);
            for (int i = m; i < m + n; i++) {
                scene.servers[i].weight = m % 2 ? 1 : 100;
            }
            for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
                want(&scene, m, n, stages[i]);
                walk(&scene, stages[i]);
            }
            assert_true(share_of(&scene, "green") <= 0);
        }
    }
}

static void any_stage_can_fall_back_to_nothing(void **state)
{
    (void)state;
    for (int percent = 1; percent <= 100; percent++) {
        struct scene scene;
        scene_slots(&scene, 2, 3);
        scene.servers[3].weight = scene.servers[4].weight = scene.servers[2].weight = 1;
        want(&scene, 2, 3, percent / 100.0);
        walk(&scene, percent / 100.0);
        want(&scene, 2, 3, 0);
        walk(&scene, 0);
        assert_true(share_of(&scene, "green") <= 0);
    }
}

/* With the sum of the weights kept, not even one server is ever above what it was and will
 * be: here they are 200 before and after. */
static void no_server_alone_is_above_either(void **state)
{
    struct scene scene;
    struct moves moves;
    (void)state;
    scene_slots(&scene, 2, 2);
    scene.servers[2].weight = scene.servers[3].weight = 100;
    want(&scene, 2, 2, 0.05);
    moves_plan(&scene.list, &scene.wanted, &arena, &moves);
    const char *said = moves_commands(&moves, "shop", &arena);
    assert_string_equal(said, "set server shop/g0 weight 5;set server shop/g1 weight 5;"
                              "set server shop/b2 weight 95;set server shop/b3 weight 95");
}

static void weights_in_ratio_are_kept(void **state)
{
    struct scene scene;
    struct moves moves;
    (void)state;
    scene_slots(&scene, 1, 2);
    scene.servers[1].weight = scene.servers[2].weight = 70;
    want(&scene, 1, 2, 0);
    moves_plan(&scene.list, &scene.wanted, &arena, &moves);
    assert_int_equal(moves.count, 0);
    scene.routes[1].share = 0;
    scene.routes[1].state = TRAFFIC_DRAIN;
    scene.routes[2].share = 1;
    moves_plan(&scene.list, &scene.wanted, &arena, &moves);
    assert_string_equal(moves_commands(&moves, "shop", &arena), "set server shop/b1 state drain");
    scene.servers[1].admin = 8;
    want(&scene, 1, 2, 0);
    scene.routes[1].state = TRAFFIC_READY;
    moves_plan(&scene.list, &scene.wanted, &arena, &moves);
    assert_string_equal(moves_commands(&moves, "shop", &arena), "set server shop/b1 state ready");
}

static void many_different_shares_are_near(void **state)
{
    static const double shares[] = {0.5, 0.3, 0.2};
    struct scene scene;
    struct moves moves;
    (void)state;
    scene_slots(&scene, 0, 3);
    for (int i = 0; i < 3; i++) {
        scene.servers[i].weight = 1;
        scene.routes[i].share = shares[i];
    }
    moves_plan(&scene.list, &scene.wanted, &arena, &moves);
    double total = 0;
    for (size_t i = 0; i < moves.count; i++) {
        servers_find(&scene.list, moves.items[i].server->name)->weight = moves.items[i].weight;
        total += (double)moves.items[i].weight;
    }
    assert_int_equal(moves.count, 3);
    for (int i = 0; i < 3; i++) {
        assert_true(fabs((double)scene.servers[i].weight / total - shares[i]) < 0.005);
    }
}

/* ---- what HAProxy prints ----------------------------------------------------------- */

#define STATE_HEAD \
    "1\n# be_id be_name srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_port\n"
#define STAT \
    "\n# pxname,svname,qcur,scur,bck,status,weight\nshop,s1,1,2,0,UP,5\nshop,s2,0,0,1,UP,1\n\n"

static void the_answer_is_read_by_column(void **state)
{
    struct servers servers;
    (void)state;
    EXPECT_OK(servers_parse(STATE_HEAD "3 shop s1 10.0.0.1 2 0 5 80\n3 shop s2 - 0 5 1 0\n" STAT,
                            "shop", &arena, &servers, &error),
              &error);
    assert_int_equal(servers.count, 2);
    assert_string_equal(servers.items[0].address, "10.0.0.1");
    assert_int_equal(servers.items[0].port, 80);
    assert_int_equal(servers.items[0].weight, 5);
    assert_int_equal(servers.items[0].connections, 3);
    assert_false(servers.items[0].backup);
    assert_true(servers.items[1].backup);
    assert_int_equal(server_state(&servers.items[1]), TRAFFIC_MAINTENANCE);
    assert_string_equal(servers_names(&servers, &arena), "s1, s2");
}

static void garbage_is_refused(void **state)
{
    static const char *const answers[] = {
        "",
        "\n",
        "1\n",
        "<html>",
        STATE_HEAD,
        "2\n# srv_name\n" STAT,
        "1\n# srv_name\n" STAT,
        STATE_HEAD "3 shop s1 10.0.0.1 2 0\n" STAT,
        STATE_HEAD "3 shop s1 10.0.0.1 2 0 many 80\n" STAT,
        STATE_HEAD "3 shop s1 10.0.0.1 2 -1 5 80\n" STAT,
        STATE_HEAD "3 shop s1 10.0.0.1 2 0 257 80\n" STAT,
        STATE_HEAD "3 shop s1 10.0.0.1 2 0 5 65536\n" STAT,
    };
    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct servers servers;
        EXPECT_ERROR(servers_parse(answers[i], "shop", &arena, &servers, &error), &error,
                     ERROR_FORMAT, "haproxy");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rising_weights_are_never_passed),
        TEST(any_stage_can_fall_back_to_nothing),
        TEST(no_server_alone_is_above_either),
        TEST(weights_in_ratio_are_kept),
        TEST(many_different_shares_are_near),
        TEST(the_answer_is_read_by_column),
        TEST(garbage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
