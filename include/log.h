/* SPDX-License-Identifier: Apache-2.0
 *
 * The only way to the terminal. Knows levels, masking, the live line, and how each CI
 * writes groups and annotations; text that comes from elsewhere cannot become a command
 * of the CI or of the terminal.
 */
#ifndef LOG_H
#define LOG_H

#include "error.h"

#include <stdint.h>

enum log_style { LOG_PLAIN, LOG_TERMINAL, LOG_GITHUB, LOG_GITLAB };
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DETAIL };

struct log; /* one a process; log_open, log_free */

struct log *log_open(int fd, enum log_style style, enum log_level level, bool color);
void log_free(struct log *log);
enum log_style log_style_of(const struct log *log);
bool log_quiet(const struct log *log);

/* As mask_add; and GitHub's runner is told (::add-mask::), before anything else. */
void log_mask(struct log *log, const char *value);

/* One line; control characters are shown, `::` and `##[` at a line's start are broken up. */
void log_line(struct log *log, enum log_level level, const char *format, ...) PRINTF_LIKE(3, 4);

/* A text of many lines, for stdout: each of them as harmless as one of the log. */
void log_document(int fd, const char *text);

/* A line that the next one overwrites; on anything but a terminal it is written at most
 * every 30 s. log_live(log, "") takes it away. */
void log_live(struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);

/* A collapsible part of the log. Not nested. `wall_ms` is for GitLab's markers. */
void log_group(struct log *log, const char *title, int64_t wall_ms);
void log_group_end(struct log *log, int64_t wall_ms);

/* An annotation on the run's page where the CI has them, else a line, which a message that
 * begins with its place does not say twice. file may be NULL. */
void log_annotate(struct log *log, enum log_level level, const char *file, int line,
                  const char *message);

#endif
