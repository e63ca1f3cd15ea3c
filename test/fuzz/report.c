/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents about any run that can be loaded: all of them can be written, are UTF-8, and invent
 * nothing.
 */
#include "config.h"
#include "report.h"

#include "fuzz.h"

static void check_text(const char *text, bool has_null)
{
    REQUIRE(text_utf8_valid(text, strlen(text)));
    REQUIRE(has_null || strstr(text, "(null)") == NULL);
}

static void try_document(struct arena *arena, const struct run *run, enum document document,
                         bool has_null)
{
    static const struct config config = {.incident_path = "docs/incidents"};
    const struct report_request request = {run, &config, document};
    struct buf out AUTO_BUF;
    struct error err = {0};
    buf_init(&out, 32 << 20);
    REQUIRE(report_render(arena, &request, &out, &err) == 0);
    check_text(out.data, has_null);
}

static void try_lines(struct arena *arena, const struct run *run, bool has_null)
{
    struct buf out AUTO_BUF;
    buf_init(&out, 32 << 20);
    report_status(&out, arena, run);
    REQUIRE(has_null || strstr(out.data, "(null)") == NULL);
    for (const char *const *line = report_messages(arena, run); *line != NULL; line++) {
        REQUIRE(has_null || strstr(*line, "(null)") == NULL);
    }
    REQUIRE(is_clean_line(report_incident_id(arena, run)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct json *json AUTO_JSON = NULL;
    struct run run;
    if (json_parse((const char *)data, size, &json, NULL) != 0 ||
        run_load(json, &run, &arena, NULL) != 0) {
        return 0;
    }
    bool has_null = memmem(data, size, "null)", 5) != NULL;
    for (int document = 0; document < DOCUMENTS; document++) {
        try_document(&arena, &run, (enum document)document, has_null);
    }
    try_lines(&arena, &run, has_null);
    return 0;
}
