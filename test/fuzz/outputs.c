/* SPDX-License-Identifier: Apache-2.0
 *
 * Job outputs and the summary as GitHub reads them: a value comes back as it was, whatever it
 * holds; a summary that is too large is cut at a line and closes its block.
 */
#include "../../src/forge/forges.h"

#include "fuzz.h"

#include <stdio.h>

/* One `name<<DELIMITER` block, as the runner reads it. */
static const char *read_output(struct arena *arena, const char **at, const char *name)
{
    size_t length = strlen(name);
    REQUIRE(strncmp(*at, name, length) == 0 && strncmp(*at + length, "<<", 2) == 0);
    const char *delimiter = *at + length + 2, *value = strchr(delimiter, '\n') + 1;
    const char *line = arena_format(arena, "%.*s", (int)(value - delimiter), delimiter);
    for (const char *end = value; end != NULL; end = strchr(end, '\n'), end += end != NULL) {
        if (strncmp(end, line, strlen(line)) == 0) {
            *at = end + strlen(line);
            return arena_text_n(arena, value, end > value ? (size_t)(end - value) - 1 : 0);
        }
    }
    require_failed("the delimiter is there", __FILE__, __LINE__);
}

static const char *path_of(struct arena *arena, const char *variable)
{
    const char *path = output_path();
    const char *line = arena_format(arena, "%s=%s", variable, path);
    set_environment(arena, &line, 1);
    return path;
}

static void try_outputs(struct arena *arena, const char *first, const char *second)
{
    const struct forge_output outputs[] = {{"verdict", first}, {"exit-code", second}};
    struct error err = {0};
    path_of(arena, "GITHUB_OUTPUT");
    int result = forge_github.outputs(outputs, 2, &err);
    restore_environment();
    REQUIRE(result == 0);
    const char *at = output_text(arena);
    REQUIRE(strcmp(read_output(arena, &at, "verdict"), first) == 0);
    REQUIRE(strcmp(read_output(arena, &at, "exit-code"), second) == 0);
    REQUIRE(*at == '\0');
}

static void try_summary(struct arena *arena, const char *markdown)
{
    struct error err = {0};
    path_of(arena, "GITHUB_STEP_SUMMARY");
    int result = forge_github.summary(markdown, strlen(markdown), &err);
    restore_environment();
    REQUIRE(result == 0 && strcmp(output_text(arena), markdown) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct slice rest = {(const char *)data, size};
    const char *first = input_line(&arena, &rest), *second = input_text(&arena, &rest);
    try_outputs(&arena, second, first);
    try_summary(&arena, second);
    return 0;
}
