/* SPDX-License-Identifier: Apache-2.0
 *
 * What the caller said: arguments, action inputs (INPUT_NAME) and environment
 * (DEPLOY_ACTION_NAME), through one table. An argument wins over an input, an input over
 * the environment; an empty input counts as not given.
 */
#ifndef INPUTS_H
#define INPUTS_H

#include "field.h"

struct arena;
struct buf;

enum strategy { STRATEGY_NONE, STRATEGY_BLUE_GREEN, STRATEGY_CANARY, STRATEGY_ROLLING };
extern const char *const strategy_names[]; /* "none", "blue-green", … ended by NULL */

struct inputs {
    const char *command; /* "run", "plan", …; a strategy as first word means "run" */
    enum strategy strategy;
    const char *version;     /* as inputs_is_version */
    const char *directory;   /* "." (S-028); a positional with "/" or equal to "." (S-034) */
    const char *file;        /* deploy.yaml */
    const char *state;       /* NULL: .deploy/state.json in directory */
    const char *environment; /* NULL: what the CI says */
    const char *guidance;    /* "" (S-029) */
    bool interactive;        /* false (S-030) */
    struct texts answers;    /* six answers for --interactive without a terminal (D-22) */
    struct texts sets;
    bool json, quiet, no_color, help, supersede, restart, yes;
    const char *by;      /* who approves or promotes; from the CI's actor */
    const char *comment; /* for promote and rollback */
};

/* One option of one or several commands. */
struct option {
    const char *name;     /* without "--" */
    char letter;          /* 'f' or 0 */
    enum field_type type; /* BOOL, TEXT, TEXTS, ENUM */
    size_t offset;
    const char *value; /* shown in help: "PATH" */
    const char *doc;
    const char *commands; /* "*" or " run plan " */
};
extern const struct option inputs_options[]; /* ended by name NULL */

/* argv ends in NULL. Subcommand names for did-you-mean are given by the caller, ended by NULL.
 * Unknown option: `Unknown option: --x` first (S-033), then did-you-mean; ERROR_USAGE. */
MUST_CHECK int inputs_read(struct arena *arena, char **argv, const char *const *commands,
                           struct inputs *out, struct error *err);

/* [A-Za-z0-9][A-Za-z0-9._+:@~-]{0,127}: what may come into commands, from whomever we have it. */
bool inputs_is_version(const char *text);

/* Guidance (S-053…S-062, D-02, D-03): what its words ask for. */
struct focus {
    bool security, performance, compliance, tight;
    struct texts reviewers; /* without repetition (D-04) */
};
void guidance_focus(struct arena *arena, const char *guidance, struct focus *out);
/* "Priorities: …. Constraints: …." of six answers; the sixth is appended (D-02). */
const char *guidance_of_answers(struct arena *arena, const char *const answers[6]);
extern const char *const guidance_questions[6];

#endif
