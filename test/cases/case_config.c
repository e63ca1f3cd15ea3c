/* SPDX-License-Identifier: Apache-2.0
 *
 * test/cases/config: one deploy.yaml a file, and either every problem of it, in order, or
 * the keys that @SHOW asks for as they were bound; what is not set is left out. `@FILE +base`
 * adds the keys of `base` that the file does not have itself; @SET and @ENV are what the
 * caller gave. CASES_UPDATE=1 writes what came out into the files.
 */
#include "../../src/config/binder.h"

#include "arena.h"
#include "file.h"
#include "text.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- drivers of these tests, in place of src/catalog.c ---------------------------------- */

struct job {
    const char *name, *slot;
};
struct workload_settings {
    struct rows instances;
    struct command start;
};
struct router_settings {
    const char *socket, *backend;
    int64_t timeout;
};
struct expect {
    int64_t status;
    const char *header, *jq;
};
struct http_settings {
    const char *url;
    struct expect expect;
    struct secret token;
};
struct command_settings {
    struct command run;
};
struct metric_settings {
    const char *url, *value;
    struct secret token;
};

#define AT(type, member) .offset = offsetof(struct type, member)

static const struct field job_fields[] = {
    {.name = "name", .type = FIELD_TEXT, AT(job, name), .required = true, .doc = "its name"},
    {.name = "slot", .type = FIELD_TEXT, AT(job, slot), .doc = "its slot"},
    {.name = NULL}};
static const struct field workload_fields[] = {{.name = "start",
                                                .type = FIELD_COMMAND,
                                                AT(workload_settings, start),
                                                .required = true,
                                                .doc = "starts an instance"},
                                               {.name = "instances",
                                                .type = FIELD_ROWS,
                                                AT(workload_settings, instances),
                                                .fields = job_fields,
                                                .size = sizeof(struct job),
                                                .doc = "every copy"},
                                               {.name = NULL}};
static const struct field router_fields[] = {{.name = "socket",
                                              .type = FIELD_TEXT,
                                              AT(router_settings, socket),
                                              .required = true,
                                              .doc = "the runtime socket"},
                                             {.name = "backend",
                                              .type = FIELD_TEXT,
                                              AT(router_settings, backend),
                                              .required = true,
                                              .doc = "the backend of the application"},
                                             {.name = "timeout",
                                              .type = FIELD_DURATION,
                                              AT(router_settings, timeout),
                                              .def = "5s",
                                              .min = 100,
                                              .max = 60000,
                                              .doc = "the longest wait"},
                                             {.name = NULL}};
static const struct field expect_fields[] = {
    {.name = "status",
     .type = FIELD_INT,
     AT(expect, status),
     .def = "200",
     .min = 100,
     .max = 599,
     .doc = "the status"},
    {.name = "header", .type = FIELD_TEXT, AT(expect, header), .doc = "a header"},
    {.name = "jq", .type = FIELD_JQ, AT(expect, jq), .doc = "must be true of the body"},
    {.name = NULL}};
static const struct field http_fields[] = {
    {.name = "url",
     .type = FIELD_URL,
     AT(http_settings, url),
     .required = true,
     .doc = "what to get"},
    {.name = "expect",
     .type = FIELD_SECTION,
     AT(http_settings, expect),
     .fields = expect_fields,
     .doc = "what must come back"},
    {.name = "token-env", .type = FIELD_SECRET, AT(http_settings, token), .doc = "a bearer"},
    {.name = NULL}};
static const struct field command_fields[] = {{.name = "run",
                                               .type = FIELD_COMMAND,
                                               AT(command_settings, run),
                                               .required = true,
                                               .doc = "what to run"},
                                              {.name = NULL}};
static const struct field haproxy_fields[] = {
    {.name = "url", .type = FIELD_TEXT, AT(metric_settings, url), .doc = "another socket"},
    {.name = NULL}};
static const struct field metric_fields[] = {
    {.name = "url",
     .type = FIELD_URL,
     AT(metric_settings, url),
     .required = true,
     .doc = "where it answers"},
    {.name = "value",
     .type = FIELD_JQ,
     AT(metric_settings, value),
     .def = ".value",
     .doc = "the number"},
    {.name = "token-env", .type = FIELD_SECRET, AT(metric_settings, token), .doc = "a bearer"},
    {.name = NULL}};

#define ROW(where, what, table, type)               \
    (&(const struct driver_row){.room = (where),    \
                                .name = (what),     \
                                .doc = "for tests", \
                                .fields = (table),  \
                                .size = sizeof(struct type)})

const struct driver_row *const driver_rows[] = {
    ROW("workload", "command", workload_fields, workload_settings),
    ROW("router", "haproxy", router_fields, router_settings),
    ROW("check", "http", http_fields, http_settings),
    ROW("check", "command", command_fields, command_settings),
    ROW("metric", "haproxy", haproxy_fields, metric_settings),
    ROW("metric", "prometheus", metric_fields, metric_settings),
    ROW("metric", "json", metric_fields, metric_settings),
    NULL};

static const char *const base[] = {
    "app: shop\n",
    "url: https://shop.example.com\n",
    "workload: {command: {start: ./start.sh}}\n",
    "traffic: {haproxy: {socket: /run/haproxy.sock, backend: shop}}\n",
    "metrics: {haproxy: }\n",
    NULL};

/* ---- what was bound, as text --- */

struct dump {
    struct arena *arena;
    struct buf *out;
    const char *show; /* prefixes of paths, or "" */
};

static void dump_fields(struct dump *d, const char *path, const struct field *fields,
                        const void *at);

static bool shown(const struct dump *d, const char *path)
{
    for (const char *word = d->show; *word;) {
        size_t length = strcspn(word, " ");
        if (!strncmp(path, word, length)) {
            return true;
        }
        word += length + strspn(word + length, " ");
    }
    return false;
}

static void line(struct dump *d, const char *path, const char *value)
{
    if (value && shown(d, path)) {
        buf_addf(d->out, "%s = %s\n", path, value);
    }
}

static const char *words(struct arena *arena, const char *const *items, size_t count)
{
    const char *text = "";
    for (size_t i = 0; i < count; i++) {
        text = arena_format(arena, "%s%s%s", text, i ? " | " : "", items[i]);
    }
    return arena_format(arena, "[%s]", text);
}

static const char *bits(struct arena *arena, const char *const *names, unsigned set)
{
    const char *items[32];
    size_t count = 0;
    for (size_t i = 0; names[i]; i++) {
        if (set & 1U << i) {
            items[count++] = names[i];
        }
    }
    return words(arena, items, count);
}

static const char *quantity(struct arena *arena, const struct quantity *value)
{
    static const char *const units[] = {"", " ratio", " ms", " per second"};
    return value->set ? arena_format(arena, "%g%s", value->value, units[value->unit]) : NULL;
}

static const char *scalar(struct arena *arena, const struct field *field, const void *at)
{
    const struct command *command = at;
    const struct texts *texts = at;
    switch (field->type) {
    case FIELD_BOOL:
        return *(const bool *)at ? "true" : "false";
    case FIELD_INT:
        return arena_format(arena, "%" PRId64, *(const int64_t *)at);
    case FIELD_DURATION:
        return text_of_duration(arena, *(const int64_t *)at);
    case FIELD_PERCENT:
        return arena_format(arena, "%g", *(const double *)at);
    case FIELD_QUANTITY:
        return quantity(arena, at);
    case FIELD_ENUM:
        return field->names[*(const int *)at];
    case FIELD_ENUMS:
        return bits(arena, field->names, *(const unsigned *)at);
    case FIELD_TEXTS:
        return words(arena, texts->items, texts->count);
    case FIELD_COMMAND:
        return command->argv ? words(arena, command->argv, command->argc) : command->shell;
    case FIELD_SECRET:
        return ((const struct secret *)at)->env;
    default:
        return *(const char *const *)at;
    }
}

static void dump_choice(struct dump *d, const char *path, const struct choice *choice)
{
    if (choice->driver) {
        const char *name = arena_format(d->arena, "%s.%s", path, choice->driver->name);
        line(d, name, "driver");
        dump_fields(d, name, choice->driver->fields, choice->settings);
    }
}

static void dump_row(struct dump *d, const char *path, const struct field *field, const char *at,
                     size_t i)
{
    const char *given = field->type == FIELD_NAMED ? *(const char *const *)(const void *)at : NULL;
    const char *name = given ? arena_format(d->arena, "%s.%s", path, given)
                             : arena_format(d->arena, "%s[%zu]", path, i);
    dump_fields(d, name, field->fields, at);
    if (field->type == FIELD_CHECKS) {
        dump_choice(d, name, &((const struct check_config *)(const void *)at)->kind);
    }
    if (field->fields == slo_fields) {
        static const char *const kinds[] = {"error-rate", "latency",  "throughput", "availability",
                                            "conversion", "activity", "gauge"};
        const struct slo_config *slo = (const void *)at;
        line(d, arena_format(d->arena, "%s.kind", name),
             arena_format(d->arena, "%s %g%s", kinds[slo->kind], slo->quantile,
                          slo->report_only ? " report only" : ""));
    }
}

static void dump_field(struct dump *d, const char *path, const struct field *field, const char *at)
{
    const struct rows *rows = (const void *)at;
    if (bind_is_scalar(field->type)) {
        line(d, path, scalar(d->arena, field, at));
    } else if (field->type == FIELD_SECTION) {
        dump_fields(d, path, field->fields, at);
    } else if (field->type == FIELD_DRIVER) {
        dump_choice(d, path, (const void *)at);
    } else {
        size_t size = field->type == FIELD_DRIVERS ? sizeof(struct choice) : field->size;
        for (size_t i = 0; i < rows->count; i++) {
            const char *row = (const char *)rows->items + size * i;
            if (field->type == FIELD_DRIVERS) {
                dump_choice(d, path, (const void *)row);
            } else {
                dump_row(d, path, field, row, i);
            }
        }
    }
}

static void dump_fields(struct dump *d, const char *path, const struct field *fields,
                        const void *at)
{
    for (size_t i = 0; fields[i].name; i++) {
        const char *name =
            *path ? arena_format(d->arena, "%s.%s", path, fields[i].name) : fields[i].name;
        dump_field(d, name, &fields[i], (const char *)at + fields[i].offset);
    }
}

/* ---- cases --- */

struct sample {
    const char *path;
    struct buf head; /* everything before the expected lines */
    struct buf file, expected;
    bool add_base;
    const char *sets[8], *show;
    size_t set_count;
    const char *env[8];
    size_t env_count;
};

static void add_line(struct arena *arena, struct sample *sample, struct buf **into,
                     const char *text)
{
    const char *rest = strchr(text, ' ');
    const char *value = rest ? arena_text(arena, rest + 1) : "";
    if (text_starts(text, "@FILE")) {
        *into = &sample->file;
        sample->add_base = text_equal(value, "+base");
    } else if (text_starts(text, "@SET ") && sample->set_count < 8) {
        sample->sets[sample->set_count++] = value;
    } else if (text_starts(text, "@ENV ") && sample->env_count < 8) {
        sample->env[sample->env_count++] = value;
    } else if (text_starts(text, "@SHOW")) {
        sample->show = value;
    } else if (text_equal(text, "@EXPECT")) {
        *into = &sample->expected;
    } else if (*into) {
        buf_addf(*into, "%s\n", text);
    }
}

static void sample_read(struct arena *arena, struct sample *sample, const struct buf *text)
{
    struct buf *into = NULL;
    for (const char *at = text->data; *at;) {
        size_t length = strcspn(at, "\n");
        const char *one = arena_text_n(arena, at, length);
        add_line(arena, sample, &into, one);
        if (into != &sample->expected || text_equal(one, "@EXPECT")) {
            buf_addf(&sample->head, "%s\n", one);
        }
        at += length + (at[length] == '\n');
    }
}

static void add_base(struct sample *sample)
{
    for (size_t i = 0; sample->add_base && base[i]; i++) {
        char key[32];
        int length = (int)strcspn(base[i], ":") + 1;
        (void)snprintf(key, sizeof key, "\n%.*s", length, base[i]);
        if (strncmp(sample->file.data, key + 1, (size_t)length) != 0 &&
            !strstr(sample->file.data, key)) {
            buf_adds(&sample->file, base[i]);
        }
    }
}

static void put_environment(const struct sample *sample, bool set)
{
    for (size_t i = 0; i < sample->env_count; i++) {
        char name[64];
        size_t length = strcspn(sample->env[i], "=");
        (void)snprintf(name, sizeof name, "%.*s", (int)length, sample->env[i]);
        if (set) {
            (void)setenv(name, sample->env[i] + length + 1, 1);
        } else {
            (void)unsetenv(name);
        }
    }
}

static void run(struct arena *arena, const struct sample *sample, const char *folder,
                struct buf *out)
{
    const struct config_source source = {"deploy.yaml", folder, sample->sets, sample->set_count};
    struct problems problems = {0};
    struct config *config = NULL;
    struct error err = {0};
    put_environment(sample, true);
    if (config_load(arena, &source, &config, &problems, &err) == 0) {
        struct dump dump = {arena, out, sample->show ? sample->show : ""};
        dump_fields(&dump, "", config_fields, config);
        buf_adds(out, out->length ? "" : "ok\n");
    }
    for (size_t i = 0; i < problems.count; i++) {
        buf_addf(out, "%s\n", problems.items[i]);
    }
    put_environment(sample, false);
}

static bool check(const struct sample *sample, const struct buf *out, const char *path)
{
    struct error err = {0};
    bool same = text_equal(sample->expected.data, out->data);
    if (!same && getenv("CASES_UPDATE")) {
        AUTO_BUF struct buf all;
        buf_init(&all, 1 << 20);
        buf_adds(&all, sample->head.data);
        buf_adds(&all, out->data);
        return file_write(path, all.data, all.length, &err) == 0;
    }
    return same;
}

static bool run_case(const char *path, const char *folder, int number)
{
    struct arena arena;
    struct sample sample = {.path = path};
    struct error err = {0};
    AUTO_BUF struct buf text, out;
    arena_init(&arena);
    buf_init(&out, 1 << 20);
    buf_init(&sample.head, 1 << 20);
    buf_init(&sample.file, 1 << 20);
    buf_init(&sample.expected, 1 << 20);
    const char *file = arena_format(&arena, "%s/deploy.yaml", folder);
    bool good = file_read(path, 1 << 20, false, &text, &err) == 0;
    if (good) {
        sample_read(&arena, &sample, &text);
        add_base(&sample);
        good = file_write(file, sample.file.data, sample.file.length, &err) == 0;
    }
    if (good) {
        run(&arena, &sample, folder, &out);
        good = check(&sample, &out, path);
    }
    printf("%sok %d - %s\n", good ? "" : "not ", number, strrchr(path, '/') + 1);
    if (!good) {
        printf("# %s\n# expected:\n%s# got:\n%s", err.message, sample.expected.data, out.data);
    }
    (void)unlink(file);
    buf_release(&sample.head);
    buf_release(&sample.file);
    buf_release(&sample.expected);
    arena_release(&arena);
    return good;
}

static int is_case(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && text_equal(entry->d_name + length - 5, ".case");
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "test/cases/config";
    char temporary[] = "/tmp/case_config.XXXXXX";
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_case, alphasort), failed = 0;
    if (count < 1 || !mkdtemp(temporary)) {
        printf("not ok 1 - no cases in %s\n", folder);
        return 1;
    }
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        failed += !run_case(path, temporary, i + 1);
        free(entries[i]);
    }
    free(entries);
    (void)rmdir(temporary);
    return failed != 0;
}
