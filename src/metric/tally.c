/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <math.h>
#include <string.h>

static const char *bucket_name(const char *name, struct arena *arena)
{
    const size_t length = strlen(name);
    const bool complete = length > 7 && strcmp(name + length - 7, "_bucket") == 0;
    return complete ? name : arena_format(arena, "%s_bucket", name);
}

int tally_parse(const struct want *want, struct arena *arena, struct tally_plan *out,
                struct error *err)
{
    *out = (struct tally_plan){.want = *want};
    const char *text = want->kind == WANT_COUNTS      ? want->total
                       : want->kind == WANT_HISTOGRAM ? want->histogram
                                                      : want->value;
    if (om_selector_parse(text, arena, &out->main, err) != 0) {
        return -1;
    }
    if (want->kind == WANT_HISTOGRAM) {
        out->main.name = bucket_name(out->main.name, arena);
    }
    if (want->kind != WANT_COUNTS || !want->bad) {
        return 0;
    }
    if (om_selector_parse(want->bad, arena, &out->bad, err) != 0) {
        return -1;
    }
    out->bad_labels = arena_array(arena, out->bad.count, sizeof(*out->bad_labels));
    return 0;
}

int tally_prepare(const struct want *want, struct arena *arena, struct tally_plan *out,
                  struct error *err)
{
    if (tally_parse(want, arena, out, err) != 0 || om_selector_compile(&out->main, err) != 0) {
        return -1;
    }
    return om_selector_compile(&out->bad, err);
}

void tally_release(struct tally_plan *plan)
{
    om_selector_release(&plan->main);
    om_selector_release(&plan->bad);
}

void tally_init(struct tally *tally, struct arena *arena)
{
    *tally = (struct tally){.started = 0};
    tally->les = arena_array(arena, METRIC_BUCKETS, sizeof(*tally->les));
    tally->buckets = arena_array(arena, METRIC_BUCKETS, sizeof(*tally->buckets));
}

/* Where both `x` and `x_total` exist, the name that was written wins. */
static bool add_to(struct tally_sum *sum, enum om_selected how, double value)
{
    if (how == OM_NOT || how < sum->how) {
        return false;
    }
    if (how > sum->how) {
        *sum = (struct tally_sum){.how = how};
    }
    sum->sum += value;
    sum->count++;
    return true;
}

static void add_bucket(struct tally *tally, const struct om_sample *sample)
{
    double le;
    if (!number_of(om_label_of(sample, "le"), &le) || isnan(le)) {
        return;
    }
    size_t index = 0;
    while (index < tally->bucket_count && tally->les[index] < le) {
        index++;
    }
    if (index == tally->bucket_count || tally->les[index] > le) {
        if (tally->bucket_count == METRIC_BUCKETS) {
            tally->too_many = true;
            return;
        }
        const size_t tail = tally->bucket_count - index;
        memmove(tally->les + index + 1, tally->les + index, tail * sizeof(double));
        memmove(tally->buckets + index + 1, tally->buckets + index, tail * sizeof(double));
        tally->les[index] = le;
        tally->buckets[index] = 0;
        tally->bucket_count++;
    }
    tally->buckets[index] += sample->value;
}

/* The status class by the labels in use for it; '\0': none of them. */
static char status_class(const struct om_sample *sample)
{
    static const char *const names[] = {"code", "status", "status_code"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = om_label_of(sample, names[i]);
        if (*value != '\0') {
            return strlen(value) == 3 ? *value : '?';
        }
    }
    return '\0';
}

static void add_by_status(struct tally *tally, enum om_selected how, const struct om_sample *sample)
{
    const char class = status_class(sample);
    if (class == '\0') {
        tally->without_status++;
    } else if (class == '5') {
        add_to(&tally->bad, how, sample->value);
    }
}

static void see_labels(struct tally_plan *plan, const struct om_sample *sample)
{
    plan->bad_named = true;
    for (size_t i = 0; i < plan->bad.count; i++) {
        plan->bad_labels[i] =
            plan->bad_labels[i] || *om_label_of(sample, plan->bad.matchers[i].label) != '\0';
    }
}

static void add_main(const struct tally_plan *plan, struct tally *tally, enum om_selected how,
                     const struct om_sample *sample)
{
    if (!add_to(&tally->main, how, sample->value)) {
        return;
    }
    if (plan->want.kind == WANT_HISTOGRAM) {
        add_bucket(tally, sample);
    } else if (plan->want.bad_by_status) {
        add_by_status(tally, how, sample);
    }
}

void tally_main(const struct tally_plan *plan, struct tally *tally, const struct om_sample *sample)
{
    add_main(plan, tally, OM_EXACTLY, sample);
}

void tally_bad(struct tally *tally, double value)
{
    add_to(&tally->bad, OM_EXACTLY, value);
}

void tally_add(struct tally_plan *plan, struct tally *tally, const struct om_sample *sample)
{
    if (sample->label_count == 0 && strcmp(sample->name, "process_start_time_seconds") == 0) {
        tally->started = isfinite(sample->value) ? sample->value : 0;
    }
    add_main(plan, tally, om_selects(&plan->main, sample), sample);
    if (plan->bad.name && om_named(plan->bad.name, sample->name) != OM_NOT) {
        see_labels(plan, sample);
        add_to(&tally->bad, om_selects(&plan->bad, sample), sample->value);
    }
}
