/* SPDX-License-Identifier: Apache-2.0
 *
 * The run as tables: the one source for the state file.
 */
#include "arena.h"
#include "json_rows.h"
#include "run.h"
#include "valid.h"

static const char *const direction_names[] = {"forward", "backward", NULL};
static const char *const arm_names[] = {"stable", "candidate", "all", NULL};

static const struct json_field run_step_fields[] = {
    ROW_STRUCT(struct run_step, step, step_fields),
    ROW_ENUM(struct run_step, status, step_status_names),
    ROW_ENUM(struct run_step, direction, direction_names),
    ROW_INT64(struct run_step, started),
    ROW_INT64(struct run_step, ended),
    ROW_INT(struct run_step, attempts),
    ROW_TEXT(struct run_step, evidence),
    ROW_TEXT(struct run_step, error),
    ROW_END,
};

static const struct json_field check_fields[] = {
    ROW_NAME(struct run_check, step),    ROW_NAME(struct run_check, group),
    ROW_TEXT(struct run_check, name),    ROW_NAME(struct run_check, role),
    ROW_INT(struct run_check, verdict),  ROW_TEXT(struct run_check, evidence),
    ROW_INT64(struct run_check, at),     ROW_INT64(struct run_check, took_ms),
    ROW_INT(struct run_check, attempts), ROW_END,
};

static const struct json_field metric_fields[] = {
    ROW_NAME(struct run_metric, slo),       ROW_NAME(struct run_metric, kind),
    ROW_NAME(struct run_metric, unit),      ROW_NAME(struct run_metric, source),
    ROW_REAL(struct run_metric, baseline),  ROW_REAL(struct run_metric, value),
    ROW_REAL(struct run_metric, worst),     ROW_REAL(struct run_metric, limit),
    ROW_REAL(struct run_metric, target),    ROW_REAL(struct run_metric, bad),
    ROW_REAL(struct run_metric, requests),  ROW_REAL(struct run_metric, baseline_requests),
    ROW_NAME(struct run_metric, judgement), ROW_TEXT(struct run_metric, detail),
    ROW_INT64(struct run_metric, window),   ROW_END,
};

static const struct json_field event_fields[] = {
    ROW_INT64(struct run_event, at),
    ROW_ENUM(struct run_event, kind, event_kind_names),
    ROW_NAME(struct run_event, severity),
    ROW_TEXT(struct run_event, text),
    ROW_INT64(struct run_event, resolved),
    ROW_TEXT(struct run_event, resolution),
    ROW_END,
};

static const struct json_field signature_fields[] = {
    ROW_NAME(struct run_signature, role), ROW_TEXT(struct run_signature, who),
    ROW_NAME(struct run_signature, step), ROW_TEXT(struct run_signature, comment),
    ROW_INT64(struct run_signature, at),  ROW_END,
};

static const struct json_field attempt_fields[] = {
    ROW_TEXT(struct run_attempt, host),
    ROW_NAME(struct run_attempt, how),
    ROW_INT64(struct run_attempt, pid),
    ROW_INT64(struct run_attempt, started),
    ROW_INT64(struct run_attempt, ended),
    ROW_NAME(struct run_attempt, outcome),
    ROW_END,
};

static const struct json_field sample_fields[] = {
    ROW_INT64(struct run_sample, at),   ROW_REAL(struct run_sample, seconds),
    ROW_REAL(struct run_sample, bad),   ROW_REAL(struct run_sample, total),
    ROW_REAL(struct run_sample, gauge), ROW_END,
};

static const struct json_field stream_fields[] = {
    ROW_NAME(struct run_stream, slo),
    ROW_ENUM(struct run_stream, arm, arm_names),
    ROW_ARRAY(struct run_stream, samples, count, sample_fields, struct run_sample),
    ROW_END,
};

static const struct json_field watch_fields[] = {
    ROW_NAME(struct run_watch, step),
    ROW_INT64(struct run_watch, begun),
    ROW_INT64(struct run_watch, observed_ms),
    ROW_INT64(struct run_watch, nodata_since),
    ROW_INT(struct run_watch, drifts),
    ROW_ARRAY(struct run_watch, streams, count, stream_fields, struct run_stream),
    ROW_END,
};

static const struct json_field run_fields[] = {
    ROW_INT(struct run, schema),
    ROW_INT64(struct run, sequence),
    ROW_NAME(struct run, id),
    ROW_NAME(struct run, app),
    ROW_NAME(struct run, project),
    ROW_NAME(struct run, commit),
    ROW_TEXT(struct run, run_url),
    ROW_NAME(struct run, run_key),
    ROW_NAME(struct run, environment),
    ROW_ENUM(struct run, strategy, strategy_names),
    ROW_NAME(struct run, version),
    ROW_NAME(struct run, previous),
    ROW_TEXT(struct run, image),
    ROW_NAME(struct run, stable_slot),
    ROW_NAME(struct run, candidate_slot),
    ROW_NAME(struct run, config_path),
    ROW_NAME(struct run, config_hash),
    ROW_NAME(struct run, plan_hash),
    ROW_TEXT(struct run, guidance),
    {"reviewers", JSON_TEXTS, offsetof(struct run, reviewers.items), NULL, NULL, 0,
     offsetof(struct run, reviewers.count)},
    ROW_INT64(struct run, started),
    ROW_INT64(struct run, updated),
    ROW_INT64(struct run, ended),
    ROW_ENUM(struct run, status, run_status_names),
    ROW_INT(struct run, exit_code),
    ROW_ENUM(struct run, direction, direction_names),
    ROW_TEXT(struct run, headline),
    ROW_NAME(struct run, trigger),
    ROW_TEXT(struct run, trigger_id),
    ROW_TEXT(struct run, trigger_detail),
    ROW_INT64(struct run, breached),
    ROW_INT64(struct run, acted),
    ROW_INT64(struct run, retire_at),
    ROW_REAL(struct run, availability_ok),
    ROW_REAL(struct run, availability_polls),
    ROW_INT64(struct run, downtime_ms),
    ROW_INT64(struct run, paused_ms),
    ROW_ARRAY(struct run, steps, step_count, run_step_fields, struct run_step),
    ROW_ARRAY(struct run, checks, check_count, check_fields, struct run_check),
    ROW_ARRAY(struct run, metrics, metric_count, metric_fields, struct run_metric),
    ROW_ARRAY(struct run, events, event_count, event_fields, struct run_event),
    ROW_ARRAY(struct run, signatures, signature_count, signature_fields, struct run_signature),
    ROW_ARRAY(struct run, attempts, attempt_count, attempt_fields, struct run_attempt),
    ROW_STRUCT(struct run, watch, watch_fields),
    ROW_END,
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
