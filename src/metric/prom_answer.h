/* SPDX-License-Identifier: Apache-2.0
 *
 * What the HTTP API of Prometheus, and of those that speak it, answers to an instant query.
 */
#ifndef PROM_ANSWER_H
#define PROM_ANSWER_H

#include "loop.h"
#include "openmetrics.h"
#include "reading.h"

struct json;

struct prom_answer {
    struct json *json;         /* the whole answer; prom_release */
    const struct json *result; /* an array of series; NULL: scalar */
    double scalar, at;         /* `at`: s, of the scalar */
};

/* True with *out, or false with *nothing: no answer, an error's words, warnings. */
bool prom_open(const struct operation *operation, const char *subject, struct arena *arena,
               struct prom_answer *out, struct reading *nothing);
void prom_release(struct prom_answer *answer);

/* One series; labels live as long as the answer. NULL, or what is wrong with it. */
const char *prom_sample(const struct json *series, struct om_sample *out, double *at);
/* {code="500",instance="…"}, for a message. */
const char *prom_labels(const struct json *series, struct arena *arena);

#endif
