/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy_servers.h"

#include "arena.h"

#include <math.h>

#define SAME 1e-9

/* Everything about one wanted route, by its place in the wanted traffic. */
struct part {
    const struct route *route;
    const struct server *server;
    double old, wanted;    /* shares */
    int64_t ratio;         /* its weight in the smallest whole numbers */
    int64_t before, after; /* weights that count */
};

struct parts {
    struct part *items;
    size_t count;
};

static bool serves(const struct part *part)
{
    return part->wanted > 0;
}

static struct parts take_parts(const struct servers *servers, const struct traffic *wanted,
                               struct arena *arena)
{
    struct parts parts = {arena_array(arena, wanted->count, sizeof(struct part)), wanted->count};
    double total = 0;
    for (size_t i = 0; i < parts.count; i++) {
        struct part *part = &parts.items[i];
        part->route = &wanted->items[i];
        part->server = servers_find(servers, part->route->instance.server);
        part->wanted = part->route->state == TRAFFIC_READY ? part->route->share : 0;
        part->before = server_state(part->server) == TRAFFIC_READY ? part->server->weight : 0;
        total += (double)part->before;
    }
    for (size_t i = 0; i < parts.count && total > 0; i++) {
        parts.items[i].old = (double)parts.items[i].before / total;
    }
    return parts;
}

/* The parts whose wanted share is that of `like`. */
struct class
{
    double share, old;
    int count;
};

static struct class class_of(const struct parts *parts, const struct part *like)
{
    struct class class = {0, 0, 0};
    for (size_t i = 0; i < parts->count; i++) {
        const struct part *part = &parts->items[i];
        if (serves(part) && fabs(part->wanted - like->wanted) < SAME) {
            class.share += part->wanted;
            class.old += part->old;
            class.count++;
        }
    }
    return class;
}

/* The first part that serves, and has another share than `than` unless that is NULL. */
static const struct part *first_part(const struct parts *parts, const struct part *than)
{
    for (size_t i = 0; i < parts->count; i++) {
        const struct part *part = &parts->items[i];
        if (serves(part) && (!than || fabs(part->wanted - than->wanted) >= SAME)) {
            return part;
        }
    }
    return NULL;
}

static void set_ratio(struct parts *parts, const struct part *like, int64_t ratio)
{
    const double share = like->wanted;
    for (size_t i = 0; i < parts->count; i++) {
        if (serves(&parts->items[i]) && fabs(parts->items[i].wanted - share) < SAME) {
            parts->items[i].ratio = ratio;
        }
    }
}

/* More than two different shares: as near as whole numbers up to 256 come. */
static void set_any_ratios(struct parts *parts)
{
    double most = 0;
    for (size_t i = 0; i < parts->count; i++) {
        most = fmax(most, parts->items[i].wanted);
    }
    for (size_t i = 0; i < parts->count; i++) {
        struct part *part = &parts->items[i];
        part->ratio = serves(part) ? (int64_t)floor(part->wanted / most * WEIGHT_MAX) : 0;
    }
}

/* The share that rises is the one that must not come out above what is wanted. */
static void set_ratios(struct parts *parts)
{
    const struct part *one = first_part(parts, NULL), *two = one ? first_part(parts, one) : NULL;
    if (!two) {
        if (one) {
            set_ratio(parts, one, 1);
        }
        return;
    }
    struct class first = class_of(parts, one), second = class_of(parts, two);
    if (fabs(first.share + second.share - 1) > 1e-6) {
        set_any_ratios(parts);
        return;
    }
    const double rise = first.share - first.old;
    const bool swap = fabs(rise) < SAME ? first.share > second.share : rise < 0;
    const struct class candidate = swap ? second : first, stable = swap ? first : second;
    const struct weights weights =
        router_weights(candidate.share, candidate.count, stable.count, WEIGHT_MAX);
    set_ratio(parts, one, swap ? weights.stable : weights.candidate);
    set_ratio(parts, two, swap ? weights.candidate : weights.stable);
}

/* Whether the weights that are set already are in the wanted ratio. */
static bool in_ratio(const struct parts *parts)
{
    const struct part *first = NULL;
    for (size_t i = 0; i < parts->count; i++) {
        const struct part *part = &parts->items[i];
        if (!serves(part)) {
            continue;
        }
        if (!first && part->ratio > 0) {
            first = part;
        }
        if (first && (first->server->weight == 0 ||
                      part->server->weight * first->ratio != first->server->weight * part->ratio)) {
            return false;
        }
        if (!first && part->server->weight != 0) {
            return false;
        }
    }
    return first != NULL;
}

/* By how much the ratio is multiplied: the sum of all weights must not fall, or the shares
 * of those that are lowered last would for a moment be larger than ever wanted. */
static int64_t scale_of(const struct parts *parts)
{
    int64_t before = 0, sum = 0, most = 1;
    for (size_t i = 0; i < parts->count; i++) {
        before += parts->items[i].before;
        sum += parts->items[i].ratio;
        most = parts->items[i].ratio > most ? parts->items[i].ratio : most;
    }
    const int64_t limit = WEIGHT_MAX / most, needed = sum > 0 ? (before + sum - 1) / sum : 1;
    return needed > limit ? limit : needed < 1 ? 1 : needed;
}

static void set_after(struct parts *parts)
{
    const bool keep = in_ratio(parts);
    const int64_t scale = scale_of(parts);
    for (size_t i = 0; i < parts->count; i++) {
        struct part *part = &parts->items[i];
        part->after = 0;
        if (serves(part)) {
            part->after = keep ? part->server->weight : part->ratio * scale;
        }
    }
}

static struct move move_of(const struct part *part)
{
    const enum traffic_state is = server_state(part->server), wanted = part->route->state;
    const bool set_state = is != wanted;
    /* A server out of rotation keeps its weight, for the day it comes back. */
    const bool set_weight = wanted == TRAFFIC_READY && part->server->weight != part->after;
    return (struct move){
        .server = part->server,
        .route = part->route,
        .before = part->before,
        .after = part->after,
        .weight = part->after,
        .set_weight = set_weight,
        .set_state = set_state,
    };
}

/* ---- order ------------------------------------------------------------------------ */

/* The weights that count of one part, or of all parts of a slot. */
struct group {
    double now, before, after;
};

struct walk {
    const struct parts *parts;
    struct group all, *single, *slots; /* by part; by the number of a slot */
    size_t *slot_of;
};

static size_t slot_number(const struct parts *parts, size_t at)
{
    const char *name = parts->items[at].route->instance.slot;
    for (size_t i = 0; name && i < at; i++) {
        if (text_equal(parts->items[i].route->instance.slot, name)) {
            return i;
        }
    }
    return at;
}

static void group_add(struct group *group, const struct group *more)
{
    group->now += more->now;
    group->before += more->before;
    group->after += more->after;
}

static struct walk walk_begin(const struct parts *parts, struct arena *arena)
{
    struct walk walk = {.parts = parts};
    walk.single = arena_array(arena, parts->count, sizeof(*walk.single));
    walk.slots = arena_array(arena, parts->count, sizeof(*walk.slots));
    walk.slot_of = arena_array(arena, parts->count, sizeof(*walk.slot_of));
    for (size_t i = 0; i < parts->count; i++) {
        const double before = (double)parts->items[i].before;
        walk.single[i] = (struct group){before, before, (double)parts->items[i].after};
        walk.slot_of[i] = slot_number(parts, i);
        group_add(&walk.slots[walk.slot_of[i]], &walk.single[i]);
        group_add(&walk.all, &walk.single[i]);
    }
    return walk;
}

static void walk_set(struct walk *walk, size_t at, double weight)
{
    const double change = weight - walk->single[at].now;
    walk->single[at].now += change;
    walk->slots[walk->slot_of[at]].now += change;
    walk->all.now += change;
}

static double over(double weight, double total)
{
    return total > 0 ? weight / total : 0;
}

static double group_excess(const struct walk *walk, const struct group *group)
{
    const double before = over(group->before, walk->all.before);
    const double after = over(group->after, walk->all.after);
    return over(group->now, walk->all.now) - fmax(before, after);
}

/* How far the worst share is above both what it was and what it will be. Most of all a slot
 * that rises must not come out above what is wanted: it is the new version, or the way back
 * from it. A slot counts for more than one of its servers. */
struct excess {
    double rising, slot, single;
};

static bool rises(const struct walk *walk, const struct group *group)
{
    return over(group->after, walk->all.after) > over(group->before, walk->all.before);
}

static struct excess excess_of(const struct walk *walk)
{
    struct excess worst = {0, 0, 0};
    for (size_t i = 0; i < walk->parts->count; i++) {
        const double slot = group_excess(walk, &walk->slots[i]);
        worst.rising = fmax(worst.rising, rises(walk, &walk->slots[i]) ? slot : 0);
        worst.slot = fmax(worst.slot, slot);
        worst.single = fmax(worst.single, group_excess(walk, &walk->single[i]));
    }
    return worst;
}

static bool is_less(struct excess a, struct excess b)
{
    if (fabs(a.rising - b.rising) > SAME) {
        return a.rising < b.rising;
    }
    return fabs(a.slot - b.slot) > SAME ? a.slot < b.slot : a.single < b.single - SAME;
}

/* The open part whose change now lets the worst share rise least; count: none is open. */
static size_t next_best(struct walk *walk, const bool *open)
{
    const size_t count = walk->parts->count;
    size_t best = count;
    struct excess least = {0, 0, 0};
    for (size_t i = 0; i < count; i++) {
        if (!open[i]) {
            continue;
        }
        walk_set(walk, i, walk->single[i].after);
        const struct excess excess = excess_of(walk);
        walk_set(walk, i, walk->single[i].before);
        if (best == count || is_less(excess, least)) {
            best = i;
            least = excess;
        }
    }
    return best;
}

void moves_plan(const struct servers *servers, const struct traffic *wanted, struct arena *arena,
                struct moves *out)
{
    struct parts parts = take_parts(servers, wanted, arena);
    bool *open = arena_array(arena, parts.count, sizeof(*open));
    set_ratios(&parts);
    set_after(&parts);
    for (size_t i = 0; i < parts.count; i++) {
        const struct move move = move_of(&parts.items[i]);
        open[i] = move.set_weight || move.set_state;
    }
    struct walk walk = walk_begin(&parts, arena);
    *out = (struct moves){arena_array(arena, parts.count, sizeof(struct move)), 0};
    for (size_t at; (at = next_best(&walk, open)) < parts.count;) {
        open[at] = false;
        walk_set(&walk, at, walk.single[at].after);
        out->items[out->count++] = move_of(&parts.items[at]);
    }
}

const char *moves_commands(const struct moves *moves, const char *backend, struct arena *arena)
{
    static const char *const states[] = {
        [TRAFFIC_READY] = "ready", [TRAFFIC_DRAIN] = "drain", [TRAFFIC_MAINTENANCE] = "maint"};
    AUTO_BUF struct buf line;
    buf_init(&line, (size_t)1 << 20);
    for (size_t i = 0; i < moves->count; i++) {
        const struct move *move = &moves->items[i];
        const char *name = move->server->name;
        if (move->set_weight) {
            buf_addf(&line, ";set server %s/%s weight %lld", backend, name,
                     (long long)move->weight);
        }
        if (move->set_state) {
            buf_addf(&line, ";set server %s/%s state %s", backend, name,
                     states[move->route->state]);
        }
    }
    return arena_text(arena, line.length > 0 ? line.data + 1 : "");
}
