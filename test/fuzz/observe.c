/* SPDX-License-Identifier: Apache-2.0
 *
 * What the command of a router prints as traffic: shares of all of it, or an error.
 */
#include "../../src/router/command.c"

#include "fuzz.h"

/* Some line gives some weight. */
static bool any_weight(struct arena *arena, const char *text)
{
    struct slice rest = {text, strlen(text)};
    while (rest.length > 0) {
        const char *line = input_line(arena, &rest);
        line += strspn(line, " \t\r");
        if (strtod(line + strcspn(line, " \t\r"), NULL) > 0) {
            return true;
        }
    }
    return false;
}

static void try_routes(struct arena *arena, const char *text, const char *const slots[3])
{
    struct route routes[3] = {{.instance = {"a-1", slots[0], NULL, "a-1"}},
                              {.instance = {"a-2", slots[1], NULL, "a-2"}},
                              {.instance = {"b-1", slots[2], NULL, "b-1"}}};
    struct traffic traffic = {routes, 3};
    struct error err = {0};
    double sum = 0;
    if (take_output(arena_text(arena, text), arena, &traffic, &err) != 0) {
        REQUIRE(err.kind == ERROR_FORMAT && text_starts(err.message, "observe printed "));
        return;
    }
    for (size_t i = 0; i < traffic.count; i++) {
        REQUIRE(routes[i].known && routes[i].share >= 0 && routes[i].share <= 1);
        REQUIRE(routes[i].state >= TRAFFIC_READY && routes[i].state <= TRAFFIC_MAINTENANCE);
        sum += routes[i].share;
    }
    REQUIRE(any_weight(arena, text) ? fabs(sum - 1) < 1e-9 : sum == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const slots[] = {"a", "a", "b"}, *const none[] = {NULL, NULL, NULL};
    struct arena arena AUTO_ARENA = {0};
    const struct slice all = {(const char *)data, size};
    const char *text = input_text(&arena, &all);
    try_routes(&arena, text, slots);
    try_routes(&arena, text, none);
    return 0;
}
