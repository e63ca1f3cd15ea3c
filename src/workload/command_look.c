/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"
#include "clock.h"
#include "command.h"
#include "inputs.h"
#include "loop.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LOOKED_AT_ONCE 16
#define LOOK_AGAIN_MS 200
#define EXIT_NOT_READY 75 /* of `status`: it runs, but cannot serve yet */

static const char *image_of(const struct workload *workload, const char *version,
                            struct arena *arena)
{
    const struct variable chosen[] = {{"version", version}, {NULL, NULL}};
    return field_expand(arena, workload->context->config->image,
                        driver_variables(workload->context, chosen, arena));
}

struct process_spec command_spec(const struct workload *workload, const struct command *command,
                                 const struct subject *subject, struct arena *arena)
{
    struct variable more[7];
    size_t count = 0;
    const struct instance *instance = subject->instance;
    if (instance) {
        more[count++] = (struct variable){"instance", instance->name};
        more[count++] = (struct variable){"server", instance->server};
    }
    if (instance && instance->url) {
        more[count++] = (struct variable){"base_url", instance->url};
    }
    more[count++] = (struct variable){"slot", instance ? instance->slot : subject->slot};
    if (subject->version) {
        more[count++] = (struct variable){"version", subject->version};
        more[count++] = (struct variable){"image", image_of(workload, subject->version, arena)};
    }
    more[count] = (struct variable){NULL, NULL};
    return driver_process(workload->context, command, more, arena);
}

/* `restarts=3` among the words of text: 3; -1: not told. */
static int number_after(const char *text, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
        const bool first = at == text || isspace((unsigned char)at[-1]);
        if (first && isdigit((unsigned char)at[length])) {
            const long number = strtol(at + length, NULL, 10);
            return number > 1000000 ? 1000000 : (int)number;
        }
    }
    return -1;
}

static bool is_broken(const struct process_result *result)
{
    return result->error.kind == ERROR_NOTFOUND || result->error.kind == ERROR_DENIED ||
           result->exit_code == 126 || result->exit_code == 127;
}

static enum life life_of(const struct process_result *result)
{
    if (result->error.kind != ERROR_NONE || is_broken(result)) {
        return LIFE_UNSEEN;
    }
    if (result->exit_code == 0) {
        return LIFE_READY;
    }
    return result->exit_code == EXIT_NOT_READY ? LIFE_UP : LIFE_DOWN;
}

static void read_status(const struct operation *operation, struct sight *sight, struct arena *arena)
{
    const struct process_result *result = &operation->result;
    const char *output = result->output.data ? result->output.data : "";
    sight->life = life_of(result);
    sight->broken = is_broken(result);
    sight->state.restarts = number_after(output, "restarts=");
    sight->state.oom_kills = number_after(output, "oom=");
    sight->state.detail = output_last_line(&result->output, arena);
    if (result->error.kind != ERROR_NONE) {
        sight->state.detail = arena_text(arena, result->error.message);
    } else if (sight->life != LIFE_READY) {
        struct error failed;
        process_failed(&operation->process, result, &failed);
        sight->state.detail = arena_text(arena, failed.message);
    }
}

static void read_version(const struct operation *operation, struct sight *sight,
                         struct arena *arena)
{
    const struct process_result *result = &operation->result;
    const bool ended = result->error.kind == ERROR_NONE && result->exit_code == 0;
    const char *version = ended ? output_first_line(&result->output, arena) : NULL;
    struct error why = result->error;
    if (!text_blank(version) && inputs_is_version(version)) {
        sight->state.version = version;
    } else if (!text_blank(version)) {
        /* It would come into our commands: what is none is not believed. */
        sight->state.detail = arena_format(arena, "it says '%s', which is no version", version);
    } else if (sight->life == LIFE_READY) { /* else `status` is nearer to the cause */
        if (ended) {
            error_set(&why, ERROR_FORMAT, "'%s' prints nothing",
                      process_shown(arena, &operation->process));
        } else if (why.kind == ERROR_NONE) {
            process_failed(&operation->process, result, &why);
        }
        sight->state.detail = arena_text(arena, why.message);
    }
}

/* At most LOOKED_AT_ONCE, with both commands of all of them in parallel. */
static int look_some(struct workload *workload, const struct instances *some, struct arena *arena,
                     struct sight *out, struct error *err)
{
    const struct command_settings *settings = workload->settings;
    struct operation *operations = arena_array(arena, some->count * 2, sizeof(*operations));
    for (size_t i = 0; i < some->count; i++) {
        const struct subject subject = {.instance = &some->items[i]};
        struct operation *status = &operations[2 * i], *version = status + 1;
        status->kind = version->kind = OPERATION_PROCESS;
        status->process = command_spec(workload, &settings->status, &subject, arena);
        status->process.timeout_ms = settings->timeouts.status;
        version->process = command_spec(workload, &settings->version, &subject, arena);
        version->process.timeout_ms = settings->timeouts.version;
    }
    const int result = loop_run_all(workload->context->loop, operations, some->count * 2, err);
    for (size_t i = 0; i < some->count; i++) {
        struct operation *status = &operations[2 * i], *version = status + 1;
        struct sight *sight = &out[i];
        *sight = (struct sight){.state.instance = some->items[i]};
        read_status(status, sight, arena);
        read_version(version, sight, arena);
        sight->state.ready = sight->life == LIFE_READY;
        sight->state.unseen = sight->life == LIFE_UNSEEN;
        sight->state.running =
            sight->state.ready || sight->life == LIFE_UP || sight->state.version != NULL;
        operation_release(status);
        operation_release(version);
    }
    return result;
}

int command_look(struct workload *workload, const struct instances *all, struct arena *arena,
                 struct sight *out, struct error *err)
{
    for (size_t from = 0; from < all->count; from += LOOKED_AT_ONCE) {
        struct instances some = {all->items + from, all->count - from};
        if (some.count > LOOKED_AT_ONCE) {
            some.count = LOOKED_AT_ONCE;
        }
        if (look_some(workload, &some, arena, out + from, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static bool is_meant(const struct instance *instance, const struct workload_target *of)
{
    bool meant = !of || (of->slot && text_equal(instance->slot, of->slot));
    for (size_t i = 0; !meant && !of->slot && i < of->count; i++) {
        meant = text_equal(instance->name, of->names[i]);
    }
    return meant;
}

static struct instances choose(const struct workload *workload, const struct workload_target *of,
                               struct arena *arena)
{
    struct instances chosen = {
        .items = arena_array(arena, workload->instances.count, sizeof(*chosen.items))};
    for (size_t i = 0; i < workload->instances.count; i++) {
        if (is_meant(&workload->instances.items[i], of)) {
            chosen.items[chosen.count++] = workload->instances.items[i];
        }
    }
    return chosen;
}

int command_observe(struct workload *workload, const struct workload_target *of,
                    struct arena *arena, struct workload_state *out, struct error *err)
{
    const struct instances chosen = choose(workload, of, arena);
    const size_t count = chosen.count;
    struct sight *sights = arena_array(arena, count, sizeof(*sights));
    struct instance_state *items = arena_array(arena, count, sizeof(*items));
    size_t broken = 0;
    if (command_look(workload, &chosen, arena, sights, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = sights[i].state;
        broken += sights[i].broken ? 1U : 0U;
    }
    if (broken > 0 && broken == count) {
        return error_set(err, ERROR_STATE, "no instance can be looked at: %s", items[0].detail);
    }
    *out = (struct workload_state){items, count};
    return 0;
}

int command_look_at(struct workload *workload, const struct instance *instance, struct arena *arena,
                    struct sight *out, struct error *err)
{
    struct instance copy = *instance;
    const struct instances one = {&copy, 1};
    if (command_look(workload, &one, arena, out, err) < 0) {
        return -1;
    }
    if (out->broken) {
        return error_set(err, ERROR_STATE, "instance '%s': %s", instance->name, out->state.detail);
    }
    return 0;
}

static int pause_for(struct workload *workload, int64_t ms, struct error *err)
{
    struct clock *clock = workload->context->clock;
    return clock->sleep(clock, clock->mono(clock) + ms, err);
}

int command_await(struct workload *workload, const struct instance *instance, enum life wanted,
                  enum life *life, struct error *err)
{
    struct clock *clock = workload->context->clock;
    const struct timeouts *timeouts = &workload->settings->timeouts;
    const int64_t limit = wanted == LIFE_DOWN ? timeouts->down : timeouts->settle;
    const int64_t until = clock->mono(clock) + limit;
    for (;;) {
        __attribute__((cleanup(arena_release))) struct arena arena;
        struct sight sight;
        arena_init(&arena);
        if (command_look_at(workload, instance, &arena, &sight, err) < 0) {
            return -1;
        }
        *life = sight.life;
        if (sight.life == wanted || clock->mono(clock) >= until) {
            return 0;
        }
        if (pause_for(workload, LOOK_AGAIN_MS, err) < 0) {
            return -1;
        }
    }
}
