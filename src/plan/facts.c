/* SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

/* What is seen of one slot; of all instances where there are no slots. */
struct view {
    const char *slot;
    double share;
    bool running, ready;
    const struct fact_instance *first, *second; /* of the first and second version seen */
    const struct fact_instance *silent;         /* runs, but does not say its version */
};

static void look_at(struct view *view, const struct fact_instance *instance)
{
    view->share += instance->share;
    if (!instance->running) {
        return;
    }
    view->running = true;
    view->ready = view->ready || instance->ready;
    if (instance->version == NULL) {
        view->silent = instance;
    } else if (view->first == NULL) {
        view->first = instance;
    } else if (view->second == NULL && !text_equal(view->first->version, instance->version)) {
        view->second = instance;
    }
}

/* Slots in file order; one view with slot NULL where there are none. */
static size_t look(struct arena *arena, const struct facts *facts, struct view **out)
{
    struct view *views = arena_array(arena, facts->count + 1, sizeof *views);
    size_t count = 0;

    for (size_t i = 0; i < facts->count; i++) {
        size_t v = 0;
        while (v < count && !text_equal(views[v].slot, facts->instances[i].slot)) {
            v++;
        }
        if (v == count) {
            views[count++].slot = facts->instances[i].slot;
        }
        look_at(&views[v], &facts->instances[i]);
    }
    *out = views;
    return count;
}

static const char *mixed(struct arena *arena, const struct view *view)
{
    return arena_format(arena, "%s runs %s and %s runs %s: finish or undo that rollout first",
                        view->first->name, view->first->version, view->second->name,
                        view->second->version);
}

/* The version that view serves, or why that cannot be said. */
static void take_version(struct arena *arena, struct facts *facts, const struct view *view)
{
    facts->stable_slot = view->slot;
    if (view->second != NULL) {
        facts->unclear = mixed(arena, view);
    } else if (view->first != NULL) {
        facts->stable_version = view->first->version;
    } else if (view->silent != NULL) {
        const char *why = view->silent->detail;
        facts->unclear = arena_format(
            arena,
            "%s runs but does not say its version%s%s%s: without it there is no way back; see "
            "version: under workload in deploy.yaml",
            view->silent->name, why ? " (" : "", why ? why : "", why ? ")" : "");
    } else {
        facts->unclear = arena_format(arena,
                                      "the traffic goes to %s, where nothing runs: start it, or "
                                      "send the traffic to where it can be served",
                                      view->slot);
    }
}

static const char *says(struct arena *arena, const struct view *view)
{
    return view->first == NULL ? view->slot
                               : arena_format(arena, "%s (%s)", view->slot, view->first->version);
}

/* The n-th and the one after it that serve, or, without shares, that are ready. */
static size_t serving(struct view *views, size_t count, bool routed, struct view *found[2])
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (routed ? views[i].share > SHARE_TOLERANCE : views[i].ready) {
            if (n < 2) {
                found[n] = &views[i];
            }
            n++;
        }
    }
    return n;
}

static void derive_slots(struct arena *arena, struct facts *facts, struct view *views, size_t count)
{
    struct view *found[2] = {NULL, NULL};
    bool routed = false;

    for (size_t i = 0; i < count; i++) {
        routed = routed || views[i].share > SHARE_TOLERANCE;
    }
    size_t n = serving(views, count, routed, found);
    if (n == 1) {
        take_version(arena, facts, found[0]);
    } else if (n > 1 && routed) {
        facts->unclear = arena_format(arena,
                                      "%s serves %.3g %% and %s %.3g %%: finish or roll back the "
                                      "run that left it so, or send all traffic to one of them",
                                      found[0]->slot, found[0]->share * 100, found[1]->slot,
                                      found[1]->share * 100);
    } else if (n > 1) {
        facts->unclear = arena_format(arena,
                                      "%s and %s are both ready and the router sends traffic to "
                                      "neither: send all of it to the one that is production",
                                      says(arena, found[0]), says(arena, found[1]));
    }
}

/* Where nothing is seen to run, all must have been asked; NULL: they were. */
static const char *unasked(struct arena *arena, const struct facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact_instance *instance = &facts->instances[i];
        if (instance->unseen) {
            return arena_format(arena,
                                "%s could not be asked what it runs%s%s: nobody knows what is in "
                                "production; see status: under workload in deploy.yaml",
                                instance->name, instance->detail == NULL ? "" : ": ",
                                instance->detail == NULL ? "" : instance->detail);
        }
    }
    return NULL;
}

void facts_derive(struct arena *arena, struct facts *facts)
{
    struct view *views;
    size_t count = look(arena, facts, &views);
    bool running = false;

    facts->stable_slot = facts->stable_version = facts->unclear = NULL;
    for (size_t i = 0; i < count; i++) {
        running = running || views[i].running;
    }
    if (!running) {
        /* Wherever the router points to, nobody is served: a first deployment. */
        facts->unclear = unasked(arena, facts);
        return;
    }
    if (count == 1 && views[0].slot == NULL) {
        take_version(arena, facts, &views[0]);
    } else {
        derive_slots(arena, facts, views, count);
    }
}
