/* SPDX-License-Identifier: Apache-2.0
 *
 * `show stat` as text, and words that may go into a command. The talk itself is tested with a
 * real HAProxy, in test_metric_haproxy.c and test_router_haproxy.c.
 */
#include "arena.h"
#include "expect.h"
#include "haproxy.h"

#include <stdlib.h>

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

static void test_table(void **state)
{
    struct haproxy_servers out;
    (void)state;
    EXPECT_OK(haproxy_parse("# pxname,svname,status,weight,addr,last_chk,hrsp_5xx,uweight,mode,-,\n"
                            "shop,FRONTEND,OPEN,,,,9,,http,-,\n"
                            "shop,a,UP 1/3,12,10.0.0.1:80,\"said \"\"no\"\", twice\",7,,http,-,\r\n"
                            "other,b,UP,1,,,3,1,http,-,\n"
                            "shop,c,DOWN,0,,\"\",,256,tcp,-,\n"
                            "shop,BACKEND,UP,5,,,8,,http,-,\n\n",
                            "shop", &arena, &out, &error),
              &error);
    assert_int_equal(out.count, 2);
    assert_string_equal(out.items[0].status, "UP 1/3");
    assert_string_equal(out.items[0].address, "10.0.0.1:80");
    assert_true(out.items[0].answers[4] == 7 && out.items[0].http);
    assert_true(out.items[0].user_weight == -1 && out.items[1].user_weight == 256);
    assert_ptr_equal(haproxy_find(&out, "c"), &out.items[1]);
    assert_null(haproxy_find(&out, "b"));
    assert_false(out.items[1].http);
}

/* Two of them added up would be none of 64 bits. */
static void test_counts_have_a_size(void **state)
{
    struct haproxy_servers out;
    (void)state;
    EXPECT_OK(haproxy_parse("# pxname,svname,scur,\nshop,a,9007199254740992,\n", "shop", &arena,
                            &out, &error),
              &error);
    EXPECT_ERROR(haproxy_parse("# pxname,svname,scur,\nshop,a,9007199254740993,\n", "shop", &arena,
                               &out, &error),
                 &error, ERROR_FORMAT, "scur is '9007199254740993', not a count");
}

/* Any byte of a table changed or cut off is read or refused, never worse. */
static void test_table_damage(void **state)
{
    struct haproxy_servers out;
    const char *table = "# pxname,svname,stot,\"hrsp_2xx\",mode,\nshop,\"a\"\"b\",4,12,http,\n";
    const size_t length = strlen(table);
    (void)state;
    for (size_t cut = 0; cut <= length; cut++) {
        (void)!haproxy_parse(arena_text_n(&arena, table, cut), "shop", &arena, &out, &error);
    }
    for (size_t at = 0; at < length; at++) {
        for (int byte = 1; byte < 256; byte += 3) {
            char *changed = arena_text(&arena, table);
            changed[at] = (char)byte;
            (void)!haproxy_parse(changed, "shop", &arena, &out, &error);
        }
    }
}

static void test_table_limits(void **state)
{
    struct haproxy_servers out;
    AUTO_BUF struct buf text;
    (void)state;
    buf_init(&text, 1 << 22);
    buf_adds(&text, "# pxname,svname,\n");
    for (int i = 0; i < HAPROXY_SERVERS_MAX; i++) {
        buf_addf(&text, "shop,s%d,\n", i);
    }
    EXPECT_OK(haproxy_parse(text.data, "shop", &arena, &out, &error), &error);
    assert_int_equal(out.count, HAPROXY_SERVERS_MAX);
    buf_adds(&text, "shop,more,\n");
    EXPECT_ERROR(haproxy_parse(text.data, "shop", &arena, &out, &error), &error, ERROR_FORMAT,
                 "more than 4096 servers");
    buf_clear(&text);
    buf_adds(&text, "# pxname,svname");
    for (int i = 0; i < 2000; i++) {
        buf_adds(&text, ",x");
    }
    buf_adds(&text, "\nshop,a");
    for (int i = 0; i < 2000; i++) {
        buf_addf(&text, ",%2000d", i);
    }
    assert_int_equal(haproxy_parse(text.data, "shop", &arena, &out, &error), -1);
}

static void test_words(void **state)
{
    static const char *const bad[] = {"", "a b", "a;b", "a\nb", "a\"", "a'", "a\\", "a#b", "a\x7f"};
    (void)state;
    assert_true(haproxy_word("web-1.a_b:80/[::1]"));
    assert_false(haproxy_word(NULL));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(haproxy_word(bad[i]));
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(test_table),        CASE(test_counts_have_a_size),
        CASE(test_table_damage), CASE(test_table_limits),
        CASE(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
