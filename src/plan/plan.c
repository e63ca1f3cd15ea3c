/* SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

#define ENVIRONMENT_MS 60000

static const char *const gate_reasons[GATES] = {
    [GATE_SECURITY] = "no high or critical weakness goes out",
    [GATE_RELIABILITY] = "SLOs are met before production",
    [GATE_TESTS] = "the tests of this version passed",
    [GATE_APPROVALS] = "those in charge said yes",
    [GATE_ARTIFACTS] = "what goes out is what was built",
    [GATE_ENVIRONMENT] = "healthy before it is touched",
    [GATE_INCIDENTS] = "nothing else is going on",
    [GATE_ROLLBACK] = "the way back was tried",
};

static const char *gate_title(struct builder *b, enum gate gate)
{
    const char *checks = plan_count(b->arena, b->config->gates[gate].count, "check");

    if (gate != GATE_ENVIRONMENT) {
        return arena_format(b->arena, "gate %s: %s", gate_names[gate], checks);
    }
    bool none = b->config->gates[gate].count == 0;
    return arena_format(b->arena, "gate environment: %srouter readable%s%s",
                        b->plan->previous == NULL ? "" : "all ready, ", none ? "" : ", ",
                        none ? "" : checks);
}

static const char *gate_reason(struct builder *b, enum gate gate)
{
    if (gate != GATE_APPROVALS || b->focus == NULL || b->focus->reviewers.count == 0) {
        return gate_reasons[gate];
    }
    struct names names = {b->focus->reviewers.items, b->focus->reviewers.count};
    return arena_format(b->arena, "%s; guidance asks for %s too", gate_reasons[gate],
                        plan_join(b->arena, &names));
}

static void gate_step(struct builder *b, enum gate gate)
{
    const struct rows *rows = &b->config->gates[gate];

    if (rows->count == 0 && gate != GATE_ENVIRONMENT) {
        return;
    }
    struct step *step =
        plan_step(b, STEP_CHECK, arena_format(b->arena, "check-%s", gate_names[gate]));
    step->title = gate_title(b, gate);
    step->reason = gate_reason(b, gate);
    step->group = gate_names[gate];
    step->deadline =
        plan_checks_deadline(rows, 1) + (gate == GATE_ENVIRONMENT ? ENVIRONMENT_MS : 1000);
}

static const char *slo_words(struct builder *b)
{
    size_t count = b->config->slos.count;

    return count == 0 ? "health" : plan_count(b->arena, count, "SLO");
}

static void baseline_step(struct builder *b)
{
    int64_t window = b->config->baseline_window;

    if (b->plan->previous == NULL || b->config->slos.count == 0 || window <= 0) {
        return;
    }
    struct step *step = plan_step(b, STEP_BASELINE, "baseline");
    step->title = arena_format(b->arena, "measure %s for %s", slo_words(b),
                               text_of_duration(b->arena, window));
    step->reason = arena_format(b->arena, "what %s is compared with", b->plan->version);
    step->duration = window;
    step->deadline = window + b->config->hold;
}

static void focus_notes(struct builder *b)
{
    const struct focus *focus = b->focus;

    if (focus == NULL) {
        return;
    }
    if (focus->reviewers.count > 0) {
        struct names names = {focus->reviewers.items, focus->reviewers.count};
        plan_note(b, arena_format(b->arena, "guidance asks for review by %s",
                                  plan_join(b->arena, &names)));
    }
    if (focus->performance) {
        plan_note(b, "guidance stresses performance: look at latency and throughput first");
    }
    if (focus->tight) {
        plan_note(b, "guidance says time is tight: no check is left out and no watch shortened");
    }
}

static void config_notes(struct builder *b)
{
    const struct config *config = b->config;

    if (plan_smoke_count(config) == 0) {
        plan_note(b, "no smoke tests configured");
    } else if (config->url == NULL) {
        plan_note(b, "no url configured: production is tested at an instance's own address");
    }
    if (config->slos.count == 0) {
        plan_note(b, "no SLOs configured: a watch sees crashes and failing health only");
    } else if (b->plan->previous == NULL) {
        plan_note(b, "nothing to compare with: a watch judges fixed targets only");
    } else if (config->baseline_window <= 0) {
        plan_note(b, "no baseline window configured: nothing is measured before the change");
    }
}

void plan_begin(struct builder *b)
{
    for (enum gate gate = 0; gate < GATES; gate++) {
        gate_step(b, gate);
    }
    baseline_step(b);
    config_notes(b);
    focus_notes(b);
}

void plan_watch(struct builder *b, const char *id, int64_t duration, const char *reason)
{
    struct step *step = plan_step(b, STEP_WATCH, id);

    step->title = arena_format(b->arena, "watch %s for %s", slo_words(b),
                               text_of_duration(b->arena, duration));
    step->reason = reason;
    step->duration = duration;
    step->deadline = duration + b->config->hold;
}

void plan_promote(struct builder *b, const char *title, const char *reason)
{
    struct step *step = plan_step(b, STEP_PROMOTE, "promote");

    step->title = title;
    step->reason = reason;
    step->slot = b->plan->candidate_slot;
    step->version = b->plan->version;
    step->touches = "run state";
}

void plan_notify(struct builder *b, const char *id)
{
    struct names names = {b->config->report_to.items, b->config->report_to.count};
    struct step *step = plan_step(b, STEP_NOTIFY, id);

    step->title = "write outputs and report";
    step->reason = names.count == 0 ? "for the pipeline"
                                    : arena_format(b->arena, "to %s", plan_join(b->arena, &names));
}

/* Over everything that a step says, not only what a person is shown of it. */
static void plan_seal(struct plan *plan)
{
    static const struct json_field fields[] = {
        {"steps", JSON_ARRAY, offsetof(struct steps, items), NULL, step_fields, sizeof(struct step),
         offsetof(struct steps, count)},
        {NULL, JSON_TEXT, 0, NULL, NULL, 0, 0},
    };
    AUTO_JSON struct json *json = json_save(fields, &plan->steps);
    char *text = json_print(json, false);

    text_sha256(plan->hash, text, strlen(text));
    free(text);
}

int plan_build(struct arena *arena, const struct plan_request *request, struct plan *out,
               struct error *err)
{
    static int (*const strategies[])(struct builder *, struct error *) = {
        [STRATEGY_NONE] = NULL,
        [STRATEGY_BLUE_GREEN] = plan_blue_green,
        [STRATEGY_CANARY] = plan_canary,
        [STRATEGY_ROLLING] = plan_rolling,
    };
    *out = (struct plan){.strategy = request->strategy, .version = request->version};
    struct builder builder = {
        .arena = arena,
        .config = request->config,
        .facts = request->facts,
        .focus = request->focus,
        .plan = out,
    };
    if (request->strategy <= STRATEGY_NONE || request->strategy > STRATEGY_ROLLING ||
        request->version == NULL) {
        return error_set(err, ERROR_BUG, "a plan needs a strategy and a version");
    }
    if (strategies[request->strategy](&builder, err) != 0) {
        return -1;
    }
    plan_seal(out);
    return 0;
}
