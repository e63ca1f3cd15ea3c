/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: what the drivers share. What an SLO asks of a source, in which unit it
 * comes, and readings.
 */
#ifndef READING_H
#define READING_H

#include "metric.h"
#include "arena.h"

#include <stdbool.h>

enum want_kind { WANT_COUNTS, WANT_HISTOGRAM, WANT_VALUE };

/* What one SLO asks of a source. */
struct want {
    enum want_kind kind;
    const char *bad;    /* COUNTS; NULL: the source finds errors itself, or none exist */
    bool bad_by_status; /* COUNTS: bad is NULL and the status label tells errors */
    const char *total;
    const char *histogram; /* name without _bucket, with matchers */
    const char *value;
    double scale; /* VALUE and HISTOGRAM bounds × scale: in the SLO's unit */
};

/* The source's own names for requests and their duration; NULL: it has none. */
struct want_defaults {
    const char *total, *histogram;
    bool by_status;
};

/* NULL and *out, or why the source cannot measure it, as refuses() says it. */
const char *want_of(const struct slo_config *slo, const struct want_defaults *defaults,
                    struct arena *arena, struct want *out);
/* As want_of, for a VALUE whose program is known: the unit only. */
const char *want_value(const struct slo_config *slo, const char *value, struct arena *arena,
                       struct want *out);

struct reading reading_nothing(enum nothing kind, const char *why);
struct reading reading_gauge(double value, const char *why);
/* `count` series named after the instances. */
struct reading reading_series(enum reading_kind kind, const struct metric_query *query,
                              struct arena *arena);

const char *arm_name(enum arm arm); /* "stable" "candidate" "all" */

/* The run's variables, before them arm, slot, instance (its name; NULL: all names of the
 * query), server, window, and base_url where the instance has its own. */
const struct variable *query_variables(const struct driver_context *context,
                                       const struct metric_query *query,
                                       const struct instance *instance, struct arena *arena);

/* True where the text holds a variable whose value differs between arms. */
bool names_arm(const char *text);

/* base and path with exactly one `/` between; base NULL: NULL. */
const char *url_join(struct arena *arena, const char *base, const char *path);

/* How the transfer failed, by error or by status, or false where it did not. */
struct http_reply;
struct http_request;
bool transfer_failed(const struct http_request *request, const struct http_reply *reply,
                     struct arena *arena, const char **why);

/* A number as sources write it: "12", "0.5", "1e3", "+Inf", "NaN"; false: none. */
bool number_of(const char *text, double *out);

/* NOTHING_NO_DATA: the arm has no instance. */
struct reading reading_no_instance(const struct metric_query *query, struct arena *arena);
/* True with *out where nothing can be asked: why the query is refused (NULL: it is not), or no
 * instance. */
bool reading_not_asked(const char *refused, const struct metric_query *query, struct arena *arena,
                       struct reading *out);
/* NOTHING of a transfer: an answer that is none (too large) is GARBAGE. */
enum nothing nothing_of_transfer(const struct http_reply *reply);

/* NOTHING for counts that cannot be: NaN, Inf, negative, errors beyond requests. */
bool counts_possible(double bad, double total, const char *where, struct arena *arena,
                     struct reading *nothing);

#endif
