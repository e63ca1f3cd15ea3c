/* SPDX-License-Identifier: Apache-2.0
 *
 * From readings to measurements: one gauge_line an SLO, three arms each. The arm `all` is
 * the sum of the two others.
 */
#include "arena.h"
#include "log.h"
#include "parts.h"

#include <math.h>
#include <string.h>

#define GAUGE_SAMPLES 3 /* fewer readings of a gauge decide nothing */

struct arm_instances {
    const struct instance **items;
    size_t count;
};

/* Rolling: what a finished DEPLOY put the new version on is the candidate. */
static bool was_updated(const struct run *run, const char *name)
{
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        if (step->step.kind != STEP_DEPLOY || step->direction != FORWARD ||
            step->status != STATUS_DONE)
            continue;
        for (size_t j = 0; j < step->step.count; j++) {
            if (strcmp(step->step.instances[j], name) == 0)
                return true;
        }
    }
    return false;
}

static bool in_arm(const struct engine *engine, const struct instance *instance, enum arm arm)
{
    const struct run *run = engine->run;
    bool candidate = run_has_slots(run) ? text_equal(instance->slot, run->candidate_slot)
                                        : was_updated(run, instance->name);
    return candidate == (arm == ARM_CANDIDATE);
}

static struct arm_instances instances_of(struct engine *engine, enum arm arm)
{
    struct arm_instances out = {0};
    out.items = arena_array(&engine->tick, engine->instances.count + 1, sizeof *out.items);
    for (size_t i = 0; i < engine->instances.count; i++) {
        if (in_arm(engine, &engine->instances.items[i], arm))
            out.items[out.count++] = &engine->instances.items[i];
    }
    return out;
}

static struct counter *counter_of(struct watch *watch, struct stream *stream, const char *target)
{
    for (size_t i = 0; i < stream->counter_count; i++) {
        if (strcmp(stream->counters[i].target, target) == 0)
            return &stream->counters[i];
    }
    if (stream->counters == NULL)
        stream->counters = arena_array(&watch->arena, WATCH_TARGETS, sizeof *stream->counters);
    if (stream->counter_count == WATCH_TARGETS)
        return NULL;
    struct counter *counter = &stream->counters[stream->counter_count++];
    counter->target = arena_text(&watch->arena, target);
    return counter;
}

static struct counts feed_counts(struct watch *watch, struct stream *stream,
                                 const struct reading *reading)
{
    struct counts sum = {0};
    for (size_t i = 0; i < reading->count; i++) {
        const struct series *series = &reading->series[i];
        struct counter *counter = counter_of(watch, stream, series->target);
        if (counter == NULL)
            continue;
        stream->restarted = stream->restarted || (counter->seen && series->total < counter->total);
        struct counts delta = counter_delta(counter, series->bad, series->total, false);
        sum.bad += delta.bad;
        sum.total += delta.total;
    }
    return sum;
}

static void feed_histogram(struct watch *watch, struct stream *stream, const struct slo_config *slo,
                           const struct reading *reading, int64_t at)
{
    for (size_t i = 0; i < reading->count; i++) {
        struct histogram_reading one = {
            .target = reading->series[i].target,
            .bounds = reading->bounds,
            .cumulative = reading->series[i].buckets,
            .count = reading->bound_count,
            .at = at,
            .slot_ms = slo->window / HISTOGRAM_SLOTS + 1,
        };
        histogram_add(&stream->histogram, &watch->arena, &one);
    }
}

/* The time that the counts of this reading cover: none at a first sight, and an unknown part
 * of it after a restart. */
static double seconds_covered(struct stream *stream, int64_t now)
{
    double seconds = (double)(now - stream->read_at) / 1000;
    bool known = stream->seen && stream->read_at > 0 && !stream->restarted;
    stream->read_at = now;
    return known ? seconds : 0;
}

/* One reading into one stream; gives what it adds to the arm `all`. */
static struct counts feed(struct engine *engine, struct gauge_line *line, enum arm arm,
                          const struct reading *reading)
{
    struct watch *watch = &engine->watch;
    struct stream *stream = &line->arms[arm];
    struct sample sample = {.at = now_wall(engine), .gauge = NAN};
    stream->kind = reading->kind;
    stream->why = arena_text(&engine->tick, reading->why);
    stream->nothing = reading->nothing;
    stream->latest = sample.counts;
    stream->restarted = false;
    stream->whole = reading->whole;
    if (reading->kind == READING_NOTHING)
        return sample.counts;
    if (reading->kind == READING_HISTOGRAM) {
        feed_histogram(watch, stream, line->slo, reading, sample.at);
        stream->seen = true;
        return sample.counts;
    }
    if (reading->kind == READING_GAUGE)
        sample.gauge = reading->gauge;
    else
        sample.counts = feed_counts(watch, stream, reading);
    sample.seconds = seconds_covered(stream, sample.at);
    stream->seen = true;
    stream->latest = sample.counts;
    window_add(&stream->window, &sample);
    return sample.counts;
}

static void feed_all_arm(struct engine *engine, struct gauge_line *line, struct counts sum)
{
    struct stream *all = &line->arms[ARM_ALL];
    const struct stream *stable = &line->arms[ARM_STABLE], *candidate = &line->arms[ARM_CANDIDATE];
    bool complete = stable->kind == READING_COUNTS && candidate->kind == READING_COUNTS;
    all->kind = complete ? READING_COUNTS : stable->kind;
    all->nothing = stable->kind == READING_NOTHING ? stable->nothing : candidate->nothing;
    all->why = stable->kind == READING_NOTHING ? stable->why : candidate->why;
    all->latest = sum;
    if (!complete) {
        all->kind = READING_NOTHING;
        return;
    }
    struct sample sample = {.at = now_wall(engine), .counts = sum, .gauge = NAN};
    all->restarted = stable->restarted || candidate->restarted;
    sample.seconds = seconds_covered(all, sample.at);
    all->seen = true;
    /* Requests of an unknown time would make a rate of nonsense. */
    if (sample.seconds > 0)
        window_add(&all->window, &sample);
}

/* They were of the last tick, and this one may bring none. */
static void forget_words(struct watch *watch, const struct source *source)
{
    for (size_t i = 0; i < watch->count; i++) {
        for (int arm = 0; watch->lines[i].source == source && arm <= ARM_ALL; arm++)
            watch->lines[i].arms[arm].why = NULL;
    }
}

/* Asks one source about all of its lines, both arms, at once. */
static void read_source(struct engine *engine, const struct source *source)
{
    struct watch *watch = &engine->watch;
    struct metric_query *queries = arena_array(&engine->tick, watch->count * 2, sizeof *queries);
    struct reading *readings = arena_array(&engine->tick, watch->count * 2, sizeof *readings);
    size_t count = 0;
    for (size_t i = 0; i < watch->count; i++) {
        for (int arm = ARM_STABLE; watch->lines[i].source == source && arm <= ARM_CANDIDATE;
             arm++) {
            struct arm_instances instances = instances_of(engine, (enum arm)arm);
            queries[count] = (struct metric_query){
                .slo = watch->lines[i].slo,
                .arm = (enum arm)arm,
                .instances = instances.items,
                .count = instances.count,
            };
            count++;
        }
    }
    forget_words(watch, source);
    if (count == 0 ||
        source->driver->read(source->metric, queries, count, readings, &engine->tick) != 0)
        return;
    size_t next = 0;
    for (size_t i = 0; i < watch->count; i++) {
        struct gauge_line *line = &watch->lines[i];
        if (line->source != source)
            continue;
        struct counts sum = {0};
        for (int arm = ARM_STABLE; arm <= ARM_CANDIDATE; arm++, next++) {
            /* An arm without instances has served nothing: that is a number. */
            if (queries[next].count == 0 && readings[next].kind == READING_NOTHING)
                readings[next] = (struct reading){.kind = READING_COUNTS};
            struct counts one = feed(engine, line, (enum arm)arm, &readings[next]);
            sum.bad += one.bad;
            sum.total += one.total;
        }
        feed_all_arm(engine, line, sum);
    }
}

void measure_tick(struct engine *engine)
{
    for (size_t i = 0; i < engine->source_count; i++)
        read_source(engine, &engine->sources[i]);
}

void measure_reset(struct engine *engine)
{
    struct watch *watch = &engine->watch;
    for (size_t i = 0; i < watch->count; i++) {
        for (int arm = 0; arm <= ARM_ALL; arm++) {
            window_clear(&watch->lines[i].arms[arm].window);
            histogram_clear(&watch->lines[i].arms[arm].histogram);
        }
    }
}

static double from_counts(enum slo_kind kind, struct counts sum, double seconds)
{
    if (kind == SLO_THROUGHPUT)
        return seconds > 0 ? sum.total / seconds : NAN;
    if (sum.total <= 0)
        return NAN;
    double share = sum.bad / sum.total;
    return kind == SLO_AVAILABILITY || kind == SLO_CONVERSION ? 1 - share : share;
}

double measure_value(const struct gauge_line *line, enum arm arm, int64_t now, double *requests)
{
    const struct slo_config *slo = line->slo;
    const struct stream *stream = &line->arms[arm];
    double gauge = NAN, seconds = 0;
    *requests = 0;
    if (window_gauge(&stream->window, now, slo->window, &gauge)) {
        *requests = (double)stream->window.count;
        return gauge;
    }
    if (slo->kind == SLO_LATENCY)
        return histogram_quantile(&stream->histogram, now, slo->window, slo->quantile, requests);
    struct counts sum = window_sum(&stream->window, now, slo->window, &seconds);
    *requests = sum.total;
    return from_counts(slo->kind, sum, seconds);
}

double measure_needed(const struct engine *engine, const struct gauge_line *line)
{
    double gauge = NAN;
    const struct stream *stream = &line->arms[ARM_CANDIDATE];
    if (window_gauge(&stream->window, now_wall(engine), line->slo->window, &gauge))
        return GAUGE_SAMPLES;
    int64_t own = line->slo->min_requests;
    return (double)(own >= 0 ? own : engine->context.config->min_requests);
}

const char *slo_kind_name(enum slo_kind kind)
{
    static const char *const names[] = {
        [SLO_ERROR_RATE] = "error-rate", [SLO_LATENCY] = "latency",
        [SLO_THROUGHPUT] = "throughput", [SLO_AVAILABILITY] = "availability",
        [SLO_CONVERSION] = "conversion", [SLO_ACTIVITY] = "activity",
        [SLO_GAUGE] = "gauge",
    };
    return names[kind];
}

const char *slo_unit(const struct slo_config *slo)
{
    switch (slo->kind) {
    case SLO_ERROR_RATE:
    case SLO_AVAILABILITY:
    case SLO_CONVERSION:
        return "%";
    case SLO_LATENCY:
        return "ms";
    case SLO_THROUGHPUT:
        return "req/s";
    case SLO_ACTIVITY:
        return "users";
    case SLO_GAUGE:
        break;
    }
    switch (slo->target.unit) {
    case UNIT_RATIO:
        return "%";
    case UNIT_MS:
        return "ms";
    case UNIT_PER_SECOND:
        return "req/s";
    case UNIT_NONE:
        break;
    }
    return "";
}
