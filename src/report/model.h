/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the report share. Every value of the model is text, ready to be shown.
 */
#ifndef MODEL_H
#define MODEL_H

#include "json.h"
#include "report.h"

#define NOT_RECORDED "not recorded"

struct model {
    struct arena *arena;
    const struct run *run;
    const struct config *config;
    struct json *root;
};

void model_set(const struct model *model, struct json *object, const char *key, const char *format,
               ...) PRINTF_LIKE(4, 5);
const char *model_time(const struct model *model, int64_t at);
const char *model_span(const struct model *model, int64_t from, int64_t to);
const char *model_minutes(const struct model *model, int64_t from, int64_t to);
/* An array of texts, so that a template can walk it. */
struct json *model_list(struct json *object, const char *key);

void model_head(const struct model *model);     /* header, timeline, milestones */
void model_strategy(const struct model *model); /* strategy details */
void model_checks(const struct model *model);   /* gates, environment, artifacts, smoke */
void model_metrics(const struct model *model);  /* SLOs and business metrics */
void model_story(const struct model *model);    /* issues, rollback, lessons, runbook */
void model_foot(const struct model *model);     /* sign-offs, references, footer */

/* "SUCCESS" "ROLLBACK" "FAILED", or the state of a run that has not ended (D-12). */
const char *model_status(const struct run *run);
size_t count_events(const struct run *run, enum event_kind kind);

#endif
