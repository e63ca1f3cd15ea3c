/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening the drivers, reading the world, beginning a run.
 */
#include "arena.h"
#include "log.h"
#include "parts.h"

#include <string.h>

#define IDLE_MS 250

/* plan/ is pure and knows these by number. */
_Static_assert((int)FACT_SLOTS == (int)WORKLOAD_SLOTS &&
                   (int)FACT_IN_PLACE == (int)WORKLOAD_IN_PLACE &&
                   (int)FACT_COPY == (int)WORKLOAD_COPY,
               "traits of plan.h and workload.h");
_Static_assert((int)STATE_READY == (int)TRAFFIC_READY && (int)STATE_DRAIN == (int)TRAFFIC_DRAIN,
               "states of plan.h and router.h");

/* Drivers keep the pointer. */
static const struct driver_context *context_for(const struct engine *engine,
                                                const struct choice *choice)
{
    struct driver_context *context = ARENA_NEW(engine->context.arena, struct driver_context);
    *context = engine->context;
    context->settings = choice->settings;
    return context;
}

static int open_workload(struct engine *engine, struct error *err)
{
    const struct choice *choice = &engine->context.config->workload;
    const struct driver_context *context = context_for(engine, choice);
    engine->workload = choice->driver->door;
    if (engine->workload->open(context, &engine->workload_handle, err) != 0)
        return -1;
    engine->instances = *engine->workload->instances(engine->workload_handle);
    return 0;
}

static int open_router(struct engine *engine, struct error *err)
{
    const struct choice *choice = &engine->context.config->traffic;
    const struct driver_context *context = context_for(engine, choice);
    engine->router = choice->driver->door;
    return engine->router->open(context, &engine->instances, &engine->router_handle, err);
}

static int open_sources(struct engine *engine, struct error *err)
{
    const struct rows *metrics = &engine->context.config->metrics;
    const struct choice *choices = metrics->items;
    engine->sources =
        arena_array(engine->context.arena, metrics->count + 1, sizeof *engine->sources);
    for (size_t i = 0; i < metrics->count; i++) {
        const struct driver_context *context = context_for(engine, &choices[i]);
        struct source *source = &engine->sources[engine->source_count];
        source->name = choices[i].driver->name;
        source->driver = choices[i].driver->door;
        if (source->driver->open(context, &source->metric, err) != 0)
            return -1;
        engine->source_count++;
    }
    return watch_open(engine, err);
}

int engine_open(struct engine *engine, struct error *err)
{
    arena_init(&engine->tick);
    if (engine->idle == 0)
        engine->idle = IDLE_MS;
    if (open_workload(engine, err) != 0 || open_router(engine, err) != 0)
        return -1;
    return open_sources(engine, err);
}

void engine_close(struct engine *engine)
{
    for (size_t i = 0; i < engine->source_count; i++)
        engine->sources[i].driver->close(engine->sources[i].metric);
    if (engine->router_handle != NULL)
        engine->router->close(engine->router_handle);
    if (engine->workload_handle != NULL)
        engine->workload->close(engine->workload_handle);
    watch_close(engine);
    arena_release(&engine->tick);
}

static double share_of(const struct traffic *traffic, const char *name)
{
    for (size_t i = 0; i < traffic->count; i++) {
        if (strcmp(traffic->items[i].instance.name, name) == 0)
            return traffic->items[i].share;
    }
    return 0;
}

int engine_observe(struct engine *engine, struct arena *arena, struct facts *out, struct error *err)
{
    struct workload_state state = {0};
    struct traffic traffic = {0};
    if (engine->workload->observe(engine->workload_handle, NULL, arena, &state, err) != 0 ||
        engine->router->observe(engine->router_handle, arena, &traffic, err) != 0)
        return -1;
    memset(out, 0, sizeof *out);
    out->traits = engine->workload->traits(engine->workload_handle);
    out->instances = arena_array(arena, state.count + 1, sizeof *out->instances);
    for (size_t i = 0; i < state.count; i++) {
        const struct instance_state *is = &state.items[i];
        out->instances[out->count++] = (struct fact_instance){
            .name = is->instance.name,
            .slot = is->instance.slot,
            .url = is->instance.url,
            .version = is->version,
            .running = is->running,
            .ready = is->ready,
            .share = share_of(&traffic, is->instance.name),
            .detail = is->detail,
            .unseen = is->unseen,
        };
    }
    facts_derive(arena, out);
    return 0;
}

void engine_begin(struct engine *engine, const struct plan *plan)
{
    struct run *run = engine->run;
    struct arena *arena = engine->context.arena;
    const struct config *config = engine->context.config;
    run->schema = RUN_SCHEMA;
    run->id = engine->context.run_id;
    run->app = config->app;
    run->previous = arena_text(arena, plan->previous);
    run->stable_slot = arena_text(arena, plan->stable_slot);
    run->candidate_slot = arena_text(arena, plan->candidate_slot);
    run->config_path = config->path;
    run->config_hash = config->hash;
    run->plan_hash = arena_text(arena, plan->hash);
    run->started = now_wall(engine);
    run->status = RUN_RUNNING;
    run->direction = FORWARD;
    for (size_t i = 0; i < plan->steps.count; i++)
        run_add_step(run, arena, &plan->steps.items[i], FORWARD);
}
