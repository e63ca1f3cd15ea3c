/* SPDX-License-Identifier: Apache-2.0
 *
 * From metrics pages to a reading: whatever two instances answer, counts are counts and
 * histograms are histograms. The first line is the kind (c, s, h or v), the second and third the
 * selectors; the pages are separated by a line `--`.
 */
#include "../../src/metric/tally.h"

#include "readings.h"

struct use {
    struct tally_plan *plan;
    struct tally *tally;
};

static void visit(void *context, const struct om_sample *sample)
{
    const struct use *use = context;
    tally_add(use->plan, use->tally, sample);
}

static struct want want_of_lines(struct arena *arena, struct slice *rest)
{
    const char *kind = input_line(arena, rest), *first = input_line(arena, rest);
    const char *second = input_line(arena, rest);
    switch (kind[0]) {
    case 'h':
        return (struct want){.kind = WANT_HISTOGRAM, .histogram = first, .scale = 1000};
    case 'v':
        return (struct want){.kind = WANT_VALUE, .value = first, .scale = 0.01};
    case 's':
        return (struct want){
            .kind = WANT_COUNTS, .total = first, .bad_by_status = true, .scale = 1};
    default:
        return (struct want){.kind = WANT_COUNTS, .total = first, .bad = second, .scale = 1};
    }
}

static bool scan(struct tally_plan *plan, struct tally *tally, struct slice text)
{
    struct use use = {plan, tally};
    const struct om_page page = {text.data, text.length, false};
    return om_scan(&page, visit, &use, NULL) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct slice rest = {(const char *)data, size};
    const struct want want = want_of_lines(&arena, &rest);
    const struct slo_config slo = {.name = "slo"};
    const struct metric_query query = {&slo, ARM_CANDIDATE, both, 2};
    struct tally_plan plan;
    struct tally tallies[2];
    const char *cut = memmem(rest.data, rest.length, "\n--\n", 4);
    size_t first = cut != NULL ? (size_t)(cut - rest.data) + 1 : rest.length;
    size_t second = cut != NULL ? first + 3 : 0;
    tally_init(&tallies[0], &arena);
    tally_init(&tallies[1], &arena);
    if (tally_prepare(&want, &arena, &plan, NULL) == 0 &&
        scan(&plan, &tallies[0], (struct slice){rest.data, first}) &&
        scan(&plan, &tallies[1], (struct slice){rest.data + second, rest.length - second})) {
        const struct reading reading = tally_reading(&plan, &query, tallies, &arena);
        check_reading(&reading, &arena);
    }
    tally_release(&plan);
    return 0;
}
