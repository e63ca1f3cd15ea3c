/* SPDX-License-Identifier: Apache-2.0
 *
 * The documents beside the report, and where templates come from.
 */
#include "report_test.h"

#include "io_test.h"

#include <limits.h>
#include <stdlib.h>

static void the_incident_tells_the_story(void **state)
{
    (void)state;
    turn_back();
    run.headline = "v2 was rolled back to v1";
    run.commit = "abc123";
    run.run_url = "here";
    run_add_event(&run, &arena, AT(32), EVENT_NOTE, "traffic is back");
    struct run_metric *errors = add_metric("error-rate", "error-rate", "%", "BREACH");
    errors->baseline = 0.001, errors->value = 0.035, errors->worst = 0.05, errors->limit = 0.03;
    errors->requests = 1000, errors->bad = 35;
    render(DOCUMENT_INCIDENT);
    assert_true(text_starts(rendered, "# Incident INC-20261124-0a1b2c3d: shop v2\n"));
    EXPECT_IN(NULL, "**P1** · v2 was rolled back to v1\n",
              "| **Detected** | 2026-11-24T10:00:30Z |", "| **Trigger** | slo-breach: error-rate |",
              "| **Reverted to** | v1, verified 2026-11-24T10:00:33Z after 3.0 s |",
              "| **Status** | ROLLBACK |", "\n## Summary\n",
              "shop v2 was deployed as canary and slo-breach was found: 3.50 %, limit 3.00 %.\n",
              "- SLO breach detected: error-rate - Current: 3.5%, Target: 3%\n",
              "- Declare incident, start root cause analysis\n", "\n## Impact\n",
              "| error-rate | 0.10% | 3.50% | 5.00% | 3.00% | 1000 | 35 |\n",
              "\n## Timeline (UTC)\n", "| 2026-11-24T10:00:30Z | slo-breach: error-rate: 3.50 % |",
              "| 2026-11-24T10:00:32Z | traffic is back |", "\n## Root cause\n",
              "root cause analysis begins with this draft", "\n## Action items\n",
              "- [ ] find the root cause of 'error-rate' in v2", "\n---\n",
              "from run 1795514400-0a1b2c3d; commit abc123, here");
    run.status = RUN_ROLLBACK_FAILED;
    render(DOCUMENT_INCIDENT);
    EXPECT_IN(NULL, "**P0** · ", "- CRITICAL: Rollback failed - ", "Declare P0 incident\n");
}

static void the_preflight_checklist_has_five_headings(void **state)
{
    (void)state;
    add_check("approvals", "ask", PASS, "yes")->role = "release-manager";
    add_check("security", "scan", FAIL, "GPL");
    add_check("reliability", "staging", PASS, "200");
    add_check("environment", "instances", PASS, "2 of 2");
    add_check("rollback", "tried", UNKNOWN, "no answer");
    add_check("incidents", "pager", PASS, "none open");
    render(DOCUMENT_PREFLIGHT);
    assert_true(text_starts(rendered, "# Pre-Flight Checklist: shop v2\n"));
    EXPECT_IN(NULL, "\n## Approvals\n", "- [x] ask release-manager: yes\n", "\n## Quality Gates\n",
              "- [ ] security / scan: GPL\n", "- [x] reliability / staging: 200\n",
              "- [ ] tests: not recorded\n", "\n## Infrastructure\n", "- [x] instances: 2 of 2\n",
              "- [ ] rollback plan / tried: no answer\n", "\n## Artifacts\n",
              "- [ ] not recorded\n", "\n## Communication\n", "- [x] pager: none open\n");
    run.check_count = 0;
    render(DOCUMENT_PREFLIGHT);
    EXPECT_IN(NULL, "\n## Approvals\n\n- [ ] not recorded\n", "- [ ] security: not recorded\n",
              "- [ ] reliability: not recorded\n", "- [ ] tests: not recorded\n",
              "- [ ] environment: not recorded\n", "- [ ] rollback plan: not recorded\n",
              "## Communication\n\n- [ ] not recorded\n");
    expect_none("[x]");
}

static void the_smoke_checklist_has_five_groups(void **state)
{
    (void)state;
    add_check("critical-path", "login", PASS, "ok");
    add_check("api", "health", FAIL, "503");
    add_check("database", "select", PASS, "1");
    add_check("external", "payment", UNKNOWN, "silent");
    render(DOCUMENT_SMOKE);
    assert_true(text_starts(rendered, "# Smoke Test Checklist: shop v2\n"));
    EXPECT_IN(NULL, "\n## Critical User Journeys\n\n- [x] login: ok\n",
              "\n## API Endpoints\n\n- [ ] health: 503\n", "\n## Database\n\n- [x] select: 1\n",
              "\n## External Integrations\n\n- [ ] payment: silent\n",
              "\n## Monitoring & Logging\n\n- [ ] not recorded\n");
}

/* ---- where templates come from ------------------------------------------------------- */

static int begin_folder(void **state)
{
    if (enter_folder(state) != 0 || begin_report(state) != 0)
        return -1;
    unsetenv("AIWG_ROOT");
    setenv("HOME", in_folder("home"), 1);
    return 0;
}

static int end_folder(void **state)
{
    end_report(state);
    return leave_folder(state);
}

static void make(const char *path)
{
    EXPECT_OK(file_make_folder(in_folder(path), &err), &err);
}

static void put(const char *where, const char *name, const char *content)
{
    make(where);
    write_file(in_folder(arena_format(&arena, "%s/%s", where, name)), content);
}

static int try_render(enum document document)
{
    AUTO_BUF struct buf out;
    struct report_request request = {&run, &config, document};
    buf_init(&out, 1 << 20);
    int result = report_render(&arena, &request, &out, &err);
    rendered = arena_text(&arena, out.data);
    return result;
}

static void a_template_of_ones_own(void **state)
{
    (void)state;
    put("mine", "report.md", "own {{version}}\n");
    config.template_path = arena_text(&arena, in_folder("mine"));
    assert_string_equal(render(DOCUMENT_REPORT), "own v2\n");
    assert_true(text_starts(render(DOCUMENT_SMOKE), "# Smoke Test Checklist"));
    config.template_path = arena_text(&arena, in_folder("mine/report.md"));
    assert_string_equal(render(DOCUMENT_REPORT), "own v2\n");
    assert_true(text_starts(render(DOCUMENT_SMOKE), "# Smoke Test Checklist"));
    config.template_path = arena_text(&arena, in_folder("mine/missing.md"));
    EXPECT_ERROR(try_render(DOCUMENT_REPORT), &err, ERROR_NOTFOUND, "missing.md");
    put("mine", "report.md", "one\n{{verson}}\n");
    config.template_path = arena_text(&arena, in_folder("mine"));
    EXPECT_ERROR(try_render(DOCUMENT_REPORT), &err, ERROR_FORMAT,
                 "report.md:2: the model has no 'verson'");
}

/* S-036…S-040: the variable, the home, the repository, a guess. What the machine may have
 * below /usr/local comes before the last two. */
static void aiwg_roots_in_order(void **state)
{
    (void)state;
    bool fallback = true;
    char before[PATH_MAX];
    assert_non_null(getcwd(before, sizeof before));
    bool shared = file_exists("/usr/local/share/ai-writing-guide");
    make("elsewhere/deep");
    make("top/deep/deeper");
    make("home/.local/share/ai-writing-guide");
    setenv("AIWG_ROOT", in_folder("elsewhere"), 1);
    assert_string_equal(report_aiwg_root(&arena, &fallback), in_folder("elsewhere"));
    assert_false(fallback);
    setenv("AIWG_ROOT", in_folder("nowhere"), 1);
    assert_string_equal(report_aiwg_root(&arena, &fallback),
                        in_folder("home/.local/share/ai-writing-guide"));
    assert_false(fallback);
    setenv("HOME", in_folder("empty"), 1);
    assert_int_equal(chdir(in_folder("top/deep/deeper")), 0);
    assert_string_equal(report_aiwg_root(&arena, &fallback),
                        shared ? "/usr/local/share/ai-writing-guide" : ".");
    assert_int_equal(fallback, !shared);
    make("top/.git");
    assert_string_equal(report_aiwg_root(&arena, &fallback),
                        shared ? "/usr/local/share/ai-writing-guide" : "./../..");
    assert_false(fallback);
    assert_int_equal(chdir(before), 0);
}

/* D-21 */
static void aiwg_is_asked_only_on_request(void **state)
{
    (void)state;
    setenv("AIWG_ROOT", in_folder("aiwg"), 1);
    make("aiwg");
    render(DOCUMENT_REPORT);
    config.template_path = "aiwg";
    EXPECT_ERROR(
        try_render(DOCUMENT_REPORT), &err, ERROR_CONFIG,
        arena_format(&arena, "❌ Error: AIWG installation not found at %s", in_folder("aiwg")));
    assert_non_null(
        strstr(err.message, "Please install AIWG or set AIWG_ROOT environment variable"));
    assert_int_equal(error_exit_code(err.kind), 1);
#define TREE "aiwg/agentic/code/frameworks/sdlc-complete/templates"
    put(TREE "/deployment", "deployment-report-template.md", "report {{version}}");
    put(TREE "/deployment", "incident-report-template.md", "incident {{version}}");
    put(TREE "/deployment", "deployment-plan-card.md", "plan {{version}}");
    put(TREE "/test", "smoke-test-checklist.md", "smoke {{version}}");
    assert_string_equal(render(DOCUMENT_REPORT), "report v2");
    assert_string_equal(render(DOCUMENT_INCIDENT), "incident v2");
    assert_string_equal(render(DOCUMENT_PREFLIGHT), "plan v2");
    assert_string_equal(render(DOCUMENT_SMOKE), "smoke v2");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_report, end_report)
#define FOLDER(name) cmocka_unit_test_setup_teardown(name, begin_folder, end_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_incident_tells_the_story),
        TEST(the_preflight_checklist_has_five_headings),
        TEST(the_smoke_checklist_has_five_groups),
        FOLDER(a_template_of_ones_own),
        FOLDER(aiwg_roots_in_order),
        FOLDER(aiwg_is_asked_only_on_request),
    };
    return cmocka_run_group_tests_name("documents", tests, NULL, NULL);
}
