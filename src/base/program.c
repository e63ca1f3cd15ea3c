/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include "text.h"

#include <string.h>

enum { PROGRAM_MAX = 16 * 1024, NESTING_MAX = 64 };

static const char regex_hint[] =
    "this jq has no regular expressions; use startswith, endswith, contains, split or index";
static const char env_hint[] = "queries do not see the environment";
static const char input_hint[] = "there is one input, and it is '.'";
static const char print_hint[] = "queries do not print";
static const char file_hint[] = "queries do not read files";

/* Words with `$` in front are variables. */
static const struct refused {
    const char *word, *reason;
} refused[] = {
    {"$ENV", env_hint},
    {"env", env_hint},
    {"$__prog_args", env_hint},
    {"input", input_hint},
    {"inputs", input_hint},
    {"input_filename", input_hint},
    {"debug", print_hint},
    {"stderr", print_hint},
    {"input_line_number", input_hint},
    {"include", file_hint},
    {"import", file_hint},
    {"modulemeta", file_hint},
    {"test", regex_hint},
    {"match", regex_hint},
    {"capture", regex_hint},
    {"scan", regex_hint},
    {"splits", regex_hint},
    {"sub", regex_hint},
    {"gsub", regex_hint},
    {"get_search_list", file_hint},
};

struct scanner {
    const char *at;
    char before;            /* the last byte that was no blank, string or comment */
    char open[NESTING_MAX]; /* brackets we are in; '"' for the text around a \( */
    size_t depth;
    const char *program;
    struct error *err;
};

static int fail(const struct scanner *s, const char *what, const char *reason)
{
    return error_set(s->err, ERROR_CONFIG, "jq '%.120s': '%.40s' is not allowed: %s", s->program,
                     what, reason);
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool letter_or_digit(char c)
{
    return letter(c) || (c >= '0' && c <= '9');
}

static int open_bracket(struct scanner *s, char bracket)
{
    if (s->depth == NESTING_MAX) {
        return error_set(s->err, ERROR_CONFIG, "jq '%.120s': nested deeper than %d brackets",
                         s->program, NESTING_MAX);
    }
    s->open[s->depth++] = bracket;
    return 0;
}

/* From the quote, or from the end of a \(…), to the end of the text or to the next \(. */
static int skip_text(struct scanner *s)
{
    while (*s->at != '\0' && *s->at != '"') {
        if (*s->at == '\\' && s->at[1] == '(') {
            s->at += 2;
            s->before = '(';
            return open_bracket(s, '"');
        }
        s->at += *s->at == '\\' && s->at[1] != '\0' ? 2 : 1;
    }
    s->at += *s->at == '"';
    s->before = '"';
    return 0;
}

/* A backslash before the line's end carries a comment on. */
static void skip_comment(struct scanner *s)
{
    while (*s->at != '\0' && *s->at != '\n') {
        if (*s->at == '\\') {
            s->at++;
            s->at += *s->at == '\r' && s->at[1] == '\n';
            s->at += *s->at == '\\' || *s->at == '\n';
        } else {
            s->at++;
        }
    }
}

/* `{word: …}` and `{word}` name members of an object, not functions. */
static bool is_member_name(const struct scanner *s, const char *after)
{
    if (s->depth == 0 || s->open[s->depth - 1] != '{' || (s->before != '{' && s->before != ',')) {
        return false;
    }
    after += strspn(after, " \t\r\n");
    return *after == ':' || *after == ',' || *after == '}';
}

static int check_word(struct scanner *s, const char *word)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (strcmp(word, refused[i].word) == 0) {
            return fail(s, word, refused[i].reason);
        }
    }
    return 0;
}

static int read_word(struct scanner *s)
{
    char word[40];
    const char *start = s->at;
    size_t length = 0;
    while (letter_or_digit(start[length]) || (start[length] == ':' && start[length + 1] == ':')) {
        length += start[length] == ':' ? 2 : 1;
    }
    s->at += length;
    char before = s->before;
    bool member = before != '$' && is_member_name(s, s->at);
    /* What stands directly behind a dot is a field; ".. env" is two words. */
    bool field =
        start > s->program && start[-1] == '.' && !(start - s->program > 1 && start[-2] == '.');
    s->before = 'w';
    if (field || member) {
        return 0;
    }
    size_t offset = before == '$';
    if (length >= sizeof word - 1) {
        return 0;
    }
    word[0] = '$';
    memcpy(word + offset, start, length);
    word[offset + length] = '\0';
    return check_word(s, word);
}

static int close_bracket(struct scanner *s)
{
    char open = s->depth > 0 ? s->open[--s->depth] : '\0';
    s->before = *s->at++;
    return open == '"' ? skip_text(s) : 0;
}

static int read_sign(struct scanner *s)
{
    char sign = *s->at;
    if (sign == ')' || sign == ']' || sign == '}') {
        return close_bracket(s);
    }
    s->before = *s->at++;
    return strchr("([{", sign) != NULL ? open_bracket(s, sign) : 0;
}

/* "1e3" is no word. */
static void skip_number(struct scanner *s)
{
    while (letter_or_digit(*s->at) || *s->at == '.') {
        s->at++;
    }
    s->before = '0';
}

static int read_token(struct scanner *s)
{
    char c = *s->at;
    if (strchr(" \t\r\n", c) != NULL) {
        s->at++;
        return 0;
    }
    if (c == '#') {
        skip_comment(s);
        return 0;
    }
    if (c == '"') {
        s->at++;
        return skip_text(s);
    }
    if (letter(c)) {
        return read_word(s);
    }
    if (letter_or_digit(c)) {
        skip_number(s);
        return 0;
    }
    return read_sign(s);
}

int program_look(const char *program, struct error *err)
{
    struct scanner s = {.at = program, .program = program, .err = err};
    if (strlen(program) > PROGRAM_MAX) {
        return error_set(err, ERROR_CONFIG, "jq '%.40s…': longer than 16 KiB", program);
    }
    while (*s.at != '\0') {
        if (read_token(&s) != 0) {
            return -1;
        }
    }
    return 0;
}
