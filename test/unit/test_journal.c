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

static int load_with(const char *key, const char *text)
{
    struct run run;
    write_file(in_folder("sealed/state.json"), text);
    journal.key = key;
    return journal_load(&journal, &run, &error);
}

static void a_seal_shows_every_change(void **state)
{
    static const char key[] = "0123456789abcdef", other[] = "0123456789abcdeg";
    (void)state;
    open_journal("sealed");
    struct run run = some_run(RUN_RUNNING);
    journal.key = key;
    EXPECT_OK(journal_save(&journal, &run, &error), &error);
    char *text = arena_text(&arena, read_back("sealed/state.json"));
    EXPECT_OK(load_with(key, text), &error);
    EXPECT_OK(load_with(NULL, text), &error); /* who asks for none does not mind one */
    EXPECT_ERROR(load_with(other, text), &error, ERROR_STATE,
                 "state.json: state does not have the seal");
    for (size_t at = 0; at < strlen(text); at += 7) {
        char kept = text[at];
        text[at] = kept == 'x' ? 'y' : 'x';
        assert_int_equal(load_with(key, text), -1);
        assert_int_equal(error.kind, ERROR_STATE);
        text[at] = kept;
    }
    EXPECT_ERROR(load_with(key, "{}"), &error, ERROR_STATE, "state.json: state has no seal");
}

static struct store *holder;

static int sleep_and_let_go(struct clock *clock, int64_t until, struct error *err)
{
    (void)clock, (void)err;
    wall_now = until;
    if (holder != NULL)
        holder->unlock(holder);
    holder = NULL;
    return 0;
}

static int sleep_only(struct clock *clock, int64_t until, struct error *err)
{
    (void)clock, (void)err;
    wall_now = until;
    return 0;
}

static int cut_short(struct clock *clock, int64_t until, struct error *err)
{
    (void)clock, (void)until;
    return error_set(err, ERROR_CANCELLED, "cancelled");
}

/* The lock as a process leaves it behind whose command still holds it. */
static void hold_as(const char *who)
{
    holder = store_file(&arena, journal.store->path);
    EXPECT_OK(holder->lock(holder, who, &error), &error);
}

static void a_dead_runs_lock_is_waited_for(void **state)
{
    char host[256] = "", dead[320];
    (void)state;
    open_journal("locked");
    gethostname(host, sizeof host - 1);
    snprintf(dead, sizeof dead, "(%s 2147483646)", host);
    fake_clock.sleep = sleep_and_let_go;
    hold_as(dead);
    EXPECT_OK(journal_lock(&journal, 1000, &error), &error);
    journal_unlock(&journal);
    hold_as(dead);
    EXPECT_ERROR(journal_lock(&journal, 0, &error), &error, ERROR_CONFLICT,
                 "another run is at work");
    fake_clock.sleep = sleep_only;
    EXPECT_ERROR(journal_lock(&journal, 500, &error), &error, ERROR_CONFLICT,
                 "another run is at work");
    fake_clock.sleep = cut_short;
    EXPECT_ERROR(journal_lock(&journal, 500, &error), &error, ERROR_CANCELLED, "cancelled");
    holder->unlock(holder);
}

static void a_living_runs_lock_is_not_waited_for(void **state)
{
    static const char *const holders[] = {"(elsewhere 2147483646)", "nobody", "(", "(host)", ""};
    char host[256] = "", living[320];
    (void)state;
    open_journal("living");
    gethostname(host, sizeof host - 1);
    snprintf(living, sizeof living, "(%s %ld)", host, (long)getpid());
    fake_clock.sleep = cut_short;
    hold_as(living);
    EXPECT_ERROR(journal_lock(&journal, 1000, &error), &error, ERROR_CONFLICT,
                 "another run is at work");
    holder->unlock(holder);
    for (size_t i = 0; i < sizeof holders / sizeof holders[0]; i++) {
        hold_as(holders[i]);
        assert_int_equal(journal_lock(&journal, 1000, &error), -1);
        assert_int_equal(error.kind, ERROR_CONFLICT);
        holder->unlock(holder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_is_told_once),
        cmocka_unit_test(a_torn_line_is_told_again),
        cmocka_unit_test(an_unfinished_run_is_kept_and_superseded),
        cmocka_unit_test(killed_before_it_was_put_aside_it_is_told_once),
        cmocka_unit_test(what_cannot_be_read_is_kept_under_a_free_name),
        cmocka_unit_test(a_seal_shows_every_change),
        cmocka_unit_test(a_dead_runs_lock_is_waited_for),
        cmocka_unit_test(a_living_runs_lock_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, driver_begin, driver_end);
}
