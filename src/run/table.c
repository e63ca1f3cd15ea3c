/* SPDX-License-Identifier: Apache-2.0
 *
 * The run as tables: the one source for the state file.
 */
#include "arena.h"
#include "json.h"
#include "run.h"
#include "valid.h"

#define TEXT(type, member)                                           \
    {                                                                \
#member, JSON_TEXT, offsetof(type, member), NULL, NULL, 0, 0 \
    }
#define INT64(type, member)                                           \
    {                                                                 \
#member, JSON_INT64, offsetof(type, member), NULL, NULL, 0, 0 \
    }
#define INT(type, member)                                           \
    {                                                               \
#member, JSON_INT, offsetof(type, member), NULL, NULL, 0, 0 \
    }
#define REAL(type, member)                                           \
    {                                                                \
#member, JSON_REAL, offsetof(type, member), NULL, NULL, 0, 0 \
    }
#define ENUM(type, member, names)                                     \
    {                                                                 \
#member, JSON_ENUM, offsetof(type, member), names, NULL, 0, 0 \
    }
#define STRUCT(type, member, fields)                                     \
    {                                                                    \
#member, JSON_STRUCT, offsetof(type, member), NULL, fields, 0, 0 \
    }
#define ROWS(type, member, count, fields, row)                                  \
    {                                                                           \
#member, JSON_ARRAY, offsetof(type, member), NULL, fields, sizeof(row), \
            offsetof(type, count)                                               \
    }
#define END                                  \
    {                                        \
        NULL, JSON_TEXT, 0, NULL, NULL, 0, 0 \
    }

static const char *const direction_names[] = {"forward", "backward", NULL};
static const char *const arm_names[] = {"stable", "candidate", "all", NULL};

static const struct json_field run_step_fields[] = {
    STRUCT(struct run_step, step, step_fields),
    ENUM(struct run_step, status, step_status_names),
    ENUM(struct run_step, direction, direction_names),
    INT64(struct run_step, started),
    INT64(struct run_step, ended),
    INT(struct run_step, attempts),
    TEXT(struct run_step, evidence),
    TEXT(struct run_step, error),
    END,
};

static const struct json_field check_fields[] = {
    TEXT(struct run_check, step),    TEXT(struct run_check, group),
    TEXT(struct run_check, name),    TEXT(struct run_check, role),
    INT(struct run_check, verdict),  TEXT(struct run_check, evidence),
    INT64(struct run_check, at),     INT64(struct run_check, took_ms),
    INT(struct run_check, attempts), END,
};

static const struct json_field metric_fields[] = {
    TEXT(struct run_metric, slo),       TEXT(struct run_metric, kind),
    TEXT(struct run_metric, unit),      TEXT(struct run_metric, source),
    REAL(struct run_metric, baseline),  REAL(struct run_metric, value),
    REAL(struct run_metric, worst),     REAL(struct run_metric, limit),
    REAL(struct run_metric, target),    REAL(struct run_metric, bad),
    REAL(struct run_metric, requests),  REAL(struct run_metric, baseline_requests),
    TEXT(struct run_metric, judgement), TEXT(struct run_metric, detail),
    INT64(struct run_metric, window),   END,
};

static const struct json_field event_fields[] = {
    INT64(struct run_event, at),
    ENUM(struct run_event, kind, event_kind_names),
    TEXT(struct run_event, severity),
    TEXT(struct run_event, text),
    INT64(struct run_event, resolved),
    TEXT(struct run_event, resolution),
    END,
};

static const struct json_field signature_fields[] = {
    TEXT(struct run_signature, role), TEXT(struct run_signature, who),
    TEXT(struct run_signature, step), TEXT(struct run_signature, comment),
    INT64(struct run_signature, at),  END,
};

static const struct json_field attempt_fields[] = {
    TEXT(struct run_attempt, host),
    TEXT(struct run_attempt, how),
    INT64(struct run_attempt, pid),
    INT64(struct run_attempt, started),
    INT64(struct run_attempt, ended),
    TEXT(struct run_attempt, outcome),
    END,
};

static const struct json_field sample_fields[] = {
    INT64(struct run_sample, at),   REAL(struct run_sample, seconds), REAL(struct run_sample, bad),
    REAL(struct run_sample, total), REAL(struct run_sample, gauge),   END,
};

static const struct json_field stream_fields[] = {
    TEXT(struct run_stream, slo),
    ENUM(struct run_stream, arm, arm_names),
    ROWS(struct run_stream, samples, count, sample_fields, struct run_sample),
    END,
};

static const struct json_field watch_fields[] = {
    TEXT(struct run_watch, step),
    INT64(struct run_watch, begun),
    INT64(struct run_watch, observed_ms),
    INT64(struct run_watch, nodata_since),
    INT(struct run_watch, drifts),
    ROWS(struct run_watch, streams, count, stream_fields, struct run_stream),
    END,
};

static const struct json_field run_fields[] = {
    INT(struct run, schema),
    INT64(struct run, sequence),
    TEXT(struct run, id),
    TEXT(struct run, app),
    TEXT(struct run, project),
    TEXT(struct run, commit),
    TEXT(struct run, run_url),
    TEXT(struct run, run_key),
    TEXT(struct run, environment),
    ENUM(struct run, strategy, strategy_names),
    TEXT(struct run, version),
    TEXT(struct run, previous),
    TEXT(struct run, image),
    TEXT(struct run, stable_slot),
    TEXT(struct run, candidate_slot),
    TEXT(struct run, config_path),
    TEXT(struct run, config_hash),
    TEXT(struct run, plan_hash),
    TEXT(struct run, guidance),
    {"reviewers", JSON_TEXTS, offsetof(struct run, reviewers.items), NULL, NULL, 0,
     offsetof(struct run, reviewers.count)},
    INT64(struct run, started),
    INT64(struct run, updated),
    INT64(struct run, ended),
    ENUM(struct run, status, run_status_names),
    INT(struct run, exit_code),
    ENUM(struct run, direction, direction_names),
    TEXT(struct run, headline),
    TEXT(struct run, trigger),
    TEXT(struct run, trigger_id),
    TEXT(struct run, trigger_detail),
    INT64(struct run, breached),
    INT64(struct run, acted),
    INT64(struct run, retire_at),
    REAL(struct run, availability_ok),
    REAL(struct run, availability_polls),
    INT64(struct run, downtime_ms),
    INT64(struct run, paused_ms),
    ROWS(struct run, steps, step_count, run_step_fields, struct run_step),
    ROWS(struct run, checks, check_count, check_fields, struct run_check),
    ROWS(struct run, metrics, metric_count, metric_fields, struct run_metric),
    ROWS(struct run, events, event_count, event_fields, struct run_event),
    ROWS(struct run, signatures, signature_count, signature_fields, struct run_signature),
    ROWS(struct run, attempts, attempt_count, attempt_fields, struct run_attempt),
    STRUCT(struct run, watch, watch_fields),
    END,
};

struct json *run_save(const struct run *run)
{
    struct run copy = *run;

    copy.schema = RUN_SCHEMA;
    return json_save(run_fields, &copy);
}

static int check_schema(const struct json *json, struct error *err)
{
    double schema = 0;

    if (!json_is_object(json)) {
        return error_set(err, ERROR_STATE, "state is not a JSON object");
    }
    if (!json_number(json_get(json, "schema"), &schema)) {
        return error_set(err, ERROR_STATE,
                         "state has no schema number: no state file of deploy-action");
    }
    if (schema > RUN_SCHEMA) {
        return error_set(err, ERROR_STATE,
                         "state was written by a newer version (schema %.0f, this one knows %d): "
                         "use the newer deploy-action",
                         schema, RUN_SCHEMA);
    }
    if (schema != RUN_SCHEMA) {
        return error_set(err, ERROR_STATE, "state has the unknown schema %g", schema);
    }
    return 0;
}

int run_load(const struct json *json, struct run *out, struct arena *arena, struct error *err)
{
    struct error why = {0};
    struct run run = {0};

    if (check_schema(json, err) != 0) {
        return -1;
    }
    if (json_load(json, run_fields, &run, arena, &why) != 0) {
        return error_set(err, ERROR_STATE, "state: %s", why.message);
    }
    if (run_valid(&run, arena, err) != 0) {
        return -1;
    }
    *out = run;
    return 0;
}
