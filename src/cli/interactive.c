/* SPDX-License-Identifier: Apache-2.0
 *
 * `--interactive`: six questions whose answers become guidance. Without a terminal the
 * answers come from --answers or its input, else the run fails closed (D-22).
 */
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define QUESTIONS 6

static const char *read_line(struct session *session)
{
    char line[1024];
    size_t length = 0;
    char c;
    while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n') {
        if (length < sizeof line - 1)
            line[length++] = c;
    }
    line[length] = '\0';
    return text_clean(&session->arena, line, length, sizeof line);
}

static int ask_terminal(struct session *session, const char *answers[QUESTIONS])
{
    session_print(
        "# Flow Deploy To Production - Interactive Setup\n\n"
        "I'll ask 6 strategic questions to tailor this flow to your project's needs.\n\n");
    for (int i = 0; i < QUESTIONS; i++) {
        session_print(arena_format(&session->arena, "Q%d: %s ", i + 1, guidance_questions[i]));
        answers[i] = read_line(session);
    }
    session_print(
        "\nBased on your answers, I'll adjust priorities, agent assignments, and activity "
        "focus.\n\nProceed with these adjustments? (yes/no) ");
    if (strcmp(read_line(session), "yes") == 0)
        return 0;
    session_print("Aborting flow.\n");
    return -1;
}

/* 0: go on; -1: the person said no (exit 0); else an exit code. */
int interactive_ask(struct session *session)
{
    const char *answers[QUESTIONS] = {0};
    struct error err = {0};
    const struct texts *given = &session->inputs.answers;
    if (given->count > 0) {
        for (size_t i = 0; i < QUESTIONS; i++)
            answers[i] = i < given->count ? given->items[i] : "";
    } else if (!isatty(STDIN_FILENO)) {
        error_set(&err, ERROR_USAGE,
                  "--interactive: there is no terminal here; give the six answers "
                  "with --answers, or leave --interactive out");
        return session_fail(session, &err);
    } else if (ask_terminal(session, answers) != 0) {
        return -1;
    }
    const char *synthesis = guidance_of_answers(&session->arena, answers);
    session->inputs.guidance =
        text_blank(session->inputs.guidance)
            ? synthesis
            : arena_format(&session->arena, "%s %s", session->inputs.guidance, synthesis);
    return 0;
}
