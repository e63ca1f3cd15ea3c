/* SPDX-License-Identifier: Apache-2.0
 *
 * The user's own commands print the numbers.
 */
#include "reading.h"

#include "clock.h"
#include "loop.h"
#include "process.h"
#include "text.h"

#include <math.h>
#include <string.h>

struct command_settings {
    int64_t timeout;
};

static const struct field command_fields[] = {
    {.name = "timeout",
     .type = FIELD_DURATION,
     .offset = offsetof(struct command_settings, timeout),
     .def = "10s",
     .min = 100,
     .max = 600000,
     .doc = "The longest time one command may take."},
    {.name = NULL},
};

struct metric {
    const struct driver_context *context;
    const struct command_settings *settings;
};

enum line { LINE_MAIN, LINE_BAD, LINES }; /* value or total; bad */

struct task {
    struct want want;
    const char *refused;
    bool pair; /* one line prints `bad total` */
    const char *lines[LINES];
    struct operation *operations[LINES];
};

static int command_open(const struct driver_context *context, struct metric **out,
                        struct error *err)
{
    (void)err;
    *out = ARENA_NEW(context->arena, struct metric);
    (*out)->context = context;
    (*out)->settings = context->settings;
    return 0;
}

static void command_close(struct metric *metric)
{
    (void)metric;
}

static const char *plan_of(const struct slo_config *slo, struct arena *arena, struct task *task)
{
    const bool rate =
        slo->kind == SLO_ERROR_RATE || slo->kind == SLO_AVAILABILITY || slo->kind == SLO_CONVERSION;
    *task = (struct task){.pair = false};
    if (slo->value) {
        task->lines[LINE_MAIN] = slo->value;
        return want_value(slo, slo->value, arena, &task->want);
    }
    if (!slo->total || slo->kind == SLO_LATENCY) {
        return arena_format(arena, "'%s' needs `value`%s: a command that prints it", slo->name,
                            slo->kind == SLO_LATENCY ? "" : " or `total`");
    }
    task->want = (struct want){.kind = WANT_COUNTS, .total = slo->total, .scale = 1};
    task->pair = rate && !slo->bad;
    task->lines[LINE_MAIN] = slo->total;
    task->lines[LINE_BAD] = rate ? slo->bad : NULL;
    return NULL;
}

static const char *command_refuses(const struct metric *metric, const struct slo_config *slo,
                                   struct arena *arena)
{
    struct task task;
    (void)metric;
    return plan_of(slo, arena, &task);
}

static void start_task(struct metric *metric, const struct metric_query *query, struct arena *arena,
                       struct task *task)
{
    task->refused = plan_of(query->slo, arena, task);
    for (size_t i = 0; i < LINES && !task->refused && query->count > 0; i++) {
        if (!task->lines[i]) {
            continue;
        }
        const struct command command = {.shell = task->lines[i]};
        const struct variable *more = query_variables(metric->context, query, NULL, arena);
        task->operations[i] = ARENA_NEW(arena, struct operation);
        task->operations[i]->kind = OPERATION_PROCESS;
        task->operations[i]->process = driver_process(metric->context, &command, more, arena);
        task->operations[i]->process.timeout_ms = metric->settings->timeout;
    }
}

/* ---- output ----------------------------------------------------------------------- */

/* Splits off the next word; NULL: none. */
static const char *next_word(char **at)
{
    *at += strspn(*at, " \t");
    if (**at == '\0') {
        return NULL;
    }
    char *word = *at;
    *at += strcspn(*at, " \t");
    if (**at != '\0') {
        *(*at)++ = '\0';
    }
    return word;
}

/* A line that is exactly `count` numbers. */
static bool line_numbers(char *line, size_t count, double *out)
{
    for (size_t i = 0; i < count; i++) {
        const char *word = next_word(&line);
        if (!word || !number_of(word, &out[i])) {
            return false;
        }
    }
    return next_word(&line) == NULL;
}

/* Of all that was written (curl talks while jq prints the number) the one line that is the
 * number. Gives how many such lines there are. */
static size_t find_numbers(const struct buf *output, size_t count, struct arena *arena, double *out)
{
    size_t found = 0;
    char *text = arena_text_n(arena, output->data, output->length);
    char *end = text + strlen(text);
    while (text < end) {
        const size_t length = strcspn(text, "\r\n");
        double numbers[2];
        text[length] = '\0';
        if (line_numbers(text, count, numbers)) {
            memcpy(out, numbers, count * sizeof(*out));
            found++;
        }
        text += length + 1;
    }
    return found;
}

static bool nothing_is(struct reading *nothing, enum nothing kind, const char *why)
{
    *nothing = reading_nothing(kind, why);
    return false;
}

static bool read_output(const struct operation *operation, size_t count, struct arena *arena,
                        double *out, struct reading *nothing)
{
    struct error err = {ERROR_NONE, ""};
    const struct process_result *result = &operation->result;
    const char *shown = process_shown(arena, &operation->process);
    if (result->error.kind != ERROR_NONE) {
        return nothing_is(nothing, NOTHING_UNREACHABLE, arena_text(arena, result->error.message));
    }
    if (result->exit_code != 0) {
        (void)process_failed(&operation->process, result, &err);
        return nothing_is(nothing, NOTHING_UNREACHABLE, arena_text(arena, err.message));
    }
    if (result->cut) {
        return nothing_is(nothing, NOTHING_GARBAGE,
                          arena_format(arena, "'%s' prints more than a number", shown));
    }
    const size_t found = find_numbers(&result->output, count, arena, out);
    const char *last = output_last_line(&result->output, arena);
    if (found == 1) {
        return true;
    }
    if (found > 1) {
        return nothing_is(nothing, NOTHING_MULTI_SERIES,
                          arena_format(arena, "'%s' prints %zu numbers", shown, found));
    }
    if (*last == '\0' || text_equal(last, "null")) {
        return nothing_is(nothing, NOTHING_NO_DATA,
                          arena_format(arena, "'%s' prints nothing", shown));
    }
    return nothing_is(nothing, NOTHING_GARBAGE,
                      arena_format(arena, "'%s' prints '%.60s', not %s", shown, last,
                                   count == 2 ? "two numbers, bad and total" : "a number"));
}

static bool read_counts(const struct task *task, const struct metric_query *query,
                        struct arena *arena, struct series *series, struct reading *nothing)
{
    double numbers[2] = {0, 0};
    if (task->pair) {
        if (!read_output(task->operations[LINE_MAIN], 2, arena, numbers, nothing)) {
            return false;
        }
        series->bad = numbers[0];
        series->total = numbers[1];
    } else if (!read_output(task->operations[LINE_MAIN], 1, arena, &series->total, nothing)) {
        return false;
    } else if (task->operations[LINE_BAD] &&
               !read_output(task->operations[LINE_BAD], 1, arena, &series->bad, nothing)) {
        return false;
    }
    return counts_possible(series->bad, series->total, query->slo->name, arena, nothing);
}

static struct reading finish_task(const struct task *task, const struct metric_query *query,
                                  struct arena *arena)
{
    struct reading nothing, reading = reading_series(READING_COUNTS, query, arena);
    double value = NAN;
    if (reading_not_asked(task->refused, query, arena, &nothing)) {
        return nothing;
    }
    if (task->want.kind == WANT_VALUE) {
        const bool read = read_output(task->operations[LINE_MAIN], 1, arena, &value, &nothing);
        return read ? reading_gauge(value * task->want.scale, task->want.value) : nothing;
    }
    reading.count = 1;
    reading.series[0].target = arm_name(query->arm);
    return read_counts(task, query, arena, &reading.series[0], &nothing) ? reading : nothing;
}

/* loop_run_all wants them in one array. */
static int run_tasks(struct metric *metric, struct task *tasks, size_t count,
                     struct operation *operations)
{
    struct error err;
    size_t started = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t line = 0; line < LINES; line++) {
            if (tasks[i].operations[line]) {
                operations[started] = *tasks[i].operations[line];
                tasks[i].operations[line] = &operations[started++];
            }
        }
    }
    return loop_run_all(metric->context->loop, operations, started, &err);
}

static int command_read(struct metric *metric, const struct metric_query *queries, size_t count,
                        struct reading *out, struct arena *arena)
{
    struct clock *clock = metric->context->clock;
    struct task *tasks = arena_array(arena, count, sizeof(*tasks));
    struct operation *operations = arena_array(arena, count * LINES, sizeof(*operations));
    for (size_t i = 0; i < count; i++) {
        start_task(metric, &queries[i], arena, &tasks[i]);
    }
    const int result = run_tasks(metric, tasks, count, operations);
    for (size_t i = 0; i < count && result == 0; i++) {
        out[i] = finish_task(&tasks[i], &queries[i], arena);
        out[i].at = clock->wall(clock);
    }
    for (size_t i = 0; i < count * LINES; i++) {
        operation_release(&operations[i]);
    }
    return result;
}

static const struct metric_driver command_driver = {
    .open = command_open,
    .refuses = command_refuses,
    .read = command_read,
    .close = command_close,
};

const struct driver_row metric_command_row = {
    .room = "metric",
    .name = "command",
    .doc = "Your own commands print the numbers; the arm stands in $arm, its instances in "
           "$instance.",
    .fields = command_fields,
    .size = sizeof(struct command_settings),
    .door = &command_driver,
};
