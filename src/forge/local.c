/* SPDX-License-Identifier: Apache-2.0 */
#include "forges.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_terminal(void)
{
    return isatty(STDERR_FILENO) != 0 && !forge_env_is("TERM", "dumb");
}

static bool always(void)
{
    return true;
}

static void local_facts(struct arena *arena, struct forge_facts *out)
{
    *out = (struct forge_facts){.actor = forge_env_text(arena, "USER", "LOGNAME")};
}

static int no_outputs(const struct forge_output *outputs, size_t count, struct error *err)
{
    (void)outputs;
    (void)count;
    (void)err;
    return 0;
}

static int no_summary(const char *markdown, size_t length, struct error *err)
{
    (void)markdown;
    (void)length;
    (void)err;
    return 0;
}

const struct forge_driver forge_terminal = {
    .name = "local",
    .style = LOG_TERMINAL,
    .detect = is_terminal,
    .facts = local_facts,
    .outputs = no_outputs,
    .summary = no_summary,
};

const struct forge_driver forge_plain = {
    .name = "local",
    .style = LOG_PLAIN,
    .detect = always,
    .facts = local_facts,
    .outputs = no_outputs,
    .summary = no_summary,
};
