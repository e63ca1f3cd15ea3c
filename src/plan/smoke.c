/* SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

#define HOUR 3600000
#define DAY (24 * (double)HOUR)

size_t plan_smoke_count(const struct config *config)
{
    size_t count = 0;

    for (int g = 0; g < SMOKE_GROUPS; g++) {
        count += config->smoke[g].count;
    }
    return count;
}

/* In doubles: neither timeout nor retries has a ceiling that would rule out an overflow. */
static double check_time(const struct check_config *check)
{
    double time = (double)check->timeout * ((double)check->retries + 1) +
                  (double)check->retry_delay * (double)check->retries;

    return time < DAY ? time : DAY;
}

/* All checks one after the other, at most an hour, never less than the longest one needs. */
int64_t plan_checks_deadline(const struct rows *groups, size_t count)
{
    double sum = 0, longest = 0;

    for (size_t g = 0; g < count; g++) {
        const struct check_config *checks = groups[g].items;
        for (size_t i = 0; i < groups[g].count; i++) {
            double time = check_time(&checks[i]);
            sum += time;
            longest = time > longest ? time : longest;
        }
    }
    if (sum > HOUR) {
        sum = longest > HOUR ? longest : HOUR;
    }
    return (int64_t)sum;
}

/* "critical-path 2, api 1"; "api" alone where the count says nothing new */
static const char *group_summary(struct builder *b, size_t all)
{
    const char *text = "";

    for (int g = 0; g < SMOKE_GROUPS; g++) {
        size_t count = b->config->smoke[g].count;
        if (count == all) {
            return smoke_names[g];
        }
        if (count > 0) {
            text = arena_format(b->arena, "%s%s%s %zu", text, *text == '\0' ? "" : ", ",
                                smoke_names[g], count);
        }
    }
    return text;
}

struct step *plan_smoke(struct builder *b, const char *id, const char *url, const char *why)
{
    size_t count = plan_smoke_count(b->config);

    if (count == 0) {
        return NULL;
    }
    const char *tests = plan_count(b->arena, count, "smoke test");
    struct step *step = plan_step(b, STEP_SMOKE, id);
    step->title = url == NULL ? tests : arena_format(b->arena, "%s against %s", tests, url);
    step->reason = arena_format(b->arena, "%s: %s", why, group_summary(b, count));
    step->base_url = url;
    step->deadline = plan_checks_deadline(b->config->smoke, SMOKE_GROUPS) + 1000;
    return step;
}
