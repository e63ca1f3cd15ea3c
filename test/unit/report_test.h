/* SPDX-License-Identifier: Apache-2.0
 *
 * A run made by hand, rendered, and what is expected of one section of the document.
 */
#ifndef REPORT_TEST_H
#define REPORT_TEST_H

#include "expect.h"

#include "arena.h"
#include "config.h"
#include "report.h"
#include "text.h"

#include <math.h>

/* 2026-11-24T10:00:00Z and a number of seconds. */
#define AT(seconds) (INT64_C(1795514400000) + INT64_C(1000) * (seconds))
enum { PASS = 1, FAIL = 2, UNKNOWN = 3 }; /* as enum verdict */

static struct arena arena;
static struct error err;
static struct run run;
static struct config config;
static const char *rendered; /* what was rendered last */

static inline int begin_report(void **state)
{
    (void)state;
    arena_init(&arena);
    config = (struct config){.incident_path = "docs/incidents"};
    run = (struct run){.schema = RUN_SCHEMA,
                       .id = "1795514400-0a1b2c3d",
                       .app = "shop",
                       .strategy = STRATEGY_CANARY,
                       .version = "v2",
                       .previous = "v1",
                       .started = AT(0),
                       .ended = AT(90),
                       .status = RUN_SUCCEEDED,
                       .headline = "v2 serves 100 % in place of v1"};
    return 0;
}

static inline int end_report(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static inline const char *render(enum document document)
{
    AUTO_BUF struct buf out;
    struct report_request request = {&run, &config, document};
    buf_init(&out, 1 << 20);
    EXPECT_OK(report_render(&arena, &request, &out, &err), &err);
    rendered = arena_text(&arena, out.data);
    return rendered;
}

/* One heading with all below it, up to the next one of its rank. */
static inline const char *section(const char *heading)
{
    size_t rank = strspn(heading, "#");
    const char *start = strstr(rendered, arena_format(&arena, "\n%s\n", heading));
    if (start == NULL)
        fail_msg("no section '%s' in:\n%s", heading, rendered);
    start++;
    const char *end = start + strlen(heading);
    for (; *end != '\0'; end++) {
        size_t marks = *end == '\n' ? strspn(end + 1, "#") : 0;
        if (marks > 0 && marks <= rank && end[1 + marks] == ' ')
            break;
    }
    return arena_text_n(&arena, start, (size_t)(end - start));
}

static inline void expect_in(const char *heading, const char *const wanted[])
{
    const char *part = heading == NULL ? rendered : section(heading);
    const char *at = part;
    for (size_t i = 0; wanted[i] != NULL; i++) {
        const char *found = strstr(at, wanted[i]);
        if (found == NULL)
            fail_msg("'%s' is missing, or stands too early, in:\n%s", wanted[i], part);
        at = found + strlen(wanted[i]);
    }
}

/* These lines, in this order, below heading (NULL: anywhere). */
#define EXPECT_IN(heading, ...) expect_in(heading, (const char *const[]){__VA_ARGS__, NULL})

static inline void expect_none(const char *unwanted)
{
    if (strstr(rendered, unwanted) != NULL)
        fail_msg("'%s' in:\n%s", unwanted, rendered);
}

static inline struct run_step *add_step(enum step_kind kind, enum phase phase, int from, int to)
{
    struct step step = {.id = arena_format(&arena, "step-%zu", run.step_count),
                        .kind = kind,
                        .phase = phase,
                        .target = "default",
                        .title = arena_format(&arena, "title %zu", run.step_count),
                        .weight = -1,
                        .state = -1};
    struct run_step *added =
        run_add_step(&run, &arena, &step, phase == PHASE_ROLLBACK ? BACKWARD : FORWARD);
    added->status = STATUS_DONE;
    added->started = AT(from);
    added->ended = AT(to);
    return added;
}

static inline struct run_check *add_check(const char *group, const char *name, int verdict,
                                          const char *evidence)
{
    struct run_check *check = run_add_check(&run, &arena);
    *check = (struct run_check){.step = arena_format(&arena, "check-%s", group),
                                .group = group,
                                .name = name,
                                .verdict = verdict,
                                .evidence = evidence,
                                .at = AT(5),
                                .attempts = 1};
    return check;
}

static inline struct run_metric *add_metric(const char *slo, const char *kind, const char *unit,
                                            const char *judgement)
{
    struct run_metric *metric = run_metric_of(&run, &arena, slo);
    metric->kind = kind;
    metric->unit = unit;
    metric->judgement = judgement;
    return metric;
}

/* A breach at second 30, first command at 31, verified at 33, tested. */
static inline void turn_back(void)
{
    run.status = RUN_ROLLED_BACK;
    run.exit_code = 2;
    run.direction = BACKWARD;
    run.trigger = "slo-breach";
    run.trigger_id = "error-rate";
    run.trigger_detail = "3.50 %, limit 3.00 %";
    run.breached = AT(30);
    run.acted = AT(31);
    run_add_event(&run, &arena, AT(30), EVENT_BREACH, "slo-breach: error-rate: 3.50 %");
    add_step(STEP_VERIFY, PHASE_ROLLBACK, 31, 33);
    add_step(STEP_SMOKE, PHASE_ROLLBACK, 33, 34);
}

/* The messages of the run are these, no more and no less. */
static inline void expect_messages(const char *const wanted[])
{
    const char *const *lines = report_messages(&arena, &run);
    for (size_t i = 0; wanted[i] != NULL || lines[i] != NULL; i++) {
        if (wanted[i] == NULL || lines[i] == NULL || strcmp(wanted[i], lines[i]) != 0)
            fail_msg("line %zu is '%s', not '%s'", i + 1, lines[i] == NULL ? "(none)" : lines[i],
                     wanted[i] == NULL ? "(none)" : wanted[i]);
    }
}
#define EXPECT_MESSAGES(...) expect_messages((const char *const[]){__VA_ARGS__, NULL})

#endif
