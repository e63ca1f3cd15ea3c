/* SPDX-License-Identifier: Apache-2.0
 *
 * Issues, rollback, lessons and runbook (S-318…S-325): drawn from what happened, never
 * made up.
 */
#include "arena.h"
#include "model.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool went_back(const struct run *run)
{
    return run->direction == BACKWARD;
}

static void add_issues(const struct model *model)
{
    const struct run *run = model->run;
    struct json *list = model_list(model->root, "issues");
    for (size_t i = 0; i < run->event_count; i++) {
        const struct run_event *event = &run->events[i];
        if (event->kind != EVENT_ISSUE && event->kind != EVENT_BREACH)
            continue;
        struct json *row = json_object();
        int64_t resolved = event->resolved;
        const char *resolution = event->resolution;
        if (event->kind == EVENT_BREACH && run->status == RUN_ROLLED_BACK) {
            resolved = run->ended;
            resolution = "rolled back automatically";
        }
        json_set_text(row, "text", event->text);
        json_set_text(row, "severity", event->severity == NULL ? "P1" : event->severity);
        json_set_text(row, "resolution", resolution == NULL ? "open" : resolution);
        json_set_text(row, "time", model_span(model, resolved == 0 ? 0 : event->at, resolved));
        json_append(list, row);
    }
}

static const char *smoke_after(const struct run *run)
{
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        if (step->direction != BACKWARD || step->step.kind != STEP_SMOKE)
            continue;
        if (step->status == STATUS_DONE)
            return "PASS";
        return step->status == STATUS_FAILED ? "FAIL" : NOT_RECORDED;
    }
    return NOT_RECORDED;
}

static int64_t verified_at(const struct run *run)
{
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        if (step->direction == BACKWARD && step->step.kind == STEP_VERIFY &&
            step->status == STATUS_DONE)
            return step->ended;
    }
    return 0;
}

static void add_rollback(const struct model *model)
{
    const struct run *run = model->run;
    if (!went_back(run)) {
        json_set_bool(model->root, "rollback", false);
        return;
    }
    struct json *row = json_object();
    json_set(model->root, "rollback", row);
    json_set_text(row, "trigger", run->trigger == NULL ? NOT_RECORDED : run->trigger);
    json_set_text(row, "trigger_id", run->trigger_id == NULL ? NOT_RECORDED : run->trigger_id);
    json_set_text(row, "detail", run->trigger_detail == NULL ? NOT_RECORDED : run->trigger_detail);
    json_set_text(row, "strategy", strategy_names[run->strategy]);
    json_set_text(row, "duration", model_minutes(model, run->breached, verified_at(run)));
    json_set_text(row, "seconds", model_span(model, run->breached, verified_at(run)));
    json_set_text(row, "breached", model_time(model, run->breached));
    json_set_text(row, "acted", model_time(model, run->acted));
    json_set_text(row, "verified", model_time(model, verified_at(run)));
    bool good = verified_at(run) != 0 && run->status != RUN_ROLLBACK_FAILED;
    json_set_text(row, "success", good ? "YES" : "NO");
    json_set_text(row, "smoke", smoke_after(run));
}

static void add(const struct model *model, struct json *list, const char *format, ...)
    PRINTF_LIKE(3, 4);
static void add(const struct model *model, struct json *list, const char *format, ...)
{
    va_list arguments;
    char line[2048];
    (void)model;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    json_append(list, json_of_text(line));
}

static void count_checks(const struct run *run, size_t *all, size_t *retried, size_t *unknown)
{
    for (size_t i = 0; i < run->check_count; i++) {
        (*all)++;
        *retried += run->checks[i].attempts > 1 ? 1U : 0U;
        *unknown += run->checks[i].verdict == 3 ? 1U : 0U;
    }
}

static bool by_hand(const struct run *run)
{
    return text_equal(run->trigger, "manual");
}

static void went_well(const struct model *model, struct json *list)
{
    const struct run *run = model->run;
    size_t all = 0, retried = 0, unknown = 0;
    count_checks(run, &all, &retried, &unknown);
    if (all > 0 && retried == 0 && unknown == 0)
        add(model, list, "all %zu checks gave a clear answer at the first attempt", all);
    if (went_back(run) && verified_at(run) != 0 && run->status != RUN_ROLLBACK_FAILED)
        add(model, list, "%s led to a verified rollback in %s",
            by_hand(run) ? "the request of a person" : "the breach",
            model_span(model, run->breached, verified_at(run)));
    if (run->status == RUN_SUCCEEDED && count_events(run, EVENT_BREACH) == 0)
        add(model, list, "%s was promoted without a breach", run->version);
    if (run->attempt_count > 1 && run->status == RUN_SUCCEEDED)
        add(model, list, "the run was finished over %zu processes without repeating a step",
            run->attempt_count);
}

static void could_improve(const struct model *model, struct json *list)
{
    const struct run *run = model->run;
    for (size_t i = 0; i < run->metric_count; i++) {
        const struct run_metric *metric = &run->metrics[i];
        if (text_equal(metric->judgement, "NODATA") || text_equal(metric->judgement, "UNDECIDED"))
            add(model, list, "%s could not be judged (%s)", metric->slo,
                metric->detail == NULL ? metric->judgement : metric->detail);
    }
    for (size_t i = 0; i < run->check_count; i++) {
        const struct run_check *check = &run->checks[i];
        if (check->attempts > 1)
            add(model, list, "check '%s' needed %d attempts", check->name, check->attempts);
    }
    for (size_t i = 0; i < run->event_count; i++) {
        if (run->events[i].kind == EVENT_ISSUE)
            add(model, list, "%s", run->events[i].text);
    }
    if (run->trigger != NULL && !by_hand(run) && run->breached > run->started)
        add(model, list, "%s reached production before it was caught (%s)", run->trigger_id,
            run->trigger_detail);
}

static void action_items(const struct model *model, struct json *list)
{
    const struct run *run = model->run;
    if (run->trigger != NULL && !by_hand(run))
        add(model, list, "find the root cause of '%s' in %s before it is deployed again",
            run->trigger_id, run->version);
    if (run->status == RUN_SUCCEEDED && run->retire_at > 0 && run->strategy == STRATEGY_BLUE_GREEN)
        add(model, list, "retire %s after %s: `deploy-action retire`",
            run->previous == NULL ? "the old version" : run->previous,
            model_time(model, run->retire_at));
    for (size_t i = 0; i < run->metric_count; i++) {
        if (text_equal(run->metrics[i].judgement, "NODATA"))
            add(model, list, "make '%s' readable: %s", run->metrics[i].slo,
                run->metrics[i].detail == NULL ? NOT_RECORDED : run->metrics[i].detail);
    }
    for (size_t i = 0; i < run->event_count; i++) {
        const struct run_event *event = &run->events[i];
        if (event->kind == EVENT_ISSUE && event->resolved == 0)
            add(model, list, "resolve: %s", event->text);
    }
}

static void runbook(const struct model *model, struct json *list)
{
    const struct run *run = model->run;
    if (run->watch.drifts > 0)
        add(model, list,
            "agree who may change the router while a deployment runs (changed %d times)",
            run->watch.drifts);
    if (text_equal(run->trigger, "smoke-test-failure"))
        add(model, list, "add the failing case to the tests that run before deployment: %s",
            run->trigger_id);
    if (text_equal(run->trigger, "slo-breach"))
        add(model, list, "add a pre-production check that would have seen '%s'", run->trigger_id);
}

static void add_lesson_list(const struct model *model, const char *key,
                            void (*fill)(const struct model *, struct json *))
{
    struct json *list = model_list(model->root, key);
    fill(model, list);
    if (json_size(list) == 0)
        json_append(list, json_of_text("none recorded"));
}

static void add_timeline(const struct model *model)
{
    struct json *list = model_list(model->root, "events");
    for (size_t i = 0; i < model->run->event_count; i++) {
        const struct run_event *event = &model->run->events[i];
        struct json *row = json_object();
        json_set_text(row, "at", model_time(model, event->at));
        json_set_text(row, "kind", event_kind_names[event->kind]);
        json_set_text(row, "text", event->text);
        json_append(list, row);
    }
}

void model_story(const struct model *model)
{
    add_issues(model);
    add_rollback(model);
    add_lesson_list(model, "went_well", went_well);
    add_lesson_list(model, "could_improve", could_improve);
    add_lesson_list(model, "action_items", action_items);
    add_lesson_list(model, "runbook", runbook);
    add_timeline(model);
}
