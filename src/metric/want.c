/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include "text.h"

#include <math.h>
#include <string.h>

/* A unit that a source may give, and what makes it the SLO's. */
struct unit_row {
    const char *name;
    enum unit unit;
    double scale;
};

static const struct unit_row units[] = {
    {"ratio", UNIT_RATIO, 1}, {"percent", UNIT_RATIO, 0.01}, {"%", UNIT_RATIO, 0.01},
    {"ms", UNIT_MS, 1},       {"s", UNIT_MS, 1000},          {"req/s", UNIT_PER_SECOND, 1},
    {NULL, UNIT_NONE, 1},
};

static enum unit unit_of(const struct slo_config *slo)
{
    switch (slo->kind) {
    case SLO_ERROR_RATE:
    case SLO_AVAILABILITY:
    case SLO_CONVERSION:
        return UNIT_RATIO;
    case SLO_LATENCY:
        return UNIT_MS;
    case SLO_THROUGHPUT:
        return UNIT_PER_SECOND;
    case SLO_ACTIVITY:
    case SLO_GAUGE:
        break;
    }
    return slo->target.set ? slo->target.unit : UNIT_NONE;
}

/* D-06: 0.1 is 0.1% in one place of the world and 10% in another. Where only a ratio to
 * the baseline counts, any unit is as good. */
static bool unit_matters(const struct slo_config *slo)
{
    const bool absolute =
        slo->mode == MODE_ABSOLUTE || (slo->mode == MODE_AUTO && slo->kind == SLO_ERROR_RATE);
    return slo->target.set || (absolute && slo->max_increase >= 0);
}

static const char *unit_missing(const struct slo_config *slo, enum unit unit, struct arena *arena)
{
    const char *choice = unit == UNIT_RATIO
                             ? "`unit: ratio` (0.02 is 2%) or `unit: percent` (2 is 2%)"
                             : "`unit: ms` or `unit: s`";
    return arena_format(arena, "'%s' does not say in which unit its value comes: add %s", slo->name,
                        choice);
}

static const char *find_scale(const struct slo_config *slo, struct arena *arena, double *scale)
{
    const enum unit unit = unit_of(slo);
    *scale = 1;
    if (!slo->unit) {
        const bool clear = unit == UNIT_NONE || unit == UNIT_PER_SECOND || !unit_matters(slo);
        return clear ? NULL : unit_missing(slo, unit, arena);
    }
    for (const struct unit_row *row = units; row->name; row++) {
        if (strcmp(row->name, slo->unit) != 0) {
            continue;
        }
        if (unit != UNIT_NONE && row->unit != unit) {
            return arena_format(arena, "'%s' cannot come in `unit: %s`", slo->name, slo->unit);
        }
        *scale = unit == UNIT_NONE ? 1 : row->scale;
        return NULL;
    }
    return arena_format(arena, "'%s': unknown `unit: %s` (ratio, percent, ms, s, req/s)", slo->name,
                        slo->unit);
}

const char *want_value(const struct slo_config *slo, const char *value, struct arena *arena,
                       struct want *out)
{
    *out = (struct want){.kind = WANT_VALUE, .value = value, .scale = 1};
    return find_scale(slo, arena, &out->scale);
}

/* "http_request_duration_seconds{…}" → seconds, by the convention of Prometheus. */
static bool unit_by_name(const char *histogram, double *scale)
{
    static const struct unit_row suffixes[] = {
        {"_milliseconds", UNIT_MS, 1},
        {"_ms", UNIT_MS, 1},
        {"_seconds", UNIT_MS, 1000},
        {NULL, UNIT_NONE, 1},
    };
    const size_t length = strcspn(histogram, "{ ");
    for (const struct unit_row *row = suffixes; row->name; row++) {
        const size_t tail = strlen(row->name);
        if (length > tail && memcmp(histogram + length - tail, row->name, tail) == 0) {
            *scale = row->scale;
            return true;
        }
    }
    return false;
}

static const char *want_histogram(const struct slo_config *slo,
                                  const struct want_defaults *defaults, struct arena *arena,
                                  struct want *out)
{
    out->kind = WANT_HISTOGRAM;
    out->histogram = slo->histogram ? slo->histogram : defaults->histogram;
    if (!out->histogram) {
        return arena_format(arena, "'%s' needs `histogram` or `value`", slo->name);
    }
    if (slo->unit) {
        return find_scale(slo, arena, &out->scale);
    }
    if (!unit_by_name(out->histogram, &out->scale)) {
        return arena_format(arena,
                            "'%s': the name '%s' does not tell its unit: add `unit: s` or "
                            "`unit: ms`",
                            slo->name, out->histogram);
    }
    return NULL;
}

static const char *want_counts(const struct slo_config *slo, const struct want_defaults *defaults,
                               struct arena *arena, struct want *out)
{
    const bool of_requests =
        slo->kind == SLO_ERROR_RATE || slo->kind == SLO_AVAILABILITY || slo->kind == SLO_THROUGHPUT;
    const bool rate =
        slo->kind == SLO_ERROR_RATE || slo->kind == SLO_AVAILABILITY || slo->kind == SLO_CONVERSION;
    out->kind = WANT_COUNTS;
    out->bad = rate ? slo->bad : NULL;
    out->total = slo->total ? slo->total : of_requests ? defaults->total : NULL;
    if (!out->total) {
        return arena_format(arena, "'%s' needs `total` (%sa counter) or `value` (one number)",
                            slo->name, rate ? "and `bad`, " : "");
    }
    out->bad_by_status = rate && !out->bad && defaults->by_status && of_requests;
    if (rate && !out->bad && !out->bad_by_status) {
        return arena_format(arena, "'%s' has `total` but no `bad`", slo->name);
    }
    return NULL;
}

const char *want_of(const struct slo_config *slo, const struct want_defaults *defaults,
                    struct arena *arena, struct want *out)
{
    *out = (struct want){.scale = 1};
    if (slo->value) {
        return want_value(slo, slo->value, arena, out);
    }
    if (slo->kind == SLO_LATENCY) {
        return want_histogram(slo, defaults, arena, out);
    }
    if (slo->kind == SLO_GAUGE && !slo->total) {
        return arena_format(arena, "'%s' needs `value`", slo->name);
    }
    return want_counts(slo, defaults, arena, out);
}
