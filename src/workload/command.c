/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "arena.h"
#include "catalog.h"
#include "log.h"
#include "loop.h"

#include <string.h>

static unsigned traits_of(const struct workload *workload)
{
    return workload->traits;
}

static const struct instances *instances_of(const struct workload *workload)
{
    return &workload->instances;
}

static void close_workload(struct workload *workload)
{
    (void)workload;
}

/* ---- acting ----------------------------------------------------------------------- */

struct job {
    const char *name;
    const struct command *command;
    int64_t timeout;
};

static void tell(const struct workload *workload, const struct job *job,
                 const struct subject *subject, int64_t took_ms)
{
    struct log *log = workload->context->log;
    const char *where = subject->instance ? subject->instance->name : subject->slot;
    if (log) {
        log_line(log, LOG_DETAIL, "%s %s%s%s: %.1f s", job->name, where ? where : "all",
                 subject->version ? " " : "", subject->version ? subject->version : "",
                 (double)took_ms / 1000);
    }
}

static int wrap(const struct subject *subject, struct error *err)
{
    if (subject->instance) {
        return error_wrap(err, "instance '%s'", subject->instance->name);
    }
    return subject->slot ? error_wrap(err, "slot '%s'", subject->slot) : -1;
}

static const char *record_name(const struct workload *workload, const struct job *job,
                               const struct subject *subject, struct arena *arena)
{
    const char *where = subject->instance ? subject->instance->name : subject->slot;
    return arena_format(arena, "%s/%s/%s/%s", workload->context->run_id, subject->step, job->name,
                        where ? where : "all");
}

static bool is_recorded(const struct workload *workload, const struct subject *subject)
{
    return workload->context->records && workload->context->run_id && subject->step;
}

/* What an earlier process's command of this very step came to, by its guard's own words.
 * One that failed is forgotten: it is tried again. */
enum memory { MEMORY_NONE, MEMORY_CUT_OFF, MEMORY_DONE };

static int recall(const struct workload *workload, const struct job *job,
                  const struct subject *subject, enum memory *out, struct error *err)
{
    __attribute__((cleanup(arena_release))) struct arena arena;
    enum recorded recorded;
    int code = 0;
    arena_init(&arena);
    *out = MEMORY_NONE;
    if (!subject->resumed || !is_recorded(workload, subject)) {
        return 0;
    }
    const char *name = record_name(workload, job, subject, &arena);
    if (process_recorded(workload->context->records, name, &recorded, &code, err) < 0) {
        return -1;
    }
    if (recorded == RECORDED_BEGUN) {
        *out = MEMORY_CUT_OFF;
    } else if (recorded == RECORDED_ENDED && code == 0) {
        *out = MEMORY_DONE;
    }
    return 0;
}

static int run(struct workload *workload, const struct job *job, const struct subject *subject,
               struct error *err)
{
    __attribute__((cleanup(arena_release))) struct arena arena;
    arena_init(&arena);
    struct process_spec spec = command_spec(workload, job->command, subject, &arena);
    spec.timeout_ms = job->timeout;
    if (is_recorded(workload, subject)) {
        spec.record = workload->context->records;
        spec.record_name = record_name(workload, job, subject, &arena);
    }
    struct process_result result = {0};
    int outcome = process_run(workload->context->loop, &spec, &result, err);
    if (outcome == 0 && (result.exit_code != 0 || result.signal != 0)) {
        outcome = process_failed(&spec, &result, err);
    }
    const int64_t took = result.took_ms;
    process_result_release(&result);
    if (outcome < 0) {
        return wrap(subject, err);
    }
    tell(workload, job, subject, took);
    return 0;
}

static int run_once(struct workload *workload, const struct job *job, const struct subject *subject,
                    struct error *err)
{
    enum memory memory;
    if (recall(workload, job, subject, &memory, err) < 0) {
        return -1;
    }
    return memory == MEMORY_DONE ? 0 : run(workload, job, subject, err);
}

static int take_down(struct workload *workload, const struct subject *subject, struct error *err)
{
    const struct command_settings *settings = workload->settings;
    const struct job job = {"stop", &settings->stop, settings->timeouts.stop};
    enum life life;
    if (run_once(workload, &job, subject, err) < 0 ||
        command_await(workload, subject->instance, LIFE_DOWN, &life, err) < 0) {
        return -1;
    }
    if (life != LIFE_DOWN) {
        return error_set(err, ERROR_TIMEOUT,
                         "instance '%s' is still up %lld s after its stop command ended",
                         subject->instance->name, (long long)(settings->timeouts.down / 1000));
    }
    return 0;
}

/* Whether there is anything that a start would have to share the instance with. */
static bool occupied(const struct sight *sight)
{
    return sight->life != LIFE_DOWN || sight->state.version != NULL;
}

/* Whether the wanted version is there, given time to become ready where it is not. */
static int is_there(struct workload *workload, const struct subject *subject, struct sight *sight,
                    bool *out, struct error *err)
{
    *out = occupied(sight) && text_equal(sight->state.version, subject->version);
    if (*out && sight->life != LIFE_READY) {
        if (command_await(workload, subject->instance, LIFE_READY, &sight->life, err) < 0) {
            return -1;
        }
        *out = sight->life == LIFE_READY;
    }
    return 0;
}

static int replace(struct workload *workload, const struct subject *subject, const struct job *job,
                   bool in_one, struct error *err)
{
    __attribute__((cleanup(arena_release))) struct arena arena;
    struct sight sight;
    bool there = false;
    arena_init(&arena);
    if (command_look_at(workload, subject->instance, &arena, &sight, err) < 0 ||
        is_there(workload, subject, &sight, &there, err) < 0) {
        return -1;
    }
    if (there) {
        return 0;
    }
    if (!in_one && occupied(&sight) && take_down(workload, subject, err) < 0) {
        return -1;
    }
    return run(workload, job, subject, err);
}

static int put(struct workload *workload, const struct subject *subject, bool by_update,
               struct error *err)
{
    const struct command_settings *settings = workload->settings;
    const bool in_one = by_update && command_given(&settings->update);
    const struct job start = {"start", &settings->start, settings->timeouts.start};
    const struct job update = {"update", &settings->update, settings->timeouts.update};
    const struct job *job = in_one ? &update : &start;
    struct subject now = *subject;
    enum memory memory;
    enum life life;
    if (recall(workload, job, subject, &memory, err) < 0) {
        return -1;
    }
    if (memory == MEMORY_DONE) {
        return 0;
    }
    if (memory == MEMORY_CUT_OFF) {
        /* It may still come up. What was stopped before it is no longer what runs now. */
        now.resumed = false;
        if (command_await(workload, subject->instance, LIFE_READY, &life, err) < 0) {
            return -1;
        }
    }
    return replace(workload, &now, job, in_one, err);
}

static int clear(struct workload *workload, const struct subject *subject, struct error *err)
{
    __attribute__((cleanup(arena_release))) struct arena arena;
    struct sight sight;
    arena_init(&arena);
    if (command_look_at(workload, subject->instance, &arena, &sight, err) < 0) {
        return -1;
    }
    return occupied(&sight) ? take_down(workload, subject, err) : 0;
}

/* ---- verbs ------------------------------------------------------------------------ */

enum act { ACT_START, ACT_UPDATE, ACT_STOP };

static int act_on(struct workload *workload, const struct instance *instance,
                  const struct workload_target *target, enum act act, struct error *err)
{
    const struct subject subject = {instance, instance->slot, target->version, target->step,
                                    target->resumed};
    if (act == ACT_STOP) {
        return clear(workload, &subject, err);
    }
    return put(workload, &subject, act == ACT_UPDATE, err);
}

static int act_on_slot(struct workload *workload, const struct workload_target *target,
                       enum act act, struct error *err)
{
    size_t found = 0;
    for (size_t i = 0; i < workload->instances.count; i++) {
        const struct instance *instance = &workload->instances.items[i];
        if (!text_equal(instance->slot, target->slot)) {
            continue;
        }
        found++;
        if (act_on(workload, instance, target, act, err) < 0) {
            return -1;
        }
    }
    return found > 0 ? 0
                     : error_set(err, ERROR_NOTFOUND, "no instance is in slot '%s'", target->slot);
}

static const struct instance *find(const struct workload *workload, const char *name)
{
    for (size_t i = 0; i < workload->instances.count; i++) {
        if (text_equal(workload->instances.items[i].name, name)) {
            return &workload->instances.items[i];
        }
    }
    return NULL;
}

static int act_on_target(struct workload *workload, const struct workload_target *target,
                         enum act act, struct error *err)
{
    if (target->slot) {
        return act_on_slot(workload, target, act, err);
    }
    for (size_t i = 0; i < target->count; i++) {
        const struct instance *instance = find(workload, target->names[i]);
        if (!instance) {
            return error_set(err, ERROR_NOTFOUND, "no instance is called '%s'", target->names[i]);
        }
        if (act_on(workload, instance, target, act, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static int run_hook(struct workload *workload, const struct workload_target *target,
                    const struct command *command, struct error *err)
{
    const struct job job = {"hook", command, workload->settings->timeouts.hook};
    const struct subject subject = {NULL, target->slot, target->version, target->step,
                                    target->resumed};
    return command_given(command) ? run_once(workload, &job, &subject, err) : 0;
}

static int deploy(struct workload *workload, const struct workload_target *target,
                  struct error *err)
{
    return act_on_target(workload, target, ACT_START, err);
}

static int update(struct workload *workload, const struct workload_target *target,
                  struct error *err)
{
    return act_on_target(workload, target, ACT_UPDATE, err);
}

static int promote(struct workload *workload, const struct workload_target *target,
                   struct error *err)
{
    return run_hook(workload, target, &workload->settings->promote, err);
}

static int undo(struct workload *workload, const struct workload_target *target, struct error *err)
{
    return act_on_target(workload, target, target->slot ? ACT_STOP : ACT_UPDATE, err);
}

static int retire(struct workload *workload, const struct workload_target *target,
                  struct error *err)
{
    if (act_on_target(workload, target, ACT_STOP, err) < 0) {
        return -1;
    }
    return run_hook(workload, target, &workload->settings->retire, err);
}

static const struct workload_driver driver = {
    .open = command_open,
    .traits = traits_of,
    .instances = instances_of,
    .observe = command_observe,
    .deploy = deploy,
    .update = update,
    .promote = promote,
    .undo = undo,
    .retire = retire,
    .close = close_workload,
};

const struct driver_row workload_command_row = {
    .room = "workload",
    .name = "command",
    .doc = "Your own commands start, stop and look at each instance: systemd, docker, ssh, "
           "anything.",
    .fields = command_fields,
    .size = sizeof(struct command_settings),
    .door = &driver,
};
