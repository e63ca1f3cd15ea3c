/* SPDX-License-Identifier: Apache-2.0
 *
 * Golden plans: case_plan [--update] FOLDER. Each FOLDER/NAME.case has sections, each
 * begun by a line with "@":
 *
 *   @CONFIG            deploy.yaml
 *   @ARGS canary v2    strategy and version
 *   @GUIDANCE text     optional
 *   @FACTS             a line an instance: name slot url version running ready share
 *                      ("-": none); a line "traits WORD…" where they are not to be guessed
 *   @DONE n            optional: print the way back after the first n steps instead
 *   @EXPECT            what is printed
 */
#include "arena.h"
#include "file.h"
#include "plan.h"
#include "text.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CASE_MAX ((size_t)1 << 20)
#define WORDS 8

struct golden {
    struct arena *arena;
    char *config, *facts, *expect; /* sections */
    const char *strategy, *version, *guidance;
    const char *head; /* everything up to and with the line @EXPECT */
    long done;        /* -1: the plan itself */
};

static char scratch[] = "/tmp/case-plan-XXXXXX";

static size_t split(char *line, const char *words[WORDS])
{
    size_t count = 0;
    char *rest = NULL;

    for (char *word = strtok_r(line, " ", &rest); word != NULL && count < WORDS;
         word = strtok_r(NULL, " ", &rest)) {
        words[count++] = word;
    }
    return count;
}

static const char *none(const char *word)
{
    return strcmp(word, "-") == 0 ? NULL : word;
}

static void section(struct golden *golden, char *line, char *body)
{
    const char *words[WORDS] = {NULL};

    if (text_starts(line, "@GUIDANCE ")) {
        golden->guidance = line + strlen("@GUIDANCE ");
        return;
    }
    size_t count = split(line, words);
    if (text_equal(words[0], "@CONFIG")) {
        golden->config = body;
    } else if (text_equal(words[0], "@FACTS")) {
        golden->facts = body;
    } else if (text_equal(words[0], "@EXPECT")) {
        golden->expect = body;
    } else if (text_equal(words[0], "@ARGS") && count == 3) {
        golden->strategy = words[1];
        golden->version = words[2];
    } else if (text_equal(words[0], "@DONE") && count == 2) {
        golden->done = strtol(words[1], NULL, 10);
    }
}

/* Cuts text into its sections; every "@" line and the end of a body become NUL. */
static void parse(struct golden *golden, char *text)
{
    const char *expect = strstr(text, "\n@EXPECT\n");
    char *at = text;

    if (expect != NULL) {
        size_t head = (size_t)(expect - text) + strlen("\n@EXPECT\n");
        golden->head = arena_text_n(golden->arena, text, head);
    }
    while (at != NULL && *at != '\0') {
        char *end = strchr(at, '\n');
        if (end == NULL) {
            return;
        }
        if (*at == '@') {
            *end = '\0';
            section(golden, at, end + 1);
            if (at > text) {
                *at = '\0';
            }
        }
        at = end + 1;
    }
}

static void add_fact(struct golden *golden, struct facts *facts, size_t *capacity, char *line)
{
    const char *w[WORDS] = {NULL};

    if (split(line, w) != 7) {
        return;
    }
    facts->instances = arena_grow(golden->arena, facts->instances, facts->count, capacity,
                                  sizeof *facts->instances);
    facts->instances[facts->count++] = (struct fact_instance){
        .name = w[0],
        .slot = none(w[1]),
        .url = none(w[2]),
        .version = none(w[3]),
        .running = text_equal(w[4], "yes"),
        .ready = text_equal(w[5], "yes"),
        .share = strtod(w[6], NULL),
        .unseen = text_equal(w[4], "unseen"),
    };
    if (none(w[1]) != NULL) {
        facts->traits |= FACT_SLOTS;
    }
}

static unsigned trait_words(const char *line)
{
    return (strstr(line, "slots") ? FACT_SLOTS : 0U) |
           (strstr(line, "in-place") ? FACT_IN_PLACE : 0U) |
           (strstr(line, "copy") ? FACT_COPY : 0U);
}

static void read_facts(struct golden *golden, struct facts *facts)
{
    size_t capacity = 0;
    unsigned told = 0;
    char *rest = NULL;

    for (char *line = strtok_r(golden->facts, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (text_starts(line, "traits ")) {
            told = trait_words(line);
        } else {
            add_fact(golden, facts, &capacity, line);
        }
    }
    if (told != 0) {
        facts->traits = told;
    } else if (facts->traits == 0) {
        facts->traits = FACT_IN_PLACE;
    }
    facts_derive(golden->arena, facts);
}

static int read_config(struct golden *golden, struct config **config, struct error *err)
{
    char path[64];
    struct problems problems = {0};
    struct config_source source = {.path = "deploy.yaml", .directory = scratch};

    snprintf(path, sizeof path, "%s/deploy.yaml", scratch);
    if (file_write(path, golden->config, strlen(golden->config), err) != 0) {
        return -1;
    }
    return config_load(golden->arena, &source, config, &problems, err);
}

static enum strategy strategy_of(const char *name)
{
    for (int i = 0; strategy_names[i] != NULL; i++) {
        if (text_equal(strategy_names[i], name)) {
            return (enum strategy)i;
        }
    }
    return STRATEGY_NONE;
}

static void turn_back(struct golden *golden, const struct config *config, struct plan *plan)
{
    bool *touched = arena_array(golden->arena, plan->steps.count + 1, sizeof *touched);
    struct steps back = {0};

    for (size_t i = 0; i < plan->steps.count; i++) {
        touched[i] = i < (size_t)golden->done;
    }
    struct rollback_request request = {
        .config = config,
        .strategy = plan->strategy,
        .version = plan->version,
        .previous = plan->previous,
        .stable_slot = plan->stable_slot,
        .candidate_slot = plan->candidate_slot,
        .stable_url = "http://stable",
        .steps = &plan->steps,
        .touched = touched,
    };
    plan_rollback(golden->arena, &request, &back);
    plan->steps = back;
    plan->notes = (struct texts){NULL, 0};
}

static int make(struct golden *golden, struct buf *out, struct error *err)
{
    struct config *config = NULL;
    struct facts facts = {0};
    struct focus focus = {0};
    struct plan plan;

    if (golden->config == NULL || golden->facts == NULL || golden->version == NULL) {
        return error_set(err, ERROR_FORMAT, "the case lacks @CONFIG, @ARGS or @FACTS");
    }
    read_facts(golden, &facts);
    if (read_config(golden, &config, err) != 0) {
        return -1;
    }
    guidance_focus(golden->arena, golden->guidance == NULL ? "" : golden->guidance, &focus);
    struct plan_request request = {config, &facts, strategy_of(golden->strategy), golden->version,
                                   &focus};
    if (plan_build(golden->arena, &request, &plan, err) != 0) {
        return -1;
    }
    if (golden->done >= 0) {
        turn_back(golden, config, &plan);
    }
    plan_print(out, &plan);
    return 0;
}

static void print_lines(char mark, const char *text, size_t length)
{
    while (length > 0) {
        const char *end = memchr(text, '\n', length);
        size_t line = end == NULL ? length : (size_t)(end - text);
        printf("%c %.*s\n", mark, (int)line, text);
        line += end == NULL ? 0 : 1;
        text += line;
        length -= line;
    }
}

/* What is between the lines that both begin and both end with. */
static void print_difference(const char *expected, const char *got)
{
    size_t a = strlen(expected), b = strlen(got), begin = 0, end = 0;

    for (size_t i = 0; i < a && i < b && expected[i] == got[i]; i++) {
        begin = expected[i] == '\n' ? i + 1 : begin;
    }
    for (size_t i = 1; i <= a - begin && i <= b - begin && expected[a - i] == got[b - i]; i++) {
        end = expected[a - i] == '\n' ? i - 1 : end;
    }
    print_lines('-', expected + begin, a - begin - end);
    print_lines('+', got + begin, b - begin - end);
}

static int rewrite(const char *path, const struct golden *golden, const struct buf *got,
                   struct error *err)
{
    if (golden->head == NULL) {
        return error_set(err, ERROR_FORMAT, "the case lacks a line @EXPECT");
    }
    const char *text = arena_format(golden->arena, "%s%s", golden->head, got->data);
    return file_write(path, text, strlen(text), err);
}

/* Whether the case holds; with update it then does. */
static bool run_case(const char *path, bool update)
{
    AUTO_BUF struct buf text = {0}, got;
    struct error err = {0};
    struct arena arena = {0};
    struct golden golden = {.arena = &arena, .done = -1};
    bool good = false;

    buf_init(&got, CASE_MAX);
    if (file_read(path, CASE_MAX, false, &text, &err) != 0) {
        printf("# %s\n", err.message);
        return false;
    }
    parse(&golden, arena_text(&arena, text.data));
    if (make(&golden, &got, &err) != 0) {
        buf_addf(&got, "%s: %s\n", error_kind_name(err.kind), err.message);
    }
    if (update) {
        good = rewrite(path, &golden, &got, &err) == 0;
    } else {
        good = golden.expect != NULL && strcmp(golden.expect, got.data) == 0;
        if (!good) {
            print_difference(golden.expect == NULL ? "" : golden.expect, got.data);
        }
    }
    arena_release(&arena);
    return good;
}

static int is_case(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 5 && strcmp(entry->d_name + length - 5, ".case") == 0;
}

static int run_folder(const char *folder, bool update)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_case, alphasort), failed = 0;

    printf("1..%d\n", count < 0 ? 0 : count);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        bool good = run_case(path, update);
        printf("%s %d - %s\n", good ? "ok" : "not ok", i + 1, entries[i]->d_name);
        failed += good ? 0 : 1;
        free(entries[i]);
    }
    free(entries);
    printf("%d passed, %d failed\n", (count < 0 ? 0 : count) - failed, failed);
    return failed == 0 && count > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    bool update = argc == 3 && strcmp(argv[1], "--update") == 0;

    if (argc != 2 && !update) {
        fputs("usage: case_plan [--update] FOLDER\n", stderr);
        return 2;
    }
    if (mkdtemp(scratch) == NULL) {
        perror(scratch);
        return 2;
    }
    int result = run_folder(argv[argc - 1], update);
    char path[64];
    snprintf(path, sizeof path, "%s/deploy.yaml", scratch);
    unlink(path);
    rmdir(scratch);
    return result;
}
