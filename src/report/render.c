/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding the template, filling it in.
 */
#include "arena.h"
#include "config.h"
#include "embedded.h"
#include "file.h"
#include "json.h"
#include "report.h"
#include "template.h"

#include <stdlib.h>
#include <sys/stat.h>

#define TEMPLATE_MAX (256 * 1024)

const char *const document_templates[] = {"report.md", "incident.md", "preflight.md", "smoke.md",
                                          NULL};

/* Under the AIWG root the documents have other names (S-364…S-369). */
static const char *const aiwg_names[] = {
    "deployment/deployment-report-template.md", "deployment/incident-report-template.md",
    "deployment/deployment-plan-card.md", "test/smoke-test-checklist.md"};

static bool is_folder(const char *path)
{
    struct stat st;
    return path != NULL && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The nearest folder upwards that holds .git, as `git rev-parse --show-toplevel` finds it. */
static const char *repository_root(struct arena *arena)
{
    const char *path = ".";
    for (int i = 0; i < 32; i++) {
        if (file_exists(arena_format(arena, "%s/.git", path)))
            return path;
        path = arena_format(arena, "%s/..", path);
    }
    return NULL;
}

const char *report_aiwg_root(struct arena *arena, bool *fallback)
{
    const char *home = getenv("HOME");
    const char *roots[] = {
        getenv("AIWG_ROOT"),
        home == NULL ? NULL : arena_format(arena, "%s/.local/share/ai-writing-guide", home),
        "/usr/local/share/ai-writing-guide",
        repository_root(arena),
    };
    *fallback = false;
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        if (is_folder(roots[i]))
            return roots[i];
    }
    *fallback = true;
    return ".";
}

static int read_template(struct arena *arena, const char *path, const char **out, struct error *err)
{
    AUTO_BUF struct buf text = {0};
    if (file_read(path, TEMPLATE_MAX, false, &text, err) != 0)
        return -1;
    *out = arena_text_n(arena, text.data, text.length);
    return 0;
}

/* Only a template that is asked for from AIWG makes its absence fatal (D-21). */
static int aiwg_template(struct arena *arena, enum document document, const char **out,
                         struct error *err)
{
    bool fallback = false;
    const char *root = report_aiwg_root(arena, &fallback);
    const char *tree = arena_format(arena, "%s/agentic/code/frameworks/sdlc-complete", root);
    if (!is_folder(tree))
        return error_set(err, ERROR_CONFIG,
                         "❌ Error: AIWG installation not found at %s\n\nPlease install AIWG or set "
                         "AIWG_ROOT environment variable",
                         root);
    const char *path = arena_format(arena, "%s/templates/%s", tree, aiwg_names[document]);
    return read_template(arena, path, out, err);
}

static int find_template(struct arena *arena, const struct report_request *request,
                         const char **out, struct error *err)
{
    const char *folder = request->config->template_path;
    const char *name = document_templates[request->document];
    if (text_equal(folder, "aiwg"))
        return aiwg_template(arena, request->document, out, err);
    /* One file is the report's; a folder may have some of the documents. */
    if (folder != NULL && !is_folder(folder) && request->document == DOCUMENT_REPORT)
        return read_template(arena, folder, out, err);
    if (folder != NULL && file_exists(arena_format(arena, "%s/%s", folder, name)))
        return read_template(arena, arena_format(arena, "%s/%s", folder, name), out, err);
    const struct embedded *embedded = embedded_find(name);
    if (embedded == NULL)
        return error_set(err, ERROR_BUG, "no template '%s' inside", name);
    *out = embedded->data;
    return 0;
}

int report_check_templates(struct arena *arena, const struct config *config, struct error *err)
{
    for (int document = 0; document < DOCUMENTS; document++) {
        struct report_request request = {.config = config, .document = (enum document)document};
        const char *text = NULL;
        if (find_template(arena, &request, &text, err) != 0)
            return -1;
    }
    return 0;
}

int report_render(struct arena *arena, const struct report_request *request, struct buf *out,
                  struct error *err)
{
    const char *text = NULL;
    if (find_template(arena, request, &text, err) != 0)
        return -1;
    AUTO_JSON struct json *model = report_model(arena, request->run, request->config);
    return template_render(document_templates[request->document], text, model, out, err);
}
