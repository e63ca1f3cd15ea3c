/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static const char exit_codes[] = "Exit codes:\n"
                                 "    0  deployed, or nothing to do\n"
                                 "    1  usage or configuration error, nothing touched\n"
                                 "    2  rolled back: the old version serves 100 %\n"
                                 "    3  a gate said no, production untouched\n"
                                 "    4  deployment failed before traffic, production untouched\n"
                                 "    5  undecided: held in a safe, named state\n"
                                 "    6  infrastructure unreachable or refusing; no memory left\n"
                                 "    7  another run holds the lock, or superseded\n"
                                 "    8  rollback failed: escalate\n"
                                 "   75  waiting for a human; run again to go on\n"
                                 "  130, 143  cancelled, safe state reached\n";

static bool option_is_for(const struct option *option, const char *command)
{
    if (strcmp(option->commands, "*") == 0)
        return true;
    char word[64];
    snprintf(word, sizeof word, " %s ", command);
    return strstr(option->commands, word) != NULL;
}

static void help_option(struct buf *out, const struct option *option)
{
    char left[64];
    char letter[8] = "    ";
    if (option->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name,
             option->value == NULL ? "" : " ", option->value == NULL ? "" : option->value);
    buf_addf(out, "  %-30s  %s\n", left, option->doc);
}

void help_program(struct buf *out)
{
    buf_adds(out,
             "deploy-action ships a version to production, watches it, and brings the old one\n"
             "back by itself when users suffer.\n\n"
             "Usage: deploy-action <command> [arguments] [options]\n\nCommands:\n");
    for (size_t i = 0; subcommands[i].name != NULL; i++)
        buf_addf(out, "  %-10s %s\n", subcommands[i].name, subcommands[i].summary);
    buf_adds(out, "\nOptions of every command:\n");
    for (size_t i = 0; inputs_options[i].name != NULL; i++) {
        if (strcmp(inputs_options[i].commands, "*") == 0)
            help_option(out, &inputs_options[i]);
    }
    buf_addf(out,
             "\n%s\nExample: deploy-action run canary v1.4.2\n"
             "Help on one command: deploy-action <command> --help\n",
             exit_codes);
}

void help_command(struct buf *out, const struct subcommand *command)
{
    buf_addf(out, "deploy-action %s: %s\n\nUsage: deploy-action %s %s\n\n%s\n\nOptions:\n",
             command->name, command->summary, command->name, command->arguments, command->help);
    for (size_t i = 0; inputs_options[i].name != NULL; i++) {
        if (option_is_for(&inputs_options[i], command->name))
            help_option(out, &inputs_options[i]);
    }
    if (strcmp(command->name, "run") == 0)
        buf_addf(out, "\n%s", exit_codes);
    buf_addf(out, "\nExample: %s\n", command->example);
}
