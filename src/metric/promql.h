/* SPDX-License-Identifier: Apache-2.0
 *
 * PromQL as text. The user gives plain selectors; the matcher of the arm is added here and
 * everything one reading needs comes from one instant: a union of parts, each told by the
 * label PROMQL_PART.
 */
#ifndef PROMQL_H
#define PROMQL_H

#include "tally.h"

#define PROMQL_PART "deploy_part"
/* Values of the label; "label0", "label1", … are told by their start. */
#define PROMQL_MAIN "main"
#define PROMQL_BAD "bad"
#define PROMQL_TIME "time"   /* s, when main was scraped */
#define PROMQL_NAMED "named" /* how many series have bad's name, */
#define PROMQL_LABEL "label" /* and how many of those the label of matcher N */

/* What the label of an instance may be: host:port, name, server. Ended by NULL. */
const char **promql_names(const struct instance *instance, struct arena *arena);

/* The alternation of all names of all instances, for `LABEL=~"…"`. */
const char *promql_pattern(const struct metric_query *query, struct arena *arena);

/* The query of a plan that is COUNTS or HISTOGRAM. */
const char *promql_of(const struct tally_plan *plan, const char *label,
                      const struct metric_query *query, struct arena *arena);

#endif
