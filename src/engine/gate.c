/* SPDX-License-Identifier: Apache-2.0
 *
 * CHECK and SMOKE: lists of checks, their answers kept in the run.
 */
#include "arena.h"
#include "log.h"
#include "mask.h"
#include "parts.h"

#include <stdio.h>
#include <string.h>

static int name_index(const char *const names[], const char *name)
{
    for (int i = 0; names[i] != NULL; i++) {
        if (text_equal(names[i], name))
            return i;
    }
    return -1;
}

/* Results of an earlier process's unfinished attempt at the same step are replaced. */
static void forget_checks(struct run *run, const char *step)
{
    size_t kept = 0;
    for (size_t i = 0; i < run->check_count; i++) {
        if (!text_equal(run->checks[i].step, step))
            run->checks[kept++] = run->checks[i];
    }
    run->check_count = kept;
}

static void keep_check(struct engine *engine, const char *step, const char *group,
                       const struct check_call *call)
{
    struct arena *arena = engine->context.arena;
    struct run_check *check = run_add_check(engine->run, arena);
    check->step = step;
    check->group = group;
    check->name = arena_text(arena, call->config->name);
    check->role = arena_text(arena, call->config->role);
    check->verdict = (int)call->verdict;
    check->evidence = call->evidence == NULL ? NULL : arena_text(arena, call->evidence);
    check->at = call->started;
    check->took_ms = call->took_ms;
    check->attempts = call->attempts;
}

/* Runs one list; *worst is the worst verdict that blocks, *why the check that gave it. */
static int run_list(struct engine *engine, const struct rows *rows,
                    const struct driver_context *context, struct check_list *list,
                    struct error *err)
{
    list->count = rows->count;
    list->items = arena_array(&engine->tick, rows->count, sizeof *list->items);
    const struct check_config *configs = rows->items;
    for (size_t i = 0; i < rows->count; i++) {
        list->items[i].config = &configs[i];
        list->items[i].settings = configs[i].kind.settings;
        list->items[i].context = context;
    }
    return check_run_all(context, list, err);
}

static bool blocks(const struct check_call *call)
{
    if (call->verdict == VERDICT_PASS)
        return false;
    return call->verdict == VERDICT_FAIL || call->config->on_unknown == UNKNOWN_BLOCKS;
}

static const struct check_call *first_blocking(const struct check_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (blocks(&list->items[i]))
            return &list->items[i];
    }
    return NULL;
}

static void builtin_check(struct engine *engine, const struct run_step *step, const char *name,
                          enum verdict verdict, const char *evidence)
{
    struct run_check *check = run_add_check(engine->run, engine->context.arena);
    check->step = step->step.id;
    check->group = step->step.group;
    check->name = name;
    check->verdict = (int)verdict;
    check->evidence = evidence;
    check->at = now_wall(engine);
    check->attempts = 1;
}

/* The environment gate always asks what we touch ourselves: do the instances that serve say
 * that they are healthy, and does the router answer (S-075, S-083)? */
static int check_world(struct engine *engine, const struct run_step *step, struct error *err)
{
    struct arena *arena = engine->context.arena;
    struct facts facts = {0};
    struct error why = {0};
    if (engine_observe(engine, arena, &facts, &why) != 0) {
        if (why.kind == ERROR_CANCELLED)
            return error_set(err, why.kind, "%s", why.message);
        builtin_check(engine, step, "world", VERDICT_UNKNOWN, arena_text(arena, why.message));
        return error_set(err, ERROR_GATE, "%s: UNKNOWN: %s", step->step.group, why.message);
    }
    size_t serving = 0, ready = 0;
    bool unseen = false;
    const char *first = "";
    for (size_t i = 0; i < facts.count; i++) {
        const struct fact_instance *instance = &facts.instances[i];
        bool serves = instance->share > 0;
        serving += serves ? 1U : 0U;
        ready += serves && instance->ready ? 1U : 0U;
        unseen = unseen || (serves && instance->unseen);
        if (serves && !instance->ready && *first == '\0' && instance->detail != NULL)
            first = arena_format(arena, " (%s: %s)", instance->name, instance->detail);
    }
    const char *evidence =
        arena_format(arena, "%zu of %zu serving instances are ready%s", ready, serving, first);
    bool healthy = ready == serving;
    builtin_check(engine, step, "instances",
                  healthy  ? VERDICT_PASS
                  : unseen ? VERDICT_UNKNOWN
                           : VERDICT_FAIL,
                  evidence);
    builtin_check(engine, step, "router", VERDICT_PASS, "the router answers");
    if (!healthy)
        return error_set(err, ERROR_GATE, "%s: %s", step->step.group, evidence);
    return 0;
}

enum outcome act_check(struct engine *engine, struct run_step *step, struct error *err)
{
    int gate = name_index(gate_names, step->step.group);
    if (gate < 0) {
        error_set(err, ERROR_BUG, "no gate '%s'", step->step.group);
        return OUTCOME_FAILED;
    }
    forget_checks(engine->run, step->step.id);
    if (gate == GATE_ENVIRONMENT && check_world(engine, step, err) != 0)
        return err->kind == ERROR_CANCELLED ? OUTCOME_CANCELLED : OUTCOME_REFUSED;
    struct check_list list = {0};
    const struct rows *rows = &engine->context.config->gates[gate];
    if (run_list(engine, rows, &engine->context, &list, err) != 0)
        return OUTCOME_CANCELLED;
    for (size_t i = 0; i < list.count; i++)
        keep_check(engine, step->step.id, step->step.group, &list.items[i]);
    const struct check_call *no = first_blocking(&list);
    if (no != NULL) {
        error_set(err, ERROR_GATE, "%s: %s: %s: %s", step->step.group, no->config->name,
                  verdict_names[no->verdict], no->evidence == NULL ? "" : no->evidence);
        return OUTCOME_REFUSED;
    }
    size_t asked = list.count + (gate == GATE_ENVIRONMENT ? 2 : 0); /* instances and router */
    step->evidence = arena_format(engine->context.arena, "%zu checks passed", asked);
    return OUTCOME_DONE;
}

static bool is_address(struct engine *engine, const char *known, const char *recorded)
{
    return known != NULL &&
           (text_equal(known, recorded) || text_equal(mask_text(&engine->tick, known), recorded));
}

/* Tests send tokens to where the journal says that they were meant for: only to addresses that
 * deploy.yaml has, too. NULL after an error. */
static const char *smoke_address(struct engine *engine, const struct run_step *step,
                                 struct error *err)
{
    const char *recorded = step->step.base_url, *url = engine->context.config->url;
    if (is_address(engine, url, recorded))
        return url;
    for (size_t i = 0; i < engine->instances.count; i++) {
        const char *own = engine->instances.items[i].url;
        if (is_address(engine, own, recorded))
            return own;
    }
    error_set(err, ERROR_STATE,
              "'%s' is recorded as the address to test, and is none of deploy.yaml", recorded);
    return NULL;
}

/* The run's variables, with base_url and version of what this step tests: after the way back
 * the tests must see the old version. */
static const struct variable *smoke_variables(struct engine *engine, const char *address)
{
    const struct run *run = engine->run;
    const struct variable *base = engine->context.variables;
    size_t count = 0, kept = 0;
    while (base[count].name != NULL)
        count++;
    struct variable *copy = arena_array(&engine->tick, count + 3, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(base[i].name, "base_url") != 0 && strcmp(base[i].name, "version") != 0)
            copy[kept++] = base[i];
    }
    const char *version = run->direction == BACKWARD ? run->previous : run->version;
    copy[kept++] = (struct variable){"base_url", address};
    copy[kept++] = (struct variable){"version", version};
    return copy;
}

static enum outcome smoke_group(struct engine *engine, struct run_step *step, int group,
                                struct error *err)
{
    struct driver_context context = engine->context;
    const char *address = NULL;
    if (step->step.base_url != NULL) {
        address = smoke_address(engine, step, err);
        if (address == NULL)
            return OUTCOME_FAILED;
    }
    context.variables = smoke_variables(engine, address);
    struct check_list list = {0};
    if (run_list(engine, &context.config->smoke[group], &context, &list, err) != 0)
        return OUTCOME_CANCELLED;
    for (size_t i = 0; i < list.count; i++)
        keep_check(engine, step->step.id, smoke_names[group], &list.items[i]);
    const struct check_call *no = first_blocking(&list);
    if (no == NULL)
        return OUTCOME_DONE;
    error_set(err, ERROR_REMOTE, "%s/%s: %s: %s", smoke_names[group], no->config->name,
              verdict_names[no->verdict], no->evidence == NULL ? "" : no->evidence);
    return OUTCOME_FAILED;
}

enum outcome act_smoke(struct engine *engine, struct run_step *step, struct error *err)
{
    forget_checks(engine->run, step->step.id);
    size_t before = engine->run->check_count;
    enum outcome worst = OUTCOME_DONE;
    for (int group = 0; group < SMOKE_GROUPS && worst != OUTCOME_CANCELLED; group++) {
        struct error why = {0};
        enum outcome outcome = smoke_group(engine, step, group, &why);
        if (outcome == OUTCOME_DONE)
            continue;
        if (worst == OUTCOME_DONE)
            *err = why;
        worst = outcome;
    }
    step->evidence = arena_format(engine->context.arena, "%zu tests against %s",
                                  engine->run->check_count - before,
                                  step->step.base_url == NULL ? "no address" : step->step.base_url);
    return worst;
}
