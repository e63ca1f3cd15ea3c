/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person on call wants to see: one line a step, one live line while it is watched.
 */
#include "cli.h"

#include <math.h>
#include <string.h>

static struct session *session_of(struct observer *observer)
{
    return (struct session *)((char *)observer - offsetof(struct session, observer));
}

static const char *mark_of(enum step_status status)
{
    switch (status) {
    case STATUS_DONE:
        return "✓";
    case STATUS_FAILED:
        return "✗";
    case STATUS_INTENT:
        return "…";
    default:
        return "-";
    }
}

static void change_phase(struct session *session, const struct run_step *step)
{
    static const char *const titles[] = {"Validate", "Deploy",   "Smoke tests",
                                         "Watch",    "Complete", "Roll back"};
    int phase = (int)step->step.phase;
    if (phase == session->last_phase)
        return;
    int64_t now = session->clock.wall(&session->clock);
    if (session->last_phase >= 0)
        log_group_end(session->log, now);
    log_group(session->log, titles[phase], now);
    session->last_phase = phase;
}

static void show_step(struct observer *observer, const struct run *run, const struct run_step *step)
{
    struct session *session = session_of(observer);
    (void)run;
    change_phase(session, step);
    if (step->status == STATUS_INTENT && step->error == NULL) {
        log_live(session->log, "  … %s", step->step.title);
        return;
    }
    log_live(session->log, "%s", "");
    const char *detail = step->error != NULL ? step->error : step->evidence;
    int64_t took = step->ended > step->started ? step->ended - step->started : 0;
    log_line(session->log, step->status == STATUS_FAILED ? LOG_WARN : LOG_INFO,
             "  %s %-44s %6.1f s  %s", mark_of(step->status), step->step.title, (double)took / 1000,
             detail == NULL ? "" : detail);
}

static void add_number(struct buf *out, double value, const char *unit)
{
    if (isnan(value))
        buf_adds(out, "-");
    else if (strcmp(unit, "%") == 0)
        buf_addf(out, "%.2f %%", value * 100);
    else
        buf_addf(out, "%.0f %s", value, unit);
}

static void add_line(struct buf *out, const struct watch_line *line)
{
    buf_addf(out, " · %s ", line->slo);
    add_number(out, line->value, line->unit);
    if (line->judgement == JUDGE_NODATA || line->judgement == JUDGE_UNDECIDED) {
        buf_addf(out, " (%s)", line->detail == NULL ? "no data" : line->detail);
    } else if (!isnan(line->limit)) {
        buf_adds(out, " (limit ");
        add_number(out, line->limit, line->unit);
        buf_adds(out, ")");
    }
}

static void show_watch(struct observer *observer, const struct run *run,
                       const struct watch_view *view)
{
    struct session *session = session_of(observer);
    struct arena scratch;
    arena_init(&scratch);
    AUTO_BUF struct buf out;
    buf_init(&out, 4096);
    (void)run;
    double requests = 0;
    if (view->weight >= 0)
        buf_addf(&out, " · %g %% of the traffic", view->weight * 100);
    for (size_t i = 0; i < view->count; i++) {
        add_line(&out, &view->lines[i]);
        requests = fmax(requests, view->lines[i].requests);
    }
    int64_t left = view->holding ? view->hold_left : view->duration - view->elapsed;
    log_live(session->log, "  ● %s%s%s · %.0f requests · %s %s left%s%s", view->title,
             view->holding ? " (holding for data)" : "", out.data, requests,
             text_of_duration(&scratch, left / 1000 * 1000), view->holding ? "to hold" : "",
             view->next == NULL ? "" : " · then ", view->next == NULL ? "" : view->next);
    arena_release(&scratch);
}

static void show_event(struct observer *observer, const struct run *run,
                       const struct run_event *event)
{
    struct session *session = session_of(observer);
    (void)run;
    log_live(session->log, "%s", "");
    enum log_level level =
        event->kind == EVENT_BREACH || event->kind == EVENT_ISSUE ? LOG_WARN : LOG_INFO;
    log_line(session->log, level, "  %s %s", event->kind == EVENT_BREACH ? "✗" : "·", event->text);
}

void progress_init(struct session *session)
{
    session->last_phase = -1;
    session->observer = (struct observer){
        .step = show_step,
        .watch = show_watch,
        .event = show_event,
        .publish = publish_files,
    };
}
