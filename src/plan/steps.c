/* SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "json_rows.h"

#define MINUTE 60000
#define NAMES_SHOWN 6

enum deadline { NO_DEADLINE, IN_A_MINUTE, UNTIL_READY };

static const struct {
    enum phase phase;
    enum deadline deadline;
} kinds[STEP_KINDS] = {
    [STEP_CHECK] = {PHASE_VALIDATE, IN_A_MINUTE},
    [STEP_BASELINE] = {PHASE_VALIDATE, IN_A_MINUTE},
    [STEP_DEPLOY] = {PHASE_EXECUTE, UNTIL_READY},
    [STEP_READY] = {PHASE_EXECUTE, UNTIL_READY},
    [STEP_SMOKE] = {PHASE_SMOKE, IN_A_MINUTE},
    [STEP_SHIFT] = {PHASE_EXECUTE, IN_A_MINUTE},
    [STEP_WATCH] = {PHASE_WATCH, IN_A_MINUTE},
    [STEP_VALIDATE] = {PHASE_EXECUTE, NO_DEADLINE},
    [STEP_APPROVE] = {PHASE_COMPLETE, NO_DEADLINE},
    [STEP_PROMOTE] = {PHASE_COMPLETE, UNTIL_READY},
    [STEP_RETIRE] = {PHASE_COMPLETE, UNTIL_READY},
    [STEP_NOTIFY] = {PHASE_COMPLETE, IN_A_MINUTE},
    [STEP_UNDO] = {PHASE_ROLLBACK, UNTIL_READY},
    [STEP_VERIFY] = {PHASE_ROLLBACK, IN_A_MINUTE},
    [STEP_INCIDENT] = {PHASE_ROLLBACK, IN_A_MINUTE},
};

const char *const step_kind_names[] = {
    "check",   "baseline", "deploy", "ready",  "smoke", "shift",  "watch",    "validate",
    "approve", "promote",  "retire", "notify", "undo",  "verify", "incident", NULL,
};

const char *const phase_names[] = {
    "validate", "execute", "smoke", "watch", "complete", "rollback", NULL,
};

const struct json_field step_fields[] = {
    ROW_NAME(struct step, id),
    ROW_ENUM(struct step, kind, step_kind_names),
    ROW_ENUM(struct step, phase, phase_names),
    ROW_NAME(struct step, target),
    ROW_TEXT(struct step, title),
    ROW_TEXT(struct step, reason),
    ROW_TEXT(struct step, touches),
    ROW_NAME(struct step, slot),
    ROW_NAMES(struct step, instances, count),
    ROW_NAME(struct step, version),
    ROW_NAME(struct step, group),
    ROW_TEXT(struct step, base_url),
    ROW_REAL(struct step, weight),
    ROW_INT(struct step, state),
    ROW_INT64(struct step, duration),
    ROW_INT64(struct step, deadline),
    ROW_BOOL(struct step, production),
    ROW_END,
};

static bool id_taken(const struct steps *steps, const char *id)
{
    for (size_t i = 0; i < steps->count; i++) {
        if (text_equal(steps->items[i].id, id)) {
            return true;
        }
    }
    return false;
}

static const char *unique_id(struct builder *b, const char *id)
{
    const char *result = id;

    for (int n = 2; id_taken(&b->plan->steps, result); n++) {
        result = arena_format(b->arena, "%s-%d", id, n);
    }
    return result;
}

static int64_t deadline_of(const struct builder *b, enum step_kind kind)
{
    switch (kinds[kind].deadline) {
    case IN_A_MINUTE:
        return MINUTE;
    case UNTIL_READY:
        return b->config->ready_timeout;
    case NO_DEADLINE:
        break;
    }
    return 0;
}

struct step *plan_step(struct builder *b, enum step_kind kind, const char *id)
{
    struct steps *steps = &b->plan->steps;

    id = unique_id(b, id);
    if (steps->count == steps->capacity) {
        steps->items = arena_grow(b->arena, steps->items, steps->count, &steps->capacity,
                                  sizeof *steps->items);
    }
    struct step *step = &steps->items[steps->count++];
    *step = (struct step){
        .id = id,
        .kind = kind,
        .phase = kinds[kind].phase,
        .target = "default",
        .title = "",
        .reason = "",
        .touches = "nothing",
        .weight = -1,
        .state = -1,
        .deadline = deadline_of(b, kind),
    };
    return step;
}

void plan_note(struct builder *b, const char *text)
{
    struct texts *notes = &b->plan->notes;
    const char **items = arena_array(b->arena, notes->count + 1, sizeof *items);

    for (size_t i = 0; i < notes->count; i++) {
        items[i] = notes->items[i];
    }
    items[notes->count] = text;
    notes->items = items;
    notes->count++;
}

const char *plan_join(struct arena *arena, const struct names *names)
{
    const char *text = "";
    size_t shown = names->count > NAMES_SHOWN + 1 ? NAMES_SHOWN : names->count;

    for (size_t i = 0; i < shown; i++) {
        text = arena_format(arena, "%s%s%s", text, i == 0 ? "" : ", ", names->items[i]);
    }
    if (shown < names->count) {
        text = arena_format(arena, "%s and %zu more", text, names->count - shown);
    }
    return text;
}

struct names plan_slot_names(const struct builder *b, const char *slot)
{
    struct names names = {NULL, 0};

    if (b->facts == NULL) {
        return names;
    }
    names.items = arena_array(b->arena, b->facts->count, sizeof *names.items);
    for (size_t i = 0; i < b->facts->count; i++) {
        if (text_equal(b->facts->instances[i].slot, slot)) {
            names.items[names.count++] = b->facts->instances[i].name;
        }
    }
    return names;
}

const char *plan_touches(struct arena *arena, const struct names *names)
{
    if (names->count == 0) {
        return "instances";
    }
    return plan_join(arena, names);
}

void plan_set_names(struct builder *b, struct step *step, struct names names)
{
    step->instances = names.items;
    step->count = names.count;
    step->touches = plan_touches(b->arena, &names);
}

const char *plan_traffic(struct arena *arena, double weight)
{
    if (weight >= 1) {
        return "all traffic";
    }
    return arena_format(arena, "%g %% of traffic", weight * 100);
}

const char *plan_says_so(struct arena *arena, size_t count, const char *version)
{
    return arena_format(arena, "%s so, and that it is %s", count == 1 ? "it says" : "each says",
                        version);
}

const char *plan_count(struct arena *arena, size_t count, const char *noun)
{
    return arena_format(arena, "%zu %s%s", count, noun, count == 1 ? "" : "s");
}
