/* SPDX-License-Identifier: Apache-2.0 */
#include "prom_answer.h"

#include "json.h"
#include "text.h"

#include <string.h>

#define WORDS_MAX 300

static bool nothing_is(struct reading *nothing, enum nothing kind, const char *subject,
                       const char *what, struct arena *arena)
{
    const char *clean = text_shown(arena, what, strlen(what), WORDS_MAX);
    *nothing = reading_nothing(kind, arena_format(arena, "%s: %s", subject, clean));
    return false;
}

/* status: error. The query is at fault, or the server cannot now. */
static bool api_error(const struct json *json, const char *subject, struct arena *arena,
                      struct reading *nothing)
{
    const char *type = json_text(json_get(json, "errorType"));
    const char *words = json_text(json_get(json, "error"));
    const bool query = text_equal(type, "bad_data") || text_equal(type, "execution") ||
                       text_equal(type, "not_found");
    return nothing_is(nothing, query ? NOTHING_GARBAGE : NOTHING_UNREACHABLE, subject,
                      arena_format(arena, "%s: %s", type ? type : "error", words ? words : "?"),
                      arena);
}

/* Thanos and others answer with what they have and say so only here. */
static bool is_partial(const struct json *json, const char **why)
{
    const char *first = json_text(json_at(json_get(json, "warnings"), 0));
    if (json_bool(json_get(json, "isPartial"))) {
        *why = "a part of the storage did not answer";
        return true;
    }
    *why = first ? first : "warnings";
    return json_size(json_get(json, "warnings")) > 0;
}

/* [1700000000.123, "0.5"] */
static bool read_pair(const struct json *pair, double *at, double *value)
{
    const char *text = json_text(json_at(pair, 1));
    return json_size(pair) == 2 && json_number(json_at(pair, 0), at) && text &&
           number_of(text, value);
}

static const char *read_data(const struct json *data, struct prom_answer *out)
{
    const char *type = json_text(json_get(data, "resultType"));
    const struct json *result = json_get(data, "result");
    if (text_equal(type, "vector") && json_is_array(result)) {
        out->result = result;
        return NULL;
    }
    if (text_equal(type, "scalar")) {
        return read_pair(result, &out->at, &out->scalar) ? NULL : "a scalar that is none";
    }
    if (text_equal(type, "matrix")) {
        return "the query gives a range of values: wrap it in rate() or another function";
    }
    return text_equal(type, "string") ? "the query gives a text" : "no result as Prometheus has it";
}

bool prom_open(const struct operation *operation, const char *subject, struct arena *arena,
               struct prom_answer *out, struct reading *nothing)
{
    const struct http_reply *reply = &operation->reply;
    struct error err;
    const char *why = NULL;
    *out = (struct prom_answer){.json = NULL};
    const bool failed = transfer_failed(&operation->http, reply, arena, &why);
    if (failed && reply->error.kind != ERROR_NONE) {
        return nothing_is(nothing, nothing_of_transfer(reply), subject, why, arena);
    }
    if (json_parse(reply->body.data, reply->body.length, &out->json, &err) != 0 ||
        !json_text(json_get(out->json, "status"))) {
        return nothing_is(nothing, failed ? NOTHING_UNREACHABLE : NOTHING_GARBAGE, subject,
                          failed ? why : "the answer is not from Prometheus' HTTP API", arena);
    }
    if (!text_equal(json_text(json_get(out->json, "status")), "success")) {
        return api_error(out->json, subject, arena, nothing);
    }
    if (is_partial(out->json, &why)) {
        return nothing_is(nothing, NOTHING_PARTIAL, subject, why, arena);
    }
    why = read_data(json_get(out->json, "data"), out);
    return !why || nothing_is(nothing, NOTHING_GARBAGE, subject, why, arena);
}

void prom_release(struct prom_answer *answer)
{
    json_free(answer->json);
    *answer = (struct prom_answer){.json = NULL};
}

const char *prom_sample(const struct json *series, struct om_sample *out, double *at)
{
    const struct json *labels = json_get(series, "metric");
    out->name = "";
    out->label_count = 0;
    for (size_t i = 0; i < json_size(labels); i++) {
        const struct json *label = json_at(labels, i);
        if (out->label_count == OM_LABELS_MAX || !json_text(label)) {
            return "labels that cannot be";
        }
        out->labels[out->label_count++] = (struct om_label){json_key(label), json_text(label)};
    }
    if (json_get(series, "histogram")) {
        return "a native histogram: wrap it in histogram_quantile() or histogram_count() as "
               "`value`";
    }
    return read_pair(json_get(series, "value"), at, &out->value) ? NULL : "a series without value";
}

const char *prom_labels(const struct json *series, struct arena *arena)
{
    const struct json *labels = json_get(series, "metric");
    const char *text = "{";
    for (size_t i = 0; i < json_size(labels) && i < 8; i++) {
        const struct json *label = json_at(labels, i);
        const char *value = json_text(label);
        text = arena_format(arena, "%s%s%s=\"%s\"", text, i > 0 ? "," : "", json_key(label),
                            value ? value : "");
    }
    return arena_format(arena, "%s}", text);
}
