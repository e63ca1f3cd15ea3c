/* SPDX-License-Identifier: Apache-2.0
 *
 * Gates, environment, artifacts, smoke tests (S-299…S-311), and the two checklists.
 */
#include "arena.h"
#include "config.h"
#include "model.h"
#include "text.h"

#include <string.h>

/* As enum verdict of check.h, which report/ must not include. */
enum { ANSWER_PASS = 1, ANSWER_FAIL = 2, ANSWER_UNKNOWN = 3 };

static const char *answer_name(int verdict)
{
    static const char *const names[] = {NOT_RECORDED, "PASS", "FAIL", "UNKNOWN"};
    return verdict >= 0 && verdict <= ANSWER_UNKNOWN ? names[verdict] : NOT_RECORDED;
}

static struct json *check_row(const struct model *model, const struct run_check *check)
{
    struct json *row = json_object();
    json_set_text(row, "group", check->group);
    json_set_text(row, "name", check->name == NULL ? "-" : check->name);
    json_set_text(row, "role", check->role == NULL ? "" : check->role);
    json_set_text(row, "verdict", answer_name(check->verdict));
    json_set_text(row, "mark", check->verdict == ANSWER_PASS ? "x" : " ");
    json_set_text(row, "evidence", check->evidence == NULL ? "-" : check->evidence);
    json_set_text(row, "at", model_time(model, check->at));
    model_set(model, row, "took", "%lld ms", (long long)check->took_ms);
    model_set(model, row, "attempts", "%d", check->attempts);
    return row;
}

/* The worst answer of a group; "not recorded" where nothing was asked. */
static int worst_of(const struct run *run, const char *group)
{
    int worst = 0;
    for (size_t i = 0; i < run->check_count; i++) {
        int verdict = run->checks[i].verdict;
        if (!text_equal(run->checks[i].group, group))
            continue;
        if (worst == 0 || verdict == ANSWER_FAIL ||
            (verdict == ANSWER_UNKNOWN && worst == ANSWER_PASS))
            worst = verdict;
    }
    return worst;
}

static void add_gates(const struct model *model)
{
    static const char *const rows[][2] = {{"Security", "security"},
                                          {"Reliability", "reliability"},
                                          {"Test", "tests"},
                                          {"Approval", "approvals"}};
    struct json *list = model_list(model->root, "gates");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json *row = json_object();
        json_set_text(row, "name", rows[i][0]);
        json_set_text(row, "status", answer_name(worst_of(model->run, rows[i][1])));
        json_append(list, row);
    }
    struct json *checks = model_list(model->root, "gate_checks");
    for (size_t i = 0; i < model->run->check_count; i++) {
        if (text_starts(model->run->checks[i].step, "check-"))
            json_append(checks, check_row(model, &model->run->checks[i]));
    }
}

static const struct run_check *find_check(const struct run *run, const char *group,
                                          const char *word)
{
    for (size_t i = 0; i < run->check_count; i++) {
        const struct run_check *check = &run->checks[i];
        if (text_equal(check->group, group) && check->name != NULL &&
            strcasestr(check->name, word) != NULL)
            return check;
    }
    return NULL;
}

static const char *evidence_of(const struct run_check *check)
{
    return check == NULL || check->evidence == NULL ? NOT_RECORDED : check->evidence;
}

static const char *yes_no(const struct run_check *check)
{
    if (check == NULL)
        return NOT_RECORDED;
    return check->verdict == ANSWER_PASS ? "YES" : "NO";
}

static void add_environment(const struct model *model)
{
    const struct run *run = model->run;
    struct json *root = model->root;
    size_t alarms = 0, asked = 0;
    for (size_t i = 0; i < run->check_count; i++) {
        if (!text_equal(run->checks[i].group, "incidents"))
            continue;
        asked++;
        alarms += run->checks[i].verdict == ANSWER_PASS ? 0U : 1U;
    }
    json_set_text(root, "nodes", evidence_of(find_check(run, "environment", "node")));
    json_set_text(root, "pods", evidence_of(find_check(run, "environment", "instances")));
    if (asked == 0)
        json_set_text(root, "alarms", NOT_RECORDED);
    else
        model_set(model, root, "alarms", "%zu", alarms);
    json_set_text(root, "images", run->image == NULL ? NOT_RECORDED : run->image);
    json_set_text(root, "checksums", yes_no(find_check(run, "artifacts", "sum")));
    json_set_text(root, "signatures", yes_no(find_check(run, "artifacts", "signature")));
}

static void add_smoke(const struct model *model)
{
    static const char *const titles[] = {"Critical Path Tests", "API Endpoint Tests",
                                         "Database Tests", "External Integration Tests",
                                         "Monitoring Tests"};
    const struct run *run = model->run;
    struct json *groups = model_list(model->root, "smoke");
    struct json *failures = model_list(model->root, "smoke_failures");
    struct json *checks = model_list(model->root, "smoke_checks");
    for (int group = 0; group < SMOKE_GROUPS; group++) {
        size_t all = 0, passed = 0;
        for (size_t i = 0; i < run->check_count; i++) {
            if (!text_equal(run->checks[i].group, smoke_names[group]))
                continue;
            all++;
            passed += run->checks[i].verdict == ANSWER_PASS ? 1U : 0U;
            json_append(checks, check_row(model, &run->checks[i]));
            if (run->checks[i].verdict != ANSWER_PASS)
                json_append(failures, check_row(model, &run->checks[i]));
        }
        struct json *row = json_object();
        json_set_text(row, "name", titles[group]);
        if (all == 0)
            json_set_text(row, "result", NOT_RECORDED);
        else
            model_set(model, row, "result", "%zu/%zu", passed, all);
        json_append(groups, row);
    }
}

/* One list a heading of the checklist, for templates that want them apart. */
static void add_lists(const struct model *model)
{
    static const char *const groups[] = {"approvals",   "security",  "reliability", "tests",
                                         "environment", "artifacts", "incidents",   "rollback"};
    struct json *by_gate = json_object();
    json_set(model->root, "checklist", by_gate);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        struct json *list = model_list(by_gate, groups[i]);
        for (size_t j = 0; j < model->run->check_count; j++) {
            if (text_equal(model->run->checks[j].group, groups[i]))
                json_append(list, check_row(model, &model->run->checks[j]));
        }
    }
    struct json *by_group = json_object();
    json_set(model->root, "smoke_list", by_group);
    static const char *const keys[] = {"critical", "api", "database", "external", "monitoring"};
    for (int group = 0; group < SMOKE_GROUPS; group++) {
        struct json *list = model_list(by_group, keys[group]);
        for (size_t j = 0; j < model->run->check_count; j++) {
            if (text_equal(model->run->checks[j].group, smoke_names[group]))
                json_append(list, check_row(model, &model->run->checks[j]));
        }
    }
}

void model_checks(const struct model *model)
{
    add_gates(model);
    add_environment(model);
    add_smoke(model);
    add_lists(model);
}
