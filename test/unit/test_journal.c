/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"
#include "driver_test.h"

static int64_t wall_now;

static int64_t fake_wall(struct clock *clock)
{
    (void)clock;
    return wall_now;
}

static struct clock fake_clock = {.mono = fake_wall, .wall = fake_wall};
static struct journal journal;

/* A state in a folder of its own, and a clock that stands still. */
static void open_journal(const char *name)
{
    EXPECT_OK(file_make_folder(in_folder(name), &error), &error);
    const char *path = arena_format(&arena, "%s/state.json", in_folder(name));
    wall_now = 1764036900123;
    journal =
        (struct journal){.store = store_file(&arena, path), .arena = &arena, .clock = &fake_clock};
}

static struct run some_run(enum run_status status)
{
    return (struct run){.id = "17-ab",
                        .app = "shop",
                        .version = "v2",
                        .previous = "v1",
                        .strategy = STRATEGY_CANARY,
                        .status = (int)status,
                        .started = 1000,
                        .ended = 3000};
}

static void end_as(enum run_status status)
{
    struct run run = some_run(status);
    EXPECT_OK(journal_history(&journal, &run, &error), &error);
}

/* "status status …" of the lines, in order; an unreadable one is "?". */
static void expect_history(const char *name, const char *wanted)
{
    struct buf said;
    buf_init(&said, 1000);
    for (const char *line = read_back(name); *line != '\0';) {
        size_t length = strcspn(line, "\n");
        struct json *json = NULL;
        bool good = json_parse(line, length, &json, NULL) == 0;
        buf_addf(&said, "%s%s", said.length == 0 ? "" : " ",
                 good ? json_text(json_get(json, "status")) : "?");
        json_free(json);
        line += length + (line[length] == '\n' ? 1 : 0);
    }
    assert_string_equal(said.data, wanted);
    buf_release(&said);
}

static void a_verdict_is_told_once(void **state)
{
    (void)state;
    open_journal("once");
    end_as(RUN_SUCCEEDED);
    end_as(RUN_SUCCEEDED);
    expect_history("once/history.jsonl", "succeeded");
    end_as(RUN_ROLLED_BACK);
    end_as(RUN_SUCCEEDED);
    expect_history("once/history.jsonl", "succeeded rolled-back");
    struct run other = some_run(RUN_SUCCEEDED);
    other.id = "18-cd";
    EXPECT_OK(journal_history(&journal, &other, &error), &error);
    expect_history("once/history.jsonl", "succeeded rolled-back succeeded");
}

static void a_torn_line_is_told_again(void **state)
{
    (void)state;
    open_journal("torn");
    write_file(in_folder("torn/history.jsonl"), "{\"id\":\"17-ab\",\"status\":\"succee");
    end_as(RUN_SUCCEEDED);
    expect_history("torn/history.jsonl", "? succeeded");
}

static void an_unfinished_run_is_kept_and_superseded(void **state)
{
    (void)state;
    const char *kept = NULL;
    struct run run = some_run(RUN_HELD);
    open_journal("kept");
    EXPECT_OK(journal_save(&journal, &run, &error), &error);
    const char *before = read_back("kept/state.json");
    EXPECT_OK(journal_replace(&journal, &run, &kept, &error), &error);
    assert_string_equal(kept, in_folder("kept/state.json.1764036900123.old"));
    expect_file("kept/state.json.1764036900123.old", before);
    assert_false(file_exists(in_folder("kept/state.json")));
    expect_history("kept/history.jsonl", "superseded");
    assert_non_null(strstr(read_back("kept/history.jsonl"),
                           "\"trigger\":\"manual\",\"trigger_id\":\"restarted\""));
    assert_non_null(
        strstr(read_back("kept/history.jsonl"), "\"kept\":\"state.json.1764036900123.old\""));
    assert_non_null(strstr(read_back("kept/history.jsonl"), "\"ended\":1764036900123"));
    assert_int_equal(run.status, RUN_HELD);
}

static void killed_before_it_was_put_aside_it_is_told_once(void **state)
{
    (void)state;
    const char *kept = NULL;
    struct run run = some_run(RUN_HELD);
    open_journal("again");
    assert_int_equal(journal_replace(&journal, &run, &kept, &error), -1); /* nothing to move */
    assert_null(kept);
    EXPECT_OK(journal_save(&journal, &run, &error), &error);
    EXPECT_OK(journal_replace(&journal, &run, &kept, &error), &error);
    expect_history("again/history.jsonl", "superseded");
}

static void what_cannot_be_read_is_kept_under_a_free_name(void **state)
{
    (void)state;
    const char *kept = NULL;
    open_journal("junk");
    write_file(in_folder("junk/state.json.1764036900123.old"), "older");
    write_file(in_folder("junk/state.json"), "{");
    EXPECT_OK(journal_replace(&journal, NULL, &kept, &error), &error);
    expect_file("junk/state.json.1764036900123.old", "older");
    expect_file("junk/state.json.1764036900124.old", "{");
    expect_history("junk/history.jsonl", "unreadable");
    assert_int_equal(symlink("/nowhere", in_folder("junk/state.json")), 0);
    wall_now += 1000;
    EXPECT_OK(journal_replace(&journal, NULL, &kept, &error), &error);
    expect_history("junk/history.jsonl", "unreadable unreadable");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_is_told_once),
        cmocka_unit_test(a_torn_line_is_told_again),
        cmocka_unit_test(an_unfinished_run_is_kept_and_superseded),
        cmocka_unit_test(killed_before_it_was_put_aside_it_is_told_once),
        cmocka_unit_test(what_cannot_be_read_is_kept_under_a_free_name),
    };
    return cmocka_run_group_tests(tests, driver_begin, driver_end);
}
