/* SPDX-License-Identifier: Apache-2.0
 *
 * run → report model (JSON) → template → document. What was not recorded is written as
 * "not recorded", never invented. Knows neither engine nor drivers.
 */
#ifndef REPORT_H
#define REPORT_H

#include "run.h"

struct config;
struct json;

enum document {
    DOCUMENT_REPORT,    /* S-288…S-332, in that order */
    DOCUMENT_INCIDENT,  /* draft of the incident report, after a rollback */
    DOCUMENT_PREFLIGHT, /* the pre-flight checklist, S-103 */
    DOCUMENT_SMOKE,     /* the smoke checklist, S-198 */
    DOCUMENTS
};
extern const char *const document_templates[]; /* "report.md", … */

/* Everything a template may name; json_free. Pure. */
struct json *report_model(struct arena *arena, const struct run *run, const struct config *config);

/* The template: config->template_path/NAME, or that path itself for the report; the AIWG
 * tree where it is "aiwg" (S-036…S-041, D-21); else the one inside the binary. */
struct report_request {
    const struct run *run;
    const struct config *config;
    enum document document;
};
MUST_CHECK int report_render(struct arena *arena, const struct report_request *request,
                             struct buf *out, struct error *err);

/* Whether every template can be found: before a run begins, not when it has ended (S-041). */
MUST_CHECK int report_check_templates(struct arena *arena, const struct config *config,
                                      struct error *err);

/* What a failure means and what to do now, word for word as S-339…S-363 have it; one line
 * an item, ended by NULL; empty after a success. */
const char *const *report_messages(struct arena *arena, const struct run *run);

/* `status`: a few lines for a terminal. */
void report_status(struct buf *out, struct arena *arena, const struct run *run);

/* Where the AIWG templates are: S-036…S-040. *fallback: nothing was found. */
const char *report_aiwg_root(struct arena *arena, bool *fallback);

/* "incident-INC-20261124-1f2e" : the id used in file name and report. */
const char *report_incident_id(struct arena *arena, const struct run *run);

#endif
