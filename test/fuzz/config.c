/* SPDX-License-Identifier: Apache-2.0
 *
 * deploy.yaml: every problem tells its place, in the order of the file; what is accepted keeps
 * the promises of config.h and can be planned. First lines of `@SET path=value` and
 * `@ENV NAME=value` are what the caller gave.
 */
#include "config.h"
#include "plan.h"

#include "fuzz.h"

enum { GIVEN_MAX = 8 };

struct given {
    const char *sets[GIVEN_MAX], *env[GIVEN_MAX];
    size_t set_count, env_count;
};

static void read_given(struct arena *arena, struct slice *rest, struct given *given)
{
    while (rest->length > 5 && rest->data[0] == '@') {
        const char *line = input_line(arena, rest);
        if (text_starts(line, "@SET ") && given->set_count < GIVEN_MAX) {
            given->sets[given->set_count++] = line + 5;
        } else if (text_starts(line, "@ENV ") && given->env_count < GIVEN_MAX) {
            given->env[given->env_count++] = line + 5;
        }
    }
}

static void check_problems(const struct problems *problems, const char *path, struct slice text)
{
    struct place before = {0};
    for (size_t i = 0; i < problems->count; i++) {
        const struct place *place = &problems->places[i];
        const char *message = problems->items[i];
        REQUIRE(place->line > 0 ? tells_place(message, path, text)
                                : text_starts(message, "--set") || text_starts(message, path));
        REQUIRE(place->line >= before.line);
        REQUIRE(place->line > before.line || place->column >= before.column);
        before = *place;
    }
}

static void check_steps(const struct config *config)
{
    const struct canary_step *steps = config->canary_steps.items;
    double before = 0;
    REQUIRE(config->canary_steps.count > 0);
    for (size_t i = 0; i < config->canary_steps.count; i++) {
        REQUIRE(steps[i].weight > before && steps[i].weight <= 1 && steps[i].watch >= 0);
        before = steps[i].weight;
    }
    REQUIRE(before == 1);
}

static void check_rows(const struct rows *rows)
{
    const struct check_config *checks = rows->items;
    for (size_t i = 0; i < rows->count; i++) {
        REQUIRE(checks[i].name != NULL && checks[i].kind.driver != NULL);
        for (size_t k = 0; k < i; k++) {
            REQUIRE(strcmp(checks[i].name, checks[k].name) != 0);
        }
    }
}

static void check_config(const struct config *config)
{
    REQUIRE(config->app != NULL && config->app[0] != '\0');
    REQUIRE(config->workload.driver != NULL && config->traffic.driver != NULL);
    REQUIRE(config->watch_interval > 0 && config->batch > 0 && config->ready_timeout > 0);
    REQUIRE(strspn(config->hash, "0123456789abcdef") == 64 && config->hash[64] == '\0');
    check_steps(config);
    for (int i = 0; i < GATES; i++) {
        check_rows(&config->gates[i]);
    }
    for (int i = 0; i < SMOKE_GROUPS; i++) {
        check_rows(&config->smoke[i]);
    }
}

/* Every strategy either plans steps with ids of their own, or says why not. */
static void try_plans(struct arena *arena, const struct config *config)
{
    static struct fact_instance instances[] = {
        {.name = "blue-1",
         .slot = "blue",
         .url = "http://127.0.0.1:1",
         .version = "v1",
         .running = true,
         .ready = true,
         .share = 1},
        {.name = "green-1", .slot = "green"},
    };
    struct facts facts = {.traits = FACT_SLOTS, .instances = instances, .count = 2};
    facts_derive(arena, &facts);
    for (int strategy = STRATEGY_BLUE_GREEN; strategy <= STRATEGY_ROLLING; strategy++) {
        struct plan plan;
        struct error err = {0};
        struct plan_request request = {config, &facts, (enum strategy)strategy, "v2", NULL};
        if (plan_build(arena, &request, &plan, &err) != 0) {
            REQUIRE(err.kind == ERROR_STATE || err.kind == ERROR_CONFIG);
            continue;
        }
        REQUIRE(plan.steps.count > 0);
        for (size_t i = 0; i < plan.steps.count; i++) {
            for (size_t k = 0; k < i; k++) {
                REQUIRE(strcmp(plan.steps.items[i].id, plan.steps.items[k].id) != 0);
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct given given = {.set_count = 0};
    struct slice rest = {(const char *)data, size};
    read_given(&arena, &rest, &given);
    const struct config_source source = {file_of(rest), ".", given.sets, given.set_count};
    struct problems problems = {0};
    struct config *config = NULL;
    struct error err = {0};
    set_environment(&arena, given.env, given.env_count);
    int result = config_load(&arena, &source, &config, &problems, &err);
    restore_environment();
    check_problems(&problems, source.path, rest);
    if (result != 0) {
        REQUIRE(problems.count > 0 && err.kind == ERROR_CONFIG);
        return 0;
    }
    REQUIRE(problems.count == 0);
    check_config(config);
    try_plans(&arena, config);
    return 0;
}
