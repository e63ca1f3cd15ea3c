/* SPDX-License-Identifier: Apache-2.0 */
#include "build.h"
#include "json_rows.h"

#include <string.h>

#define COLUMNS 100
#define ID_COLUMNS 24
#define PRINT_MAX ((size_t)1 << 20)

/* Characters, not bytes: UTF-8 continuation bytes take no column. */
static size_t columns_of(const char *text, size_t length)
{
    size_t columns = 0;

    for (size_t i = 0; i < length; i++) {
        columns += ((unsigned char)text[i] & 0xC0) != 0x80;
    }
    return columns;
}

static void add_spaces(struct buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_add(out, " ", 1);
    }
}

/* Words from column `at` on; further lines are indented by `indent`. A word longer than a
 * line is left whole: it is a URL that somebody may want to copy. */
static void wrap(struct buf *out, const char *text, size_t at, size_t indent)
{
    bool begin = true;

    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        size_t columns = columns_of(text, length);
        if (!begin && at + 1 + columns > COLUMNS) {
            buf_adds(out, "\n");
            add_spaces(out, indent);
            at = indent;
            begin = true;
        }
        if (!begin) {
            buf_adds(out, " ");
            at++;
        }
        buf_add(out, text, length);
        at += columns;
        begin = false;
        text += length;
        text += strspn(text, " ");
    }
    buf_adds(out, "\n");
}

static void wrap_safe(struct buf *out, const char *text, size_t at, size_t indent)
{
    AUTO_BUF struct buf safe;

    buf_init(&safe, PRINT_MAX);
    text_to_terminal(&safe, text);
    wrap(out, safe.data, at, indent);
}

static int64_t watching(const struct steps *steps)
{
    int64_t sum = 0;

    for (size_t i = 0; i < steps->count; i++) {
        if (steps->items[i].kind == STEP_WATCH) {
            sum += steps->items[i].duration;
        }
    }
    return sum;
}

static bool has_name(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (text_equal(names->items[i], name)) {
            return true;
        }
    }
    return false;
}

static void add_names(struct names *names, const struct step *step)
{
    for (size_t i = 0; i < step->count; i++) {
        if (!has_name(names, step->instances[i])) {
            names->items[names->count++] = step->instances[i];
        }
    }
}

static bool changes_instances(const struct step *step)
{
    return step->kind == STEP_DEPLOY || step->kind == STEP_UNDO || step->kind == STEP_RETIRE;
}

/* "router, green-1, green-2" */
static const char *touched(struct arena *arena, const struct steps *steps)
{
    size_t most = 0;
    bool router = false;

    for (size_t i = 0; i < steps->count; i++) {
        most += changes_instances(&steps->items[i]) ? steps->items[i].count : 0;
        router = router || steps->items[i].kind == STEP_SHIFT;
    }
    struct names names = {arena_array(arena, most, sizeof(char *)), 0};
    for (size_t i = 0; i < steps->count; i++) {
        if (changes_instances(&steps->items[i])) {
            add_names(&names, &steps->items[i]);
        }
    }
    const char *list = plan_join(arena, &names);
    if (!router) {
        return names.count == 0 ? "nothing" : list;
    }
    return names.count == 0 ? "router" : arena_format(arena, "router, %s", list);
}

static const char *subject(struct arena *arena, const struct plan *plan)
{
    const char *strategy = strategy_names[plan->strategy];

    if (plan->steps.count > 0 && plan->steps.items[0].phase == PHASE_ROLLBACK) {
        return plan->previous == NULL
                   ? arena_format(arena, "%s way back from %s", strategy, plan->version)
                   : arena_format(arena, "%s way back from %s to %s", strategy, plan->version,
                                  plan->previous);
    }
    if (plan->strategy == STRATEGY_NONE) {
        return "after a deployment";
    }
    return plan->previous == NULL
               ? arena_format(arena, "%s %s, first deployment", strategy, plan->version)
               : arena_format(arena, "%s %s over %s", strategy, plan->version, plan->previous);
}

static const char *headline(struct arena *arena, const struct plan *plan)
{
    if (plan->nothing_to_do) {
        return plan->stable_slot == NULL
                   ? arena_format(arena, "nothing to do: %s serves already", plan->version)
                   : arena_format(arena, "nothing to do: %s serves already, from %s", plan->version,
                                  plan->stable_slot);
    }
    if (plan->steps.count == 0) {
        return "no steps: production was not touched";
    }
    int64_t watched = watching(&plan->steps);
    const char *time = watched == 0 ? ""
                                    : arena_format(arena, "about %s of watching, ",
                                                   text_of_duration(arena, watched));
    return arena_format(arena, "%s: %s, %stouches %s", subject(arena, plan),
                        plan_count(arena, plan->steps.count, "step"), time,
                        touched(arena, &plan->steps));
}

static size_t id_columns(const struct steps *steps)
{
    size_t widest = 0;

    for (size_t i = 0; i < steps->count; i++) {
        size_t columns = columns_of(steps->items[i].id, strlen(steps->items[i].id));
        widest = columns > widest ? columns : widest;
    }
    return widest < ID_COLUMNS ? widest : ID_COLUMNS;
}

static void print_step(struct buf *out, struct arena *arena, size_t number, const struct step *step,
                       size_t ids)
{
    AUTO_BUF struct buf id;
    bool quiet = text_equal(step->touches, "nothing");
    const char *text =
        arena_format(arena, "%s — %s%s%s%s", step->title, step->reason, quiet ? "" : " [",
                     quiet ? "" : step->touches, quiet ? "" : "]");

    buf_init(&id, PRINT_MAX);
    text_to_terminal(&id, step->id);
    size_t columns = columns_of(id.data, id.length);
    buf_addf(out, "%3zu  %s", number, id.data);
    size_t indent = 5 + ids + 2;
    if (columns > ids) {
        buf_adds(out, "\n");
        add_spaces(out, indent);
    } else {
        add_spaces(out, ids - columns + 2);
    }
    wrap_safe(out, text, indent, indent);
}

void plan_print(struct buf *out, const struct plan *plan)
{
    struct arena arena;
    size_t ids = id_columns(&plan->steps);

    arena_init(&arena);
    wrap_safe(out, headline(&arena, plan), 0, 4);
    if (plan->steps.count > 0) {
        buf_adds(out, "\n");
    }
    for (size_t i = 0; i < plan->steps.count; i++) {
        print_step(out, &arena, i + 1, &plan->steps.items[i], ids);
    }
    if (plan->notes.count > 0) {
        buf_adds(out, "\n");
    }
    for (size_t i = 0; i < plan->notes.count; i++) {
        wrap_safe(out, arena_format(&arena, "note: %s", plan->notes.items[i]), 0, 6);
    }
    arena_release(&arena);
}

static const struct json_field plan_fields[] = {
    ROW_ENUM(struct plan, strategy, strategy_names),
    ROW_NAME(struct plan, version),
    ROW_NAME(struct plan, previous),
    ROW_NAME(struct plan, stable_slot),
    ROW_NAME(struct plan, candidate_slot),
    ROW_BOOL(struct plan, nothing_to_do),
    {.name = "steps",
     .type = JSON_ARRAY,
     .offset = offsetof(struct plan, steps.items),
     .fields = step_fields,
     .size = sizeof(struct step),
     .count_offset = offsetof(struct plan, steps.count)},
    {.name = "notes",
     .type = JSON_TEXTS,
     .offset = offsetof(struct plan, notes.items),
     .count_offset = offsetof(struct plan, notes.count)},
    ROW_END,
};

struct json *plan_json(const struct plan *plan)
{
    struct json *json = json_save(plan_fields, plan);

    json_set_name(json, "hash", plan->hash);
    return json;
}
