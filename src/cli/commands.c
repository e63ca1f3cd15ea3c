/* SPDX-License-Identifier: Apache-2.0
 *
 * The contents page of the command line.
 */
#include "cli.h"

#include <string.h>

const struct subcommand subcommands[] = {
    {"run", "<blue-green|canary|rolling> <version> [project-dir]",
     "deploy a version, or go on where the last run was stopped",
     "Checks the gates, deploys, tests, moves the traffic, watches, and either promotes the\n"
     "version or rolls it back. A strategy as first word means `run`. Running it again goes on\n"
     "at the exact step where the last process ended.",
     "deploy-action run canary v1.4.2", command_run},
    {"plan", "<strategy> <version> [project-dir]", "print the steps a run would take",
     "Reads the world and prints every step with its reason, duration and what it touches.\n"
     "Changes nothing. --json prints the same for machines.",
     "deploy-action plan blue-green v1.4.2", command_plan},
    {"validate", "[project-dir]", "check deploy.yaml without touching anything",
     "Prints every problem at once with file, line and column, and what to write instead.",
     "deploy-action validate -f deploy.yaml", command_validate},
    {"status", "[project-dir]", "say where the run stands",
     "Reads the state file only. --json prints the whole run.", "deploy-action status",
     command_status},
    {"promote", "[project-dir]", "sign the step that waits for a person, and go on",
     "Approves the manual validation or sign-off at which the run waits, or ends a watch that\n"
     "is held, and then goes on. Who did it is in the report.",
     "deploy-action promote --comment 'dashboards are fine'", command_promote},
    {"rollback", "[project-dir]", "bring the old version back",
     "Turns the run round, whether it is in work, held or finished, verifies that the old\n"
     "version serves 100 % and tests it.",
     "deploy-action rollback --comment 'customers report errors'", command_rollback},
    {"retire", "[project-dir]", "stop the slot that no longer serves",
     "After a blue-green run the old version stays as standby for 24 h; this stops it. --yes\n"
     "does so before the time has come.",
     "deploy-action retire", command_retire},
    {"report", "[project-dir]", "print the report of the run",
     "Renders the report from the state file again. --json prints the report's model.",
     "deploy-action report > report.md", command_report},
    {"history", "[project-dir]", "list earlier runs",
     "One line a run with its verdict, then deployments, failures and their share.",
     "deploy-action history", command_history},
    {"init", "[project-dir]", "write a first deploy.yaml",
     "Writes a commented example and never overwrites a file.", "deploy-action init", command_init},
    {"schema", "", "print the JSON Schema of deploy.yaml",
     "Draft 2020-12, for editors and validators.", "deploy-action schema > deploy.schema.json",
     command_schema},
    {"reference", "", "print every key of deploy.yaml as Markdown",
     "The page docs/reference.md, from the same tables that read the file.",
     "deploy-action reference > reference.md", command_reference},
    {"doctor", "[project-dir]", "check that everything a run needs is there",
     "Reads deploy.yaml, asks every instance, the router and each metric source, and says what\n"
     "is missing and which permissions are needed. Changes nothing.",
     "deploy-action doctor", command_doctor},
    {"finalize", "[project-dir]", "close the report of a run whose process was killed",
     "For the step after the deployment, whatever became of it: says where the run stands, and\n"
     "writes report and summary again. Changes nothing else.",
     "deploy-action finalize", command_finalize},
    {"version", "", "print version and commit", "Also prints the commit it was built from.",
     "deploy-action version", command_version},
    {0},
};

const struct subcommand *subcommand_find(const char *name)
{
    for (size_t i = 0; name != NULL && subcommands[i].name != NULL; i++) {
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    }
    return NULL;
}
