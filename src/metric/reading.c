/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include "http.h"
#include "text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const nothing_names[] = {
    "NO_DATA", "NAN", "MULTI_SERIES", "PARTIAL", "STALE", "UNREACHABLE", "GARBAGE", NULL,
};

struct reading reading_nothing(enum nothing kind, const char *why)
{
    return (struct reading){.kind = READING_NOTHING, .nothing = kind, .why = why, .gauge = NAN};
}

struct reading reading_gauge(double value, const char *why)
{
    if (!isfinite(value)) {
        return reading_nothing(NOTHING_NAN, why);
    }
    return (struct reading){.kind = READING_GAUGE, .gauge = value, .why = why};
}

struct reading reading_series(enum reading_kind kind, const struct metric_query *query,
                              struct arena *arena)
{
    struct reading reading = {.kind = kind, .gauge = NAN, .count = query->count};
    reading.series = arena_array(arena, query->count, sizeof(*reading.series));
    for (size_t i = 0; i < query->count; i++) {
        reading.series[i].target = query->instances[i]->name;
    }
    return reading;
}

struct reading reading_no_instance(const struct metric_query *query, struct arena *arena)
{
    return reading_nothing(NOTHING_NO_DATA, arena_format(arena, "%s: no instance in %s",
                                                         query->slo->name, arm_name(query->arm)));
}

bool reading_not_asked(const char *refused, const struct metric_query *query, struct arena *arena,
                       struct reading *out)
{
    if (refused) {
        *out = reading_nothing(NOTHING_GARBAGE, refused);
    } else if (query->count == 0) {
        *out = reading_no_instance(query, arena);
    }
    return refused || query->count == 0;
}

const char *arm_name(enum arm arm)
{
    switch (arm) {
    case ARM_STABLE:
        return "stable";
    case ARM_CANDIDATE:
        return "candidate";
    case ARM_ALL:
        break;
    }
    return "all";
}

static const char *names_of(const struct metric_query *query, struct arena *arena)
{
    const char *names = "";
    for (size_t i = 0; i < query->count; i++) {
        names = arena_format(arena, "%s%s%s", names, i > 0 ? " " : "", query->instances[i]->name);
    }
    return names;
}

const struct variable *query_variables(const struct driver_context *context,
                                       const struct metric_query *query,
                                       const struct instance *instance, struct arena *arena)
{
    const struct instance *any = instance || query->count == 0 ? instance : query->instances[0];
    const struct variable own[] = {
        {"arm", arm_name(query->arm)},
        {"slot", any && any->slot ? any->slot : ""},
        {"instance", instance ? instance->name : names_of(query, arena)},
        {"server", instance && instance->server ? instance->server : ""},
        {"window", text_of_duration(arena, query->slo->window)},
        /* As in the commands of the workload: an instance's own address where it has one. */
        {instance && instance->url ? "base_url" : NULL, instance ? instance->url : NULL},
        {NULL, NULL},
    };
    return driver_variables(context, own, arena);
}

bool names_arm(const char *text)
{
    static const char *const names[] = {"${arm}", "${instance}", "${slot}", "${server}", NULL};
    for (size_t i = 0; names[i]; i++) {
        if (strstr(text, names[i])) {
            return true;
        }
    }
    return false;
}

const char *url_join(struct arena *arena, const char *base, const char *path)
{
    if (!base) {
        return NULL;
    }
    size_t length = strlen(base);
    while (length > 0 && base[length - 1] == '/') {
        length--;
    }
    while (path && *path == '/') {
        path++;
    }
    if (!path || *path == '\0') {
        return arena_text(arena, base);
    }
    return arena_format(arena, "%s/%s", arena_text_n(arena, base, length), path);
}

bool transfer_failed(const struct http_request *request, const struct http_reply *reply,
                     struct arena *arena, const char **why)
{
    if (reply->error.kind != ERROR_NONE) {
        *why = arena_text(arena, reply->error.message);
        return true;
    }
    if (reply->status >= 200 && reply->status < 300) {
        return false;
    }
    struct error err = {ERROR_NONE, ""};
    (void)http_status_error(request, reply, &err);
    *why = arena_text(arena, err.message);
    return true;
}

enum nothing nothing_of_transfer(const struct http_reply *reply)
{
    return reply->error.kind == ERROR_FORMAT ? NOTHING_GARBAGE : NOTHING_UNREACHABLE;
}

bool number_of(const char *text, double *out)
{
    /* strtod also takes hex, "infinity" and "nan(…)", which no source writes. */
    static const char *const words[] = {"NaN", "nan",  "+Inf", "-Inf", "Inf",
                                        "inf", "+inf", "-inf", NULL};
    static const double values[] = {NAN,      NAN,      INFINITY, -INFINITY,
                                    INFINITY, INFINITY, INFINITY, -INFINITY};
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = values[i];
            return true;
        }
    }
    if (*text == '\0' || strspn(text, "0123456789.eE+-") != strlen(text)) {
        return false;
    }
    char *end = NULL;
    *out = strtod(text, &end);
    return *end == '\0' && end != text;
}

bool counts_possible(double bad, double total, const char *where, struct arena *arena,
                     struct reading *nothing)
{
    if (!isfinite(bad) || !isfinite(total)) {
        *nothing = reading_nothing(NOTHING_NAN, arena_format(arena,
                                                             "%s: a count is NaN or "
                                                             "infinite",
                                                             where));
        return false;
    }
    if (bad < 0 || total < 0) {
        *nothing =
            reading_nothing(NOTHING_GARBAGE, arena_format(arena, "%s: a count below zero", where));
        return false;
    }
    /* Sources read their counters one after the other while requests go on. */
    if (bad > total * 1.01 + 10) {
        *nothing =
            reading_nothing(NOTHING_GARBAGE, arena_format(arena,
                                                          "%s: %.0f errors of %.0f requests: `bad` "
                                                          "counts more than `total`",
                                                          where, bad, total));
        return false;
    }
    return true;
}
