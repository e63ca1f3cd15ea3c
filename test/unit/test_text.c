/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include "text.h"

static void buffer_starts_empty(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 10);
    assert_string_equal(buf.data, "");
    buf_adds(&buf, "");
    buf_adds(&buf, NULL);
    buf_addf(&buf, "%s", "");
    assert_int_equal(buf.length, 0);
    assert_int_equal(buf.capacity, 0);
    assert_false(buf.overflow);
    buf_release(&buf);
}

static void buffer_stops_at_its_ceiling(void **state)
{
    (void)state;
    struct buf buf AUTO_BUF;
    buf_init(&buf, 10);
    buf_adds(&buf, "12345");
    buf_adds(&buf, "67890");
    assert_false(buf.overflow);
    assert_string_equal(buf.data, "1234567890");
    buf_add(&buf, "x", 1);
    assert_true(buf.overflow);
    assert_string_equal(buf.data, "1234567890");
    buf_clear(&buf);
    assert_false(buf.overflow);
    assert_string_equal(buf.data, "");
    buf_adds(&buf, "abcdefghijkl");
    assert_string_equal(buf.data, "abcdefghij");
    assert_true(buf.overflow);
}

static void formatted_text_keeps_the_ceiling(void **state)
{
    (void)state;
    struct buf buf AUTO_BUF;
    buf_init(&buf, 6);
    buf_addf(&buf, "%d", 1234);
    buf_addf(&buf, "%d", 5678);
    assert_string_equal(buf.data, "123456");
    assert_int_equal(buf.length, 6);
    assert_true(buf.overflow);
    buf_addf(&buf, "%d", 9);
    assert_string_equal(buf.data, "123456");
}

static void buffer_without_room_takes_nothing(void **state)
{
    (void)state;
    struct buf buf AUTO_BUF;
    buf_init(&buf, 0);
    buf_adds(&buf, "x");
    buf_addf(&buf, "%s", "y");
    assert_string_equal(buf.data, "");
    assert_true(buf.overflow);
}

static void buffer_grows_and_keeps_bytes(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100000);
    for (int i = 0; i < 20000; i++) {
        buf_add(&buf, "a\0b", 3);
    }
    assert_int_equal(buf.length, 60000);
    assert_memory_equal(buf.data + 59997, "a\0b", 4);
    assert_true(buf.capacity <= 100001);
    buf_release(&buf);
    assert_string_equal(buf.data, "");
    assert_int_equal(buf.length, 0);
    buf_adds(&buf, "again");
    assert_string_equal(buf.data, "again");
    buf_release(&buf);
}

static void texts_compare(void **state)
{
    (void)state;
    assert_true(text_equal("a", "a"));
    assert_false(text_equal("a", "A"));
    assert_false(text_equal("a", "ab"));
    assert_true(text_equal(NULL, NULL));
    assert_false(text_equal(NULL, ""));
    assert_false(text_equal("", NULL));
    assert_true(text_starts("abc", "ab"));
    assert_true(text_starts("abc", ""));
    assert_false(text_starts("ab", "abc"));
    assert_false(text_starts(NULL, "a"));
    assert_false(text_starts("a", NULL));
    assert_true(text_blank(NULL));
    assert_true(text_blank(""));
    assert_true(text_blank(" \t\r\n\v\f"));
    assert_false(text_blank("  x"));
}

static const char *const names[] = {"blue-green", "canary", "rolling", "id", NULL};

static void nearest_is_found_within_its_distance(void **state)
{
    (void)state;
    assert_string_equal(text_nearest("canry", names), "canary");   /* one is missing */
    assert_string_equal(text_nearest("canarry", names), "canary"); /* one too many */
    assert_string_equal(text_nearest("canarx", names), "canary");  /* one changed */
    assert_string_equal(text_nearest("cnaary", names), "canary");  /* two swapped */
    assert_string_equal(text_nearest("bluegreen", names), "blue-green");
    assert_string_equal(text_nearest("roling", names), "rolling");
    assert_string_equal(text_nearest("canary", names), "canary");
    assert_string_equal(text_nearest("di", names), "id");
}

static void nearest_is_not_guessed(void **state)
{
    (void)state;
    assert_null(text_nearest("kubernetes", names));
    assert_null(text_nearest("can", names));
    assert_null(text_nearest("", (const char *const[]){"ab", NULL}));
    assert_null(text_nearest("canary", (const char *const[]){NULL}));
    assert_null(text_nearest(NULL, names));
    /* five letters allow two steps, not three; three allow one */
    assert_string_equal(text_nearest("abcde", (const char *const[]){"abxxe", NULL}), "abxxe");
    assert_null(text_nearest("abcde", (const char *const[]){"axxxe", NULL}));
    assert_string_equal(text_nearest("abc", (const char *const[]){"abx", NULL}), "abx");
    assert_null(text_nearest("abc", (const char *const[]){"axx", NULL}));
}

static void nearest_takes_the_best_and_the_first(void **state)
{
    (void)state;
    const char *const close[] = {"watchxy", "watches", "watch", NULL};
    assert_string_equal(text_nearest("watchs", close), "watches");
    const char *const equal[] = {"aax", "aay", NULL};
    assert_string_equal(text_nearest("aaz", equal), "aax");
}

static void nearest_survives_long_words(void **state)
{
    (void)state;
    char word[200];
    memset(word, 'a', sizeof word);
    word[64] = '\0';
    const char *const same[] = {word, NULL};
    assert_ptr_equal(text_nearest(word, same), word);
    word[64] = 'a';
    word[199] = '\0';
    assert_null(text_nearest(word, same));
    assert_null(text_nearest("aaa", same));
}

static void sha256_is_right(void **state)
{
    (void)state;
    char sum[65];
    text_sha256(sum, "", 0);
    assert_string_equal(sum, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    text_sha256(sum, NULL, 0);
    assert_string_equal(sum, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    text_sha256(sum, "abc", 3);
    assert_string_equal(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    char data[1000];
    memset(data, 'a', sizeof data);
    text_sha256(sum, data, sizeof data);
    assert_string_equal(sum, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
}

static void expect_hmac(const char *key, size_t key_length, const char *data, const char *wanted)
{
    char sum[65];
    text_hmac(sum, (struct slice){key, key_length}, (struct slice){data, strlen(data)});
    assert_string_equal(sum, wanted);
}

/* RFC 4231: cases 1, 2 and 6. */
static void hmac_is_right(void **state)
{
    (void)state;
    char key[131];
    memset(key, 0x0b, 20);
    expect_hmac(key, 20, "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    expect_hmac("Jefe", 4, "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    expect_hmac(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_starts_empty),
        cmocka_unit_test(buffer_stops_at_its_ceiling),
        cmocka_unit_test(formatted_text_keeps_the_ceiling),
        cmocka_unit_test(buffer_without_room_takes_nothing),
        cmocka_unit_test(buffer_grows_and_keeps_bytes),
        cmocka_unit_test(texts_compare),
        cmocka_unit_test(nearest_is_found_within_its_distance),
        cmocka_unit_test(nearest_is_not_guessed),
        cmocka_unit_test(nearest_takes_the_best_and_the_first),
        cmocka_unit_test(nearest_survives_long_words),
        cmocka_unit_test(sha256_is_right),
        cmocka_unit_test(hmac_is_right),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
