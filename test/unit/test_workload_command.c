/* SPDX-License-Identifier: Apache-2.0 */
#include "driver_test.h"

#include "workload.h"

/* An instance is a file run/NAME with its version; every call that changes something leaves
 * a line in `calls`. Files with other names make a command behave badly. */
static const char ops[] =
    "#!/bin/sh\n"
    "verb=$1 name=$2 version=$3\n"
    "case $verb in\n"
    "start) echo \"start $name $version\" >> calls\n"
    "  [ -e broken-start ] && { echo 'no space left'; exit 3; }\n"
    "  [ -e \"run/$name\" ] && { echo 'port in use'; exit 9; }\n"
    "  echo \"$version\" > \"run/$name\" ;;\n"
    "stop) echo \"stop $name\" >> calls; [ -e deaf ] || rm -f \"run/$name\" ;;\n"
    "update) echo \"update $name $version\" >> calls; echo \"$version\" > \"run/$name\" ;;\n"
    "status) echo >> looks; [ -e slow-status ] && sleep 5\n"
    "  [ -e \"run/$name\" ] || { echo 'nothing there'; exit 1; }\n"
    "  [ -e \"run/$name-starting\" ] && { rm \"run/$name-starting\"; exit 75; }\n"
    "  [ -e \"sick-$name\" ] && exit 75\n"
    "  echo 'up restarts=4 oom=1' ;;\n"
    "version) cat \"run/$name\" 2> /dev/null; echo trailing >&2 ; [ -e \"run/$name\" ] ;;\n"
    "esac\n";

#define WORDS(verb) "[./ops, " verb ", \"${instance}\", \"${version}\"]"
#define LOOKS                                        \
    "    status: [./ops, status, \"${instance}\"]\n" \
    "    version: ./ops version $instance\n"
#define SHORT "    timeouts: { down: 500ms, settle: 300ms, status: 2s }\n"
#define SLOTS                                                                         \
    "    instances:\n"                                                                \
    "      - { name: blue-1, slot: blue, url: \"http://127.0.0.1:1\", server: b1 }\n" \
    "      - { name: blue-2, slot: blue }\n"                                          \
    "      - { name: green-1, slot: green }\n"                                        \
    "      - { name: green-2, slot: green }\n"
#define PLAIN "    instances: [ { name: web-1 }, { name: web-2 }, { name: web-3 } ]\n"
#define STARTS                        \
    "    start: " WORDS("start") "\n" \
                                 "    stop: ./ops stop \"$instance\"\n"
#define HEAD "app: shop\nimage: registry/shop:${version}\nworkload:\n  command:\n"
#define TAIL "traffic:\n  command: { shift: \"true\", observe: \"true\" }\n" METRICS_YAML

static const struct workload_driver *driver;
static struct workload *workload;

static void prepare(const char *yaml)
{
    load_config(yaml);
    context.settings = config->workload.settings;
    driver = config->workload.driver->door;
    write_file(in_folder("ops"), ops);
    EXPECT_OK(file_make_folder(in_folder("run"), &error), &error);
    write_file(in_folder("calls"), "");
}

static void open_workload(const char *yaml)
{
    prepare(yaml);
    EXPECT_OK(driver->open(&context, &workload, &error), &error);
}

static void runs(const char *name, const char *version)
{
    char path[40], line[40];
    snprintf(path, sizeof(path), "run/%s", name);
    snprintf(line, sizeof(line), "%s\n", version);
    write_file(in_folder(path), line);
}

static struct workload_state observe(void)
{
    struct workload_state state = {0};
    EXPECT_OK(driver->observe(workload, NULL, &arena, &state, &error), &error);
    return state;
}

static struct workload_target slot(const char *name, const char *version)
{
    return (struct workload_target){.slot = name, .version = version};
}

/* ---- opening ---------------------------------------------------------------------- */

static void refuses(const char *yaml, const char *text)
{
    prepare(yaml);
    EXPECT_ERROR(driver->open(&context, &workload, &error), &error, ERROR_CONFIG, text);
    assert_non_null(strstr(error.message, "deploy.yaml:"));
}

static void slots_take_turns(void **state)
{
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS TAIL);
    assert_int_equal(driver->traits(workload), WORKLOAD_SLOTS);
    const struct workload_state seen = observe();
    assert_int_equal(seen.count, 4);
    assert_string_equal(seen.items[0].instance.server, "b1");
    assert_string_equal(seen.items[0].instance.url, "http://127.0.0.1:1");
    assert_string_equal(seen.items[1].instance.server, "blue-2");
    assert_null(seen.items[1].instance.url);
}

static void expect_looks(const struct workload_target *of, size_t count, const char *last)
{
    struct workload_state seen = {0};
    write_file(in_folder("looks"), "");
    EXPECT_OK(driver->observe(workload, of, &arena, &seen, &error), &error);
    assert_true(seen.count == count && strlen(read_back("looks")) == count);
    assert_string_equal(seen.items[count - 1].instance.name, last);
}

static void only_who_is_asked_for_is_looked_at(void **state)
{
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS TAIL);
    expect_looks(NULL, 4, "green-2");
    expect_looks(&(struct workload_target){.slot = "blue"}, 2, "blue-2");
    open_workload(HEAD PLAIN STARTS LOOKS TAIL);
    expect_looks(&(struct workload_target){.names = (const char *[]){"web-3"}, .count = 1}, 1,
                 "web-3");
}

static void no_slots_are_in_place(void **state)
{
    (void)state;
    open_workload(HEAD PLAIN STARTS LOOKS TAIL);
    assert_int_equal(driver->traits(workload), WORKLOAD_IN_PLACE);
    assert_null(observe().items[0].instance.slot);
}

static void update_alone_is_enough_in_place(void **state)
{
    (void)state;
    open_workload(HEAD PLAIN "    update: " WORDS("update") "\n" LOOKS TAIL);
}

static void missing_stop_says_what_to_write(void **state)
{
    (void)state;
    refuses(HEAD SLOTS "    start: ./ops start\n" LOOKS TAIL,
            "'stop' is missing; write for example `stop: [./ops/stop, \"${instance}\"]`");
    refuses(HEAD SLOTS "    stop: ./ops stop\n    update: ./ops update\n" LOOKS TAIL,
            "'start' is missing; write for example `start: [./ops/start, \"${instance}\", "
            "\"${version}\"]`");
    refuses(HEAD PLAIN LOOKS TAIL, "'start' is missing (or 'update')");
}

static void slots_are_two_of_one_size(void **state)
{
    (void)state;
    refuses(HEAD "    instances: [ { name: a, slot: x } ]\n" STARTS LOOKS TAIL,
            "all instances are in slot 'x'");
    refuses(HEAD "    instances: [ { name: a, slot: x }, { name: b, slot: y }, "
                 "{ name: c, slot: y } ]\n" STARTS LOOKS TAIL,
            "slot 'x' has 1 instances and 'y' has 2");
    refuses(HEAD "    instances: [ { name: a, slot: x }, { name: b, slot: y }, "
                 "{ name: c, slot: z } ]\n" STARTS LOOKS TAIL,
            "more than two slots");
    refuses(HEAD "    instances: [ { name: a, slot: x }, { name: b } ]\n" STARTS LOOKS TAIL,
            "1 of 2 instances have no 'slot'");
}

static void names_are_plain_and_different(void **state)
{
    (void)state;
    refuses(HEAD "    instances: [ { name: a }, { name: a } ]\n" STARTS LOOKS TAIL,
            "two instances are called 'a'");
    refuses(HEAD
            "    instances: [ { name: a, server: s }, { name: b, server: s } ]\n" STARTS LOOKS TAIL,
            "instances 'a' and 'b' have the same server 's'");
    refuses(HEAD "    instances: [ { name: \"a; rm\" } ]\n" STARTS LOOKS TAIL,
            "'a; rm' is no name of an instance");
}

/* ---- looking ---------------------------------------------------------------------- */

static void status_and_version_are_read(void **state)
{
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS TAIL);
    runs("blue-1", "v1");
    runs("green-1", "v2");
    write_file(in_folder("sick-green-1"), "");
    const struct workload_state seen = observe();
    assert_true(seen.items[0].running && seen.items[0].ready);
    assert_string_equal(seen.items[0].version, "v1");
    assert_int_equal(seen.items[0].restarts, 4);
    assert_int_equal(seen.items[0].oom_kills, 1);
    assert_string_equal(seen.items[0].detail, "up restarts=4 oom=1");
    assert_false(seen.items[1].running || seen.items[1].ready);
    assert_null(seen.items[1].version);
    assert_int_equal(seen.items[1].restarts, -1);
    assert_non_null(strstr(seen.items[1].detail, "nothing there"));
    assert_true(seen.items[2].running && !seen.items[2].ready);
    assert_string_equal(seen.items[2].version, "v2");
}

/* Going back would start it: it must not bring more than a version into a command. */
static void what_is_no_version_is_not_believed(void **state)
{
    static const char *const lines[] = {"v1;reboot", "$(reboot)",  "-rf",   "v1 v2",
                                        "\x1b[2Jv1", "::error::x", "../v1", "v1'"};
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS TAIL);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        runs("blue-1", lines[i]);
        const struct workload_state seen = observe();
        assert_null(seen.items[0].version);
        assert_true(seen.items[0].ready);
        assert_non_null(strstr(seen.items[0].detail, "which is no version"));
    }
}

static void all_are_looked_at_in_parallel(void **state)
{
    (void)state;
    open_workload(HEAD SLOTS STARTS "    status: sleep 0.4\n    version: sleep 0.4\n" TAIL);
    const int64_t begun = loop_mono();
    assert_int_equal(observe().count, 4);
    const int64_t took = loop_mono() - begun;
    assert_true(took >= 350 && took < 8 * 400);
}

static void more_than_one_batch_is_looked_at(void **state)
{
    char yaml[8000];
    size_t used = (size_t)snprintf(yaml, sizeof(yaml), "%s    instances:\n", HEAD);
    (void)state;
    for (int i = 0; i < 40; i++) {
        used += (size_t)snprintf(yaml + used, sizeof(yaml) - used, "      - { name: i%d }\n", i);
    }
    snprintf(yaml + used, sizeof(yaml) - used, "%s%s%s", STARTS, LOOKS, TAIL);
    open_workload(yaml);
    runs("i0", "v1");
    runs("i39", "v9");
    const struct workload_state seen = observe();
    assert_int_equal(seen.count, 40);
    assert_string_equal(seen.items[0].version, "v1");
    assert_false(seen.items[38].running);
    assert_string_equal(seen.items[39].version, "v9");
}

static void a_status_that_cannot_run_is_an_error(void **state)
{
    (void)state;
    open_workload(HEAD SLOTS STARTS "    status: ./nothing\n    version: ./ops version x\n" TAIL);
    struct workload_state seen;
    EXPECT_ERROR(driver->observe(workload, NULL, &arena, &seen, &error), &error, ERROR_STATE,
                 "no instance can be looked at");
    const struct workload_target target = slot("green", "v2");
    EXPECT_ERROR(driver->deploy(workload, &target, &error), &error, ERROR_STATE,
                 "instance 'green-1'");
    expect_file("calls", "");
}

static void a_slow_status_is_not_down(void **state)
{
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS "    timeouts: { status: 200ms }\n" TAIL);
    write_file(in_folder("slow-status"), "");
    runs("green-1", "v1");
    const struct workload_state seen = observe();
    assert_true(seen.items[2].running && !seen.items[2].ready);
    assert_false(seen.items[3].running);
}

/* ---- acting ----------------------------------------------------------------------- */

static void deploy_starts_each_and_does_it_once(void **state)
{
    const struct workload_target target = slot("green", "v2");
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS TAIL);
    runs("blue-1", "v1");
    EXPECT_OK(driver->deploy(workload, &target, &error), &error);
    expect_file("calls", "start green-1 v2\nstart green-2 v2\n");
    EXPECT_OK(driver->deploy(workload, &target, &error), &error);
    expect_file("calls", "start green-1 v2\nstart green-2 v2\n");
    expect_file("run/blue-1", "v1\n");
}

static void deploy_stops_another_version_first(void **state)
{
    const struct workload_target target = slot("green", "v2");
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS TAIL);
    runs("green-1", "v1");
    runs("green-2", "v2");
    EXPECT_OK(driver->deploy(workload, &target, &error), &error);
    expect_file("calls", "stop green-1\nstart green-1 v2\n");
}

static void what_is_starting_is_left_alone(void **state)
{
    const struct workload_target target = slot("green", "v2");
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS TAIL);
    runs("green-1", "v2");
    runs("green-1-starting", "");
    runs("green-2", "v2");
    EXPECT_OK(driver->deploy(workload, &target, &error), &error);
    expect_file("calls", "");
}

static void what_never_gets_ready_is_started_anew(void **state)
{
    const struct workload_target target = slot("green", "v2");
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS "    timeouts: { settle: 300ms, down: 5s }\n" TAIL);
    runs("green-1", "v2");
    runs("green-2", "v2");
    write_file(in_folder("sick-green-1"), "");
    EXPECT_OK(driver->deploy(workload, &target, &error), &error);
    expect_file("calls", "stop green-1\nstart green-1 v2\n");
}

static void a_failed_start_says_all(void **state)
{
    const struct workload_target target = slot("green", "v2");
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS TAIL);
    write_file(in_folder("broken-start"), "");
    EXPECT_ERROR(driver->deploy(workload, &target, &error), &error, ERROR_REMOTE,
                 "instance 'green-1': './ops start green-1 v2' ended with code 3: no space left");
    expect_file("calls", "start green-1 v2\n");
}

static void a_stop_that_does_not_stop_is_noticed(void **state)
{
    const struct workload_target target = slot("green", "v2");
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS SHORT TAIL);
    write_file(in_folder("deaf"), "");
    runs("green-1", "v1");
    EXPECT_ERROR(driver->deploy(workload, &target, &error), &error, ERROR_TIMEOUT,
                 "instance 'green-1' is still up");
    expect_file("calls", "stop green-1\n");
}

static void update_replaces_the_named(void **state)
{
    const char *const names[] = {"web-2", "web-3"};
    const struct workload_target target = {.names = names, .count = 2, .version = "v2"};
    (void)state;
    open_workload(HEAD PLAIN "    update: " WORDS("update") "\n" LOOKS TAIL);
    runs("web-1", "v1");
    runs("web-2", "v1");
    runs("web-3", "v2");
    EXPECT_OK(driver->update(workload, &target, &error), &error);
    expect_file("calls", "update web-2 v2\n");
    expect_file("run/web-1", "v1\n");
}

static void update_is_stop_and_start_by_default(void **state)
{
    const char *const names[] = {"web-1"};
    const struct workload_target target = {.names = names, .count = 1, .version = "v2"};
    (void)state;
    open_workload(HEAD PLAIN STARTS LOOKS TAIL);
    runs("web-1", "v1");
    EXPECT_OK(driver->update(workload, &target, &error), &error);
    expect_file("calls", "stop web-1\nstart web-1 v2\n");
}

static void undo_takes_a_candidate_away(void **state)
{
    const struct workload_target target = slot("green", "v2");
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS TAIL);
    runs("blue-1", "v1");
    runs("green-2", "v2");
    EXPECT_OK(driver->undo(workload, &target, &error), &error);
    EXPECT_OK(driver->undo(workload, &target, &error), &error);
    expect_file("calls", "stop green-2\n");
    expect_file("run/blue-1", "v1\n");
}

static void undo_in_place_puts_the_old_back(void **state)
{
    const char *const names[] = {"web-1"};
    const struct workload_target target = {.names = names, .count = 1, .version = "v1"};
    (void)state;
    open_workload(HEAD PLAIN STARTS LOOKS TAIL);
    runs("web-1", "v2");
    EXPECT_OK(driver->undo(workload, &target, &error), &error);
    expect_file("run/web-1", "v1\n");
}

static void hooks_know_slot_and_version(void **state)
{
    const struct workload_target blue = slot("blue", "v1"), green = slot("green", "v2");
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS
                  "    promote: echo promote $slot $version $image $app $instance. >> calls\n"
                  "    retire: [sh, -c, \"echo retire ${slot} >> calls\"]\n" TAIL);
    runs("blue-1", "v1");
    EXPECT_OK(driver->promote(workload, &green, &error), &error);
    EXPECT_OK(driver->retire(workload, &blue, &error), &error);
    expect_file("calls", "promote green v2 registry/shop:v2 shop .\nstop blue-1\nretire blue\n");
}

static void commands_know_their_instance(void **state)
{
    const struct workload_target target = slot("blue", "v7");
    (void)state;
    open_workload(HEAD SLOTS
                  "    start: echo \"$instance $slot $server $version $app $image $base_url\" "
                  ">> calls\n    stop: \"true\"\n" LOOKS TAIL);
    EXPECT_OK(driver->deploy(workload, &target, &error), &error);
    expect_file("calls", "blue-1 blue b1 v7 shop registry/shop:v7 http://127.0.0.1:1\n"
                         "blue-2 blue blue-2 v7 shop registry/shop:v7 \n");
}

static void keep_records(void)
{
    context.run_id = "run-1";
    context.records = arena_text(&arena, in_folder("records"));
    EXPECT_OK(driver->open(&context, &workload, &error), &error);
}

static void what_a_killed_process_did_is_not_done_again(void **state)
{
    struct workload_target target = slot("green", "v2");
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS SHORT TAIL);
    keep_records();
    target.step = "deploy";
    EXPECT_OK(driver->deploy(workload, &target, &error), &error);
    unlink(in_folder("run/green-1")); /* started well, then fell over: READY will tell */
    target.resumed = true;
    EXPECT_OK(driver->deploy(workload, &target, &error), &error);
    expect_file("calls", "start green-1 v2\nstart green-2 v2\n");
    target.step = "deploy-again";
    EXPECT_OK(driver->deploy(workload, &target, &error), &error);
    expect_file("calls", "start green-1 v2\nstart green-2 v2\nstart green-1 v2\n");
}

static void what_failed_is_tried_again(void **state)
{
    struct workload_target target = slot("green", "v2");
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS SHORT TAIL);
    keep_records();
    target.step = "deploy";
    runs("green-1", "v1");
    runs("green-2", "v2");
    write_file(in_folder("broken-start"), "");
    EXPECT_ERROR(driver->deploy(workload, &target, &error), &error, ERROR_REMOTE, "no space left");
    unlink(in_folder("broken-start"));
    target.resumed = true;
    EXPECT_OK(driver->deploy(workload, &target, &error), &error);
    expect_file("calls", "stop green-1\nstart green-1 v2\nstart green-1 v2\n");
}

static void unknown_targets_are_errors(void **state)
{
    const char *const names[] = {"web-9"};
    const struct workload_target named = {.names = names, .count = 1, .version = "v1"};
    const struct workload_target red = slot("red", "v1");
    (void)state;
    open_workload(HEAD SLOTS STARTS LOOKS TAIL);
    EXPECT_ERROR(driver->undo(workload, &named, &error), &error, ERROR_NOTFOUND,
                 "no instance is called 'web-9'");
    EXPECT_ERROR(driver->deploy(workload, &red, &error), &error, ERROR_NOTFOUND,
                 "no instance is in slot 'red'");
}

static void a_signal_cancels(void **state)
{
    const struct workload_target target = slot("green", "v2");
    (void)state;
    open_workload(HEAD SLOTS "    start: sleep 20\n    stop: \"true\"\n" LOOKS TAIL);
    const pid_t peer = signal_later(SIGTERM, 300);
    EXPECT_ERROR(driver->deploy(workload, &target, &error), &error, ERROR_CANCELLED, "");
    end_peer(peer);
    driver->close(workload);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, driver_begin, driver_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(slots_take_turns),
        TEST(only_who_is_asked_for_is_looked_at),
        TEST(no_slots_are_in_place),
        TEST(update_alone_is_enough_in_place),
        TEST(missing_stop_says_what_to_write),
        TEST(slots_are_two_of_one_size),
        TEST(names_are_plain_and_different),
        TEST(status_and_version_are_read),
        TEST(what_is_no_version_is_not_believed),
        TEST(all_are_looked_at_in_parallel),
        TEST(more_than_one_batch_is_looked_at),
        TEST(a_status_that_cannot_run_is_an_error),
        TEST(a_slow_status_is_not_down),
        TEST(deploy_starts_each_and_does_it_once),
        TEST(deploy_stops_another_version_first),
        TEST(what_is_starting_is_left_alone),
        TEST(what_never_gets_ready_is_started_anew),
        TEST(a_failed_start_says_all),
        TEST(a_stop_that_does_not_stop_is_noticed),
        TEST(update_replaces_the_named),
        TEST(update_is_stop_and_start_by_default),
        TEST(undo_takes_a_candidate_away),
        TEST(undo_in_place_puts_the_old_back),
        TEST(hooks_know_slot_and_version),
        TEST(commands_know_their_instance),
        TEST(what_a_killed_process_did_is_not_done_again),
        TEST(what_failed_is_tried_again),
        TEST(unknown_targets_are_errors),
        TEST(a_signal_cancels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
