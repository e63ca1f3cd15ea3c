/* SPDX-License-Identifier: Apache-2.0 */
#include "template.h"

#include "json.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 16
#define TAG_MAX 128
#define TAGS_MAX 250000 /* filled in, with repetitions: sections over lists multiply */

/* One open section: where its body begins, and over what it walks. */
struct frame {
    const struct json *context;
    const struct json *list; /* NULL: entered once */
    size_t index;
    const char *body;
    char name[TAG_MAX];
    bool hidden;
};

struct renderer {
    const char *name, *text, *at;
    struct buf *out;
    struct frame frames[DEPTH_MAX];
    size_t depth, tags;
    struct error *err;
};

struct tag {
    char kind; /* 0: variable, '&': unescaped, '#', '^', '/', '!' */
    char name[TAG_MAX];
    const char *start, *end; /* of the whole tag in the text */
};

static int line_of(const struct renderer *renderer, const char *at)
{
    int line = 1;
    for (const char *c = renderer->text; c < at; c++)
        line += *c == '\n' ? 1 : 0;
    return line;
}

static int fail(const struct renderer *renderer, const char *at, const char *what,
                const char *subject)
{
    return error_set(renderer->err, ERROR_FORMAT, "%s:%d: %s '%s'", renderer->name,
                     line_of(renderer, at), what, subject);
}

static bool is_hidden(const struct renderer *renderer)
{
    for (size_t i = 0; i < renderer->depth; i++) {
        if (renderer->frames[i].hidden)
            return true;
    }
    return false;
}

static const struct json *step_into(const struct json *context, const char *name, size_t length)
{
    char key[TAG_MAX];
    snprintf(key, sizeof key, "%.*s", (int)length, name);
    return json_get(context, key);
}

/* The first word is looked up from the innermost context outwards, the rest inside it. */
static const struct json *look_up(const struct renderer *renderer, const char *name)
{
    if (strcmp(name, ".") == 0)
        return renderer->frames[renderer->depth - 1].context;
    size_t length = strcspn(name, ".");
    const struct json *found = NULL;
    for (size_t i = renderer->depth; i > 0 && found == NULL; i--)
        found = step_into(renderer->frames[i - 1].context, name, length);
    while (found != NULL && name[length] == '.') {
        name += length + 1;
        length = strcspn(name, ".");
        found = step_into(found, name, length);
    }
    return found;
}

static int read_tag(struct renderer *renderer, const char *start, struct tag *tag)
{
    bool triple = strncmp(start, "{{{", 3) == 0;
    const char *close = triple ? "}}}" : "}}";
    const char *body = start + (triple ? 3 : 2);
    const char *end = strstr(body, close);
    if (end == NULL)
        return fail(renderer, start, "tag is not closed", "{{");
    tag->kind = triple ? '&' : 0;
    if (!triple && strchr("#^/!&", *body) != NULL && *body != '\0')
        tag->kind = *body++;
    while (*body == ' ')
        body++;
    size_t length = (size_t)(end - body);
    while (length > 0 && body[length - 1] == ' ')
        length--;
    if (tag->kind != '!' && (length == 0 || length >= TAG_MAX))
        return fail(renderer, start, "tag has no usable name", "{{");
    snprintf(tag->name, sizeof tag->name, "%.*s", (int)(length < TAG_MAX ? length : 0), body);
    tag->start = start;
    tag->end = end + strlen(close);
    return 0;
}

/* A section or comment tag alone on its line takes the line with it. */
static void take_line(const struct renderer *renderer, struct tag *tag)
{
    if (tag->kind == 0 || tag->kind == '&')
        return;
    const char *start = tag->start, *end = tag->end;
    while (start > renderer->text && (start[-1] == ' ' || start[-1] == '\t'))
        start--;
    while (*end == ' ' || *end == '\t')
        end++;
    bool begins = start == renderer->text || start[-1] == '\n';
    if (!begins || (*end != '\n' && *end != '\0'))
        return;
    tag->start = start;
    tag->end = *end == '\n' ? end + 1 : end;
}

static bool is_truth(const struct json *value)
{
    double number = 0;
    if (value == NULL || json_is_null(value))
        return false;
    if (json_is_array(value))
        return json_size(value) > 0;
    if (json_text(value) != NULL)
        return json_text(value)[0] != '\0';
    if (json_number(value, &number))
        return number != 0;
    return json_is_object(value) || json_bool(value);
}

static int open_section(struct renderer *renderer, const struct tag *tag)
{
    if (renderer->depth == DEPTH_MAX)
        return fail(renderer, tag->start, "sections are nested too deeply at", tag->name);
    struct frame *frame = &renderer->frames[renderer->depth];
    const struct json *outer = renderer->frames[renderer->depth - 1].context;
    bool hidden = is_hidden(renderer);
    const struct json *value = hidden ? NULL : look_up(renderer, tag->name);
    if (!hidden && value == NULL)
        return fail(renderer, tag->start, "the model has no", tag->name);
    *frame = (struct frame){.context = outer, .body = tag->end};
    snprintf(frame->name, sizeof frame->name, "%s", tag->name);
    bool truth = is_truth(value);
    frame->hidden = hidden || truth == (tag->kind == '^');
    if (!frame->hidden && tag->kind == '#' && json_is_array(value)) {
        frame->list = value;
        frame->context = json_at(value, 0);
    } else if (!frame->hidden && tag->kind == '#' && json_is_object(value)) {
        frame->context = value;
    }
    renderer->depth++;
    renderer->at = tag->end;
    return 0;
}

static int close_section(struct renderer *renderer, const struct tag *tag)
{
    struct frame *frame = &renderer->frames[renderer->depth - 1];
    if (renderer->depth < 2 || strcmp(frame->name, tag->name) != 0)
        return fail(renderer, tag->start, "closes a section that is not open:", tag->name);
    if (frame->list != NULL && ++frame->index < json_size(frame->list)) {
        frame->context = json_at(frame->list, frame->index);
        renderer->at = frame->body;
        return 0;
    }
    renderer->depth--;
    renderer->at = tag->end;
    return 0;
}

static int add_value(struct renderer *renderer, const struct tag *tag)
{
    renderer->at = tag->end;
    if (is_hidden(renderer))
        return 0;
    const struct json *value = look_up(renderer, tag->name);
    if (value == NULL)
        return fail(renderer, tag->start, "the model has no", tag->name);
    double number = 0;
    const char *text = json_text(value);
    if (text != NULL && tag->kind == '&')
        buf_adds(renderer->out, text);
    else if (text != NULL)
        text_to_markdown(renderer->out, text);
    else if (json_number(value, &number))
        buf_addf(renderer->out, "%.15g", number);
    else if (!json_is_null(value))
        buf_adds(renderer->out, json_bool(value) ? "true" : "false");
    return 0;
}

static int do_tag(struct renderer *renderer, struct tag *tag)
{
    take_line(renderer, tag);
    if (++renderer->tags > TAGS_MAX)
        return fail(renderer, tag->start, "sections repeat each other too often at", tag->name);
    switch (tag->kind) {
    case '#':
    case '^':
        return open_section(renderer, tag);
    case '/':
        return close_section(renderer, tag);
    case '!':
        renderer->at = tag->end;
        return 0;
    default:
        return add_value(renderer, tag);
    }
}

int template_render(const char *name, const char *text, const struct json *model, struct buf *out,
                    struct error *err)
{
    struct renderer renderer = {.name = name, .text = text, .at = text, .out = out, .err = err};
    renderer.frames[0].context = model;
    renderer.depth = 1;
    for (;;) {
        struct tag tag = {0};
        const char *start = strstr(renderer.at, "{{");
        const char *end = start == NULL ? renderer.at + strlen(renderer.at) : start;
        if (start != NULL && read_tag(&renderer, start, &tag) != 0)
            return -1;
        const char *from = renderer.at;
        if (start != NULL) {
            struct tag whole = tag;
            take_line(&renderer, &whole);
            end = whole.start > from ? whole.start : from;
        }
        if (!is_hidden(&renderer))
            buf_add(out, from, (size_t)(end - from));
        if (start == NULL || out->overflow)
            break;
        if (do_tag(&renderer, &tag) != 0)
            return -1;
    }
    if (out->overflow)
        return error_set(err, ERROR_FORMAT, "%s: the document is larger than %zu bytes", name,
                         out->max);
    if (renderer.depth > 1)
        return fail(&renderer, renderer.at,
                    "section is not closed:", renderer.frames[renderer.depth - 1].name);
    return 0;
}
