/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts about the candidate's instances that need no statistics (S-274…S-276).
 */
#include "arena.h"
#include "log.h"
#include "parts.h"

#include <string.h>

#define CRASH_LOOP_RESTARTS 3 /* more than this … */
#define CRASH_LOOP_MS 300000  /* … in this time (S-274) */
#define UNHEALTHY_SHARE 0.5   /* more than this share of instances (S-276) */

void trigger_record(struct engine *engine, const struct trigger *trigger)
{
    struct run *run = engine->run;
    struct arena *arena = engine->context.arena;
    run->trigger = arena_text(arena, trigger->kind);
    run->trigger_id = arena_text(arena, trigger->id);
    run->trigger_detail = arena_text(arena, trigger->detail);
    run->breached = now_wall(engine);
    engine_event(engine, EVENT_BREACH, "%s: %s: %s", trigger->kind, trigger->id, trigger->detail);
}

static bool fire(struct engine *engine, enum rollback_on bit, const char *id, const char *detail)
{
    if ((engine->context.config->rollback_on & (1U << bit)) == 0) {
        engine_event(engine, EVENT_NOTE, "%s: %s (not in rollback.on)", id, detail);
        return false;
    }
    struct trigger trigger = {"infrastructure", id, detail};
    trigger_record(engine, &trigger);
    return true;
}

static size_t index_of(const struct engine *engine, const char *name)
{
    size_t index = 0;
    while (index < engine->instances.count &&
           strcmp(engine->instances.items[index].name, name) != 0)
        index++;
    return index;
}

/* Restarts in the window, which is never longer than five minutes (S-274). */
static int restarts_of(struct engine *engine, const char *name, int now)
{
    struct watch *watch = &engine->watch;
    size_t index = index_of(engine, name);
    if (watch->restarts == NULL || index >= watch->restart_count)
        return now;
    if (watch->restarts_half[index] < 0)
        watch->restarts_half[index] = now;
    if (watch->restarts[index] < 0)
        watch->restarts[index] = now;
    return now - watch->restarts[index];
}

void trigger_begin(struct engine *engine, const struct step *step)
{
    struct workload_state state = {0};
    struct error why = {0};
    struct watch *watch = &engine->watch;
    size_t count = engine->instances.count;
    watch->restarts = arena_array(&watch->arena, count + 1, sizeof(int));
    watch->restarts_half = arena_array(&watch->arena, count + 1, sizeof(int));
    watch->restart_count = count;
    watch->restart_at = now_wall(engine);
    for (size_t i = 0; i < count; i++)
        watch->restarts[i] = watch->restarts_half[i] = -1;
    /* Who cannot be asked now is counted from when it can. */
    if (step_observe(engine, step, &state, &why) != 0)
        return;
    for (size_t i = 0; i < state.count; i++) {
        if (state.items[i].restarts >= 0)
            restarts_of(engine, state.items[i].instance.name, state.items[i].restarts);
    }
}

/* Every half window the base moves up to where the last half began. */
static void move_bases(struct engine *engine)
{
    struct watch *watch = &engine->watch;
    if (watch->restarts == NULL || now_wall(engine) - watch->restart_at < CRASH_LOOP_MS / 2)
        return;
    int *oldest = watch->restarts;
    watch->restarts = watch->restarts_half;
    watch->restarts_half = oldest;
    watch->restart_at = now_wall(engine);
    for (size_t i = 0; i < watch->restart_count; i++)
        oldest[i] = -1;
}

bool trigger_fires(struct engine *engine, const struct workload_state *state, bool health)
{
    size_t unready = 0;
    move_bases(engine);
    const struct instance_state *first = NULL;
    for (size_t i = 0; i < state->count; i++) {
        const struct instance_state *instance = &state->items[i];
        const char *name = instance->instance.name;
        if (instance->oom_kills > 0)
            return fire(engine, ON_OOM, "oom",
                        arena_format(&engine->tick, "'%s' was killed for its memory", name));
        int restarts = instance->restarts < 0 ? 0 : restarts_of(engine, name, instance->restarts);
        if (restarts > CRASH_LOOP_RESTARTS)
            return fire(engine, ON_CRASH_LOOP, "crash-loop",
                        arena_format(&engine->tick, "'%s' restarted %d times", name, restarts));
        if (!instance->ready && !instance->unseen) {
            unready++;
            first = first == NULL ? instance : first;
        }
    }
    if (!health || state->count == 0 || (double)unready <= UNHEALTHY_SHARE * (double)state->count)
        return false;
    return fire(engine, ON_UNHEALTHY, "unhealthy",
                arena_format(&engine->tick, "%zu of %zu instances are not healthy, first '%s'%s%s",
                             unready, state->count, first->instance.name,
                             text_blank(first->detail) ? "" : ": ",
                             text_blank(first->detail) ? "" : first->detail));
}

static bool is_unseen(const struct workload_state *state)
{
    size_t unseen = 0;
    for (size_t i = 0; i < state->count; i++)
        unseen += state->items[i].unseen ? 1U : 0U;
    return unseen > 0 && unseen == state->count;
}

bool trigger_look(struct engine *engine, const struct step *step)
{
    struct workload_state state = {0};
    struct error why = {0};
    engine->watch.unasked = step_observe(engine, step, &state, &why) != 0 || is_unseen(&state);
    return !engine->watch.unasked && trigger_fires(engine, &state, true);
}
