/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"
#include "catalog.h"
#include "check.h"

#include <string.h>

#define EXIT_UNKNOWN 77 /* as test harnesses have it: could not be tested */

struct settings {
    struct command run;
};

/* The first field is also what `command: LINE` means. */
static const struct field command_check_fields[] = {
    {.name = "run",
     .type = FIELD_COMMAND,
     .offset = offsetof(struct settings, run),
     .required = true,
     .doc = "Ends with 0: PASS; with 77, by a signal or not at all: UNKNOWN; else FAIL. The last "
            "line it prints is the evidence. A script that is given alone, without arguments "
            "(`./scripts/smoke-tests.sh`), gets the base URL as its argument."},
    {.name = NULL},
};

static const char *shown(const struct command *command, struct arena *arena)
{
    const struct process_spec spec = {.shell = command->shell,
                                      .argv = (const char *const *)command->argv};
    return process_shown(arena, &spec);
}

static const char *subject(const struct check_config *config, struct arena *arena)
{
    const struct settings *settings = config->kind.settings;
    return shown(&settings->run, arena);
}

/* The path of a script with nothing behind it; NULL: it is something else. */
static const char *lone_script(const struct command *command)
{
    const char *line = command->shell ? command->shell : command->argc == 1 ? command->argv[0] : "";
    const char *plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./+,:@-";
    return strchr(line, '/') && strspn(line, plain) == strlen(line) ? line : NULL;
}

static const char *base_url_of(const struct check_call *call)
{
    const struct variable *variables = call->context->variables;
    for (size_t i = 0; variables && variables[i].name; i++) {
        if (text_equal(variables[i].name, "base_url")) {
            return variables[i].value;
        }
    }
    return NULL;
}

static int start(struct check_call *call, struct error *err)
{
    const struct settings *settings = call->settings;
    struct arena *arena = call->context->arena;
    struct process_spec spec = driver_process(call->context, &settings->run, NULL, arena);
    const char *script = lone_script(&settings->run), *base_url = base_url_of(call);
    (void)err;
    if (script && base_url) {
        const char **argv = arena_array(arena, 3, sizeof(*argv));
        argv[0] = script;
        argv[1] = base_url;
        spec.argv = argv;
        spec.shell = NULL;
    }
    spec.timeout_ms = call->config->timeout;
    call->operation = (struct operation){.kind = OPERATION_PROCESS, .process = spec};
    return 0;
}

/* 126 and 127 are the shell's words for a command that it could not run. */
static enum verdict verdict_of(const struct process_result *result)
{
    if (result->signal != 0 || result->exit_code == EXIT_UNKNOWN || result->exit_code == 126 ||
        result->exit_code == 127) {
        return VERDICT_UNKNOWN;
    }
    return result->exit_code == 0 ? VERDICT_PASS : VERDICT_FAIL;
}

static int step(struct check_call *call, struct error *err)
{
    struct arena *arena = call->context->arena;
    const struct process_spec *spec = &call->operation.process;
    const struct process_result *result = &call->operation.result;
    struct error failed;
    if (result->error.kind != ERROR_NONE) {
        return error_set(err, result->error.kind, "%s", result->error.message);
    }
    call->verdict = verdict_of(result);
    if (call->verdict != VERDICT_PASS) {
        process_failed(spec, result, &failed);
        call->evidence = arena_text(arena, failed.message);
        return 0;
    }
    const char *line = output_last_line(&result->output, arena);
    call->evidence =
        arena_format(arena, "'%s' ended with code 0 in %lld ms%s%s", process_shown(arena, spec),
                     (long long)result->took_ms, *line ? ": " : "", line);
    return 0;
}

static const struct check_driver driver = {subject, start, step};

const struct driver_row check_command_row = {
    .room = "check",
    .name = "command",
    .doc = "Runs a command and looks at its exit code.",
    .fields = command_check_fields,
    .size = sizeof(struct settings),
    .door = &driver,
};
