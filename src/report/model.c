/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include "arena.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define VALUE_MAX 4096

void model_set(const struct model *model, struct json *object, const char *key, const char *format,
               ...)
{
    char text[VALUE_MAX];
    va_list arguments;
    (void)model;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_set_text(object, key, text);
}

const char *model_time(const struct model *model, int64_t at)
{
    return at == 0 ? NOT_RECORDED : text_of_time(model->arena, at);
}

const char *model_span(const struct model *model, int64_t from, int64_t to)
{
    if (from == 0 || to < from)
        return NOT_RECORDED;
    int64_t ms = to - from;
    if (ms < 60000)
        return arena_format(model->arena, "%.1f s", (double)ms / 1000);
    return text_of_duration(model->arena, ms / 1000 * 1000);
}

const char *model_minutes(const struct model *model, int64_t from, int64_t to)
{
    if (from == 0 || to < from)
        return NOT_RECORDED;
    return arena_format(model->arena, "%.1f minutes", (double)(to - from) / 60000);
}

struct json *model_list(struct json *object, const char *key)
{
    struct json *list = json_array();
    json_set(object, key, list);
    return list;
}

size_t count_events(const struct run *run, enum event_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < run->event_count; i++)
        count += run->events[i].kind == (int)kind ? 1U : 0U;
    return count;
}

const char *model_status(const struct run *run)
{
    switch ((enum run_status)run->status) {
    case RUN_SUCCEEDED:
        return "SUCCESS";
    case RUN_ROLLED_BACK:
    case RUN_SUPERSEDED:
        return "ROLLBACK";
    case RUN_REFUSED:
    case RUN_FAILED:
    case RUN_BROKEN:
    case RUN_ROLLBACK_FAILED:
        return "FAILED";
    case RUN_RUNNING:
        return "IN PROGRESS";
    case RUN_WAITING:
        return "WAITING";
    case RUN_HELD:
        return "HELD";
    case RUN_CANCELLED:
        return "CANCELLED";
    }
    return NOT_RECORDED;
}

struct json *report_model(struct arena *arena, const struct run *run, const struct config *config)
{
    struct model model = {arena, run, config, json_object()};
    model_head(&model);
    model_strategy(&model);
    model_checks(&model);
    model_metrics(&model);
    model_story(&model);
    model_foot(&model);
    return model.root;
}
