/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening the lines of a watch, and carrying their windows through the journal.
 */
#include "arena.h"
#include "log.h"
#include "parts.h"

#include <math.h>
#include <string.h>

/* The first source that can measure slo, or the one it names; NULL with why. */
static const struct source *source_for(struct engine *engine, const struct slo_config *slo,
                                       const char **why)
{
    *why = "there is no such source under 'metrics:'";
    for (size_t i = 0; i < engine->source_count; i++) {
        const struct source *source = &engine->sources[i];
        if (slo->source != NULL && strcmp(slo->source, source->name) != 0)
            continue;
        *why = source->driver->refuses(source->metric, slo, engine->context.arena);
        if (*why == NULL)
            return source;
    }
    return NULL;
}

static void line_open(struct engine *engine, const struct slo_config *slo,
                      const struct source *source)
{
    struct gauge_line *line = &engine->watch.lines[engine->watch.count++];
    line->slo = slo;
    line->source = source;
    for (int arm = 0; arm <= ARM_ALL; arm++)
        window_init(&line->arms[arm].window, &engine->watch.arena);
}

int watch_open(struct engine *engine, struct error *err)
{
    const struct rows *slos = &engine->context.config->slos;
    const struct slo_config *items = slos->items;
    struct watch *watch = &engine->watch;
    arena_init(&watch->arena);
    watch->lines = arena_array(engine->context.arena, slos->count + 1, sizeof *watch->lines);
    for (size_t i = 0; i < slos->count; i++) {
        const char *why = NULL;
        const struct source *source = source_for(engine, &items[i], &why);
        if (source != NULL)
            line_open(engine, &items[i], source);
        else if (items[i].place.line > 0)
            return error_set(err, ERROR_CONFIG, "%s:%d:%d: slos.%s cannot be measured: %s",
                             items[i].place.origin, items[i].place.line, items[i].place.column,
                             items[i].name, why);
    }
    if (watch->count == 0)
        return error_set(err, ERROR_CONFIG,
                         "%s: no source under 'metrics:' can measure any SLO; a candidate that "
                         "nobody watches cannot be judged",
                         engine->context.config->path);
    return 0;
}

void watch_close(struct engine *engine)
{
    arena_release(&engine->watch.arena);
}

static struct run_stream *stream_slot(struct run_watch *kept, struct arena *arena, size_t capacity)
{
    if (kept->streams == NULL)
        kept->streams = arena_array(arena, capacity, sizeof *kept->streams);
    struct run_stream *stream = &kept->streams[kept->count++];
    if (stream->samples == NULL)
        stream->samples = arena_array(arena, RUN_SAMPLES, sizeof *stream->samples);
    return stream;
}

static void add_up(struct run_sample *into, const struct sample *sample)
{
    into->at = sample->at;
    into->seconds += sample->seconds;
    into->bad += sample->counts.bad;
    into->total += sample->counts.total;
    if (!isnan(sample->gauge))
        into->gauge = sample->gauge;
}

static void keep_stream(struct run_stream *stream, const struct window *window)
{
    size_t group = window->count / RUN_SAMPLES + 1;
    stream->count = 0;
    for (size_t i = 0; i < window->count; i++) {
        if (i % group == 0)
            stream->samples[stream->count++] = (struct run_sample){.gauge = NAN};
        add_up(&stream->samples[stream->count - 1],
               &window->items[(window->first + i) % WINDOW_SAMPLES]);
    }
}

void windows_keep(struct engine *engine)
{
    struct run_watch *kept = &engine->run->watch;
    kept->count = 0;
    for (size_t i = 0; i < engine->watch.count; i++) {
        const struct gauge_line *line = &engine->watch.lines[i];
        for (int arm = 0; arm <= ARM_ALL; arm++) {
            struct run_stream *stream =
                stream_slot(kept, engine->context.arena, engine->watch.count * (ARM_ALL + 1));
            stream->slo = line->slo->name;
            stream->arm = arm;
            keep_stream(stream, &line->arms[arm].window);
        }
    }
}

static void restore_stream(struct stream *stream, const struct run_stream *kept)
{
    for (size_t i = 0; i < kept->count; i++) {
        const struct run_sample *one = &kept->samples[i];
        struct sample sample = {one->at, one->seconds, {one->bad, one->total}, one->gauge};
        window_add(&stream->window, &sample);
    }
}

void windows_begin(struct engine *engine, bool goes_on)
{
    struct run_watch *kept = &engine->run->watch;
    for (size_t i = 0; goes_on && i < kept->count; i++) {
        for (size_t j = 0; j < engine->watch.count; j++) {
            struct gauge_line *line = &engine->watch.lines[j];
            int arm = kept->streams[i].arm;
            if (text_equal(line->slo->name, kept->streams[i].slo) && arm >= 0 && arm <= ARM_ALL)
                restore_stream(&line->arms[arm], &kept->streams[i]);
        }
    }
    /* What was loaded has just as many samples as the file had: start with rows that can
     * hold every sample of this process. */
    kept->streams = NULL;
    kept->count = 0;
}
