/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"
#include "json.h"
#include "run.h"
#include "text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run_test.h"

static struct arena arena;
static struct error error;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    memset(&error, 0, sizeof error);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static const char *const names[] = {"web-1", "web-2"};

static struct step a_step(const char *id)
{
    return (struct step){
        .id = id,
        .kind = STEP_SHIFT,
        .phase = PHASE_WATCH,
        .target = "default",
        .title = "send 25 % of traffic to green",
        .reason = "stage 2 of 4",
        .touches = "router",
        .slot = "green",
        .instances = (const char **)(uintptr_t)names,
        .count = 2,
        .version = "v2",
        .group = "security",
        .base_url = "http://127.0.0.1:8001",
        .weight = 0.25,
        .state = 1,
        .duration = 600000,
        .deadline = 900000,
        .production = true,
    };
}

static void fill_scalars(struct run *run)
{
    *run = (struct run){
        .schema = RUN_SCHEMA,
        .sequence = INT64_C(1) << 60,
        .id = "20261124-1",
        .app = "shop",
        .project = "acme/shop",
        .commit = "abc",
        .run_url = "https://ci/1",
        .run_key = "1.1",
        .environment = "production",
        .strategy = STRATEGY_CANARY,
        .version = "v2",
        .previous = "v1",
        .image = "shop:v2",
        .stable_slot = "blue",
        .candidate_slot = "green",
        .config_path = "deploy.yaml",
        .config_hash = "c0ffee",
        .plan_hash = "beef",
        .guidance = "be \"careful\"\nand ünïcode",
        .reviewers = {(const char **)(uintptr_t)names, 2},
        .started = 1764023962000,
        .updated = 1764023963000,
        .ended = 1764023964000,
        .status = RUN_ROLLED_BACK,
        .exit_code = 2,
        .direction = BACKWARD,
        .headline = "back on v1",
        .trigger = "slo-breach",
        .trigger_id = "error-rate",
        .trigger_detail = "3 % > 2 %",
        .breached = 11,
        .acted = 12,
        .retire_at = 13,
        .availability_ok = 99,
        .availability_polls = 100,
        .downtime_ms = 14,
        .paused_ms = 15,
    };
}

static void fill_watch(struct run *run)
{
    static struct run_sample samples[] = {{1, 0.5, 2, 3, 0.25}, {6, 5, 0, 7, 4}};
    static struct run_stream streams[] = {{"error-rate", 1, samples, 2}, {"latency", 2, NULL, 0}};

    run->watch = (struct run_watch){"watch-25", 21, 22, 23, 24, streams, 2};
}

static void fill(struct run *run)
{
    struct step one = a_step("shift-25"), two = a_step("shift-50");

    fill_scalars(run);
    fill_watch(run);
    struct run_step *step = run_add_step(run, &arena, &one, BACKWARD);
    step->status = STATUS_UNDONE;
    step->started = 31;
    step->ended = 32;
    step->attempts = 3;
    step->evidence = "read back";
    step->error = "none";
    run_add_step(run, &arena, &two, FORWARD);
    *run_add_check(run, &arena) =
        (struct run_check){"check-tests", "tests", "junit", "qa", 2, "2 of 3", 41, 42, 2};
    struct run_metric *metric = run_metric_of(run, &arena, "error-rate");
    *metric =
        (struct run_metric){"error-rate", "error-rate", "%",   "haproxy", 1, 2, 3, 4, 5, 6, 7, 8,
                            "BREACH",     "above",      300000};
    run_metric_of(run, &arena, "latency-p99");
    struct run_event *event = run_add_event(run, &arena, 51, EVENT_BREACH, "breach");
    event->severity = "P1";
    event->resolved = 52;
    event->resolution = "rolled back";
    *run_add_signature(run, &arena) =
        (struct run_signature){"operations-lead", "ann", "approve", "fine", 61};
    *run_add_attempt(run, &arena) =
        (struct run_attempt){"host", "resume", INT64_C(4000000000), 71, 72, "killed"};
}

static char *text_of(const struct run *run)
{
    AUTO_JSON struct json *json = run_save(run);

    return json_print(json, true);
}

static int load_text(const char *text, struct run *out)
{
    AUTO_JSON struct json *json = NULL;

    assert_int_equal(json_parse(text, strlen(text), &json, &error), 0);
    return run_load(json, out, &arena, &error);
}

static void a_full_run_comes_back(void **state)
{
    (void)state;
    struct run run, back = {0};
    fill(&run);
    char *first = text_of(&run);
    assert_int_equal(load_text(first, &back), 0);
    same_run(&run, &back);
    char *second = text_of(&back);
    assert_string_equal(first, second);
    free(first);
    free(second);
}

/* Copies a tree; node number *at (counted down) becomes something of another type. */
static struct json *twisted(const struct json *json, int *at)
{
    double number;
    if ((*at)-- == 0) {
        bool plain = json_text(json) != NULL || json_number(json, &number);
        return plain ? json_array() : json_is_null(json) ? json_of_text("x") : json_of_number(1.5);
    }
    struct json *copy = json_is_object(json) ? json_object() : json_array();
    if (!json_is_object(json) && !json_is_array(json)) {
        json_free(copy);
        return json_copy(json);
    }
    for (size_t i = 0; i < json_size(json); i++) {
        const struct json *child = json_at(json, i);
        if (json_is_object(json)) {
            json_set(copy, json_key(child), twisted(child, at));
        } else {
            json_append(copy, twisted(child, at));
        }
    }
    return copy;
}

static void every_type_error_is_told(void **state)
{
    (void)state;
    struct run run, back;
    fill(&run);
    AUTO_JSON struct json *json = run_save(&run);
    int tried = 0;
    for (int n = 0;; n++, tried++) {
        int at = n;
        AUTO_JSON struct json *bad = twisted(json, &at);
        if (at >= 0) {
            break;
        }
        memset(&error, 0, sizeof error);
        if (run_load(bad, &back, &arena, &error) == 0) {
            char *text = json_print(bad, true);
            fail_msg("accepted with node %d twisted: %s", n, text);
        }
        assert_int_equal(error.kind, ERROR_STATE);
        assert_non_null(strstr(error.message, "state"));
    }
    assert_true(tried > 150);
}

/* Copies a tree without the object member number *at. */
static struct json *without(const struct json *json, int *at)
{
    if (!json_is_object(json) && !json_is_array(json)) {
        return json_copy(json);
    }
    struct json *copy = json_is_object(json) ? json_object() : json_array();
    for (size_t i = 0; i < json_size(json); i++) {
        const struct json *child = json_at(json, i);
        if (!json_is_object(json)) {
            json_append(copy, without(child, at));
        } else if ((*at)-- != 0) {
            json_set(copy, json_key(child), without(child, at));
        }
    }
    return copy;
}

static void missing_members_are_told_or_harmless(void **state)
{
    (void)state;
    struct run run, back;
    int refused = 0;
    fill(&run);
    AUTO_JSON struct json *json = run_save(&run);
    for (int n = 0;; n++) {
        int at = n;
        AUTO_JSON struct json *bad = without(json, &at);
        if (at >= 0) {
            break;
        }
        if (run_load(bad, &back, &arena, &error) == 0) {
            free(text_of(&back));
            assert_non_null(back.id);
        } else {
            assert_int_equal(error.kind, ERROR_STATE);
            refused++;
        }
    }
    /* schema, id, version; steps[0…1] as a whole and by id; checks twice, 2 metrics, event,
     * 2 streams */
    assert_int_equal(refused, 14);
}

static void expect_refused(const char *text, const char *message)
{
    struct run back;

    memset(&error, 0, sizeof error);
    assert_int_equal(load_text(text, &back), -1);
    assert_int_equal(error.kind, ERROR_STATE);
    assert_string_equal(error.message, message);
}

static void other_schemas_are_refused(void **state)
{
    (void)state;
    expect_refused("{\"schema\":2,\"id\":7}",
                   "state was written by a newer version (schema 2, this one knows 1): use the "
                   "newer deploy-action");
    expect_refused("{\"id\":\"a\"}", "state has no schema number: no state file of deploy-action");
    expect_refused("{\"schema\":0}", "state has the unknown schema 0");
    expect_refused("{\"schema\":0.5}", "state has the unknown schema 0.5");
    expect_refused("{\"schema\":\"1\"}",
                   "state has no schema number: no state file of deploy-action");
    expect_refused("[]", "state is not a JSON object");
    expect_refused("null", "state is not a JSON object");
}

#define HEAD "{\"schema\":1,\"id\":\"r\",\"version\":\"v\","
#define STEP "\"kind\":\"watch\",\"phase\":\"watch\""

static void values_out_of_range_are_told(void **state)
{
    (void)state;
    expect_refused("{\"schema\":1}", "state: id is missing");
    expect_refused("{\"schema\":1,\"id\":\"r\"}", "state: version is missing");
    expect_refused("{\"schema\":1,\"id\":\"../../x\",\"version\":\"v\"}",
                   "state: id is '../../x', which we never write");
    expect_refused("{\"schema\":1,\"id\":\"x\",\"version\":\"v2` <b>\"}",
                   "state: version is 'v2` <b>', which we never write");
    expect_refused(HEAD "\"steps\":[{\"step\":{\"id\":\"a\"}},{\"step\":{\"id\":\"a\"}}]}",
                   "state: two steps have the id 'a'");
    expect_refused(HEAD "\"steps\":[{\"step\":{\"id\":\"a\",\"weight\":1.5}}]}",
                   "state: steps[0].step.weight is out of range");
    expect_refused(HEAD "\"steps\":[{\"step\":{\"id\":\"a\",\"weight\":null}}]}",
                   "state: steps[0].step.weight is out of range");
    expect_refused(HEAD "\"steps\":[{\"step\":{\"id\":\"a\",\"state\":3}}]}",
                   "state: steps[0].step.state is out of range");
    expect_refused(HEAD "\"steps\":[{\"step\":{\"id\":\"a\",\"duration\":-1}}]}",
                   "state: steps[0].step.duration is out of range");
    expect_refused(HEAD "\"steps\":[{\"step\":{\"id\":\"a\",\"deadline\":-1}}]}",
                   "state: steps[0].step.deadline is out of range");
    expect_refused(HEAD "\"steps\":[{\"step\":{\"id\":\"a\"},\"attempts\":-1}]}",
                   "state: steps[0].attempts is out of range");
    expect_refused(HEAD "\"steps\":[{\"step\":{\"id\":\"a\"},\"status\":\"gone\"}]}",
                   "state: steps[0].status: not a name known here: 'gone'");
    expect_refused(HEAD "\"checks\":[{\"group\":\"a\",\"name\":\"b\",\"verdict\":4}]}",
                   "state: checks[0].verdict is out of range");
    expect_refused(HEAD "\"exit_code\":256}", "state: exit_code is out of range");
    expect_refused(HEAD "\"sequence\":-1}", "state: sequence is out of range");
    expect_refused(HEAD "\"sequence\":\"9223372036854775807\"}", "state: sequence is out of range");
    expect_refused(HEAD "\"sequence\":1e300}",
                   "state: sequence: not exact: a number this large must be a text");
    expect_refused(HEAD "\"reviewers\":[\"a\",null]}", "state: reviewers[1]: not a text");
}

#define EARLY "\"-9223372036854775808\""
#define LATE "\"9223372036854775807\""

/* A span between two of them would be no number of 64 bits. */
static void times_out_of_range_are_told(void **state)
{
    (void)state;
    expect_refused(HEAD "\"started\":" EARLY "}", "state: started is out of range");
    expect_refused(HEAD "\"watch\":{\"begun\":" LATE "}}", "state: watch.begun is out of range");
    expect_refused(
        HEAD "\"steps\":[{\"step\":{\"id\":\"a\"}},{\"step\":{\"id\":\"b\"},\"ended\":" LATE "}]}",
        "state: steps[1].ended is out of range");
    expect_refused(HEAD "\"events\":[{\"text\":\"a\",\"resolved\":" EARLY "}]}",
                   "state: events[0].resolved is out of range");
    expect_refused(HEAD "\"watch\":{\"streams\":[{\"slo\":\"a\",\"samples\":[{\"at\":" LATE
                        "}]}]}}",
                   "state: watch.streams[0].samples[0].at is out of range");
}

static void what_readers_take_for_granted_is_filled_in(void **state)
{
    (void)state;
    struct run back;
    assert_int_equal(
        load_text(HEAD "\"status\":\"rolled-back\",\"trigger\":\"slo-breach\"}", &back), 0);
    assert_string_equal(back.app, "not recorded");
    assert_string_equal(back.trigger_id, "not recorded");
    assert_string_equal(back.trigger_detail, "not recorded");
    assert_string_equal(back.headline, "rolled-back");
    assert_int_equal(load_text(HEAD "\"status\":\"running\"}", &back), 0);
    assert_null(back.trigger_id);
    assert_null(back.headline);
}

static void hostile_sizes_do_no_harm(void **state)
{
    (void)state;
    AUTO_BUF struct buf text;
    struct run back;
    buf_init(&text, (size_t)1 << 26);
    buf_adds(&text, HEAD "\"watch\":{\"streams\":[{\"slo\":\"a\",\"samples\":[{}");
    for (int i = 0; i < RUN_SAMPLES; i++) {
        buf_adds(&text, ",{}");
    }
    buf_adds(&text, "]}]}}");
    expect_refused(text.data, "state: watch.streams[0].samples has 61 rows, at most 60 are ever "
                              "written");
    buf_clear(&text);
    buf_adds(&text, HEAD "\"steps\":[{\"step\":{\"id\":\"x\"}}");
    for (int i = 0; i < 100000; i++) {
        buf_addf(&text, ",{\"step\":{\"id\":\"%d\"}}", i);
    }
    buf_adds(&text, "]}");
    assert_int_equal(load_text(text.data, &back), 0);
    assert_int_equal(back.step_count, 100001);
    assert_string_equal(back.steps[100000].step.title, "99999");
}

static void unknown_members_are_ignored(void **state)
{
    (void)state;
    struct run back;
    assert_int_equal(load_text(HEAD "\"moon\":{\"phase\":[1,2]},\"steps\":[{\"step\":{\"id\":"
                                    "\"a\",\"wind\":3," STEP "}}]}",
                               &back),
                     0);
    assert_string_equal(back.steps[0].step.target, "default");
    assert_int_equal(back.steps[0].step.kind, STEP_WATCH);
}

static void lists_grow_after_loading(void **state)
{
    (void)state;
    struct run run, back;
    fill(&run);
    char *text = text_of(&run);
    assert_int_equal(load_text(text, &back), 0);
    free(text);
    for (int i = 0; i < 200; i++) {
        struct step step = a_step(arena_format(&arena, "more-%d", i));
        run_add_step(&back, &arena, &step, FORWARD)->attempts = i;
        run_add_check(&back, &arena)->at = i;
        run_add_event(&back, &arena, i, EVENT_NOTE, "note");
        run_add_signature(&back, &arena)->at = i;
        run_add_attempt(&back, &arena)->pid = i;
        run_metric_of(&back, &arena, arena_format(&arena, "slo-%d", i));
    }
    assert_int_equal(back.step_count, 202);
    assert_string_equal(back.steps[0].step.id, "shift-25");
    assert_int_equal(back.steps[201].attempts, 199);
    assert_int_equal(back.attempts[200].pid, 199);
    assert_int_equal(back.metric_count, 202);
    assert_ptr_equal(run_find_step(&back, "more-7"), &back.steps[9]);
    assert_null(run_find_step(&back, "more"));
}

static void added_texts_are_copies(void **state)
{
    (void)state;
    struct run run = {0};
    char id[] = "shift-5", title[] = "title", note[] = "note";
    const char *list[] = {title};
    struct step step = {.id = id, .title = title, .instances = list, .count = 1};
    run_add_step(&run, &arena, &step, FORWARD);
    run_add_event(&run, &arena, 1, EVENT_NOTE, note);
    id[0] = title[0] = note[0] = 'X';
    list[0] = "other";
    assert_string_equal(run.steps[0].step.id, "shift-5");
    assert_string_equal(run.steps[0].step.title, "title");
    assert_string_equal(run.steps[0].step.instances[0], "title");
    assert_string_equal(run.events[0].text, "note");
}

static void a_second_way_back_gets_its_own_ids(void **state)
{
    (void)state;
    struct run run = {0};
    struct step step = a_step("back-shift");
    run_add_step(&run, &arena, &step, BACKWARD);
    assert_string_equal(run_add_step(&run, &arena, &step, BACKWARD)->step.id, "back-shift-2");
    assert_string_equal(run_add_step(&run, &arena, &step, BACKWARD)->step.id, "back-shift-3");
}

static void a_new_metric_knows_nothing(void **state)
{
    (void)state;
    struct run run = {0};
    struct run_metric *metric = run_metric_of(&run, &arena, "error-rate");
    assert_true(isnan(metric->baseline) && isnan(metric->value) && isnan(metric->worst));
    assert_true(isnan(metric->limit) && isnan(metric->target) && isnan(metric->bad));
    assert_true(isnan(metric->requests) && isnan(metric->baseline_requests));
    assert_string_equal(metric->judgement, "not judged");
    assert_ptr_equal(run_metric_of(&run, &arena, "error-rate"), metric);
}

static void every_status_has_its_exit_code(void **state)
{
    (void)state;
    static const struct {
        enum run_status status;
        int code;
        bool finished;
    } rows[] = {
        {RUN_RUNNING, 6, false},        {RUN_WAITING, 75, false},    {RUN_HELD, 5, false},
        {RUN_SUCCEEDED, 0, true},       {RUN_ROLLED_BACK, 2, true},  {RUN_REFUSED, 3, true},
        {RUN_FAILED, 4, true},          {RUN_BROKEN, 6, false},      {RUN_SUPERSEDED, 7, true},
        {RUN_ROLLBACK_FAILED, 8, true}, {RUN_CANCELLED, 143, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = {.status = (int)rows[i].status, .exit_code = 143};
        assert_int_equal(run_exit_code(&run), rows[i].code);
        assert_int_equal(run_is_finished(rows[i].status), rows[i].finished);
        assert_non_null(run_status_names[rows[i].status]);
    }
    assert_null(run_status_names[RUN_CANCELLED + 1]);
    assert_null(step_status_names[STATUS_UNKNOWN + 1]);
    assert_null(event_kind_names[EVENT_HUMAN + 1]);
    assert_null(step_kind_names[STEP_KINDS]);
    assert_null(phase_names[PHASE_ROLLBACK + 1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_run_comes_back),
        TEST(every_type_error_is_told),
        TEST(missing_members_are_told_or_harmless),
        TEST(other_schemas_are_refused),
        TEST(values_out_of_range_are_told),
        TEST(times_out_of_range_are_told),
        TEST(what_readers_take_for_granted_is_filled_in),
        TEST(hostile_sizes_do_no_harm),
        TEST(unknown_members_are_ignored),
        TEST(lists_grow_after_loading),
        TEST(added_texts_are_copies),
        TEST(a_second_way_back_gets_its_own_ids),
        TEST(a_new_metric_knows_nothing),
        TEST(every_status_has_its_exit_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
