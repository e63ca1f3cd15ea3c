/* SPDX-License-Identifier: Apache-2.0 */
#include "promql.h"

#include "text.h"

#include <string.h>

#define QUERY_MAX ((size_t)1 << 20)

/* Inside the quotes of PromQL. */
static void add_quoted(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            buf_adds(out, "\\n");
            continue;
        }
        if (*text == '\\' || *text == '"') {
            buf_add(out, "\\", 1);
        }
        buf_add(out, text, 1);
    }
}

/* text as a pattern that matches itself only, inside the quotes of PromQL. */
static void add_literal(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("\\.+*?()|[]{}^$", *text)) {
            buf_adds(out, "\\\\");
        }
        const char one[2] = {*text, '\0'};
        add_quoted(out, one);
    }
}

/* "http://10.0.0.1/x" → "10.0.0.1:80", as Prometheus fills in the port. */
static const char *host_port(const char *url, struct arena *arena)
{
    const bool tls = text_starts(url, "https://");
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    const size_t length = strcspn(host, "/?#");
    const char *name = arena_text_n(arena, host, length);
    const char *close = strrchr(name, ']');
    if (strchr(close ? close : name, ':')) {
        return name;
    }
    return arena_format(arena, "%s:%s", name, tls ? "443" : "80");
}

const char **promql_names(const struct instance *instance, struct arena *arena)
{
    const char **names = arena_array(arena, 4, sizeof(*names));
    size_t count = 0;
    names[count++] = instance->name;
    if (instance->url) {
        names[count++] = host_port(instance->url, arena);
    }
    if (instance->server && !text_equal(instance->server, instance->name)) {
        names[count++] = instance->server;
    }
    return names;
}

const char *promql_pattern(const struct metric_query *query, struct arena *arena)
{
    AUTO_BUF struct buf out;
    buf_init(&out, QUERY_MAX);
    for (size_t i = 0; i < query->count; i++) {
        for (const char **name = promql_names(query->instances[i], arena); *name; name++) {
            buf_adds(&out, out.length > 0 ? "|" : "");
            add_literal(&out, *name);
        }
    }
    return arena_text(arena, out.data);
}

static void add_matchers(struct buf *out, const struct om_selector *selector)
{
    static const char *const signs[] = {"=", "!=", "=~", "!~"};
    for (size_t i = 0; i < selector->count; i++) {
        const struct om_matcher *matcher = &selector->matchers[i];
        buf_addf(out, ",%s%s\"", matcher->label, signs[matcher->match]);
        add_quoted(out, matcher->value);
        buf_adds(out, "\"");
    }
}

/* What all parts of a query share. */
struct builder {
    struct buf text;
    const char *label, *pattern;
};

static void add_selector(struct builder *builder, const struct om_selector *selector)
{
    buf_addf(&builder->text, "%s{%s=~\"%s\"", selector->name, builder->label, builder->pattern);
    add_matchers(&builder->text, selector);
    buf_adds(&builder->text, "}");
}

static void part_begin(struct builder *builder, const char *head)
{
    buf_addf(&builder->text, "%slabel_replace(%s", builder->text.length > 0 ? " or " : "", head);
}

static void part_end(struct builder *builder, const char *name, size_t number)
{
    buf_addf(&builder->text, ",\"" PROMQL_PART "\",\"%s", name);
    if (strcmp(name, PROMQL_LABEL) == 0) {
        buf_addf(&builder->text, "%zu", number);
    }
    buf_adds(&builder->text, "\",\"\",\"\")");
}

static void add_sum(struct builder *builder, const struct om_selector *selector, const char *by,
                    const char *part)
{
    part_begin(builder, "sum by (");
    buf_addf(&builder->text, "%s%s) (", builder->label, by);
    add_selector(builder, selector);
    buf_adds(&builder->text, ")");
    part_end(builder, part, 0);
}

static void add_time(struct builder *builder, const struct om_selector *selector)
{
    part_begin(builder, "max by (");
    buf_addf(&builder->text, "%s) (timestamp(", builder->label);
    add_selector(builder, selector);
    buf_adds(&builder->text, "))");
    part_end(builder, PROMQL_TIME, 0);
}

/* Lets a misspelt label of `bad` be told from "no errors yet". */
static void add_labels(struct builder *builder, const struct om_selector *bad)
{
    part_begin(builder, "count(");
    buf_addf(&builder->text, "%s{%s=~\"%s\"})", bad->name, builder->label, builder->pattern);
    part_end(builder, PROMQL_NAMED, 0);
    for (size_t i = 0; i < bad->count; i++) {
        part_begin(builder, "count(");
        buf_addf(&builder->text, "%s{%s=~\"%s\",%s!=\"\"})", bad->name, builder->label,
                 builder->pattern, bad->matchers[i].label);
        part_end(builder, PROMQL_LABEL, i);
    }
}

const char *promql_of(const struct tally_plan *plan, const char *label,
                      const struct metric_query *query, struct arena *arena)
{
    struct builder builder = {.label = label, .pattern = promql_pattern(query, arena)};
    buf_init(&builder.text, QUERY_MAX);
    const char *by = plan->want.kind == WANT_HISTOGRAM ? ",le"
                     : plan->want.bad_by_status        ? ",code,status,status_code"
                                                       : "";
    add_sum(&builder, &plan->main, by, PROMQL_MAIN);
    add_time(&builder, &plan->main);
    if (plan->bad.name) {
        add_sum(&builder, &plan->bad, "", PROMQL_BAD);
        add_labels(&builder, &plan->bad);
    }
    const char *text = arena_text(arena, builder.text.data);
    buf_release(&builder.text);
    return text;
}
