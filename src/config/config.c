/* SPDX-License-Identifier: Apache-2.0 */
#include "binder.h"

#include "arena.h"
#include "file.h"
#include "mask.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

static int refuse(const struct binder *b, struct error *err)
{
    return error_set(err, ERROR_CONFIG, "%s", b->problems->items[0]);
}

static const char *path_in(struct arena *arena, const struct config_source *source)
{
    bool here = text_blank(source->directory) || text_equal(source->directory, ".");
    if (here || source->path[0] == '/') {
        return source->path;
    }
    return arena_format(arena, "%s/%s", source->directory, source->path);
}

static int read_file(struct binder *b, const struct config_source *source, struct buf *out)
{
    const char *path = path_in(b->arena, source);
    struct error err = {0};
    if (file_read(path, YAML_MAX_BYTES, false, out, &err) == 0) {
        return 0;
    }
    if (err.kind == ERROR_NOTFOUND) {
        PROBLEM(b, NULL, "%s: there is no such file; run `deploy-action init` to write a first one",
                path);
    } else {
        PROBLEM(b, NULL, "%s", err.message);
    }
    return -1;
}

static int parse(struct binder *b, const char *path, const struct buf *text, struct node **out)
{
    struct error err = {0};
    size_t length = text->length;
    char *hidden = braces_hide(b->arena, text->data, &length);
    if (yaml_parse(b->arena, path, (struct slice){hidden, length}, out, &err) < 0) {
        PROBLEM(b, NULL, "%s", err.message);
        return -1;
    }
    if ((*out)->kind != NODE_MAP) {
        PROBLEM(b, *out, "the file must be a map of keys such as app, workload and traffic");
        return -1;
    }
    braces_show(b->arena, *out);
    return 0;
}

static void apply_set(struct binder *b, struct node *root, const char *set)
{
    struct error err = {0};
    const char *equal = strchr(set, '=');
    if (!equal || equal == set) {
        PROBLEM(b, NULL, "--set takes path=value, such as --set strategies.rolling.batch=2");
        return;
    }
    const char *path = arena_text_n(b->arena, set, (size_t)(equal - set));
    const char *origin = arena_format(b->arena, "--set %s", path);
    if (mask_is_secret(set)) {
        PROBLEM(b, NULL,
                "%s: the value looks like a secret; name an environment variable in a "
                "key that ends in -env",
                mask_is_secret(path) ? "--set" : origin);
        return;
    }
    if (node_set(b->arena, root, &(struct assignment){path, equal + 1, origin}, &err) < 0) {
        PROBLEM(b, NULL, "%s", err.message);
    }
}

/* A weight that could be read; the others have their own problem already. */
static bool weight_read(const struct node *step, const struct canary_step *bound)
{
    const struct node *weight = node_get(step, "weight");
    return weight && (bound->weight > 0 || text_equal(weight->text, "0%"));
}

static void check_steps(struct binder *b, const struct node *root, const struct config *config)
{
    const struct canary_step *steps = config->canary_steps.items;
    const struct node *list = node_get(node_get(node_get(root, "strategies"), "canary"), "steps");
    const struct node *last = NULL;
    if (!list || list->count != config->canary_steps.count) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (!weight_read(list->items[i], &steps[i])) {
            return;
        }
        last = node_get(list->items[i], "weight");
        if (steps[i].weight <= (i ? steps[i - 1].weight : 0)) {
            PROBLEM(b, last,
                    "weight %s does not rise; each step must be larger than the one "
                    "before it",
                    bind_shown(b, last));
        }
    }
    if (last && steps[list->count - 1].weight < 1) {
        PROBLEM(b, last, "the last step must have weight: 100%%");
    }
}

/* Something that is watched, and where that was written. */
struct span {
    const char *name;
    int64_t ms;
    const struct node *where;
};

/* What is watched shorter than one measurement is not watched at all. */
static void check_span(struct binder *b, const struct node *interval, const struct config *config,
                       struct span span)
{
    const struct node *where = span.where ? span.where : interval;
    if (where && span.ms > 0 && span.ms < config->watch_interval) {
        PROBLEM(b, where, "%s lasts %s, less than watch.interval (%s): nothing would be measured",
                span.name, text_of_duration(b->arena, span.ms),
                text_of_duration(b->arena, config->watch_interval));
    }
}

static void check_spans(struct binder *b, const struct node *root, const struct config *config)
{
    const struct node *interval = node_get(node_get(root, "watch"), "interval");
    const struct node *strategies = node_get(root, "strategies");
    const struct node *steps = node_get(node_get(strategies, "canary"), "steps");
    const struct canary_step *stages = config->canary_steps.items;
    const struct slo_config *slos = config->slos.items;
    check_span(b, interval, config,
               (struct span){"blue-green's watch", config->blue_green_watch,
                             node_get(node_get(strategies, "blue-green"), "watch")});
    check_span(b, interval, config,
               (struct span){"rolling's watch", config->rolling_watch,
                             node_get(node_get(strategies, "rolling"), "watch")});
    for (size_t i = 0; i < config->canary_steps.count; i++) {
        const struct node *step = steps && i < steps->count ? steps->items[i] : NULL;
        check_span(
            b, interval, config,
            (struct span){"the watch of this step", stages[i].watch, node_get(step, "watch")});
    }
    for (size_t i = 0; i < config->slos.count; i++) {
        const char *name = arena_format(b->arena, "the window of '%s'", slos[i].name);
        check_span(
            b, interval, config,
            (struct span){name, slos[i].window, node_get(node_get(root, "slos"), slos[i].name)});
    }
}

static void check_base_url(struct binder *b, const struct config *config)
{
    if (b->base_url && !config->url) {
        PROBLEM(b, b->base_url,
                "'${base_url}' is used here, but production's address is not "
                "known; write url: https://shop.example.com at the top");
    }
}

static void hash(struct binder *b, const struct config_source *source, const struct buf *text,
                 struct config *config)
{
    AUTO_BUF struct buf all;
    buf_init(&all, 2 * (size_t)YAML_MAX_BYTES);
    buf_add(&all, text->data, text->length);
    for (size_t i = 0; i < source->set_count; i++) {
        buf_adds(&all, "\n");
        buf_adds(&all, source->sets[i]);
    }
    if (all.overflow) {
        PROBLEM(b, NULL, "--set: more than 1 MiB");
    }
    text_sha256(config->hash, all.data, all.length);
}

static void bind_root(struct binder *b, const struct node *root, struct config *config)
{
    struct scope scope = {.name = "", .fields = config_fields};
    secret_scan(b, root);
    bind_map(b, root, &scope, config);
    slo_finish(b, root, config);
    check_steps(b, root, config);
    check_spans(b, root, config);
    check_base_url(b, config);
}

static int load(struct binder *b, const struct config_source *source, struct config *config)
{
    AUTO_BUF struct buf text = {0};
    struct node *root = NULL;
    if (read_file(b, source, &text) < 0) {
        return -1;
    }
    hash(b, source, &text, config);
    if (parse(b, config->path, &text, &root) < 0) {
        return -1;
    }
    for (size_t i = 0; i < source->set_count; i++) {
        apply_set(b, root, source->sets[i]);
    }
    bind_root(b, root, config);
    return 0;
}

int config_load(struct arena *arena, const struct config_source *source, struct config **out,
                struct problems *problems, struct error *err)
{
    struct binder b = {.arena = arena, .problems = problems};
    struct config *config = ARENA_NEW(arena, struct config);
    config->arena = arena;
    config->path = arena_text(arena, source->path);
    config->directory = arena_text(arena, source->directory ? source->directory : ".");
    if (load(&b, source, config) < 0 || problems->count > 0) {
        return refuse(&b, err);
    }
    config->secrets = (struct rows){b.secrets, b.secret_count};
    *out = config;
    return 0;
}
