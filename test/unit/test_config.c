/* SPDX-License-Identifier: Apache-2.0
 *
 * What test/cases/config cannot show in a file: unreadable files, secrets, expansion, the
 * schema and the example. The drivers are those of src/catalog.c.
 */
#include "expect.h"

#include "../../src/config/binder.h"

#include "arena.h"
#include "file.h"
#include "json.h"
#include "mask.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
    struct arena arena;
    struct problems problems;
    struct config *config;
    struct error err;
    char folder[64];
    const char *file;
};

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    arena_init(&f->arena);
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/test_config.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->file = arena_format(&f->arena, "%s/deploy.yaml", f->folder);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    (void)unlink(f->file);
    (void)rmdir(f->folder);
    arena_release(&f->arena);
    test_free(f);
    return 0;
}

static void write_bytes(struct fixture *f, const char *data, size_t length)
{
    EXPECT_OK(file_write(f->file, data, length, &f->err), &f->err);
}

static int load(struct fixture *f, const char *const *sets, size_t count)
{
    const struct config_source source = {"deploy.yaml", f->folder, sets, count};
    f->problems = (struct problems){0};
    f->config = NULL;
    return config_load(&f->arena, &source, &f->config, &f->problems, &f->err);
}

static int load_text(struct fixture *f, const char *text)
{
    write_bytes(f, text, strlen(text));
    return load(f, NULL, 0);
}

#define HEAD                                                                                 \
    "app: shop\nurl: https://shop.example.com\n"                                             \
    "workload: {command: {instances: [{name: a}], status: ./s, version: ./v, start: ./r}}\n" \
    "traffic: {haproxy: {socket: /run/haproxy.sock, backend: shop}}\n"

static void missing_file_says_what_to_run(void **state)
{
    struct fixture *f = *state;
    EXPECT_ERROR(load(f, NULL, 0), &f->err, ERROR_CONFIG, "run `deploy-action init`");
    assert_null(f->config);
    assert_int_equal(f->problems.count, 1);
}

static void ten_megabytes_are_refused(void **state)
{
    struct fixture *f = *state;
    size_t size = (size_t)10 * 1024 * 1024;
    char *data = test_malloc(size);
    memset(data, 'a', size);
    write_bytes(f, data, size);
    test_free(data);
    EXPECT_ERROR(load(f, NULL, 0), &f->err, ERROR_CONFIG, "larger than 1048576 bytes");
}

static void binary_junk_is_refused(void **state)
{
    static const char *const junk[] = {
        "\177ELF\x02\x01\x01",
        "\xff\xfe\x00\x01",
        "app: \xc3\x28\n",
        "\x89PNG\r\n\x1a\n",
        "app: \x01\n",
        "{{{{{{{{",
        "app: *",
        "%",
        "\t",
        "- - - -\n  - x: [",
        "!!python/object:x {}",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++) {
        write_bytes(f, junk[i], strlen(junk[i]));
        EXPECT_ERROR(load(f, NULL, 0), &f->err, ERROR_CONFIG, "deploy.yaml");
    }
    write_bytes(f, "app: a\0b\n", 9);
    EXPECT_ERROR(load(f, NULL, 0), &f->err, ERROR_CONFIG, "deploy.yaml:1:");
}

static void a_folder_is_no_file(void **state)
{
    struct fixture *f = *state;
    const struct config_source source = {f->folder, ".", NULL, 0};
    EXPECT_ERROR(config_load(&f->arena, &source, &f->config, &f->problems, &f->err), &f->err,
                 ERROR_CONFIG, "not a regular file");
}

static void absolute_path_ignores_the_folder(void **state)
{
    struct fixture *f = *state;
    const struct config_source source = {f->file, "/nowhere", NULL, 0};
    assert_int_equal(load_text(f, HEAD "metrics: {haproxy: }\n"), 0);
    f->problems = (struct problems){0};
    assert_int_equal(config_load(&f->arena, &source, &f->config, &f->problems, &f->err), 0);
    assert_string_equal(f->config->path, f->file);
    assert_string_equal(f->config->directory, "/nowhere");
}

static void hash_is_of_file_and_sets(void **state)
{
    struct fixture *f = *state;
    const char *const one[] = {"watch.hold=1m"}, *const two[] = {"watch.hold=2m"};
    char plain[65], first[65];
    assert_int_equal(load_text(f, HEAD "metrics: {haproxy: }\n"), 0);
    memcpy(plain, f->config->hash, 65);
    assert_int_equal(strlen(plain), 64);
    assert_int_equal(load(f, one, 1), 0);
    memcpy(first, f->config->hash, 65);
    assert_string_not_equal(plain, first);
    assert_int_equal(f->config->hold, 60000);
    assert_int_equal(load(f, two, 1), 0);
    assert_string_not_equal(f->config->hash, first);
    assert_int_equal(load(f, NULL, 0), 0);
    assert_string_equal(f->config->hash, plain);
}

static void problems_stand_in_file_order(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load_text(f, "smok: {}\nwatch: {hold: 5, x: 1}\napp: [a]\n"), -1);
    assert_true(f->problems.count >= 5);
    for (size_t i = 1; i < f->problems.count; i++) {
        const struct place *a = &f->problems.places[i - 1], *b = &f->problems.places[i];
        assert_true(a->line < b->line || (a->line == b->line && a->column <= b->column));
    }
    assert_string_equal(f->err.message, f->problems.items[0]);
}

static void long_values_are_cut_in_messages(void **state)
{
    struct fixture *f = *state;
    char text[4200] = "ready-timeout: ";
    size_t length = strlen(text);
    memset(text + length, 'x', 4000);
    text[length + 4000] = '\0';
    assert_int_equal(load_text(f, text), -1);
    for (size_t i = 0; i < f->problems.count; i++) {
        assert_true(strlen(f->problems.items[i]) < ERROR_MESSAGE_MAX + 32);
    }
}

/* ---- secrets --- */

struct masks {
    char text[200];
};

static void note_mask(void *context, const char *value)
{
    struct masks *masks = context;
    size_t length = strlen(masks->text);
    (void)snprintf(masks->text + length, sizeof masks->text - length, "%s;", value);
}

#define WITH_SECRETS                                                             \
    HEAD "metrics: {prometheus: {url: 'http://p:9090', token-env: TEST_PROM}}\n" \
         "smoke:\n  api:\n    - http: {url: 'https://x', token-env: TEST_API}\n" \
         "    - http: {url: 'https://y', token-env: TEST_API}\n"

static void secrets_leave_the_environment(void **state)
{
    struct fixture *f = *state;
    struct masks masks = {""};
    assert_int_equal(load_text(f, WITH_SECRETS), 0);
    assert_int_equal(f->config->secrets.count, 3);
    (void)setenv("TEST_PROM", "prom-value", 1);
    (void)setenv("TEST_API", "api-value", 1);
    char *before = getenv("TEST_API");
    assert_int_equal(config_secrets(f->config, note_mask, &masks, &f->problems), 0);
    assert_null(getenv("TEST_PROM"));
    assert_null(getenv("TEST_API"));
    assert_non_null(before);
    assert_string_equal(masks.text, "prom-value;api-value;api-value;");
    const struct secret_slot *slots = f->config->secrets.items;
    assert_string_equal(slots[2].secret->value, "api-value");
    config_forget(f->config);
    assert_null(slots[0].secret->value);
    config_forget(f->config);
    config_forget(NULL);
}

static void absent_secret_is_a_problem(void **state)
{
    struct fixture *f = *state;
    struct masks masks = {""};
    assert_int_equal(load_text(f, WITH_SECRETS), 0);
    (void)setenv("TEST_PROM", "prom-value", 1);
    (void)setenv("TEST_API", "", 1);
    assert_int_equal(config_secrets(f->config, note_mask, &masks, &f->problems), -1);
    assert_int_equal(f->problems.count, 2);
    assert_non_null(strstr(f->problems.items[0], "deploy.yaml:8:"));
    assert_non_null(strstr(f->problems.items[0], "'TEST_API' is empty"));
    assert_null(getenv("TEST_PROM"));
    config_forget(f->config);
    (void)unsetenv("TEST_API");
}

static void a_secret_too_short_to_be_hidden_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load_text(f, WITH_SECRETS), 0);
    (void)setenv("TEST_PROM", "abc", 1);
    (void)setenv("TEST_API", "abcd", 1);
    assert_int_equal(config_secrets(f->config, NULL, NULL, &f->problems), -1);
    assert_int_equal(f->problems.count, 1);
    assert_non_null(strstr(f->problems.items[0], "'TEST_PROM' holds fewer than 4 bytes"));
    assert_null(strstr(f->problems.items[0], "abc"));
    config_forget(f->config);
}

static void named_variables_are_hidden_and_stay(void **state)
{
    struct fixture *f = *state;
    struct masks masks = {""};
    assert_int_equal(
        load_text(f, HEAD "metrics: {haproxy: {}}\nmask-env: [TEST_DSN_OF, TEST_NO]\n"), 0);
    (void)setenv("TEST_DSN_OF", "dsn-value", 1);
    assert_int_equal(config_secrets(f->config, note_mask, &masks, &f->problems), 0);
    assert_string_equal(masks.text, "dsn-value;");
    assert_string_equal(getenv("TEST_DSN_OF"), "dsn-value");
    (void)unsetenv("TEST_DSN_OF");
}

/* Each variable, and whether its value is hidden afterwards. */
static void the_environment_tells_secrets_by_their_names(void **state)
{
    static const struct {
        const char *name, *value, *secret;
        bool hidden;
    } cases[] = {
        {"TEST_API_TOKEN", "tokenvalue", "tokenvalue", true},
        {"TEST_PASSWORD", "pass", "pass", true},
        {"TEST_PASSWORD", "true", "true", false},
        {"TEST_PASSWORD", "/+base64/", "/+base64/", true},
        {"TEST_DB_PASS", "eightlet", "eightlet", true},
        {"TEST_DB_PASS", "short", "short", false},
        {"TEST_CACHE_KEY", "cache-of-shop", "cache-of-shop", true},
        {"TEST_URL", "https://user:urlpass@host/", "urlpass", true},
        {"TEST_URL", "https://host/urlpath", "urlpath", false},
        {"TEST_OTHER", "othervalue", "othervalue", false},
        {"TEST_TOKEN_FILE", NULL, "in the file", true},
        {"TEST_CREDENTIALS", NULL, "in the file", true},
        {"TEST_OTHER_FILE", NULL, "in the file", false},
    };
    struct fixture *f = *state;
    const char *path = arena_format(&f->arena, "%s/secret", f->folder);
    assert_int_equal(file_write(path, "in the file\n", 12, &f->err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)setenv(cases[i].name, cases[i].value ? cases[i].value : path, 1);
        config_hide_environment();
        bool hidden = text_equal(mask_text(&f->arena, cases[i].secret), "***");
        if (hidden != cases[i].hidden) {
            fail_msg("%s=%s", cases[i].name, cases[i].value ? cases[i].value : "(file)");
        }
        assert_string_equal(mask_text(&f->arena, path), path);
        mask_forget();
        (void)unsetenv(cases[i].name);
    }
    assert_int_equal(file_remove(path, &f->err), 0);
}

static void a_query_is_no_part_of_a_name(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load_text(f, HEAD "metrics: {haproxy: {}}\n"
                                       "smoke: {api: {http: {url: 'https://x/y?key=v'}}}\n"),
                     0);
    const struct check_config *checks = f->config->smoke[SMOKE_API].items;
    assert_string_equal(checks[0].name, "http https://x/y?…");
}

static void secrets_are_never_printed(void **state)
{
    static const char *const places[] = {
        "app: %s\n",
        "url: %s\n",
        "ready-timeout: %s\n",
        "%s: x\n",
        "gates: {%s: x}\n",
        "strategies: {rolling: {batch: %s}}\n",
        "slos: {%s: {x: y}}\n",
        "slos: {error-rate: {target: %s}}\n",
        "workload: {%s: {}}\n",
        "smoke: {api: {http: {url: 'https://x', expect: {jq: '%s ||'}}}}\n",
        "report: {to: %s}\n",
        "slos: {error-rate: {source: %s}}\n",
        "rollback: {on: [%s]}\n",
        "traffic: %s\n",
        "smoke: {api: {http: {url: 'https://x', token-env: %s}}}\n",
        "slos: %s\n",
        "token: %s\n",
    };
    static const char *const secrets[] = {
        "ghp_SECRETSECRETSECRET",         "glpat-SECRETSECRETSECRET",
        "xoxb-SECRETSECRETSECRET",        "AKIASECRETSECRETSEC",
        "https://hooks.slack.com/SECRET", "https://u:SECRET@host",
        "github_pat_SECRETSECRETSECRET",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        for (size_t k = 0; k < sizeof secrets / sizeof secrets[0]; k++) {
            const char *quoted = arena_format(&f->arena, "\"%s\"", secrets[k]);
            const char *half = strstr(places[i], "%s");
            const char *text =
                arena_format(&f->arena, "%.*s%s%s", (int)(half - places[i]), places[i],
                             strchr(places[i], '|') ? secrets[k] : quoted, half + 2);
            assert_int_equal(load_text(f, text), -1);
            bool told = false;
            for (size_t p = 0; p < f->problems.count; p++) {
                if (strstr(f->problems.items[p], "SECRET")) {
                    fail_msg("shown: %s", f->problems.items[p]);
                }
                told = told || strstr(f->problems.items[p], "secret");
            }
            assert_true(told);
        }
    }
}

static bool is_name(const char *name)
{
    return mask_is_name(name, strlen(name));
}

static void what_is_no_secret(void **state)
{
    static const char *const texts[] = {
        "",
        "shop",
        "ghp_",
        "myghp_0123456789ab",
        "AKIAlowercase",
        "postgres://app:$PW@db/x",
        "https://shop.example.com/a:b@c",
        "git@github.com:a/b",
        "xoxb-",
        "-----BEGIN CERTIFICATE",
        "http://h:80/x?m=a@b",
        NULL,
    };
    (void)state;
    for (size_t i = 0; texts[i]; i++) {
        assert_false(mask_is_secret(texts[i]));
    }
    assert_false(mask_is_secret(NULL));
    assert_true(mask_is_secret("x AKIAIOSFODNN7EXAMPLE y"));
    assert_true(is_name("API_KEY"));
    assert_true(is_name("slack-webhook"));
    assert_true(is_name("Password"));
    assert_false(is_name("token-env"));
    assert_false(is_name("tokens"));
    assert_false(is_name("notoken"));
}

/* ---- expansion --- */

static void expansion(void **state)
{
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"plain", "plain"},
        {"", ""},
        {"${version}", "v2"},
        {"a/${version}/${app}!", "a/v2/shop!"},
        {"$version $${version} $$ $", "$version ${version} $$ $"},
        {"${unknown}${", "${unknown}${"},
        {"${version", "${version"},
        {"${ver sion}${app}", "${ver sion}shop"},
        {"${empty}|", "|"},
        {"${nested}", "${version}"},
    };
    const struct variable variables[] = {{"app", "shop"},
                                         {"version", "v2"},
                                         {"empty", NULL},
                                         {"nested", "${version}"},
                                         {NULL, NULL}};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(field_expand(&f->arena, rows[i].text, variables), rows[i].wanted);
    }
    assert_null(field_expand(&f->arena, NULL, variables));
    assert_string_equal(field_expand(&f->arena, "${app}", NULL), "${app}");
}

static void braces(void **state)
{
    static const char *const texts[] = {"",      "a",       "${x}",  "{ a: ${x} }",
                                        "${",    "${x",     "$${x}", "${a}${b}}",
                                        "{${}}", "${a{b}}", "}${\n}"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t length = strlen(texts[i]);
        struct node node = {.kind = NODE_SCALAR};
        node.text = braces_hide(&f->arena, texts[i], &length);
        assert_int_equal(strlen(node.text), length);
        braces_show(&f->arena, &node);
        assert_string_equal(node.text, texts[i]);
    }
}

/* ---- tables, schema, reference, example --- */

static void check_table(struct fixture *f, const char *name, const struct field *fields)
{
    for (size_t i = 0; fields[i].name; i++) {
        const struct field *field = &fields[i];
        bool words = field->type == FIELD_ENUM || field->type == FIELD_ENUMS;
        bool below =
            field->type == FIELD_SECTION || field->type == FIELD_ROWS || field->type == FIELD_NAMED;
        if (!field->doc || !*field->doc || (words && !field->names) || (below && !field->fields) ||
            (field->required && field->def)) {
            fail_msg("%s.%s: its row in the table is incomplete", name, field->name);
        }
        if (below) {
            check_table(f, arena_format(&f->arena, "%s.%s", name, field->name), field->fields);
        }
    }
}

static void every_table_is_complete_and_its_defaults_are_good(void **state)
{
    static const struct field none[] = {{0}};
    struct fixture *f = *state;
    struct binder b = {.arena = &f->arena, .problems = &f->problems};
    check_table(f, "", config_fields);
    for (size_t i = 0; driver_rows[i]; i++) {
        const struct driver_row *row = driver_rows[i];
        struct scope scope = {.name = row->name, .fields = row->fields ? row->fields : none};
        void *settings = arena_alloc(&f->arena, row->size);
        check_table(f, row->name, scope.fields);
        bind_map(&b, NULL, &scope, settings);
        if (f->problems.count) {
            fail_msg("%s %s: %s", row->room, row->name, f->problems.items[0]);
        }
        assert_non_null(row->doc);
        assert_ptr_equal(driver_find(row->room, row->name), row);
    }
    assert_null(driver_find("workload", "no-such"));
}

static void example_is_valid(void **state)
{
    struct fixture *f = *state;
    int result = load_text(f, config_example());
    for (size_t i = 0; i < f->problems.count; i++) {
        print_error("%s\n", f->problems.items[i]);
    }
    assert_int_equal(result, 0);
    assert_string_equal(f->config->app, "shop");
    assert_int_equal(f->config->canary_steps.count, 4);
    assert_int_equal(f->config->gates[GATE_ENVIRONMENT].count, 1);
}

static void schema_holds_every_driver(void **state)
{
    AUTO_JSON struct json *schema = config_schema();
    const struct json *properties = json_get(schema, "properties");
    const struct json *check = json_get(json_get(json_get(schema, "$defs"), "gate"), "properties");
    (void)state;
    assert_string_equal(json_text(json_get(schema, "$schema")),
                        "https://json-schema.org/draft/2020-12/schema");
    for (size_t i = 0; config_fields[i].name; i++) {
        assert_non_null(json_get(properties, config_fields[i].name));
    }
    for (size_t i = 0; driver_rows[i]; i++) {
        const struct driver_row *row = driver_rows[i];
        const char *section = text_equal(row->room, "router")   ? "traffic"
                              : text_equal(row->room, "metric") ? "metrics"
                                                                : row->room;
        const struct json *room = text_equal(row->room, "check")
                                      ? check
                                      : json_get(json_get(properties, section), "properties");
        assert_non_null(json_get(room, row->name));
    }
    char *text = json_print(schema, true);
    assert_non_null(strstr(text, "\"additionalProperties\": false"));
    free(text);
}

static void reference_names_every_key(void **state)
{
    AUTO_BUF struct buf out;
    (void)state;
    buf_init(&out, 1 << 20);
    config_reference(&out);
    assert_false(out.overflow);
    for (size_t i = 0; config_fields[i].name; i++) {
        char row[64];
        (void)snprintf(row, sizeof row, "| `%s`", config_fields[i].name);
        assert_non_null(strstr(out.data, row));
    }
    assert_non_null(strstr(out.data, "### `strategies.canary.steps[]`"));
    assert_non_null(strstr(out.data, "`measurement_window`"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(missing_file_says_what_to_run),
        TEST(ten_megabytes_are_refused),
        TEST(binary_junk_is_refused),
        TEST(a_folder_is_no_file),
        TEST(absolute_path_ignores_the_folder),
        TEST(hash_is_of_file_and_sets),
        TEST(problems_stand_in_file_order),
        TEST(long_values_are_cut_in_messages),
        TEST(secrets_leave_the_environment),
        TEST(absent_secret_is_a_problem),
        TEST(a_secret_too_short_to_be_hidden_is_refused),
        TEST(named_variables_are_hidden_and_stay),
        TEST(the_environment_tells_secrets_by_their_names),
        TEST(a_query_is_no_part_of_a_name),
        TEST(secrets_are_never_printed),
        TEST(what_is_no_secret),
        TEST(expansion),
        TEST(braces),
        TEST(every_table_is_complete_and_its_defaults_are_good),
        TEST(example_is_valid),
        TEST(schema_holds_every_driver),
        TEST(reference_names_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
