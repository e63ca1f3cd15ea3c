/* SPDX-License-Identifier: Apache-2.0
 *
 * One short file a subcommand over one session. commands.c is the contents page.
 */
#ifndef CLI_H
#define CLI_H

#include "arena.h"
#include "clock.h"
#include "engine.h"
#include "forge.h"
#include "inputs.h"
#include "log.h"
#include "report.h"

/* Everything one process works with. Filled step by step by the session_* functions; each
 * prints its own error and returns the exit code, or 0. */
struct session {
    struct arena arena;
    struct inputs inputs;
    struct log *log;
    struct loop *loop;
    struct clock clock;
    const struct forge_driver *forge;
    struct forge_facts facts;
    struct config *config;
    struct journal journal;
    bool locked;
    struct run run;
    bool has_run;
    bool unreadable; /* there is a state, and --restart goes on without it */
    struct engine engine;
    bool engine_opened;
    struct variable variables[6];
    struct observer observer;
    int last_phase;
};

struct subcommand {
    const char *name, *arguments, *summary;
    const char *help;    /* what it does, in two or three sentences */
    const char *example; /* one command line and what it means */
    int (*main)(struct session *session);
};
extern const struct subcommand subcommands[]; /* ended by name NULL */
const struct subcommand *subcommand_find(const char *name);

void help_program(struct buf *out);
void help_command(struct buf *out, const struct subcommand *command);

/* Configuration, with every problem printed; secrets are taken out of the environment. */
int session_config(struct session *session);
/* The state file's path. */
void session_journal(struct session *session);
/* Loads the run where there is one (has_run); refuses one of another project, application or
 * environment. */
int session_state(struct session *session);
int session_lock(struct session *session);
/* Drivers, with the variables of run->version. */
int session_engine(struct session *session, const char *version, const char *how);
void session_close(struct session *session);

/* Prints err and gives its exit code. */
int session_fail(struct session *session, const struct error *err);
/* Prints to stdout; text is rid of secrets and of commands to terminal and CI. */
void session_print(const char *text);
void session_print_json(const struct json *json, bool pretty);
/* engine_work, then headline, messages, outputs, summary; gives the exit code. */
int session_work(struct session *session);
/* A new attempt of this process in the run. */
void session_attempt(struct session *session, const char *how);

/* progress.c: what a person on call sees while it works. */
void progress_init(struct session *session);
/* publish.c: report and incident files; then what the CI shows. */
int publish_files(struct observer *observer, const struct run *run, struct error *err);
void publish_ci(struct session *session);
/* Removes what killed processes left beside those files. */
void publish_sweep(struct session *session);
/* interactive.c: six questions (S-042…S-053); the answers become guidance. */
int interactive_ask(struct session *session);

int command_run(struct session *session);
int command_plan(struct session *session);
int command_validate(struct session *session);
int command_status(struct session *session);
int command_promote(struct session *session);
int command_rollback(struct session *session);
int command_retire(struct session *session);
int command_report(struct session *session);
int command_history(struct session *session);
int command_init(struct session *session);
int command_schema(struct session *session);
int command_reference(struct session *session);
int command_doctor(struct session *session);
int command_finalize(struct session *session);
int command_version(struct session *session);

#endif
