/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "loop.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static enum log_style style_here(const struct session *session)
{
    if (session->forge->style != LOG_PLAIN)
        return session->forge->style;
    return isatty(STDERR_FILENO) ? LOG_TERMINAL : LOG_PLAIN;
}

static void open_log(struct session *session)
{
    enum log_level level = session->inputs.quiet ? LOG_ERROR : LOG_INFO;
    bool color = !session->inputs.no_color && style_here(session) != LOG_PLAIN;
    session->log = log_open(STDERR_FILENO, style_here(session), level, color);
}

static int help(const struct session *session)
{
    AUTO_BUF struct buf out;
    buf_init(&out, 64 * 1024);
    const struct subcommand *command = subcommand_find(session->inputs.command);
    if (command == NULL)
        help_program(&out);
    else
        help_command(&out, command);
    session_print(out.data);
    return 0;
}

static int start(struct session *session, char **argv)
{
    const char *names[32] = {0};
    struct error err = {0};
    for (size_t i = 0; subcommands[i].name != NULL; i++)
        names[i] = subcommands[i].name;
    int result = inputs_read(&session->arena, argv, names, &session->inputs, &err);
    open_log(session);
    if (result != 0)
        return session_fail(session, &err);
    if (session->inputs.environment != NULL)
        session->facts.environment = session->inputs.environment;
    if (session->inputs.help || session->inputs.command == NULL)
        return help(session);
    const char *directory = session->inputs.directory;
    if (directory != NULL && chdir(directory) != 0) {
        error_set(&err, ERROR_USAGE, "%s: the project directory cannot be entered: %s", directory,
                  strerror(errno));
        return session_fail(session, &err);
    }
    if (loop_open(&session->loop, &err) != 0)
        return session_fail(session, &err);
    clock_init(&session->clock, session->loop);
    return subcommand_find(session->inputs.command)->main(session);
}

/* GitHub's post-entrypoint is a program without arguments: the same one by another name. */
static bool is_finalizer(const char *program)
{
    static const char name[] = "deploy-action-finalize";
    size_t length = program == NULL ? 0 : strlen(program);
    return length >= sizeof name - 1 && strcmp(program + length - (sizeof name - 1), name) == 0;
}

/* What a loader does for others: in a static program nobody makes the relocated tables (of
 * drivers, of steps) read-only when they are complete. */
static int protect_tables(struct dl_phdr_info *program, size_t size, void *unused)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)size;
    (void)unused;
    for (size_t i = 0; i < program->dlpi_phnum; i++) {
        const uintptr_t start = program->dlpi_addr + program->dlpi_phdr[i].p_vaddr;
        const uintptr_t end = start + program->dlpi_phdr[i].p_memsz;
        if (program->dlpi_phdr[i].p_type == PT_GNU_RELRO)
            (void)mprotect((void *)(start & -page), (end & -page) - (start & -page), PROT_READ);
    }
    return 1; /* the first one is the program itself */
}

/* Secrets are in our memory: no core file, no look into it by others of this user. The user's
 * commands are not concerned: exec takes it back. */
static void harden(void)
{
    (void)dl_iterate_phdr(protect_tables, NULL);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int main(int argc, char **argv)
{
    static struct session session;
    char *finalizer[] = {argv[0], (char[]){"finalize"}, NULL};
    harden();
    if (argc == 1 && is_finalizer(argv[0]))
        argv = finalizer;
    config_hide_environment();
    session.forge = forge_here();
    session.forge->facts(&session.arena, &session.facts);
    int code = start(&session, argv);
    session_close(&session);
    return code;
}
