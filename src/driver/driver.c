/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include "arena.h"

#include <string.h>

#define LINE_SHOWN 300

const struct driver_context *driver_keep(const struct driver_context *context)
{
    struct driver_context *kept = ARENA_NEW(context->arena, struct driver_context);
    *kept = *context;
    return kept;
}

bool command_given(const struct command *command)
{
    return command->shell != NULL || command->argc > 0;
}

static size_t variable_count(const struct variable *variables)
{
    size_t count = 0;
    while (variables && variables[count].name) {
        count++;
    }
    return count;
}

static bool variable_among(const struct variable *variables, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (text_equal(variables[i].name, name)) {
            return true;
        }
    }
    return false;
}

const struct variable *driver_variables(const struct driver_context *context,
                                        const struct variable *more, struct arena *arena)
{
    const size_t first = variable_count(more), second = variable_count(context->variables);
    struct variable *out = arena_array(arena, first + second + 1, sizeof(*out));
    size_t count = 0;
    for (size_t i = 0; i < first; i++) {
        out[count++] = more[i];
    }
    for (size_t i = 0; i < second; i++) {
        if (!variable_among(out, first, context->variables[i].name)) {
            out[count++] = context->variables[i];
        }
    }
    return out;
}

static const char *const *environment_of(const struct variable *variables, struct arena *arena)
{
    const size_t count = variable_count(variables);
    const char **out = arena_array(arena, count + 1, sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        const char *value = variables[i].value ? variables[i].value : "";
        out[i] = arena_format(arena, "%s=%s", variables[i].name, value);
    }
    return out;
}

static const char *const *words_of(const struct command *command, const struct variable *variables,
                                   struct arena *arena)
{
    const char **out = arena_array(arena, command->argc + 1, sizeof(*out));
    for (size_t i = 0; i < command->argc; i++) {
        out[i] = field_expand(arena, command->argv[i], variables);
    }
    return out;
}

struct process_spec driver_process(const struct driver_context *context,
                                   const struct command *command, const struct variable *more,
                                   struct arena *arena)
{
    const struct variable *variables = driver_variables(context, more, arena);
    return (struct process_spec){
        .argv = command->shell ? NULL : words_of(command, variables, arena),
        .shell = command->shell,
        .variables = environment_of(variables, arena),
        .directory = context->config->directory,
    };
}

static const char *line_shown(const char *start, const char *end, struct arena *arena)
{
    while (start < end && (unsigned char)*start <= ' ') {
        start++;
    }
    while (end > start && (unsigned char)end[-1] <= ' ') {
        end--;
    }
    return text_shown(arena, start, (size_t)(end - start), LINE_SHOWN);
}

const char *output_first_line(const struct buf *output, struct arena *arena)
{
    const char *start = output->data ? output->data : "";
    start += strspn(start, " \t\r\n");
    return line_shown(start, start + strcspn(start, "\n"), arena);
}

const char *output_last_line(const struct buf *output, struct arena *arena)
{
    const char *begin = output->data ? output->data : "";
    const char *end = begin + output->length;
    while (end > begin && (unsigned char)end[-1] <= ' ') {
        end--;
    }
    const char *start = end;
    while (start > begin && start[-1] != '\n') {
        start--;
    }
    return line_shown(start, end, arena);
}

const char *driver_path(const struct driver_context *context, const char *path, struct arena *arena)
{
    const char *directory = context->config->directory;
    if (!path || path[0] == '/' || text_blank(directory) || text_equal(directory, ".")) {
        return path;
    }
    return arena_format(arena, "%s/%s", directory, path);
}
