/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents to files while the run goes; summary and outputs to the CI when it ends.
 */
#include "cli.h"
#include "file.h"
#include "json.h"
#include "mask.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define DOCUMENT_MAX (4 * 1024 * 1024)

static int write_document(struct session *session, enum document document, const char *path,
                          struct error *err)
{
    struct report_request request = {&session->run, session->config, document};
    AUTO_BUF struct buf out;
    buf_init(&out, DOCUMENT_MAX);
    if (report_render(&session->arena, &request, &out, err) != 0)
        return -1;
    const char *slash = strrchr(path, '/');
    if (slash != NULL) {
        const char *folder = arena_text_n(&session->arena, path, (size_t)(slash - path));
        if (file_make_folder(folder, err) != 0)
            return -1;
        file_give(folder);
    }
    const char *text = mask_text(&session->arena, out.data);
    if (file_write(path, text, strlen(text), err) != 0)
        return -1;
    file_give(path);
    return 0;
}

static const char *incident_path(struct session *session)
{
    return arena_format(&session->arena, "%s/incident-%s.md", session->config->incident_path,
                        report_incident_id(&session->arena, &session->run));
}

/* The checklists lie beside the report. */
static const char *beside_report(struct session *session, const char *name)
{
    const char *report = session->config->report_path;
    const char *slash = strrchr(report, '/');
    int folder = slash == NULL ? 0 : (int)(slash - report) + 1;
    return arena_format(&session->arena, "%.*s%s", folder, report, name);
}

static int write_checklists(struct session *session, struct error *err)
{
    const char *preflight = beside_report(session, "preflight.md");
    if (write_document(session, DOCUMENT_PREFLIGHT, preflight, err) != 0)
        return -1;
    return write_document(session, DOCUMENT_SMOKE, beside_report(session, "smoke.md"), err);
}

static bool goes_to(const struct session *session, const char *sink)
{
    const struct texts *to = &session->config->report_to;
    for (size_t i = 0; i < to->count; i++) {
        if (strcmp(to->items[i], sink) == 0)
            return true;
    }
    return false;
}

void publish_sweep(struct session *session)
{
    const char *report = session->config->report_path;
    file_sweep(report);
    file_sweep(beside_report(session, "preflight.md"));
    file_sweep(beside_report(session, "smoke.md"));
    if (session->has_run)
        file_sweep(incident_path(session));
}

int publish_files(struct observer *observer, const struct run *run, struct error *err)
{
    struct session *session =
        (struct session *)((char *)observer - offsetof(struct session, observer));
    if (write_checklists(session, err) != 0)
        return -1;
    if (write_document(session, DOCUMENT_REPORT, session->config->report_path, err) != 0)
        return -1;
    if (run->direction != BACKWARD)
        return 0;
    return write_document(session, DOCUMENT_INCIDENT, incident_path(session), err);
}

static void print_json_verdict(struct session *session)
{
    AUTO_JSON struct json *json = run_save(&session->run);
    session_print_json(json, true);
}

void publish_ci(struct session *session)
{
    const struct run *run = &session->run;
    struct error err = {0};
    char code[16];
    snprintf(code, sizeof code, "%d", run->exit_code);
    const struct forge_output outputs[] = {
        {"verdict", run_status_names[run->status]},
        {"version", run->version},
        {"exit-code", code},
        {"report", session->config->report_path},
        {"state", session->journal.store->path},
    };
    if (session->forge->outputs(outputs, sizeof outputs / sizeof outputs[0], &err) != 0)
        log_line(session->log, LOG_WARN, "outputs: %s", err.message);
    AUTO_BUF struct buf report = {0};
    if (goes_to(session, "comment"))
        log_line(session->log, LOG_WARN, "report.to: this version writes no comments yet");
    if (file_read(session->config->report_path, DOCUMENT_MAX, true, &report, &err) != 0)
        log_line(session->log, LOG_WARN, "report: %s", err.message);
    else if (goes_to(session, "summary") &&
             session->forge->summary(report.data, report.length, &err) != 0)
        log_line(session->log, LOG_WARN, "summary: %s", err.message);
    if (session->inputs.json)
        print_json_verdict(session);
}
