/* SPDX-License-Identifier: Apache-2.0
 *
 * `doctor`: is everything there that a run needs?
 */
#include "cli.h"
#include "file.h"

#include <string.h>
#include <unistd.h>

struct doctor {
    struct session *session;
    struct buf out;
    int bad;
};

static void say(struct doctor *doctor, bool good, const char *what, const char *detail)
{
    buf_addf(&doctor->out, "%s  %s: %s\n", good ? "ok  " : "FAIL", what, detail);
    doctor->bad += good ? 0 : 1;
}

static void look_at_instances(struct doctor *doctor, const struct facts *facts)
{
    struct arena *arena = &doctor->session->arena;
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact_instance *is = &facts->instances[i];
        bool idle = is->share <= 0 && !is->running && !is->unseen;
        say(doctor, is->ready || idle, arena_format(arena, "instance %s", is->name),
            arena_format(arena, "%s, version %s, %.1f %% of the traffic",
                         is->ready     ? "ready"
                         : is->unseen  ? "not to be asked"
                         : is->running ? "not ready"
                                       : "stopped",
                         is->version == NULL ? "unknown" : is->version, is->share * 100));
    }
    if (facts->unclear != NULL)
        say(doctor, false, "production", facts->unclear);
    else
        say(doctor, true, "production",
            arena_format(arena, "%s serves",
                         facts->stable_version == NULL ? "nothing" : facts->stable_version));
}

static bool is_running(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->count; i++) {
        if (text_equal(facts->instances[i].name, name))
            return facts->instances[i].running;
    }
    return false;
}

/* A stopped slot answers nothing: that is no fault. */
static void look_at_sources(struct doctor *doctor, const struct facts *facts)
{
    struct session *session = doctor->session;
    struct engine *engine = &session->engine;
    size_t count = 0;
    const struct instance **instances =
        arena_array(&session->arena, engine->instances.count + 1, sizeof *instances);
    for (size_t i = 0; i < engine->instances.count; i++) {
        if (is_running(facts, engine->instances.items[i].name))
            instances[count++] = &engine->instances.items[i];
    }
    for (size_t i = 0; i < engine->watch.count; i++) {
        const struct gauge_line *line = &engine->watch.lines[i];
        struct metric_query query = {line->slo, ARM_ALL, instances, count};
        struct reading reading = {0};
        if (line->source->driver->read(line->source->metric, &query, 1, &reading,
                                       &session->arena) != 0)
            return;
        bool good = reading.kind != READING_NOTHING;
        say(doctor, good, arena_format(&session->arena, "slo %s", line->slo->name),
            arena_format(&session->arena, "%s: %s%s%s", line->source->name,
                         good ? "readable" : nothing_names[reading.nothing],
                         reading.why == NULL ? "" : ", ", reading.why == NULL ? "" : reading.why));
    }
}

static void look_at_state(struct doctor *doctor)
{
    struct session *session = doctor->session;
    const char *path = session->journal.store->path;
    const char *slash = strrchr(path, '/');
    const char *folder =
        slash == NULL ? "." : arena_text_n(&session->arena, path, (size_t)(slash - path));
    bool writable = access(folder, W_OK) == 0 || (!file_exists(folder) && access(".", W_OK) == 0);
    say(doctor, writable, "state",
        arena_format(&session->arena, "%s %s", path,
                     writable ? "can be written" : "cannot be written"));
}

static void name_permissions(struct doctor *doctor)
{
    const struct config *config = doctor->session->config;
    buf_addf(&doctor->out,
             "permissions: run the commands of workload.%s; %s; read access to each metric source; "
             "write access to the state's folder; nothing else\n",
             config->workload.driver->name,
             strcmp(config->traffic.driver->name, "haproxy") == 0
                 ? "HAProxy's stats socket with `level admin`"
                 : "run the commands of traffic");
}

int command_doctor(struct session *session)
{
    struct error err = {0};
    struct facts facts = {0};
    int code = session_config(session);
    if (code == 0)
        code = session_state(session);
    if (code == 0)
        code = session_engine(session, session->inputs.version, "doctor");
    if (code != 0)
        return code;
    struct doctor doctor = {.session = session};
    buf_init(&doctor.out, 256 * 1024);
    say(&doctor, true, "configuration", session->config->path);
    if (engine_observe(&session->engine, &session->arena, &facts, &err) != 0)
        say(&doctor, false, "world", err.message);
    else
        look_at_instances(&doctor, &facts);
    look_at_sources(&doctor, &facts);
    look_at_state(&doctor);
    name_permissions(&doctor);
    session_print(doctor.out.data);
    buf_release(&doctor.out);
    return doctor.bad == 0 ? 0 : 6;
}
