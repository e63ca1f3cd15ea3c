/* SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

/* One rollout over the instances in file order. */
struct rolling {
    struct builder *b;
    const struct fact_instance **pending; /* still to be updated */
    size_t pending_count;
    size_t begun;         /* the first of them, that have the version but do not serve */
    struct names updated; /* those that run the version already, or will after the batches so far */
    size_t total;
    bool routed; /* the router gives traffic to somebody */
};

struct batch {
    const char *label; /* for ids: the instance, or "batch-2" */
    struct names names;
    size_t first; /* index of the first in pending */
    bool drain;
};

static bool in_scope(const struct facts *facts, const struct fact_instance *instance)
{
    return instance->slot == NULL || facts->stable_slot == NULL ||
           text_equal(instance->slot, facts->stable_slot);
}

/* The one version other than the wanted one that runs; *count: how many there are. */
static const char *other_version(const struct builder *b, size_t *count)
{
    const char *other = NULL;

    *count = 0;
    for (size_t i = 0; i < b->facts->count; i++) {
        const struct fact_instance *instance = &b->facts->instances[i];
        const char *version = instance->version;
        if (!in_scope(b->facts, instance) || !instance->running || version == NULL ||
            text_equal(version, b->plan->version) || text_equal(version, other)) {
            continue;
        }
        other = version;
        ++*count;
    }
    return other;
}

/* Two versions at once are clear enough where one of them is the wanted one: an earlier
 * rollout of it was not finished. */
static int find_previous(struct builder *b, struct error *err)
{
    size_t others;
    const char *other = other_version(b, &others);

    if (b->facts->unclear != NULL && others != 1) {
        return error_set(err, ERROR_STATE, "%s", b->facts->unclear);
    }
    b->plan->previous = other != NULL ? other : b->facts->stable_version;
    b->plan->stable_slot = b->facts->stable_slot;
    return 0;
}

static int check_trait(const struct builder *b, struct error *err)
{
    if (b->facts->traits & FACT_IN_PLACE) {
        return 0;
    }
    return error_set(err, ERROR_STATE,
                     "rolling updates instances in place, and this workload has slots that take "
                     "turns: remove slot: from the instances under workload in deploy.yaml, or "
                     "use blue-green or canary");
}

static int check_batch(const struct rolling *r, struct error *err)
{
    int64_t batch = r->b->config->batch;

    if (r->total == 0) {
        return error_set(err, ERROR_STATE, "rolling has nothing to update: no instance is known");
    }
    if (r->total == 1 || batch < (int64_t)r->total) {
        return 0;
    }
    return error_set(err, ERROR_STATE,
                     "a batch of %lld would take %s down: write a batch below %zu under "
                     "strategies.rolling in deploy.yaml",
                     (long long)batch,
                     r->total == 2 ? "both instances"
                                   : arena_format(r->b->arena, "all %zu instances", r->total),
                     r->total);
}

static bool is_settled(const struct rolling *r, const struct fact_instance *instance)
{
    return instance->running && instance->ready &&
           text_equal(instance->version, r->b->plan->version) &&
           (!r->routed || instance->share > SHARE_TOLERANCE);
}

/* What an earlier run left half-way comes first: from then on it is part of the way back. */
static void add_pending(struct rolling *r, bool begun)
{
    const struct facts *facts = r->b->facts;

    for (size_t i = 0; i < facts->count; i++) {
        const struct fact_instance *instance = &facts->instances[i];
        bool has_it = text_equal(instance->version, r->b->plan->version);
        if (in_scope(facts, instance) && !is_settled(r, instance) && has_it == begun) {
            r->pending[r->pending_count++] = instance;
        }
    }
}

static void sort_out(struct rolling *r)
{
    const struct facts *facts = r->b->facts;

    r->pending = arena_array(r->b->arena, facts->count, sizeof(struct fact_instance *));
    r->updated.items = arena_array(r->b->arena, facts->count, sizeof(char *));
    for (size_t i = 0; i < facts->count; i++) {
        r->routed = r->routed || facts->instances[i].share > SHARE_TOLERANCE;
    }
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact_instance *instance = &facts->instances[i];
        if (!in_scope(facts, instance)) {
            continue;
        }
        r->total++;
        if (is_settled(r, instance)) {
            r->updated.items[r->updated.count++] = instance->name;
        }
    }
    add_pending(r, true);
    r->begun = r->pending_count;
    add_pending(r, false);
}

/* Left by an earlier run: not touched on the way forward, but part of the way back. */
static void adopt(struct rolling *r)
{
    if (r->updated.count == 0) {
        return;
    }
    struct builder *b = r->b;
    struct step *step = plan_step(b, STEP_READY, "ready-before");
    step->title = arena_format(b->arena, "%s %s %s already", plan_join(b->arena, &r->updated),
                               r->updated.count == 1 ? "runs" : "run", b->plan->version);
    step->reason = "from an earlier run; is not updated again";
    step->version = b->plan->version;
    struct names copy = {arena_array(b->arena, r->updated.count, sizeof(char *)), r->updated.count};
    for (size_t i = 0; i < copy.count; i++) {
        copy.items[i] = r->updated.items[i];
    }
    plan_set_names(b, step, copy);
    step->touches = "nothing";
}

static struct step *batch_step(struct rolling *r, const struct batch *batch, enum step_kind kind,
                               const char *verb)
{
    struct step *step =
        plan_step(r->b, kind, arena_format(r->b->arena, "%s-%s", verb, batch->label));

    step->version = r->b->plan->version;
    step->instances = batch->names.items;
    step->count = batch->names.count;
    return step;
}

static const char *progress(struct rolling *r, size_t count)
{
    return arena_format(r->b->arena, "%zu of %zu", count, r->total);
}

static void traffic_step(struct rolling *r, const struct batch *batch, int state)
{
    bool drain = state == STATE_DRAIN;
    const char *names = plan_join(r->b->arena, &batch->names);
    struct step *step = batch_step(r, batch, STEP_SHIFT, drain ? "drain" : "serve");

    step->title = arena_format(r->b->arena,
                               drain ? "take %s out of traffic" : "give %s traffic again", names);
    step->reason =
        r->b->plan->previous == NULL ? "no traffic before all is well" : "open requests may end";
    if (!drain) {
        step->reason = arena_format(r->b->arena, "%s on %s", progress(r, r->updated.count),
                                    r->b->plan->version);
    }
    step->state = state;
    step->touches = "router";
}

static const char *update_reason(struct rolling *r, const struct batch *batch)
{
    const struct fact_instance *first = r->pending[batch->first];
    const char *place = progress(r, r->updated.count + batch->names.count);
    const char *from = "first deployment";

    if (r->b->plan->previous != NULL) {
        from = !first->running           ? "is down"
               : batch->first < r->begun ? "has it, but does not serve"
               : first->version == NULL  ? "from an unknown version"
                                         : arena_format(r->b->arena, "from %s", first->version);
    }
    return arena_format(r->b->arena, "%s; %s%s", place, from,
                        r->total == 1 && first->running
                            ? "; the only instance, so that nothing serves meanwhile"
                            : "");
}

static void update_steps(struct rolling *r, const struct batch *batch)
{
    const char *names = plan_join(r->b->arena, &batch->names);
    struct step *step = batch_step(r, batch, STEP_DEPLOY, "update");

    step->title = arena_format(r->b->arena, "update %s to %s", names, r->b->plan->version);
    step->reason = update_reason(r, batch);
    step->touches = plan_touches(r->b->arena, &batch->names);

    step = batch_step(r, batch, STEP_READY, "ready");
    step->title = arena_format(r->b->arena, "wait until %s %s ready", names,
                               batch->names.count == 1 ? "is" : "are");
    step->reason = plan_says_so(r->b->arena, batch->names.count, r->b->plan->version);
}

/* Each at its own address, before users reach it. */
static void smoke_steps(struct rolling *r, const struct batch *batch)
{
    for (size_t i = 0; i < batch->names.count; i++) {
        const struct fact_instance *instance = r->pending[batch->first + i];
        struct step *step =
            plan_smoke(r->b, arena_format(r->b->arena, "smoke-%s", instance->name), instance->url,
                       batch->drain ? "before any traffic" : "right after the update");
        if (step != NULL) {
            step->version = r->b->plan->version;
            step->instances = &batch->names.items[i];
            step->count = 1;
        }
    }
}

static void watch_step(struct rolling *r, const struct batch *batch)
{
    if (r->b->config->rolling_watch <= 0) {
        return;
    }
    struct names all = {arena_array(r->b->arena, r->updated.count, sizeof(char *)),
                        r->updated.count};
    const char *reason = "a breach undoes every update, newest first";

    for (size_t i = 0; i < all.count; i++) {
        all.items[i] = r->updated.items[i];
    }
    if (r->b->plan->previous == NULL) {
        reason = "a breach takes it out of service again";
    }
    plan_watch(r->b, arena_format(r->b->arena, "watch-%s", batch->label),
               r->b->config->rolling_watch, reason);
    struct step *step = &r->b->plan->steps.items[r->b->plan->steps.count - 1];
    step->version = r->b->plan->version;
    step->instances = all.items;
    step->count = all.count;
    step->weight = (double)all.count / (double)r->total;
}

static void validate_step(struct rolling *r, const struct batch *batch)
{
    if (r->b->config->validate != VALIDATE_MANUAL) {
        return;
    }
    struct step *step = batch_step(r, batch, STEP_VALIDATE, "validate");
    step->title =
        arena_format(r->b->arena, "a human looks at %s", plan_join(r->b->arena, &batch->names));
    step->reason =
        arena_format(r->b->arena, "%s; ends with 75 until `deploy-action promote` or a re-run",
                     progress(r, r->updated.count));
}

static void add_batch(struct rolling *r, const struct batch *batch)
{
    if (batch->drain) {
        traffic_step(r, batch, STATE_DRAIN);
    }
    update_steps(r, batch);
    smoke_steps(r, batch);
    for (size_t i = 0; i < batch->names.count; i++) {
        r->updated.items[r->updated.count++] = batch->names.items[i];
    }
    traffic_step(r, batch, STATE_READY);
    watch_step(r, batch);
    validate_step(r, batch);
}

static struct batch take_batch(struct rolling *r, size_t first, size_t count)
{
    struct batch batch = {.first = first, .drain = r->total > 1};

    batch.names.count = count;
    batch.names.items = arena_array(r->b->arena, count, sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        batch.names.items[i] = r->pending[first + i]->name;
    }
    return batch;
}

/* A first deployment takes nothing away from anybody: all at once. What was begun by an
 * earlier run does not serve either, as long as others do. */
static size_t batch_size(const struct rolling *r, size_t first)
{
    const char *previous = r->b->plan->previous;
    size_t size = r->b->config->batch < 1 ? 1 : (size_t)r->b->config->batch;
    size_t left = r->pending_count - first;

    if (previous == NULL) {
        return left;
    }
    if (first == 0 && r->begun > 0 && !text_equal(previous, r->b->plan->version)) {
        return r->begun;
    }
    return size < left ? size : left;
}

static void add_batches(struct rolling *r)
{
    bool single = r->b->config->batch <= 1;

    for (size_t first = 0, n = 1; first < r->pending_count; n++) {
        size_t size = batch_size(r, first);
        struct batch batch = take_batch(r, first, size);
        batch.label =
            single && size == 1 ? batch.names.items[0] : arena_format(r->b->arena, "batch-%zu", n);
        add_batch(r, &batch);
        first += size;
    }
}

static void finish(struct rolling *r)
{
    struct builder *b = r->b;
    const char *url = b->config->url != NULL ? b->config->url : r->pending[0]->url;
    struct step *step = plan_smoke(b, "smoke-production", url, "with production traffic");

    if (step != NULL) {
        step->version = b->plan->version;
        step->production = true;
    }
    plan_promote(b, arena_format(b->arena, "%s becomes the stable version", b->plan->version),
                 arena_format(b->arena, "%s on it", progress(r, r->total)));
    plan_notify(b, "notify");
}

static void rolling_notes(struct builder *b)
{
    if (b->config->rolling_watch <= 0) {
        plan_note(b, "rolling is configured without a watch: SLOs are not judged");
    }
    if (b->config->validate == VALIDATE_AUTO && plan_smoke_count(b->config) == 0) {
        plan_note(b, "validate is auto without smoke tests: nobody looks at a batch");
    }
}

int plan_rolling(struct builder *b, struct error *err)
{
    struct rolling r = {.b = b};

    if (check_trait(b, err) != 0 || find_previous(b, err) != 0) {
        return -1;
    }
    sort_out(&r);
    if (check_batch(&r, err) != 0) {
        return -1;
    }
    if (r.pending_count == 0) {
        b->plan->nothing_to_do = true;
        return 0;
    }
    plan_begin(b);
    rolling_notes(b);
    adopt(&r);
    add_batches(&r);
    finish(&r);
    return 0;
}
