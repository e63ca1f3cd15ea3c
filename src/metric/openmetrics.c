/* SPDX-License-Identifier: Apache-2.0 */
#include "openmetrics.h"

#include "reading.h"
#include "text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* One page being read. Names and values are unescaped into scratch. */
struct page {
    const char *at, *end; /* of the line */
    char scratch[OM_LINE_MAX + 2 * OM_LABELS_MAX + 8];
    size_t used;
    size_t line, series;
    bool ended; /* # EOF was seen */
    struct om_sample sample;
    const char *wrong;
};

const char *om_label_of(const struct om_sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->label_count; i++) {
        if (strcmp(sample->labels[i].name, name) == 0) {
            return sample->labels[i].value;
        }
    }
    return "";
}

static bool wrong(struct page *page, const char *what)
{
    page->wrong = what;
    return false;
}

static char peek(const struct page *page)
{
    return page->at < page->end ? *page->at : '\0';
}

static void skip_blanks(struct page *page)
{
    while (peek(page) == ' ' || peek(page) == '\t') {
        page->at++;
    }
}

static const char *keep(struct page *page, const char *text, size_t length)
{
    char *copy = page->scratch + page->used;
    memcpy(copy, text, length);
    copy[length] = '\0';
    page->used += length + 1;
    return copy;
}

static const char *read_name(struct page *page)
{
    const char *start = page->at;
    while (isalnum((unsigned char)peek(page)) || peek(page) == '_' || peek(page) == ':') {
        page->at++;
    }
    const bool good = page->at > start && !isdigit((unsigned char)*start);
    return good ? keep(page, start, (size_t)(page->at - start)) : NULL;
}

static bool read_value(struct page *page, const char **out)
{
    char *value = page->scratch + page->used;
    size_t length = 0;
    for (; peek(page) != '"'; page->at++) {
        if (page->at >= page->end) {
            return wrong(page, "a label's value without its closing quote");
        }
        char byte = *page->at;
        if (byte == '\\' && page->at + 1 < page->end) {
            page->at++;
            byte = *page->at == 'n' ? '\n' : *page->at;
        }
        value[length++] = byte;
    }
    page->at++;
    value[length] = '\0';
    page->used += length + 1;
    *out = value;
    return true;
}

static bool read_label(struct page *page)
{
    struct om_sample *sample = &page->sample;
    if (sample->label_count == OM_LABELS_MAX) {
        return wrong(page, "more than 64 labels");
    }
    struct om_label *label = &sample->labels[sample->label_count++];
    label->name = read_name(page);
    skip_blanks(page);
    if (!label->name || peek(page) != '=') {
        return wrong(page, "no label=\"value\"");
    }
    page->at++;
    skip_blanks(page);
    if (peek(page) != '"') {
        return wrong(page, "no label=\"value\"");
    }
    page->at++;
    return read_value(page, &label->value);
}

static bool read_labels(struct page *page)
{
    page->at++;
    skip_blanks(page);
    while (peek(page) != '}') {
        if (!read_label(page)) {
            return false;
        }
        skip_blanks(page);
        if (peek(page) == ',') {
            page->at++;
            skip_blanks(page);
        } else if (peek(page) != '}') {
            return wrong(page, "no `,` or `}` after a label");
        }
    }
    page->at++;
    return true;
}

/* The next word as a number. */
static bool read_number(struct page *page, double *out)
{
    char word[64];
    size_t length = 0;
    skip_blanks(page);
    while (page->at < page->end && *page->at != ' ' && *page->at != '\t') {
        if (length + 1 == sizeof(word)) {
            return false;
        }
        word[length++] = *page->at++;
    }
    word[length] = '\0';
    skip_blanks(page);
    return number_of(word, out);
}

static bool read_sample(struct page *page)
{
    struct om_sample *sample = &page->sample;
    double time;
    page->used = 0;
    sample->label_count = 0;
    sample->name = read_name(page);
    if (!sample->name) {
        return wrong(page, "no name of a metric");
    }
    skip_blanks(page);
    if (peek(page) == '{' && !read_labels(page)) {
        return false;
    }
    if (!read_number(page, &sample->value)) {
        return wrong(page, "no number");
    }
    /* A time of its own and exemplars say nothing that we need. */
    if (page->at < page->end && *page->at != '#' && !read_number(page, &time)) {
        return wrong(page, "neither a time nor the end of the line after the number");
    }
    if (page->at < page->end && *page->at != '#') {
        return wrong(page, "something after the time");
    }
    if (++page->series > OM_SERIES_MAX) {
        return wrong(page, "more than 20000 series");
    }
    return true;
}

/* True where the line holds a sample; else wrong tells. */
static bool read_line(struct page *page)
{
    skip_blanks(page);
    if (page->at == page->end) {
        return false;
    }
    if (*page->at == '#') {
        page->ended = page->end - page->at == 5 && memcmp(page->at, "# EOF", 5) == 0;
        return false;
    }
    return read_sample(page);
}

static const char *next_line(struct page *page, const char *from, const char *end)
{
    const char *newline = memchr(from, '\n', (size_t)(end - from));
    page->line++;
    page->at = from;
    if (!newline) {
        page->end = end;
        /* OpenMetrics may leave out the newline behind its last line only. */
        const bool eof = end - from == 5 && memcmp(from, "# EOF", 5) == 0;
        if (!eof) {
            page->wrong = "the page ends within a line";
        }
        return end;
    }
    page->end = newline > from && newline[-1] == '\r' ? newline - 1 : newline;
    if ((size_t)(page->end - from) > OM_LINE_MAX) {
        page->wrong = "the line is longer than 64 KiB";
    } else if (page->ended) {
        page->wrong = "there is more after # EOF";
    }
    return newline + 1;
}

static int scan_failed(const struct page *page, const char *start, struct error *err)
{
    char shown[41];
    size_t length = 0;
    for (; length < sizeof(shown) - 1 && start + length < page->end; length++) {
        shown[length] = isprint((unsigned char)start[length]) ? start[length] : '.';
    }
    shown[length] = '\0';
    return error_set(err, ERROR_FORMAT, "no metrics page: line %zu: %s: '%s'", page->line,
                     page->wrong, shown);
}

static int scan_lines(struct page *page, const struct om_page *whole, om_visit *visit,
                      void *context, struct error *err)
{
    const char *end = whole->text + whole->length;
    for (const char *from = whole->text; from < end;) {
        const char *line = from;
        from = next_line(page, from, end);
        const bool sample = !page->wrong && read_line(page);
        if (page->wrong) {
            return scan_failed(page, line, err);
        }
        if (sample) {
            visit(context, &page->sample);
        }
    }
    if (whole->openmetrics && !page->ended) {
        return error_set(err, ERROR_FORMAT, "the OpenMetrics page is cut off: no # EOF at its end");
    }
    return 0;
}

int om_scan(const struct om_page *whole, om_visit *visit, void *context, struct error *err)
{
    if (whole->length > OM_PAGE_MAX) {
        return error_set(err, ERROR_FORMAT, "a metrics page above 16 MiB");
    }
    struct page *page = memory_alloc(sizeof(*page));
    page->wrong = NULL;
    page->line = page->series = page->used = 0;
    page->ended = false;
    const int result = scan_lines(page, whole, visit, context, err);
    free(page);
    return result;
}
