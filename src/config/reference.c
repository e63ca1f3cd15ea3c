/* SPDX-License-Identifier: Apache-2.0 */
#include "binder.h"

#include "arena.h"
#include "text.h"

static const struct {
    const char *name, *meaning;
} types[] = {
    [FIELD_TEXT] = {"text", "`${NAME}` in capitals is taken from the environment when the file is "
                            "read; `${name}` is one of the run's variables."},
    [FIELD_URL] = {"address", "A text that begins with `https://` or `http://`; no password."},
    [FIELD_JQ] = {"jq", "A jq program."},
    [FIELD_BOOL] = {"yes or no", "`true` or `false`."},
    [FIELD_INT] = {"number", "A whole number without quotes."},
    [FIELD_DURATION] = {"time", "A number with `ms`, `s`, `m`, `h` or `d`: `250ms`, `10m`, "
                                "`1h30m`."},
    [FIELD_PERCENT] = {"percent", "A number with its sign: `5%`, `0.1%`."},
    [FIELD_QUANTITY] = {"quantity", "A number with its unit: `0.1%`, `500ms`, `1000 req/s`."},
    [FIELD_ENUM] = {"one of", "One of the words given."},
    [FIELD_ENUMS] = {"list of", "A list of the words given."},
    [FIELD_TEXTS] = {"texts", "A text or a list of texts."},
    [FIELD_COMMAND] = {"command", "A line for the shell, which sees the run's variables in its "
                                  "environment, or a list of words, started without a shell."},
    [FIELD_SECRET] = {"secret", "The name of an environment variable; never the secret itself."},
    [FIELD_SECTION] = {"map", "Keys of its own, below."},
    [FIELD_ROWS] = {"list", "A list of maps, below."},
    [FIELD_NAMED] = {"named", "A map from names of yours to maps, below."},
    [FIELD_DRIVER] = {"driver", "A map with one key, the driver."},
    [FIELD_DRIVERS] = {"drivers", "A map with a key for each driver."},
    [FIELD_CHECKS] = {"checks", "A check, or a list of checks."},
};

static void add_names(struct buf *out, const char *const *names)
{
    for (size_t i = 0; names && names[i]; i++) {
        buf_addf(out, "%s`%s`", i ? ", " : " ", names[i]);
    }
}

static void add_row(struct buf *out, const struct field *field)
{
    buf_addf(out, "| `%s`", field->name);
    if (field->alias) {
        buf_addf(out, ", `%s`", field->alias);
    }
    buf_addf(out, " | %s", types[field->type].name);
    add_names(out, field->names);
    buf_adds(out, field->required ? " | required | " : " | ");
    if (!field->required && field->def) {
        buf_addf(out, "`%s`", field->def);
    }
    buf_adds(out, field->required ? "" : " | ");
    text_to_markdown(out, field->doc ? field->doc : "");
    buf_adds(out, " |\n");
}

static void add_table(struct buf *out, const struct field *fields)
{
    if (!fields || !fields[0].name) {
        buf_adds(out, "No keys.\n\n");
        return;
    }
    buf_adds(out, "| key | type | default | what |\n|---|---|---|---|\n");
    for (size_t i = 0; fields[i].name; i++) {
        add_row(out, &fields[i]);
    }
    buf_adds(out, "\n");
}

/* The tables below one table, each under its full name. */
static void add_below(struct buf *out, struct arena *arena, const char *path,
                      const struct field *fields)
{
    for (size_t i = 0; fields && fields[i].name; i++) {
        const struct field *field = &fields[i];
        bool checks = field->type == FIELD_CHECKS;
        if (!field->fields || checks) {
            continue;
        }
        const char *mark = field->type == FIELD_ROWS    ? "[]"
                           : field->type == FIELD_NAMED ? ".NAME"
                                                        : "";
        const char *name =
            arena_format(arena, "%s%s%s%s", path, *path ? "." : "", field->name, mark);
        buf_addf(out, "### `%s`\n\n%s\n\n", name, field->doc ? field->doc : "");
        add_table(out, field->fields);
        add_below(out, arena, name, field->fields);
    }
}

static void add_drivers(struct buf *out, struct arena *arena, const char *room, const char *title)
{
    buf_addf(out, "## %s\n\n", title);
    for (size_t i = 0; driver_rows[i]; i++) {
        const struct driver_row *row = driver_rows[i];
        if (!text_equal(row->room, room)) {
            continue;
        }
        const struct field *first = row->fields ? field_short(row->fields) : NULL;
        buf_addf(out, "### `%s`\n\n%s", row->name, row->doc ? row->doc : "");
        if (first) {
            buf_addf(out, " `%s: …` alone is short for `%s: {%s: …}`.", row->name, row->name,
                     first->name);
        }
        buf_adds(out, "\n\n");
        add_table(out, row->fields);
        add_below(out, arena, row->name, row->fields);
    }
}

static void add_types(struct buf *out)
{
    buf_adds(out, "## Types\n\n| type | what is written |\n|---|---|\n");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        buf_addf(out, "| %s | %s |\n", types[i].name, types[i].meaning);
    }
    buf_adds(out, "\nThe run's variables:");
    add_names(out, run_variables);
    buf_adds(out, ". Write `$${` for the characters `${` themselves.\n\n");
}

void config_reference(struct buf *out)
{
    struct arena arena;
    arena_init(&arena);
    buf_adds(out, "# deploy.yaml\n\nEvery key. This page is printed by the program from the tables "
                  "that it reads the file with.\n\n");
    add_types(out);
    buf_adds(out, "## Keys\n\n");
    add_table(out, config_fields);
    add_below(out, &arena, "", config_fields);
    buf_adds(out, "## A check\n\nThe keys of every entry under `gates` and `smoke`, beside exactly "
                  "one of the check drivers below. Gates are tried once; smoke tests have 2 "
                  "retries.\n\n");
    add_table(out, check_tables[0]);
    add_drivers(out, &arena, "check", "Check drivers");
    add_drivers(out, &arena, "workload", "Workload drivers");
    add_drivers(out, &arena, "router", "Traffic drivers");
    add_drivers(out, &arena, "metric", "Metric sources");
    arena_release(&arena);
}
