/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "arena.h"

#include <string.h>

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

static const struct field instance_fields[] = {
    {.name = "name",
     .type = FIELD_TEXT,
     .offset = offsetof(struct instance, name),
     .required = true,
     .doc = "Its name: letters, digits, `.`, `_` and `-`."},
    {.name = "slot",
     .type = FIELD_TEXT,
     .offset = offsetof(struct instance, slot),
     .doc = "`blue` or `green`, or any two names: the half that it belongs to. None at all: "
            "the instances are updated in place."},
    {.name = "url",
     .type = FIELD_URL,
     .offset = offsetof(struct instance, url),
     .doc = "Its own address, past the load balancer; `${base_url}` of its commands."},
    {.name = "server",
     .type = FIELD_TEXT,
     .offset = offsetof(struct instance, server),
     .doc = "Its name in the load balancer; default: its name."},
    {.name = NULL},
};

#define LIMIT(key, member, value, sentence)                                                 \
    {                                                                                       \
        .name = (key), .type = FIELD_DURATION, .offset = offsetof(struct timeouts, member), \
        .def = (value), .min = 100, .max = 86400000, .doc = (sentence)                      \
    }

static const struct field timeout_fields[] = {
    LIMIT("start", start, "5m", "The longest time `start` may take."),
    LIMIT("stop", stop, "2m", "The longest time `stop` may take."),
    LIMIT("update", update, "10m", "The longest time `update` may take."),
    LIMIT("status", status, "10s", "The longest time `status` may take."),
    LIMIT("version", version, "10s", "The longest time `version` may take."),
    LIMIT("hook", hook, "5m", "The longest time `promote` and `retire` may take."),
    LIMIT("down", down, "30s", "The longest time from the end of `stop` until `status` fails."),
    LIMIT("settle", settle, "10s",
          "How long an instance that already runs the wanted version, but is not ready, is left "
          "alone before it is started anew."),
    {.name = NULL},
};

#define COMMAND(key, member, needed, sentence)                                                     \
    {                                                                                              \
        .name = (key), .type = FIELD_COMMAND, .offset = offsetof(struct command_settings, member), \
        .required = (needed), .doc = (sentence)                                                    \
    }

const struct field command_fields[] = {
    {.name = "instances",
     .type = FIELD_ROWS,
     .offset = offsetof(struct command_settings, instances),
     .required = true,
     .fields = instance_fields,
     .size = sizeof(struct instance),
     .doc = "Every running copy of the application."},
    COMMAND("start", start, false,
            "Starts ${version} on ${instance}; may be called again for what already runs."),
    COMMAND("stop", stop, false,
            "Stops ${instance}; `status` fails soon after it, and once it is down this does "
            "nothing."),
    COMMAND("update", update, false,
            "Replaces what runs on ${instance} by ${version}; default: `stop`, then `start`."),
    COMMAND("status", status, true,
            "Ends with 0 when ${instance} can serve, with 75 when it runs but cannot serve "
            "yet, else with another code; may print `restarts=3` and `oom=0`."),
    COMMAND("version", version, true,
            "Prints the version that ${instance} itself says it runs; fails when it is down."),
    COMMAND("promote", promote, false,
            "Runs once when the new version has become the stable one; must be repeatable."),
    COMMAND("retire", retire, false,
            "Runs once after the old ${slot} was stopped; must be repeatable."),
    {.name = "timeouts",
     .type = FIELD_SECTION,
     .offset = offsetof(struct command_settings, timeouts),
     .fields = timeout_fields,
     .size = sizeof(struct timeouts),
     .doc = "Time limits of the commands."},
    {.name = NULL},
};

static int refuse(const struct driver_context *context, const char *what, struct error *err)
{
    const struct place *place = &context->config->workload.place;
    return error_set(err, ERROR_CONFIG, "%s:%d:%d: workload.command: %s",
                     place->origin ? place->origin : "deploy.yaml", place->line, place->column,
                     what);
}

#define REFUSE(workload, err, ...) \
    refuse((workload)->context, arena_format((workload)->context->arena, __VA_ARGS__), (err))

static bool name_good(const char *name)
{
    return !text_blank(name) && strlen(name) <= 63 && strspn(name, NAME_CHARACTERS) == strlen(name);
}

static int check_instance(const struct workload *workload, size_t at, struct error *err)
{
    const struct instance *mine = &workload->instances.items[at];
    if (!name_good(mine->name)) {
        return REFUSE(workload, err,
                      "'%s' is no name of an instance: write letters, digits, "
                      "'.', '_' and '-', at most 63",
                      mine->name ? mine->name : "");
    }
    if (mine->slot && !name_good(mine->slot)) {
        return REFUSE(workload, err, "instance '%s': '%s' is no name of a slot", mine->name,
                      mine->slot);
    }
    for (size_t i = 0; i < at; i++) {
        const struct instance *other = &workload->instances.items[i];
        if (text_equal(mine->name, other->name)) {
            return REFUSE(workload, err, "two instances are called '%s'", mine->name);
        }
        if (text_equal(mine->server, other->server)) {
            return REFUSE(workload, err, "instances '%s' and '%s' have the same server '%s'",
                          other->name, mine->name, mine->server);
        }
    }
    return 0;
}

/* The slot of the first instance that is in another slot than `slot`. */
static const char *other_slot(const struct workload *workload, const char *slot)
{
    for (size_t i = 0; i < workload->instances.count; i++) {
        if (!text_equal(workload->instances.items[i].slot, slot)) {
            return workload->instances.items[i].slot;
        }
    }
    return NULL;
}

static size_t slot_size(const struct workload *workload, const char *slot)
{
    size_t size = 0;
    for (size_t i = 0; i < workload->instances.count; i++) {
        size += text_equal(workload->instances.items[i].slot, slot) ? 1U : 0U;
    }
    return size;
}

static int check_slots(const struct workload *workload, struct error *err)
{
    const size_t count = workload->instances.count, without = slot_size(workload, NULL);
    if (without == count) {
        return 0;
    }
    if (without > 0) {
        return REFUSE(workload, err,
                      "%zu of %zu instances have no 'slot': give every instance "
                      "one of two slots, or none of them",
                      without, count);
    }
    const char *one = workload->instances.items[0].slot, *two = other_slot(workload, one);
    if (!two) {
        return REFUSE(workload, err,
                      "all instances are in slot '%s': add as many in a second "
                      "slot, or take 'slot' away to update them in place",
                      one);
    }
    const size_t ones = slot_size(workload, one), twos = slot_size(workload, two);
    if (ones + twos != count) {
        return REFUSE(workload, err, "there are more than two slots: '%s', '%s' and others", one,
                      two);
    }
    if (ones != twos) {
        return REFUSE(workload, err,
                      "slot '%s' has %zu instances and '%s' has %zu: a slot must "
                      "be able to take over from the other",
                      one, ones, two, twos);
    }
    return 0;
}

static int check_commands(const struct workload *workload, struct error *err)
{
    const struct command_settings *settings = workload->settings;
    const bool start = command_given(&settings->start), stop = command_given(&settings->stop);
    const bool slots = workload->traits == WORKLOAD_SLOTS;
    if ((start && stop) || (!slots && command_given(&settings->update))) {
        return 0;
    }
    const char *missing = start ? "stop" : "start";
    const char *version = start ? "" : ", \"${version}\"";
    return REFUSE(workload, err,
                  "'%s' is missing%s; write for example `%s: [./ops/%s, "
                  "\"${instance}\"%s]`",
                  missing, slots ? "" : " (or 'update')", missing, missing, version);
}

static void take_instances(struct workload *workload)
{
    const struct rows *rows = &workload->settings->instances;
    const struct instance *given = rows->items;
    struct instance *items = arena_array(workload->context->arena, rows->count, sizeof(*items));
    for (size_t i = 0; i < rows->count; i++) {
        items[i] = given[i];
        items[i].slot = text_blank(given[i].slot) ? NULL : given[i].slot;
        items[i].server = text_blank(given[i].server) ? given[i].name : given[i].server;
    }
    workload->instances = (struct instances){items, rows->count};
}

int command_open(const struct driver_context *context, struct workload **out, struct error *err)
{
    struct workload *workload = ARENA_NEW(context->arena, struct workload);
    workload->context = driver_keep(context);
    workload->settings = context->settings;
    take_instances(workload);
    for (size_t i = 0; i < workload->instances.count; i++) {
        if (check_instance(workload, i, err) < 0) {
            return -1;
        }
    }
    workload->traits = workload->instances.items[0].slot ? WORKLOAD_SLOTS : WORKLOAD_IN_PLACE;
    if (check_slots(workload, err) < 0 || check_commands(workload, err) < 0) {
        return -1;
    }
    *out = workload;
    return 0;
}
