/* SPDX-License-Identifier: Apache-2.0
 *
 * Workflow commands: whatever a text holds, each message is one line, none of them becomes a
 * command of the CI or of the terminal, an annotation unescapes to the text, and a mask leaves
 * nothing of its secret. Lines: a secret (or none), a file's name; the rest is the message.
 */
#include "log.h"

#include "fuzz.h"

struct given {
    struct arena *arena;
    const char *secret, *file, *message;
};

static const char *after(const char *text, const char *prefix)
{
    REQUIRE(text_starts(text, prefix));
    return text + strlen(prefix);
}

/* As the runner reads data and properties of a command. */
static const char *unescape(struct arena *arena, const char *text, size_t length)
{
    char *out = arena_alloc(arena, length + 1);
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned byte = (unsigned char)text[i];
        if (byte == '%') {
            char digits[3] = {text[i + 1], text[i + 2], '\0'};
            byte = (unsigned)strtoul(digits, NULL, 16);
            i += 2;
        }
        out[used++] = (char)byte;
    }
    return out;
}

/* What a reader sees of text: control bytes and what is no UTF-8 as \xNN, line breaks kept. */
static const char *shown(struct arena *arena, const char *text)
{
    struct buf out AUTO_BUF;
    buf_init(&out, 1 << 20);
    while (*text != '\0') {
        size_t run = strcspn(text, "\r\n%:,");
        text_to_terminal(&out, arena_text_n(arena, text, run));
        buf_add(&out, text + run, text[run] != '\0');
        text += run + (text[run] != '\0');
    }
    return arena_text_n(arena, out.data, out.length);
}

/* Word for word, but for the gap that keeps `::` and `##[` from being a command. */
static bool is_same(const char *told, const char *meant)
{
    for (; *told != '\0'; told++) {
        bool gap = *told == ' ' && *meant != ' ' && (told[1] == ':' || told[1] == '[');
        if (!gap && *told != *meant++) {
            return false;
        }
    }
    return *meant == '\0';
}

/* One whole line, which is no command of GitHub's. */
static void check_line(const char *text, bool github)
{
    size_t length = strlen(text);
    REQUIRE(length > 0 && text[length - 1] == '\n' && strchr(text, '\n') == text + length - 1);
    for (const char *at = text; at < text + length - 1; at++) {
        REQUIRE((unsigned char)*at >= 0x20 || *at == '\t');
    }
    REQUIRE(text_utf8_valid(text, length));
    if (github) {
        REQUIRE(strncmp(text + strspn(text, " \t"), "::", 2) != 0);
        REQUIRE(strstr(text, "##[") == NULL);
    }
}

static struct log *open_log(const struct given *given, enum log_style style)
{
    struct log *log = log_open(output_open(), style, LOG_DETAIL, false);
    if (given->secret[0] != '\0') {
        log_mask(log, given->secret);
    }
    return log;
}

/* The secret is not in text, as far as it could not come out of an escape. */
static void check_masked(const struct given *given, const char *text)
{
    static const char own[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstvwyz";
    size_t length = strlen(given->secret);
    if (length >= 4 && strspn(given->secret, own) == length) {
        REQUIRE(strstr(text, given->secret) == NULL);
    }
}

/* Of what was written, that which follows the mask's own command. */
static const char *written(const struct given *given, enum log_style style)
{
    const char *text = output_text(given->arena);
    REQUIRE(text_utf8_valid(text, strlen(text)) || style == LOG_GITHUB);
    if (text_starts(text, "::add-mask::")) {
        const char *value = after(text, "::add-mask::");
        size_t length = strcspn(value, "\n");
        REQUIRE(style == LOG_GITHUB && value[length] == '\n');
        REQUIRE(strcmp(unescape(given->arena, value, length), given->secret) == 0);
        text = value + length + 1;
    }
    return text;
}

static void try_line(const struct given *given, enum log_style style)
{
    struct log *log = open_log(given, style);
    log_line(log, LOG_WARN, "%s", given->message);
    const char *text = written(given, style);
    check_line(text, style == LOG_GITHUB);
    check_masked(given, text);
    log_free(log);
}

static void try_group(const struct given *given, enum log_style style)
{
    struct log *log = open_log(given, style);
    log_group(log, given->message, 1000);
    const char *text = written(given, style);
    if (style == LOG_GITHUB) {
        text = after(text, "::group::");
    } else if (style == LOG_GITLAB) {
        text = after(text, "\033[0Ksection_start:1:");
        text += strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
        text = after(text, "[collapsed=true]\r\033[0K");
    } else if (style == LOG_TERMINAL || style == LOG_PLAIN) {
        REQUIRE(strchr(text, '\033') == NULL);
    }
    check_line(text, false);
    check_masked(given, style == LOG_GITHUB ? unescape(given->arena, text, strlen(text)) : text);
    log_free(log);
}

static void try_annotation(const struct given *given)
{
    struct log *log = open_log(given, LOG_GITHUB);
    log_annotate(log, LOG_ERROR, given->file, 7, given->message);
    const char *text = after(written(given, LOG_GITHUB), "::error file=");
    check_line(text, false);
    size_t length = strcspn(text, ",:");
    const char *file = unescape(given->arena, text, length);
    text = after(text + length, ",line=7::");
    const char *message = unescape(given->arena, text, strlen(text) - 1);
    check_masked(given, file);
    check_masked(given, message);
    if (given->secret[0] == '\0') {
        REQUIRE(is_same(file, shown(given->arena, given->file)));
        REQUIRE(is_same(message, shown(given->arena, given->message)));
    }
    log_free(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct slice rest = {(const char *)data, size < 4096 ? size : 4096};
    struct given given = {.arena = &arena};
    given.secret = input_line(&arena, &rest);
    given.file = input_line(&arena, &rest);
    given.message = input_text(&arena, &rest);
    for (int style = LOG_PLAIN; style <= LOG_GITLAB; style++) {
        try_line(&given, (enum log_style)style);
        try_group(&given, (enum log_style)style);
    }
    try_annotation(&given);
    return 0;
}
