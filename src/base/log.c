/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include "arena.h"
#include "mask.h"
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_RAW_MAX = 32 * 1024,    /* of a message; the rest is cut */
    LINE_MAX_SHOWN = 256 * 1024, /* after escaping, which makes four bytes of one */
    DOCUMENT_MAX = 64 * 1024 * 1024,
    LIVE_MAX = 1024,
    LIVE_EVERY_MS = 30000,
    STALL_MS = 5000 /* a reader that takes nothing for so long is given up */
};

struct log {
    int fd;
    enum log_style style;
    enum log_level level;
    bool color;
    struct buf live;  /* shown at the moment; empty: none */
    int64_t live_at;  /* when it was last written as a line; 0: never */
    char section[64]; /* GitLab's name of the open group */
    bool group_open;
    int64_t group_at;
    unsigned groups;
};

struct log *log_open(int fd, enum log_style style, enum log_level level, bool color)
{
    struct log *log = memory_alloc(sizeof *log);
    *log = (struct log){.fd = fd, .style = style, .level = level, .color = color};
    buf_init(&log->live, LIVE_MAX * 4);
    return log;
}

enum log_style log_style_of(const struct log *log)
{
    return log->style;
}

bool log_quiet(const struct log *log)
{
    return log->level == LOG_ERROR;
}

/* A log that cannot be written stops nothing: errors are dropped. */
static void write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, data, length);
        if (written >= 0) {
            data += written;
            length -= (size_t)written;
        } else if (errno == EAGAIN) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            if (poll(&wait, 1, STALL_MS) == 0) {
                return;
            }
        } else if (errno != EINTR) {
            return;
        }
    }
}

/* The CI reads `::name::` after any blanks at a line's start and `##[name]` anywhere as its
 * commands. A visible gap is used: some runtimes compare texts without zero-width ones,
 * which is also why bytes beyond ASCII do not end the search. */
static void break_commands(struct buf *out, const char *text)
{
    const char *start = text;
    while (*start != '\0' && ((unsigned char)*start <= ' ' || (unsigned char)*start >= 0x80)) {
        start++;
    }
    const char *gap = strncmp(start, "::", 2) == 0 ? start + 1 : NULL;
    size_t hashes = 0;
    for (; *text != '\0'; text++) {
        if (text == gap || (*text == '[' && hashes >= 2)) {
            buf_add(out, " ", 1);
        }
        if (*text == '#') {
            hashes++;
        } else if ((unsigned char)*text < 0x80) {
            hashes = 0;
        }
        buf_add(out, text, 1);
    }
}

/* Text from anywhere, made fit to be one line of the log. */
static void make_harmless(struct buf *out, const char *raw, bool cut)
{
    struct buf masked AUTO_BUF, shown AUTO_BUF;
    buf_init(&masked, LINE_RAW_MAX);
    buf_init(&shown, LINE_MAX_SHOWN);
    mask_apply(&masked, raw, strlen(raw), cut);
    text_to_terminal(&shown, masked.data);
    break_commands(out, shown.data);
    if (cut) {
        buf_adds(out, " [cut]");
    }
}

PRINTF_LIKE(2, 0)
static void format_harmless(struct buf *out, const char *format, va_list args)
{
    char raw[LINE_RAW_MAX];
    int length = vsnprintf(raw, sizeof raw, format, args);
    if (length < 0) {
        raw[0] = '\0';
    }
    make_harmless(out, raw, length >= (int)sizeof raw);
    explicit_bzero(raw, sizeof raw);
}

/* One whole line at once, so that lines of ours and of a child do not mix; the live line
 * makes way for it. */
static void write_line(struct log *log, const char *color, const char *line)
{
    struct buf out AUTO_BUF;
    buf_init(&out, LINE_MAX_SHOWN * 2);
    if (log->live.length > 0) {
        buf_adds(&out, "\r\033[K");
    }
    if (log->color && color[0] != '\0') {
        buf_addf(&out, "%s%s\033[0m\n", color, line);
    } else {
        buf_addf(&out, "%s\n", line);
    }
    buf_add(&out, log->live.data, log->live.length);
    write_all(log->fd, out.data, out.length);
}

static const char *const level_colors[] = {
    [LOG_ERROR] = "\033[31m", [LOG_WARN] = "\033[33m", [LOG_INFO] = "", [LOG_DETAIL] = "\033[2m"};

void log_line(struct log *log, enum log_level level, const char *format, ...)
{
    if (level > log->level) {
        return;
    }
    struct buf line AUTO_BUF;
    buf_init(&line, LINE_MAX_SHOWN);
    va_list args;
    va_start(args, format);
    format_harmless(&line, format, args);
    va_end(args);
    write_line(log, level_colors[level], line.data);
}

/* A live line that wraps could not be taken back: cut to the width, in code points. */
static void cut_to_width(const struct log *log, struct buf *line)
{
    struct winsize size = {0};
    size_t width = ioctl(log->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
    size_t end = 0;
    for (size_t points = 0; end < line->length; end++) {
        points += ((unsigned char)line->data[end] & 0xC0) != 0x80;
        if (points == width) {
            break;
        }
    }
    line->data[end] = '\0';
    line->length = end;
}

static int64_t now_ms(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void show_live(struct log *log, const struct buf *line)
{
    if (line->length == 0 && log->live.length == 0) {
        return;
    }
    buf_clear(&log->live);
    buf_add(&log->live, line->data, line->length);
    if (line->length > 0) {
        cut_to_width(log, &log->live);
    }
    struct buf out AUTO_BUF;
    buf_init(&out, LIVE_MAX * 5);
    buf_addf(&out, "\r\033[K%s", log->live.data);
    write_all(log->fd, out.data, out.length);
}

void log_live(struct log *log, const char *format, ...)
{
    if (log->level < LOG_INFO) {
        return;
    }
    struct buf line AUTO_BUF;
    buf_init(&line, LINE_MAX_SHOWN);
    va_list args;
    va_start(args, format);
    format_harmless(&line, format, args);
    va_end(args);
    if (log->style == LOG_TERMINAL) {
        show_live(log, &line);
        return;
    }
    int64_t now = now_ms();
    if (line.length > 0 && (log->live_at == 0 || now - log->live_at >= LIVE_EVERY_MS)) {
        log->live_at = now;
        write_line(log, "", line.data);
    }
}

/* Text as the data (or a property) of a GitHub command. `exact`: for a mask, where what is
 * written must be what is meant; elsewhere no other command stands in it. `text` is restored. */
static void add_command_text(struct buf *out, char *text, bool property, bool exact)
{
    const char *special = property ? "%\r\n:," : "%\r\n";
    while (*text != '\0') {
        size_t run = strcspn(text, special);
        char stop = text[run];
        text[run] = '\0';
        if (exact) {
            buf_adds(out, text);
        } else {
            struct buf shown AUTO_BUF;
            buf_init(&shown, LINE_MAX_SHOWN);
            text_to_terminal(&shown, text);
            break_commands(out, shown.data);
        }
        text[run] = stop;
        text += run;
        if (stop != '\0') {
            buf_addf(out, "%%%02X", (unsigned)(unsigned char)stop);
            text++;
        }
    }
}

void log_mask(struct log *log, const char *value)
{
    if (!mask_add(value) || log->style != LOG_GITHUB) {
        return;
    }
    struct buf line AUTO_BUF, copy AUTO_BUF;
    buf_init(&line, strlen(value) * 3 + 32);
    buf_init(&copy, strlen(value));
    buf_adds(&copy, value);
    buf_adds(&line, "::add-mask::");
    add_command_text(&line, copy.data, false, true);
    buf_adds(&line, "\n");
    write_all(log->fd, line.data, line.length);
    explicit_bzero(line.data, line.length);
    explicit_bzero(copy.data, copy.length);
}

void log_document(int fd, const char *text)
{
    struct buf masked AUTO_BUF, line AUTO_BUF, out AUTO_BUF;
    const size_t length = strlen(text);
    buf_init(&masked, length * 3);
    buf_init(&line, DOCUMENT_MAX);
    buf_init(&out, DOCUMENT_MAX);
    mask_apply(&masked, text, length, false);
    for (char *at = masked.data; *at != '\0';) {
        char *end = strchrnul(at, '\n');
        const bool last = *end == '\0';
        *end = '\0';
        buf_clear(&line);
        text_to_terminal(&line, at);
        break_commands(&out, line.data);
        buf_add(&out, "\n", last ? 0 : 1);
        at = end + (last ? 0 : 1);
    }
    write_all(fd, out.data, out.length);
}

/* GitLab allows [A-Za-z0-9_.-]; the number keeps two groups of one title apart. */
static void name_section(struct log *log, const char *title)
{
    size_t length = 0;
    for (; length < 40 && title[length] != '\0'; length++) {
        char c = title[length];
        bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        log->section[length] = kept ? c : '_';
    }
    snprintf(log->section + length, sizeof log->section - length, "_%u", ++log->groups);
}

void log_group(struct log *log, const char *title, int64_t wall_ms)
{
    if (log->level < LOG_INFO) {
        return;
    }
    log_group_end(log, wall_ms);
    struct buf shown AUTO_BUF, line AUTO_BUF;
    buf_init(&shown, LINE_MAX_SHOWN);
    buf_init(&line, LINE_MAX_SHOWN);
    make_harmless(&shown, title, false);
    if (log->style == LOG_GITHUB) {
        buf_adds(&line, "::group::");
        add_command_text(&line, shown.data, false, false);
    } else if (log->style == LOG_GITLAB) {
        name_section(log, shown.data);
        buf_addf(&line, "\033[0Ksection_start:%" PRId64 ":%s[collapsed=true]\r\033[0K%s",
                 wall_ms / 1000, log->section, shown.data);
    } else {
        buf_adds(&line, shown.data);
    }
    write_line(log, log->style == LOG_GITHUB || log->style == LOG_GITLAB ? "" : "\033[1m",
               line.data);
    log->group_open = true;
    log->group_at = wall_ms;
}

void log_group_end(struct log *log, int64_t wall_ms)
{
    if (!log->group_open) {
        return;
    }
    log->group_open = false;
    if (log->style == LOG_GITHUB) {
        write_line(log, "", "::endgroup::");
    } else if (log->style == LOG_GITLAB) {
        char line[128];
        snprintf(line, sizeof line, "\033[0Ksection_end:%" PRId64 ":%s\r\033[0K", wall_ms / 1000,
                 log->section);
        write_line(log, "", line);
    }
}

static void add_masked_command_text(struct buf *out, const char *text, bool property)
{
    struct buf masked AUTO_BUF;
    buf_init(&masked, LINE_RAW_MAX);
    mask_apply(&masked, text, strlen(text), false);
    add_command_text(out, masked.data, property, false);
}

void log_annotate(struct log *log, enum log_level level, const char *file, int line,
                  const char *message)
{
    static const char *const commands[] = {"error", "warning", "notice", "notice"};
    if (level > log->level) {
        return;
    }
    if (log->style != LOG_GITHUB) {
        size_t length = file == NULL ? 0 : strlen(file);
        bool placed = length > 0 && strncmp(message, file, length) == 0 && message[length] == ':';
        if (file == NULL || placed) {
            log_line(log, level, "%s", message);
        } else if (line > 0) {
            log_line(log, level, "%s:%d: %s", file, line, message);
        } else {
            log_line(log, level, "%s: %s", file, message);
        }
        return;
    }
    struct buf out AUTO_BUF;
    buf_init(&out, LINE_MAX_SHOWN);
    buf_addf(&out, "::%s", commands[level]);
    if (file != NULL) {
        buf_adds(&out, " file=");
        add_masked_command_text(&out, file, true);
    }
    if (file != NULL && line > 0) {
        buf_addf(&out, ",line=%d", line);
    }
    buf_adds(&out, "::");
    add_masked_command_text(&out, message, false);
    write_line(log, "", out.data);
}

void log_free(struct log *log)
{
    if (log == NULL) {
        return;
    }
    log_live(log, "%s", "");
    log_group_end(log, log->group_at);
    buf_release(&log->live);
    mask_forget();
    free(log);
}
