/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_test.h"

struct row {
    const char *what;
    struct fact_instance instances[4];
    const char *slot, *version, *unclear;
};

#define UP(name, slot, version, share)                            \
    {                                                             \
        name, slot, NULL, version, true, true, share, NULL, false \
    }
#define SICK(name, slot, version, share)                           \
    {                                                              \
        name, slot, NULL, version, true, false, share, NULL, false \
    }
#define DOWN(name, slot, share)                                  \
    {                                                            \
        name, slot, NULL, NULL, false, false, share, NULL, false \
    }
#define UNSEEN(name, slot, share)                                              \
    {                                                                          \
        name, slot, NULL, NULL, false, false, share, "status: timed out", true \
    }
#define UNASKED(name)                                                                    \
    name " could not be asked what it runs: status: timed out: nobody knows what is in " \
         "production; see status: under workload in deploy.yaml"

static const struct row rows[] = {
    {"one slot serves",
     {UP("b1", "blue", "v1", 0.5), UP("b2", "blue", "v1", 0.5), DOWN("g1", "green", 0)},
     "blue",
     "v1",
     NULL},
    {"the second slot serves, the first one is left over",
     {UP("b1", "blue", "v1", 0), UP("g1", "green", "v2", 1)},
     "green",
     "v2",
     NULL},
    {"a share within the tolerance is none",
     {UP("b1", "blue", "v1", 0.999), UP("g1", "green", "v2", 0.001)},
     "blue",
     "v1",
     NULL},
    {"both slots serve",
     {UP("b1", "blue", "v1", 0.4), UP("g1", "green", "v2", 0.6)},
     NULL,
     NULL,
     "blue serves 40 % and green 60 %: finish or roll back the run that left it so, or send all "
     "traffic to one of them"},
    {"two versions in one slot",
     {UP("b1", "blue", "v1", 0.5), UP("b2", "blue", "v2", 0.5), DOWN("g1", "green", 0)},
     "blue",
     NULL,
     "b1 runs v1 and b2 runs v2: finish or undo that rollout first"},
    {"no shares: the ready slot",
     {UP("b1", "blue", "v1", 0), DOWN("g1", "green", 0)},
     "blue",
     "v1",
     NULL},
    {"no shares: running is not ready",
     {SICK("b1", "blue", "v1", 0), UP("g1", "green", "v2", 0)},
     "green",
     "v2",
     NULL},
    {"no shares: both ready",
     {UP("b1", "blue", "v1", 0), UP("g1", "green", "v2", 0)},
     NULL,
     NULL,
     "blue (v1) and green (v2) are both ready and the router sends traffic to neither: send all "
     "of it to the one that is production"},
    {"no shares and nobody ready: nothing serves",
     {SICK("b1", "blue", "v1", 0), DOWN("g1", "green", 0)},
     NULL,
     NULL,
     NULL},
    {"nothing runs: a first deployment, wherever the router points to",
     {DOWN("b1", "blue", 1), DOWN("g1", "green", 0)},
     NULL,
     NULL,
     NULL},
    {"the traffic goes where nothing runs",
     {DOWN("b1", "blue", 1), UP("g1", "green", "v2", 0)},
     "blue",
     NULL,
     "the traffic goes to blue, where nothing runs: start it, or send the traffic to where it can "
     "be served"},
    {"it does not say its version",
     {UP("b1", "blue", NULL, 1), DOWN("g1", "green", 0)},
     "blue",
     NULL,
     "b1 runs but does not say its version: without it there is no way back; see version: under "
     "workload in deploy.yaml"},
    {"in place", {UP("w1", NULL, "v1", 0.5), UP("w2", NULL, "v1", 0.5)}, NULL, "v1", NULL},
    {"in place, one down", {DOWN("w1", NULL, 0), UP("w2", NULL, "v1", 1)}, NULL, "v1", NULL},
    {"in place, two versions",
     {UP("w1", NULL, "v2", 0.5), UP("w2", NULL, "v1", 0.5)},
     NULL,
     NULL,
     "w1 runs v2 and w2 runs v1: finish or undo that rollout first"},
    {"in place, nothing runs", {DOWN("w1", NULL, 0.5), DOWN("w2", NULL, 0.5)}, NULL, NULL, NULL},
    {"nothing is seen to run, and one could not be asked",
     {DOWN("b1", "blue", 1), UNSEEN("g1", "green", 0)},
     NULL,
     NULL,
     UNASKED("g1")},
    {"in place, nobody could be asked",
     {UNSEEN("w1", NULL, 0.5), UNSEEN("w2", NULL, 0.5)},
     NULL,
     NULL,
     UNASKED("w1")},
    {"one could not be asked, but others run",
     {UP("b1", "blue", "v1", 1), UNSEEN("g1", "green", 0)},
     "blue",
     "v1",
     NULL},
    {"no instance at all", {{0}}, NULL, NULL, NULL},
};

static void same(const char *what, const char *got, const char *expected)
{
    if (!text_equal(got, expected)) {
        fail_msg("%s: '%s' is not '%s'", what, got == NULL ? "(none)" : got,
                 expected == NULL ? "(none)" : expected);
    }
}

static void facts_are_derived(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena = {0};
        struct fact_instance copy[4];
        struct facts facts = {.instances = copy, .stable_slot = "old", .unclear = "old"};
        memcpy(copy, rows[i].instances, sizeof copy);
        while (facts.count < 4 && copy[facts.count].name != NULL) {
            facts.count++;
        }
        facts_derive(&arena, &facts);
        same(rows[i].what, facts.unclear, rows[i].unclear);
        same(rows[i].what, facts.stable_slot, rows[i].slot);
        same(rows[i].what, facts.stable_version, rows[i].version);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(facts_are_derived)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
