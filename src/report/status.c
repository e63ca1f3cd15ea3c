/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"
#include "report.h"
#include "text.h"

static const char *next_command(const struct run *run)
{
    switch ((enum run_status)run->status) {
    case RUN_RUNNING:
        return "if its process has died, run the job again: it goes on at the step above";
    case RUN_WAITING:
        return "`deploy-action promote` to go on, `deploy-action rollback` to go back";
    case RUN_HELD:
    case RUN_CANCELLED:
    case RUN_BROKEN:
        return "run the job again to go on, or `deploy-action rollback`";
    case RUN_ROLLBACK_FAILED:
        return "escalate; `deploy-action rollback` tries the way back again";
    case RUN_REFUSED:
    case RUN_FAILED:
        return "mend the cause and run the job again";
    default:
        return NULL;
    }
}

static char mark_of(enum step_status status)
{
    static const char marks[] = {
        [STATUS_PENDING] = ' ', [STATUS_INTENT] = '>', [STATUS_DONE] = 'x',   [STATUS_FAILED] = '!',
        [STATUS_SKIPPED] = '-', [STATUS_UNDONE] = 'u', [STATUS_UNKNOWN] = '?'};
    return marks[status];
}

void report_status(struct buf *out, struct arena *arena, const struct run *run)
{
    buf_addf(out, "%s %s over %s, %s: %s\n", run->app, run->version,
             run->previous == NULL ? "nothing" : run->previous, strategy_names[run->strategy],
             run_status_names[run->status]);
    if (run->headline != NULL)
        buf_addf(out, "%s\n", run->headline);
    buf_addf(out, "run %s, started %s, %zu processes so far\n\n", run->id,
             text_of_time(arena, run->started), run->attempt_count);
    for (size_t i = 0; i < run->step_count; i++) {
        const struct run_step *step = &run->steps[i];
        const char *detail = step->error != NULL ? step->error : step->evidence;
        buf_addf(out, "  [%c] %-44s %s\n", mark_of(step->status), step->step.title,
                 detail == NULL ? "" : detail);
    }
    const char *next = next_command(run);
    if (next != NULL)
        buf_addf(out, "\nnext: %s\n", next);
}
