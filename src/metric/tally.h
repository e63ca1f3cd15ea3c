/* SPDX-License-Identifier: Apache-2.0
 *
 * From the samples of metrics pages to one reading: what scrape counts while it walks over
 * the pages of an arm's instances.
 */
#ifndef TALLY_H
#define TALLY_H

#include "openmetrics.h"
#include "reading.h"

/* One query, ready to be matched with samples. */
struct tally_plan {
    struct want want;
    struct om_selector main; /* total, buckets or value */
    struct om_selector bad;  /* name NULL: none */
    bool bad_named;          /* a series with bad's name was seen, */
    bool *bad_labels;        /* and one with the label of each of its matchers */
};

/* The matching series of one page. */
struct tally_sum {
    double sum;
    size_t count;
    enum om_selected how;
};

/* What one instance's page gave for one plan. */
struct tally {
    struct tally_sum main, bad;
    size_t without_status; /* matching totals that have no status label */
    double *les, *buckets; /* METRIC_BUCKETS each */
    size_t bucket_count;
    bool too_many;
    double started;
};

/* ERROR_CONFIG where a selector is wrong. parse does not need tally_release; prepare also
 * compiles what tally_add needs, and does, also when it failed. */
MUST_CHECK int tally_parse(const struct want *want, struct arena *arena, struct tally_plan *out,
                           struct error *err);
MUST_CHECK int tally_prepare(const struct want *want, struct arena *arena, struct tally_plan *out,
                             struct error *err);
void tally_release(struct tally_plan *plan);

void tally_init(struct tally *tally, struct arena *arena);
void tally_add(struct tally_plan *plan, struct tally *tally, const struct om_sample *sample);
/* For a source that selects and sums by itself: a sample of main, or of bad. */
void tally_main(const struct tally_plan *plan, struct tally *tally, const struct om_sample *sample);
void tally_bad(struct tally *tally, double value);

/* One tally an instance of the query. */
struct reading tally_reading(const struct tally_plan *plan, const struct metric_query *query,
                             const struct tally *tallies, struct arena *arena);

#endif
