/* SPDX-License-Identifier: Apache-2.0
 *
 * Header, timeline, strategy details (S-288…S-298).
 */
#include "arena.h"
#include "model.h"
#include "text.h"

#include <math.h>
#include <string.h>

/* When the steps of these phases began, and the time spent in them: phases take turns, so
 * that from the first to the last of one would count the others too. */
static void span_of(const struct run *run, enum phase first, enum phase last, int64_t *from,
                    int64_t *spent)
{
    *from = 0;
    *spent = -1;
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        if (step->step.phase < first || step->step.phase > last || step->started == 0)
            continue;
        if (*from == 0 || step->started < *from)
            *from = step->started;
        if (step->ended >= step->started)
            *spent = (*spent < 0 ? 0 : *spent) + step->ended - step->started;
    }
}

static void add_milestones(const struct model *model)
{
    static const struct {
        const char *name;
        enum phase first, last;
    } rows[] = {
        {"Pre-deployment validation", PHASE_VALIDATE, PHASE_VALIDATE},
        {"Deployment execution", PHASE_EXECUTE, PHASE_EXECUTE},
        {"Smoke tests", PHASE_SMOKE, PHASE_SMOKE},
        {"SLO monitoring", PHASE_WATCH, PHASE_WATCH},
        {"Completion/rollback", PHASE_COMPLETE, PHASE_ROLLBACK},
    };
    struct json *list = model_list(model->root, "milestones");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t from = 0, spent = 0;
        span_of(model->run, rows[i].first, rows[i].last, &from, &spent);
        struct json *row = json_object();
        json_set_text(row, "name", rows[i].name);
        json_set_text(row, "at", model_time(model, from));
        json_set_text(row, "duration", model_span(model, from, from + spent));
        json_append(list, row);
    }
}

static void add_steps(const struct model *model)
{
    struct json *list = model_list(model->root, "steps");
    for (size_t i = 0; i < model->run->step_count; i++) {
        const struct run_step *step = &model->run->steps[i];
        struct json *row = json_object();
        json_set_text(row, "title", step->step.title);
        json_set_text(row, "status", step_status_names[step->status]);
        json_set_text(row, "at", step->started == 0 ? "-" : model_time(model, step->started));
        json_set_text(row, "took",
                      step->ended == 0 ? "-" : model_span(model, step->started, step->ended));
        const char *evidence = step->error != NULL ? step->error : step->evidence;
        json_set_text(row, "evidence", evidence == NULL ? "-" : evidence);
        json_append(list, row);
    }
}

void model_head(const struct model *model)
{
    const struct run *run = model->run;
    struct json *root = model->root;
    json_set_text(root, "project", run->project != NULL ? run->project : run->app);
    json_set_text(root, "app", run->app);
    json_set_text(root, "version", run->version);
    json_set_text(root, "previous", run->previous == NULL ? "none" : run->previous);
    json_set_text(root, "strategy", strategy_names[run->strategy]);
    model_set(model, root, "date", "%.10s", model_time(model, run->started));
    json_set_text(root, "status", model_status(run));
    json_set_text(root, "headline", run->headline == NULL ? "in progress" : run->headline);
    model_set(model, root, "exit_code", "%d", run->exit_code);
    json_set_text(root, "run_id", run->id);
    json_set_text(root, "run_url", run->run_url == NULL ? NOT_RECORDED : run->run_url);
    json_set_text(root, "commit", run->commit == NULL ? NOT_RECORDED : run->commit);
    json_set_text(root, "guidance", run->guidance == NULL ? "" : run->guidance);
    struct json *reviewers = model_list(root, "reviewers");
    for (size_t i = 0; i < run->reviewers.count; i++)
        json_append(reviewers, json_of_text(run->reviewers.items[i]));
    json_set_text(root, "start", model_time(model, run->started));
    json_set_text(root, "end", model_time(model, run->ended));
    json_set_text(root, "duration", model_minutes(model, run->started, run->ended));
    model_set(model, root, "attempts", "%zu", run->attempt_count);
    add_milestones(model);
    add_steps(model);
}

static const struct run_step *find_kind(const struct run *run, enum step_kind kind)
{
    for (size_t i = 0; i < run->step_count; i++) {
        if (run->steps[i].step.kind == kind && run->steps[i].direction == FORWARD)
            return &run->steps[i];
    }
    return NULL;
}

static const char *time_of(const struct model *model, enum step_kind kind)
{
    const struct run_step *step = find_kind(model->run, kind);
    if (step == NULL || step->status != STATUS_DONE)
        return "N/A";
    return model_time(model, step->ended);
}

static void add_blue_green(const struct model *model, struct json *details)
{
    json_set_text(details, "deployed", time_of(model, STEP_DEPLOY));
    json_set_text(details, "cutover", time_of(model, STEP_SHIFT));
    json_set_text(details, "retired", time_of(model, STEP_RETIRE));
    json_set_text(details, "retire_at",
                  model->run->retire_at == 0 ? "N/A" : model_time(model, model->run->retire_at));
}

/* A rollback by hand and a crash loop are breaches of the journal, but not of an SLO. */
static size_t slo_breaches(const struct run *run)
{
    size_t count = 0;
    for (size_t i = 0; i < run->event_count; i++) {
        const struct run_event *event = &run->events[i];
        count += event->kind == EVENT_BREACH && text_starts(event->text, "slo-breach:") ? 1U : 0U;
    }
    return count;
}

static void add_canary(const struct model *model, struct json *details)
{
    struct json *stages = model_list(details, "stages");
    for (size_t i = 0; i < model->run->step_count; i++) {
        const struct run_step *step = &model->run->steps[i];
        if (step->step.kind != STEP_SHIFT || step->direction != FORWARD || step->step.weight <= 0)
            continue;
        struct json *row = json_object();
        double percent = step->step.weight * 100;
        const char *label = percent <= 5 ? "1-5%" : arena_format(model->arena, "%g%%", percent);
        json_set_text(row, "name", label);
        json_set_text(row, "at",
                      step->status == STATUS_DONE ? model_time(model, step->ended) : "not reached");
        json_append(stages, row);
    }
    model_set(model, details, "breaches", "%zu", slo_breaches(model->run));
}

static void add_rolling(const struct model *model, struct json *details)
{
    size_t all = 0, done = 0, batch = 0;
    for (size_t i = 0; i < model->run->step_count; i++) {
        const struct run_step *step = &model->run->steps[i];
        if (step->step.kind != STEP_DEPLOY || step->direction != FORWARD)
            continue;
        all += step->step.count;
        done += step->status == STATUS_DONE ? step->step.count : 0;
        batch = step->step.count > batch ? step->step.count : batch;
    }
    model_set(model, details, "updated", "%zu/%zu", done, all);
    model_set(model, details, "batch", "%zu", batch);
    model_set(model, details, "pause", "%.1f minutes", (double)model->run->paused_ms / 60000);
}

void model_strategy(const struct model *model)
{
    static const char *const keys[] = {"", "blue_green", "canary", "rolling"};
    static void (*const adders[])(const struct model *, struct json *) = {NULL, add_blue_green,
                                                                          add_canary, add_rolling};
    for (int i = STRATEGY_BLUE_GREEN; i <= STRATEGY_ROLLING; i++) {
        if (i != model->run->strategy) {
            json_set_bool(model->root, keys[i], false);
            continue;
        }
        struct json *details = json_object();
        json_set(model->root, keys[i], details);
        adders[i](model, details);
    }
}
