/* SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

struct back {
    struct builder b;
    const struct rollback_request *request;
    const struct step *forward;
    size_t count;
};

static bool changes_world(enum step_kind kind)
{
    return kind == STEP_DEPLOY || kind == STEP_SHIFT || kind == STEP_PROMOTE || kind == STEP_RETIRE;
}

static bool touched_any(const struct back *back)
{
    for (size_t i = 0; i < back->count; i++) {
        if (back->request->touched[i] && changes_world(back->forward[i].kind)) {
            return true;
        }
    }
    return false;
}

static struct step *back_step(struct back *back, enum step_kind kind, const char *id)
{
    struct step *step = plan_step(&back->b, kind, arena_format(back->b.arena, "back-%s", id));

    step->phase = PHASE_ROLLBACK;
    return step;
}

static const char *format_names(struct back *back, const struct step *forward)
{
    struct names names = {forward->instances, forward->count};

    return plan_join(back->b.arena, &names);
}

static void take_names(struct step *step, const struct step *forward)
{
    step->instances = forward->instances;
    step->count = forward->count;
}

static const char *kept(struct back *back)
{
    const struct config *config = back->b.config;

    return arena_format(back->b.arena, "%s is kept for diagnosis for %s",
                        back->request->candidate_slot,
                        text_of_duration(back->b.arena, config->keep));
}

static void shift_back(struct back *back)
{
    const struct rollback_request *request = back->request;
    struct step *step = back_step(back, STEP_SHIFT, "shift");

    if (request->previous == NULL) {
        step->title =
            arena_format(back->b.arena, "take %s out of traffic", request->candidate_slot);
        step->reason = "first deployment: no older version can serve";
    } else {
        step->title =
            arena_format(back->b.arena, "send all traffic back to %s", request->stable_slot);
        step->reason = back->b.config->keep > 0
                           ? kept(back)
                           : arena_format(back->b.arena, "it runs %s", request->previous);
    }
    step->slot = request->candidate_slot;
    step->version = request->previous;
    step->weight = 0;
    step->touches = "router";
}

/* The forward DEPLOY of the candidate; NULL: it was not touched. */
static const struct step *candidate_deploy(const struct back *back)
{
    for (size_t i = 0; i < back->count; i++) {
        if (back->request->touched[i] && back->forward[i].kind == STEP_DEPLOY) {
            return &back->forward[i];
        }
    }
    return NULL;
}

static void undo_candidate(struct back *back)
{
    const struct step *deploy = candidate_deploy(back);

    if (deploy == NULL || back->b.config->keep > 0) {
        return;
    }
    const char *slot = back->request->candidate_slot;
    struct step *step = back_step(back, STEP_UNDO, arena_format(back->b.arena, "undo-%s", slot));
    step->title = arena_format(back->b.arena, "stop %s on %s", back->request->version, slot);
    step->reason = "nothing is kept for diagnosis";
    step->slot = slot;
    step->version = back->request->version;
    take_names(step, deploy);
    struct names names = {step->instances, step->count};
    step->touches = plan_touches(back->b.arena, &names);
}

/* The step that may have stopped or replaced the old version on the stable slot; NULL: it
 * is as it was. */
static const struct step *stable_lost(const struct back *back)
{
    bool promoted = false;

    for (size_t i = 0; i < back->count; i++) {
        const struct step *step = &back->forward[i];
        bool stable = text_equal(step->slot, back->request->stable_slot);
        if (step->kind == STEP_PROMOTE) {
            promoted = back->request->touched[i];
        }
        if (stable && ((step->kind == STEP_RETIRE && back->request->touched[i]) ||
                       (step->kind == STEP_READY && promoted))) {
            return step;
        }
    }
    return NULL;
}

static void restore_stable(struct back *back)
{
    const struct step *lost = back->request->previous == NULL ? NULL : stable_lost(back);

    if (lost == NULL) {
        return;
    }
    const char *slot = back->request->stable_slot;
    struct step *step =
        back_step(back, STEP_DEPLOY, arena_format(back->b.arena, "deploy-%s", slot));
    step->title =
        arena_format(back->b.arena, "start %s on %s again", back->request->previous, slot);
    step->reason = lost->kind == STEP_RETIRE ? "it was stopped" : "it was updated";
    step->slot = slot;
    step->version = back->request->previous;
    take_names(step, lost);
    struct names names = {step->instances, step->count};
    step->touches = plan_touches(back->b.arena, &names);

    step = back_step(back, STEP_READY, arena_format(back->b.arena, "ready-%s", slot));
    step->title = arena_format(back->b.arena, "wait until %s is ready", slot);
    step->reason = "no traffic before that";
    step->slot = slot;
    step->version = back->request->previous;
    take_names(step, lost);
}

static bool shifted(const struct back *back)
{
    for (size_t i = 0; i < back->count; i++) {
        if (back->request->touched[i] && back->forward[i].kind == STEP_SHIFT &&
            back->forward[i].weight > 0) {
            return true;
        }
    }
    return false;
}

static void verify_step(struct back *back, const char *reason)
{
    const struct rollback_request *request = back->request;
    struct step *step = back_step(back, STEP_VERIFY, "verify");

    step->title =
        request->stable_slot == NULL
            ? arena_format(back->b.arena, "verify that %s serves everything", request->previous)
            : arena_format(back->b.arena, "verify that %s serves everything with %s",
                           request->stable_slot, request->previous);
    step->reason = reason;
    step->slot = request->stable_slot;
    step->version = request->previous;
    step->base_url = back->b.config->url;
}

static void smoke_step(struct back *back)
{
    const char *url = back->b.config->url;
    struct step *step =
        plan_smoke(&back->b, "back-smoke", url != NULL ? url : back->request->stable_url,
                   "the old version works");

    if (step != NULL) {
        step->phase = PHASE_ROLLBACK;
        step->slot = back->request->stable_slot;
        step->version = back->request->previous;
        step->production = true;
    }
}

static void incident_step(struct back *back)
{
    struct step *step = back_step(back, STEP_INCIDENT, "incident");

    step->title = "draft the incident report";
    step->reason = "the search for the cause starts there";
}

static void notify_step(struct back *back)
{
    plan_notify(&back->b, "back-notify");
    back->b.plan->steps.items[back->b.plan->steps.count - 1].phase = PHASE_ROLLBACK;
}

/* Production was reached: what must be shown before anybody may call it over. */
static void prove(struct back *back)
{
    if (back->request->previous != NULL) {
        verify_step(back, "read back, not remembered");
        smoke_step(back);
    }
    incident_step(back);
    notify_step(back);
}

static void back_slots(struct back *back)
{
    bool live = shifted(back);

    if (live) {
        restore_stable(back);
        shift_back(back);
    }
    undo_candidate(back);
    if (live) {
        prove(back);
        return;
    }
    if (back->request->previous != NULL) {
        verify_step(back, back->b.config->keep > 0
                              ? arena_format(back->b.arena, "it never had less; %s", kept(back))
                              : "it never had less");
    }
    notify_step(back);
}

static void back_traffic(struct back *back, const struct step *forward, const char *label,
                         int state)
{
    bool drain = state == STATE_DRAIN;
    struct step *step = back_step(
        back, STEP_SHIFT, arena_format(back->b.arena, "%s-%s", drain ? "drain" : "serve", label));

    step->title =
        arena_format(back->b.arena, drain ? "take %s out of traffic" : "give %s traffic again",
                     format_names(back, forward));
    step->reason = drain ? arena_format(back->b.arena, "may run %s", back->request->version)
                         : arena_format(back->b.arena, "runs %s", back->request->previous);
    if (back->request->previous == NULL) {
        step->reason = "first deployment: no older version can serve";
    }
    step->version = drain ? back->request->version : back->request->previous;
    step->state = state;
    step->touches = "router";
    take_names(step, forward);
}

static void undo_instances(struct back *back, const struct step *forward, const char *label)
{
    const char *names = format_names(back, forward);
    const char *previous = back->request->previous;
    struct step *step = back_step(back, STEP_UNDO, arena_format(back->b.arena, "undo-%s", label));

    step->title = arena_format(back->b.arena, "put %s back on %s", previous, names);
    step->reason = "newest first";
    step->version = previous;
    take_names(step, forward);
    struct names list = {step->instances, step->count};
    step->touches = plan_touches(back->b.arena, &list);

    step = back_step(back, STEP_READY, arena_format(back->b.arena, "ready-%s", label));
    step->title = arena_format(back->b.arena, "wait until %s %s ready", names,
                               list.count == 1 ? "is" : "are");
    step->reason = plan_says_so(back->b.arena, list.count, previous);
    step->version = previous;
    take_names(step, forward);
}

/* A forward id without its verb: "update-web-2" → "web-2". */
static const char *label_of(const struct step *step)
{
    const char *label = step->id;

    while (*label != '\0' && *label != '-') {
        label++;
    }
    return *label == '-' ? label + 1 : step->id;
}

static bool is_drain(const struct back *back, size_t i)
{
    return back->forward[i].kind == STEP_SHIFT && back->forward[i].state == STATE_DRAIN;
}

static void undo_part(struct back *back, const struct step *step, const char *label, bool drain)
{
    if (drain) {
        back_traffic(back, step, label, STATE_DRAIN);
    }
    undo_instances(back, step, label);
    back_traffic(back, step, label, STATE_READY);
}

/* The instances of a forward step, newest first, not more at a time than a batch. */
static void undo_parts(struct back *back, const struct step *step, bool drain)
{
    size_t size = back->b.config->batch < 1 ? 1 : (size_t)back->b.config->batch;
    const char *label = label_of(step);

    if (step->count <= size && step->kind != STEP_READY) {
        undo_part(back, step, label, drain);
        return;
    }
    for (size_t end = step->count, n = 1; end > 0; n++) {
        size_t first = end > size ? end - size : 0;
        struct step part = *step;
        part.instances = &step->instances[first];
        part.count = end - first;
        undo_part(back, &part,
                  size == 1 ? part.instances[0] : arena_format(back->b.arena, "%s-%zu", label, n),
                  drain);
        end = first;
    }
}

/* Forward step i was an update that may have happened. */
static void undo_one(struct back *back, size_t i)
{
    const struct step *step = &back->forward[i];

    if (back->request->previous == NULL) {
        back_traffic(back, step, label_of(step), STATE_DRAIN);
    } else {
        undo_parts(back, step, i > 0 && is_drain(back, i - 1));
    }
}

/* A READY without an update: an earlier run had updated these. */
static void undo_adopted(struct back *back, const struct step *ready)
{
    if (!text_equal(back->request->previous, back->request->version)) {
        undo_parts(back, ready, true);
    }
}

static bool is_adopted(const struct back *back, size_t i)
{
    return back->forward[i].kind == STEP_READY &&
           (i == 0 || back->forward[i - 1].kind != STEP_DEPLOY);
}

static void back_rolling(struct back *back)
{
    bool old = back->request->previous != NULL;

    for (size_t i = back->count; i-- > 0;) {
        const struct step *step = &back->forward[i];
        bool touched = back->request->touched[i];
        bool next = i + 1 < back->count && back->request->touched[i + 1];
        if (touched && step->kind == STEP_DEPLOY) {
            undo_one(back, i);
        } else if (old && is_adopted(back, i)) {
            undo_adopted(back, step);
        } else if (old && touched && is_drain(back, i) && !next) {
            undo_parts(back, step, false); /* what an earlier run had begun may be drained here */
        }
    }
    prove(back);
}

void plan_rollback(struct arena *arena, const struct rollback_request *request, struct steps *out)
{
    struct plan plan = {.strategy = request->strategy, .version = request->version};
    struct back back = {
        .b = {.arena = arena, .config = request->config, .plan = &plan},
        .request = request,
        .forward = request->steps->items,
        .count = request->steps->count,
    };

    if (touched_any(&back)) {
        if (request->strategy == STRATEGY_ROLLING) {
            back_rolling(&back);
        } else {
            back_slots(&back);
        }
    }
    *out = plan.steps;
}

void plan_retire(struct arena *arena, const struct config *config, const char *slot,
                 struct steps *out)
{
    struct plan plan = {.strategy = STRATEGY_NONE};
    struct builder b = {.arena = arena, .config = config, .plan = &plan};
    struct step *step = plan_step(&b, STEP_RETIRE, arena_format(arena, "later-retire-%s", slot));

    step->title = arena_format(arena, "stop %s", slot);
    step->reason = "standby is over; it serves nothing";
    step->slot = slot;
    step->touches = arena_format(arena, "slot %s", slot);
    plan_notify(&b, "later-notify");
    *out = plan.steps;
}
