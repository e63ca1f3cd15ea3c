/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include "mask.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RAW_MAX (8 * ERROR_MESSAGE_MAX)

static const char *const kind_names[ERROR_KINDS] = {
    [ERROR_NONE] = "none",           [ERROR_USAGE] = "usage",
    [ERROR_CONFIG] = "config",       [ERROR_AUTH] = "auth",
    [ERROR_DENIED] = "denied",       [ERROR_NOTFOUND] = "notfound",
    [ERROR_CONFLICT] = "conflict",   [ERROR_TIMEOUT] = "timeout",
    [ERROR_NETWORK] = "network",     [ERROR_RATELIMIT] = "ratelimit",
    [ERROR_REMOTE] = "remote",       [ERROR_FORMAT] = "format",
    [ERROR_STATE] = "state",         [ERROR_GATE] = "gate",
    [ERROR_CANCELLED] = "cancelled", [ERROR_BUG] = "bug",
};

/* A cut message may end inside a UTF-8 sequence: take that piece away. */
static size_t whole_points(const char *text, size_t length)
{
    size_t start = length;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) {
        start--;
    }
    if (start == 0) {
        return length;
    }
    unsigned char lead = (unsigned char)text[start - 1];
    size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    return length - (start - 1) < want ? start - 1 : length;
}

/* Messages are one line; what others wrote into them may hold more. */
static void settle(char *message, size_t length, bool cut)
{
    if (cut) {
        message[whole_points(message, length)] = '\0';
    }
    for (char *p = message; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7F) {
            *p = ' ';
        }
    }
}

/* By way of a copy, since the arguments may point into *err itself; and rid of secrets before
 * it is cut, since half of one would not be known. */
PRINTF_LIKE(3, 0)
static int fill(struct error *err, enum error_kind kind, const char *format, va_list args)
{
    char raw[RAW_MAX];
    struct buf message AUTO_BUF;
    int wanted = vsnprintf(raw, sizeof raw, format, args);
    if (wanted < 0) {
        raw[0] = '\0';
    }
    buf_init(&message, ERROR_MESSAGE_MAX - 1);
    mask_apply(&message, raw, strlen(raw), wanted >= RAW_MAX);
    err->kind = kind;
    memcpy(err->message, message.data, message.length + 1);
    settle(err->message, message.length, message.overflow || wanted >= RAW_MAX);
    explicit_bzero(raw, sizeof raw);
    return -1;
}

int error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
    if (err == NULL) {
        return -1;
    }
    va_list args;
    va_start(args, format);
    fill(err, kind, format, args);
    va_end(args);
    return -1;
}

static enum error_kind kind_of_number(int number)
{
    switch (number) {
    case ENOENT:
        return ERROR_NOTFOUND;
    case EACCES:
    case EPERM:
        return ERROR_DENIED;
    case ETIMEDOUT:
        return ERROR_TIMEOUT;
    case ENOSPC:
    case EROFS:
    case EDQUOT:
        return ERROR_STATE;
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
        return ERROR_NETWORK;
    default:
        return ERROR_REMOTE;
    }
}

int error_system(struct error *err, int number, const char *format, ...)
{
    if (err == NULL) {
        return -1;
    }
    struct error what;
    va_list args;
    va_start(args, format);
    fill(&what, kind_of_number(number), format, args);
    va_end(args);
    return error_set(err, what.kind, "%s: %s", what.message, strerror(number));
}

int error_wrap(struct error *err, const char *format, ...)
{
    if (err == NULL) {
        return -1;
    }
    struct error context;
    va_list args;
    va_start(args, format);
    fill(&context, err->kind, format, args);
    va_end(args);
    return error_set(err, err->kind, "%s: %s", context.message, err->message);
}

const char *error_kind_name(enum error_kind kind)
{
    return (unsigned)kind < ERROR_KINDS ? kind_names[kind] : "unknown";
}

bool error_is_transient(enum error_kind kind)
{
    return kind == ERROR_TIMEOUT || kind == ERROR_NETWORK || kind == ERROR_RATELIMIT ||
           kind == ERROR_REMOTE;
}

int error_exit_code(enum error_kind kind)
{
    switch (kind) {
    case ERROR_USAGE:
    case ERROR_CONFIG:
        return 1;
    case ERROR_GATE:
        return 3;
    case ERROR_CONFLICT:
        return 7;
    case ERROR_CANCELLED:
        return 130;
    default:
        return 6;
    }
}
