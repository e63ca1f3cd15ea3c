/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line and the environment: one argument a line; after a line `--env--`, one
 * variable a line. What is accepted is complete and of the right form.
 */
#include "inputs.h"

#include "fuzz.h"

enum { WORDS_MAX = 40 };

static const char *const commands[] = {"run",    "plan",   "validate", "status",
                                       "report", "retire", "promote",  NULL};

static size_t read_lines(struct arena *arena, struct slice *rest, const char **out)
{
    size_t count = 0;
    while (rest->length > 0 && count < WORDS_MAX) {
        const char *line = input_line(arena, rest);
        if (strcmp(line, "--env--") == 0) {
            break;
        }
        out[count++] = line;
    }
    return count;
}

static void check_inputs(const struct inputs *in)
{
    bool known = in->help && in->command == NULL;
    for (size_t i = 0; commands[i] != NULL && in->command != NULL; i++) {
        known = known || strcmp(commands[i], in->command) == 0;
    }
    REQUIRE(known);
    REQUIRE(in->directory != NULL && in->file != NULL && in->guidance != NULL);
    REQUIRE(in->strategy >= STRATEGY_NONE && in->strategy <= STRATEGY_ROLLING);
    if (!in->help && (strcmp(in->command, "run") == 0 || strcmp(in->command, "plan") == 0)) {
        REQUIRE(in->strategy != STRATEGY_NONE && in->version != NULL);
    }
    if (!in->help && in->version != NULL) {
        REQUIRE(strlen(in->version) <= 128 && is_clean_line(in->version));
        REQUIRE(strpbrk(in->version, " /$`'\"\\;|&<>()") == NULL && in->version[0] != '-');
    }
}

static void try_guidance(struct arena *arena, const struct inputs *in)
{
    const char *answers[6] = {in->guidance, in->version, in->by, NULL, "", in->comment};
    struct focus focus;
    guidance_focus(arena, in->guidance, &focus);
    for (size_t i = 0; i < focus.reviewers.count; i++) {
        for (size_t k = 0; k < i; k++) {
            REQUIRE(strcmp(focus.reviewers.items[i], focus.reviewers.items[k]) != 0);
        }
    }
    REQUIRE(guidance_of_answers(arena, answers) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct slice rest = {(const char *)data, size};
    const char *words[WORDS_MAX + 2] = {"deploy-action"}, *lines[WORDS_MAX + 1] = {NULL};
    char *argv[WORDS_MAX + 2] = {NULL};
    size_t count = read_lines(&arena, &rest, words + 1) + 1;
    size_t variables = read_lines(&arena, &rest, lines);
    for (size_t i = 0; i < count; i++) {
        argv[i] = arena_text(&arena, words[i]);
    }
    struct inputs in;
    struct error err = {0};
    set_environment(&arena, lines, variables);
    int result = inputs_read(&arena, argv, commands, &in, &err);
    restore_environment();
    if (result != 0) {
        REQUIRE(err.kind == ERROR_USAGE && err.message[0] != '\0');
        return 0;
    }
    check_inputs(&in);
    try_guidance(&arena, &in);
    return 0;
}
