/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs.h"

#define AT(member) offsetof(struct inputs, member)
#define RUNS " run plan "
#define ACTS " run promote rollback retire "

const char *const strategy_names[] = {"none", "blue-green", "canary", "rolling", NULL};

/* Rows without commands are inputs and environment only: on a command line they are words. */
const struct option inputs_options[] = {
    {"command", 0, FIELD_TEXT, AT(command), "NAME", "What to do: run, plan, promote, ….", ""},
    {"strategy", 0, FIELD_ENUM, AT(strategy), "NAME", "blue-green, canary or rolling.", ""},
    {"version", 0, FIELD_TEXT, AT(version), "VERSION", "What goes to production.", ""},
    {"project-directory", 0, FIELD_TEXT, AT(directory), "PATH", "The project; commands run here.",
     ""},
    {"file", 'f', FIELD_TEXT, AT(file), "PATH",
     "The configuration, deploy.yaml in the project where absent.", "*"},
    {"state", 0, FIELD_TEXT, AT(state), "PATH",
     "Where the run is kept, .deploy/state.json in the project where absent.", "*"},
    {"environment", 0, FIELD_TEXT, AT(environment), "NAME",
     "What is deployed to, such as production; a run recorded for another one is refused.", "*"},
    {"set", 0, FIELD_TEXTS, AT(sets), "PATH=VALUE",
     "Changes one key of the configuration for this run; may be repeated.", "*"},
    {"guidance", 0, FIELD_TEXT, AT(guidance), "TEXT",
     "What matters this time; adds reviewers, never shortens a watch.", RUNS},
    {"interactive", 0, FIELD_BOOL, AT(interactive), NULL, "Asks six questions first.", RUNS},
    {"answer", 0, FIELD_TEXTS, AT(answers), "TEXT",
     "An answer to them where there is no terminal; six times.", RUNS},
    {"by", 0, FIELD_TEXT, AT(by), "NAME", "Who does this, for the record.", ACTS},
    {"comment", 0, FIELD_TEXT, AT(comment), "TEXT", "Why, for the record.", ACTS},
    {"supersede", 0, FIELD_BOOL, AT(supersede), NULL,
     "Rolls back an unfinished run of another version or commit first; it is superseded.", " run "},
    {"restart", 0, FIELD_BOOL, AT(restart), NULL,
     "Begins anew whatever the state says; what is unfinished or unreadable is kept beside it.",
     " run "},
    {"yes", 'y', FIELD_BOOL, AT(yes), NULL, "Does so before the time has come.", " retire "},
    {"json", 0, FIELD_BOOL, AT(json), NULL, "Writes JSON for machines.", "*"},
    {"quiet", 'q', FIELD_BOOL, AT(quiet), NULL, "Says only what went wrong, and the end.", "*"},
    {"no-color", 0, FIELD_BOOL, AT(no_color), NULL, "Writes without colours.", "*"},
    {"help", 'h', FIELD_BOOL, AT(help), NULL, "Shows the help of the command.", "*"},
    {.name = NULL}};
