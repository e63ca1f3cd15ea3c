/* SPDX-License-Identifier: Apache-2.0
 *
 * SLOs and business metrics (S-312…S-317).
 */
#include "arena.h"
#include "model.h"
#include "text.h"

#include <math.h>
#include <string.h>

static const char *shown(const struct model *model, const char *unit, double value)
{
    if (isnan(value))
        return NOT_RECORDED;
    if (text_equal(unit, "%"))
        return arena_format(model->arena, "%.2f%%", value * 100);
    return arena_format(model->arena, "%.1f%s%s", value, text_blank(unit) ? "" : " ",
                        unit == NULL ? "" : unit);
}

static const char *verdict_of(const struct run_metric *metric)
{
    if (metric == NULL || metric->judgement == NULL)
        return NOT_RECORDED;
    return metric->judgement;
}

static const struct run_metric *find_metric(const struct run *run, const char *kind)
{
    for (size_t i = 0; i < run->metric_count; i++) {
        if (text_equal(run->metrics[i].kind, kind))
            return &run->metrics[i];
    }
    return NULL;
}

static const char *change_of(const struct model *model, const struct run_metric *metric)
{
    double change = metric == NULL ? NAN : (metric->value - metric->baseline) / metric->baseline;
    if (isnan(change) || isinf(change))
        return NOT_RECORDED;
    return arena_format(model->arena, "%+.1f%%", change * 100);
}

static void add_slo(const struct model *model, const char *key, const char *kind)
{
    const struct run_metric *metric = find_metric(model->run, kind);
    struct json *row = json_object();
    const char *unit = metric == NULL ? "" : metric->unit;
    json_set(model->root, key, row);
    json_set_text(row, "baseline", shown(model, unit, metric == NULL ? NAN : metric->baseline));
    json_set_text(row, "post", shown(model, unit, metric == NULL ? NAN : metric->value));
    json_set_text(row, "target", shown(model, unit, metric == NULL ? NAN : metric->target));
    json_set_text(row, "limit", shown(model, unit, metric == NULL ? NAN : metric->limit));
    json_set_text(row, "change", change_of(model, metric));
    json_set_text(row, "status", verdict_of(metric));
}

static void add_availability(const struct model *model)
{
    const struct run *run = model->run;
    const struct run_metric *metric = find_metric(run, "availability");
    struct json *row = json_object();
    json_set(model->root, "availability", row);
    double uptime =
        run->availability_polls > 0 ? run->availability_ok / run->availability_polls : NAN;
    json_set_text(row, "uptime", shown(model, "%", uptime));
    if (isnan(uptime))
        json_set_text(row, "downtime", NOT_RECORDED);
    else
        model_set(model, row, "downtime", "%.1f seconds", (double)run->downtime_ms / 1000);
    json_set_text(row, "target", shown(model, "%", metric == NULL ? NAN : metric->target));
    const char *status = verdict_of(metric);
    if (metric != NULL && !isnan(metric->target) && !isnan(uptime))
        status = uptime < metric->target ? "BREACH" : "PASS";
    json_set_text(row, "status", status);
}

static void add_table(const struct model *model)
{
    struct json *list = model_list(model->root, "metrics");
    for (size_t i = 0; i < model->run->metric_count; i++) {
        const struct run_metric *metric = &model->run->metrics[i];
        struct json *row = json_object();
        json_set_text(row, "slo", metric->slo);
        json_set_text(row, "source", metric->source == NULL ? "-" : metric->source);
        json_set_text(row, "baseline", shown(model, metric->unit, metric->baseline));
        json_set_text(row, "value", shown(model, metric->unit, metric->value));
        json_set_text(row, "worst", shown(model, metric->unit, metric->worst));
        json_set_text(row, "limit", shown(model, metric->unit, metric->limit));
        model_set(model, row, "requests", "%.0f", metric->requests);
        model_set(model, row, "bad", "%.0f", metric->bad);
        json_set_text(row, "judgement", verdict_of(metric));
        json_set_text(row, "detail", metric->detail == NULL ? "-" : metric->detail);
        json_append(list, row);
    }
}

void model_metrics(const struct model *model)
{
    add_slo(model, "error_rate", "error-rate");
    add_slo(model, "latency", "latency");
    add_slo(model, "throughput", "throughput");
    add_slo(model, "conversion", "conversion");
    add_slo(model, "activity", "activity");
    add_availability(model);
    add_table(model);
}
