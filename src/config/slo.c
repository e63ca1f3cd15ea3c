/* SPDX-License-Identifier: Apache-2.0 */
#include "binder.h"

#include "arena.h"
#include "text.h"

#include <string.h>

#define MINUTE ((int64_t)60 * 1000)
#define DAY (24 * 60 * MINUTE)
#define NONE (-1.0)

#define LATENCY_TAIL "[-_]p([1-9][0-9]?(\\.[0-9]{1,3})?|9[0-9]{2})"
#define LATENCY_NAME "latency" LATENCY_TAIL
#define OTHER_NAMES "error[-_]rate|throughput|availability|conversion([-_]rate)?|user[-_]activity"

const struct slo_shape slo_shapes[] = {
    {"^error[-_]rate$", PATTERN_SHARE, "max-drop", false, false},
    {"^" LATENCY_NAME "$", PATTERN_DURATION, "max-drop", false, false},
    {"^latency(?!" LATENCY_TAIL "$)", "", NULL, false, false},
    {"^throughput$", PATTERN_RATE, "max-increase", false, false},
    {"^availability$", PATTERN_SHARE, "max-increase", true, false},
    {"^conversion([-_]rate)?$", PATTERN_SHARE, "max-increase", false, false},
    {"^user[-_]activity$", PATTERN_NUMBER, "max-increase", false, false},
    {"^(?!latency|(" OTHER_NAMES ")$)", NULL, NULL, false, true},
    {.pattern = NULL}};

const char *const slo_selectors[] = {"source", "value", "url", "bad", "total", "histogram", NULL};
const char *const slo_rules[] = {"target", "max-increase", "max-drop", NULL};

static const char *const known_names[] = {
    "error-rate", "latency-p99", "throughput", "availability", "conversion", "user-activity", NULL};

/* S-271…S-278, S-209; by enum slo_kind. */
static const struct kind_row {
    double max_increase, max_drop, tolerance;
    int64_t window;
    enum unit unit;
    const char *meaning, *sample;
} kinds[] = {
    [SLO_ERROR_RATE] = {0.02, NONE, NONE, 5 * MINUTE, UNIT_RATIO, "a share of the requests",
                        "0.1%"},
    [SLO_LATENCY] = {0.20, NONE, NONE, 5 * MINUTE, UNIT_MS, "a time", "500ms"},
    [SLO_THROUGHPUT] = {NONE, 0.30, 0.10, 10 * MINUTE, UNIT_PER_SECOND, "requests per second",
                        "1000 req/s"},
    [SLO_AVAILABILITY] = {NONE, NONE, NONE, 5 * MINUTE, UNIT_RATIO, "a share", "99.95%"},
    [SLO_CONVERSION] = {NONE, 0.20, NONE, 15 * MINUTE, UNIT_RATIO, "a share", "3%"},
    [SLO_ACTIVITY] = {NONE, 0.30, NONE, 15 * MINUTE, UNIT_NONE, "a plain number of users", "500"},
    [SLO_GAUGE] = {NONE, NONE, NONE, 5 * MINUTE, UNIT_NONE, "a number", "100"},
};

/* 0.99 of "p99", 0.999 of "p999" and "p99.9"; 0 where it is none of LATENCY_NAME. */
static double quantile_of(const char *text)
{
    double value = 0;
    size_t digits = text[0] == 'p' ? strspn(text + 1, "0123456789") : 0;
    const char *fraction = text + 1 + digits;
    size_t decimals = digits && *fraction == '.' ? strspn(fraction + 1, "0123456789") : 0;
    bool whole = digits > 0 && *fraction == '\0';
    bool decimal = decimals > 0 && decimals <= 3 && fraction[1 + decimals] == '\0';
    bool nines = whole && digits == 3 && text[1] == '9';
    if (!(nines || (digits > 0 && digits <= 2 && text[1] != '0' && (whole || decimal))) ||
        text_real(text + 1, &value, NULL) < 0) {
        return 0;
    }
    return nines ? value / 1000 : value / 100;
}

static enum slo_kind kind_of(const char *name)
{
    static const struct {
        const char *name;
        enum slo_kind kind;
    } names[] = {{"error-rate", SLO_ERROR_RATE},      {"throughput", SLO_THROUGHPUT},
                 {"availability", SLO_AVAILABILITY},  {"conversion", SLO_CONVERSION},
                 {"conversion-rate", SLO_CONVERSION}, {"user-activity", SLO_ACTIVITY}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (text_equal(name, names[i].name)) {
            return names[i].kind;
        }
    }
    return text_starts(name, "latency") ? SLO_LATENCY : SLO_GAUGE;
}

static bool has_any(const struct node *line, const char *const *keys)
{
    for (size_t i = 0; keys[i]; i++) {
        if (node_get(line, keys[i])) {
            return true;
        }
    }
    return false;
}

static void check_own(struct binder *b, const struct node *key, const struct node *line)
{
    if (!has_any(line, slo_selectors)) {
        PROBLEM(b, key, "unknown SLO '%s'%s; a measure of your own needs a value to read",
                key->text, bind_hint(b, key->text, known_names, "known"));
    } else if (!has_any(line, slo_rules)) {
        PROBLEM(b, key, "'%s' has no rule; give target, max-increase or max-drop", key->text);
    }
}

static void check_rules(struct binder *b, const struct node *key, const struct node *line,
                        const struct slo_config *slo)
{
    bool less_is_good = slo->kind == SLO_ERROR_RATE || slo->kind == SLO_LATENCY;
    const char *senseless = less_is_good ? "max-drop" : "max-increase";
    const struct node *rule = node_get(line, senseless);
    if (slo->kind == SLO_GAUGE) {
        check_own(b, key, line);
    } else if (rule) {
        PROBLEM(b, rule, "'%s' has no meaning for '%s', where %s is good; write %s", senseless,
                key->text, less_is_good ? "less" : "more",
                less_is_good ? "max-increase" : "max-drop");
    }
    if (slo->kind == SLO_AVAILABILITY && !node_get(line, "target")) {
        PROBLEM(b, key, "'%s' has no rule; write target: 99.95%%", key->text);
    }
    if (slo->kind == SLO_LATENCY && slo->quantile <= 0) {
        PROBLEM(b, key, "'%s' does not say which latency; write latency-p99", key->text);
    }
}

/* A unit is never guessed: 0.1 could be 0.1% or 10% (D-06). */
static void check_target(struct binder *b, const struct node *node, const struct slo_config *slo)
{
    const struct kind_row *row = &kinds[slo->kind];
    if (!node || !slo->target.set || slo->kind == SLO_GAUGE) {
        return;
    }
    if (slo->target.unit == UNIT_NONE && row->unit != UNIT_NONE) {
        PROBLEM(b, node, "'target' is %s, a number without a unit; '%s' is %s, write target: %s",
                bind_shown(b, node), slo->name, row->meaning, row->sample);
    } else if (slo->target.unit != row->unit) {
        PROBLEM(b, node, "'target' is %s, but '%s' is %s; write target: %s", bind_shown(b, node),
                slo->name, row->meaning, row->sample);
    } else if (row->unit == UNIT_RATIO && slo->target.value > 1) {
        PROBLEM(b, node, "'target' is %s; the largest is 100%%", bind_shown(b, node));
    }
}

static void check_source(struct binder *b, const struct node *node, const struct slo_config *slo,
                         const struct rows *metrics)
{
    const struct choice *choices = metrics->items;
    const char **names = arena_array(b->arena, metrics->count + 1, sizeof *names);
    for (size_t i = 0; i < metrics->count; i++) {
        names[i] = choices[i].driver->name;
        if (text_equal(names[i], slo->source)) {
            return;
        }
    }
    if (node && slo->source) {
        PROBLEM(b, node, "'source' is %s, which is not under 'metrics'%s", bind_shown(b, node),
                bind_hint(b, slo->source, names, "there"));
    }
}

static void put_defaults(struct slo_config *slo, const struct node *line)
{
    static const struct field window = {.name = "window", .alias = "measurement_window"};
    const struct kind_row *row = &kinds[slo->kind];
    if (!line || !node_get(line, "max-increase")) {
        slo->max_increase = row->max_increase;
    }
    if (!line || !node_get(line, "max-drop")) {
        slo->max_drop = row->max_drop;
    }
    if (!line || !node_get(line, "tolerance")) {
        slo->tolerance = row->tolerance;
    }
    if (!field_node(line, &window)) {
        slo->window = row->window;
    }
    if (!line || !node_get(line, "min-requests")) {
        slo->min_requests = -1;
    }
    if (slo->mode == MODE_AUTO) {
        slo->mode = slo->kind == SLO_ERROR_RATE ? MODE_ABSOLUTE : MODE_RELATIVE;
    }
    slo->report_only = slo->window > DAY;
    if (slo->report_only && (!line || !node_get(line, "required"))) {
        slo->required = false;
    }
}

static void put_kind(struct arena *arena, struct slo_config *slo)
{
    const char *plain = bind_hyphens(arena, slo->name);
    slo->kind = kind_of(plain);
    if (slo->kind == SLO_LATENCY && text_starts(plain, "latency-")) {
        slo->quantile = quantile_of(plain + strlen("latency-"));
    }
}

static void check_twins(struct binder *b, const struct node *map, const struct config *config)
{
    const struct slo_config *slos = config->slos.items;
    for (size_t i = 1; i < config->slos.count; i++) {
        const char *name = bind_hyphens(b->arena, slos[i].name);
        for (size_t k = 0; k < i; k++) {
            if (text_equal(name, bind_hyphens(b->arena, slos[k].name))) {
                PROBLEM(b, map->keys[i], "'%s' and '%s' are the same SLO; keep one", slos[i].name,
                        slos[k].name);
            }
        }
    }
}

static void finish_given(struct binder *b, const struct node *map, struct config *config)
{
    struct node empty = {.kind = NODE_MAP};
    struct slo_config *slos = config->slos.items;
    for (size_t i = 0; i < config->slos.count; i++) {
        const struct node *key = map->keys[i];
        const struct node *line = map->items[i]->kind == NODE_MAP ? map->items[i] : &empty;
        slos[i].place = (struct place){key->origin, key->line, key->column};
        put_kind(b->arena, &slos[i]);
        put_defaults(&slos[i], line);
        if (!bind_is_name(key->text)) {
            continue;
        }
        check_rules(b, key, line, &slos[i]);
        check_target(b, node_get(line, "target"), &slos[i]);
        check_source(b, node_get(line, "source"), &slos[i], &config->metrics);
    }
    check_twins(b, map, config);
}

/* A load balancer alone knows no quantiles. */
static bool knows_latency(const struct rows *metrics)
{
    const struct choice *choices = metrics->items;
    for (size_t i = 0; i < metrics->count; i++) {
        if (!text_equal(choices[i].driver->name, "haproxy")) {
            return true;
        }
    }
    return false;
}

static void finish_absent(struct binder *b, struct config *config)
{
    static const char *const names[] = {"error-rate", "throughput", "latency-p99"};
    struct slo_config *slos = arena_array(b->arena, 3, sizeof *slos);
    config->slos.items = slos;
    config->slos.count = knows_latency(&config->metrics) ? 3 : 2;
    for (size_t i = 0; i < config->slos.count; i++) {
        slos[i].name = names[i];
        slos[i].required = true;
        put_kind(b->arena, &slos[i]);
        put_defaults(&slos[i], NULL);
    }
}

void slo_finish(struct binder *b, const struct node *root, struct config *config)
{
    const struct node *map = node_get(root, "slos");
    if (!map) {
        finish_absent(b, config);
    } else if (map->kind == NODE_MAP && config->slos.count == map->count) {
        finish_given(b, map, config);
    }
}
