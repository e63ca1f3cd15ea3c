/* SPDX-License-Identifier: Apache-2.0
 *
 * Sign-offs, references, footer (S-326…S-331), and the incident's own fields.
 */
#include "arena.h"
#include "config.h"
#include "file.h"
#include "model.h"
#include "text.h"

#include <string.h>

static const char *const signers[][2] = {{"Deployment Manager", "deployment-manager"},
                                         {"Reliability Engineer", "reliability-engineer"},
                                         {"Operations Lead", "operations-lead"},
                                         {"Release Manager", "release-manager"}};

/* Who validated a batch, or ended a held watch: below the four that every report asks for. */
static void add_other_signatures(const struct model *model, struct json *list)
{
    const struct run *run = model->run;
    for (size_t i = 0; i < run->signature_count; i++) {
        const struct run_signature *signature = &run->signatures[i];
        bool listed = false;
        for (size_t j = 0; j < sizeof signers / sizeof signers[0]; j++)
            listed = listed || text_equal(signature->role, signers[j][1]);
        if (listed)
            continue;
        struct json *row = json_object();
        model_set(model, row, "role", "%s (%s)", signature->role == NULL ? "-" : signature->role,
                  signature->step == NULL ? "-" : signature->step);
        json_set_text(row, "who", signature->who == NULL ? NOT_RECORDED : signature->who);
        json_set_text(row, "at", model_time(model, signature->at));
        json_append(list, row);
    }
}

static void add_signature(const struct model *model, struct json *list, const char *title,
                          const char *role)
{
    const struct run *run = model->run;
    struct json *row = json_object();
    json_set_text(row, "role", title);
    json_set_text(row, "who", NOT_RECORDED);
    json_set_text(row, "at", NOT_RECORDED);
    for (size_t i = 0; i < run->signature_count; i++) {
        if (!text_equal(run->signatures[i].role, role))
            continue;
        json_set_text(row, "who", run->signatures[i].who);
        json_set_text(row, "at", model_time(model, run->signatures[i].at));
    }
    for (size_t i = 0; i < run->check_count; i++) {
        const struct run_check *check = &run->checks[i];
        if (!text_equal(check->role, role) || check->verdict != 1)
            continue;
        json_set_text(row, "who", check->evidence == NULL ? "approved" : check->evidence);
        json_set_text(row, "at", model_time(model, check->at));
    }
    json_append(list, row);
}

static void add_reference(const struct model *model, struct json *list, const char *title,
                          const char *path)
{
    struct json *row = json_object();
    json_set_text(row, "title", title);
    json_set_text(row, "path", path);
    json_set_text(row, "state", file_exists(path) ? "" : "missing");
    json_append(list, row);
    (void)model;
}

static void add_references(const struct model *model)
{
    struct arena *arena = model->arena;
    const struct run *run = model->run;
    struct json *list = model_list(model->root, "references");
    add_reference(model, list, "Deployment Plan",
                  arena_format(arena, "docs/deployment/deployment-plan-%s.md", run->version));
    add_reference(model, list, "Rollback Plan",
                  arena_format(arena, "docs/deployment/rollback-plan-%s.md", run->version));
    add_reference(model, list, "Release Notes",
                  arena_format(arena, "docs/releases/release-notes-%s.md", run->version));
    json_set_text(model->root, "incident_id", report_incident_id(arena, run));
    model_set(model, model->root, "incident_file", "%s/incident-%s.md",
              model->config->incident_path, report_incident_id(arena, run));
}

const char *report_incident_id(struct arena *arena, const struct run *run)
{
    const char *date = text_of_time(arena, run->started);
    const char *tail = run->id == NULL ? "0" : run->id;
    size_t length = strlen(tail);
    return arena_format(arena, "INC-%.4s%.2s%.2s-%s", date, date + 5, date + 8,
                        length > 8 ? tail + length - 8 : tail);
}

static const char *severity_of(const struct run *run)
{
    return run->status == RUN_ROLLBACK_FAILED ? "P0" : "P1";
}

void model_foot(const struct model *model)
{
    struct json *list = model_list(model->root, "signoffs");
    for (size_t i = 0; i < sizeof signers / sizeof signers[0]; i++)
        add_signature(model, list, signers[i][0], signers[i][1]);
    add_other_signatures(model, list);
    add_references(model);
    json_set_text(model->root, "severity", severity_of(model->run));
    struct json *messages = model_list(model->root, "messages");
    const char *const *lines = report_messages(model->arena, model->run);
    for (size_t i = 0; lines[i] != NULL; i++)
        json_append(messages, json_of_text(lines[i]));
}
