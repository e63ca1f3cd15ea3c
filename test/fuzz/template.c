/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates over a model with hostile values: an error tells its line; a value comes out raw
 * only where the template asks for it; the work is bounded.
 */
#include "json.h"
#include "template.h"

#include "fuzz.h"

#define EVIL "<evil>"

static const char model_text[] =
    "{\"name\": \"a " EVIL " | b\", \"n\": 1.5, \"yes\": true, \"no\": false, \"nil\": null, "
    "\"empty\": [], \"one\": {\"deep\": {\"er\": \"x\"}}, \"words\": [\"a\", \"" EVIL "\", \"\"], "
    "\"rows\": [{\"k\": \"1\", \"rows\": [{\"k\": \"" EVIL "\"}]}, {\"k\": \"2\", \"rows\": []}, "
    "{\"k\": \"3\", \"rows\": [1, 2, 3]}]}";

static struct json *model(void)
{
    static struct json *json; /* one for all inputs */
    if (json == NULL) {
        REQUIRE(json_parse(model_text, strlen(model_text), &json, NULL) == 0);
    }
    return json;
}

/* "{{{" or "{{&". */
static bool asks_raw(const char *text)
{
    return strstr(text, "{{{") != NULL || strstr(text, "{{&") != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct buf out AUTO_BUF;
    struct error err = {0};
    const struct slice all = {(const char *)data, size};
    const char *text = input_text(&arena, &all);
    buf_init(&out, 64 * 1024);
    if (template_render("t.md", text, model(), &out, &err) != 0) {
        const char *line = err.message + strlen("t.md:");
        REQUIRE(err.kind == ERROR_FORMAT && text_starts(err.message, "t.md:"));
        REQUIRE(out.overflow || (line[0] >= '1' && line[0] <= '9'));
        return 0;
    }
    REQUIRE(!out.overflow);
    if (strstr(text, "{{") == NULL) {
        REQUIRE(strcmp(out.data, text) == 0);
    }
    if (!asks_raw(text) && strstr(text, "<") == NULL) {
        REQUIRE(strstr(out.data, EVIL) == NULL);
    }
    if (text_utf8_valid(text, strlen(text))) {
        REQUIRE(text_utf8_valid(out.data, out.length));
    }
    return 0;
}
