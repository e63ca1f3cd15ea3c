/* SPDX-License-Identifier: Apache-2.0
 *
 * deploy.yaml, checked and bound. Immutable once loaded.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "gates.h"
#include "slo.h"

struct arena;
struct buf;
struct json;
struct node;

struct canary_step {
    double weight; /* ratio, 0 … 1, rising, last 1 */
    int64_t watch; /* ms */
};

enum validate { VALIDATE_MANUAL, VALIDATE_AUTO };
/* bits of rollback_on */
enum rollback_on { ON_SLO, ON_SMOKE, ON_CRASH_LOOP, ON_OOM, ON_UNHEALTHY };

struct config {
    const char *path;      /* of deploy.yaml, as given */
    const char *directory; /* project directory; commands run here */
    const char *app;
    const char *url;   /* production base URL; NULL: none */
    const char *image; /* may hold ${version}; NULL: none */
    struct choice workload, traffic;
    struct rows metrics; /* struct choice, in file order */

    struct rows canary_steps; /* struct canary_step */
    int64_t blue_green_watch, retire_after;
    bool sign_off;        /* blue-green: wait for a human before PROMOTE (S-247) */
    bool canary_sign_off; /* canary: the same */
    int64_t batch;
    int validate;          /* enum validate */
    int64_t rolling_watch; /* ms after each batch */

    struct rows gates[GATES]; /* struct check_config each */
    struct rows smoke[SMOKE_GROUPS];
    struct rows slos; /* struct slo_config */

    int64_t watch_interval, min_requests, baseline_window, hold; /* ms, count, ms, ms */
    int64_t warmup;        /* ms of a candidate's first traffic that is not judged */
    int64_t ready_timeout; /* ms a DEPLOY may take to become ready */

    unsigned rollback_on;   /* bits of enum rollback_on */
    int64_t keep;           /* ms a failed candidate is kept for diagnosis; 0: stopped */
    struct texts report_to; /* "summary" "file" "comment" */
    const char *report_path, *incident_path, *template_path;
    struct secret state_key; /* seals the state */
    struct texts mask_env;   /* environment variables that are kept out of all that is written */
    char hash[65];           /* SHA-256 of the file and every --set */

    struct arena *arena; /* where all this lives */
    struct rows secrets; /* every FIELD_SECRET that is set; for config_secrets() */
};

/* Every problem of one load, in file order; each message starts with its place. */
struct problems {
    const char **items;
    size_t count, capacity;
    struct place *places; /* of each; origin NULL: nowhere */
    size_t place_capacity;
};
void problems_add(struct arena *arena, struct problems *problems, const struct node *where,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Reads and checks path in directory; `sets` are "path=value" texts applied before binding.
 * All problems at once go to *problems; -1 when there is at least one (err then holds the
 * first). Reads the environment for ${NAME}; touches nothing else. Lives in arena. */
struct config_source {
    const char *path, *directory;
    const char *const *sets;
    size_t set_count;
};
MUST_CHECK int config_load(struct arena *arena, const struct config_source *source,
                           struct config **out, struct problems *problems, struct error *err);

/* Takes the value of every FIELD_SECRET out of the environment (getenv, then unsetenv) and
 * gives it to mask(); a named but absent or too short one is a problem. Those of mask-env go to
 * mask(), too, and stay. Before the first query_*. */
MUST_CHECK int config_secrets(struct config *config, void (*mask)(void *, const char *),
                              void *context, struct problems *problems);
void config_forget(struct config *config); /* zeroes the secrets */

/* Hides the values of environment variables whose names say that they are secrets, what the
 * files hold that such a variable with _FILE behind it names, and passwords in addresses. */
void config_hide_environment(void);

/* JSON Schema, draft 2020-12, of deploy.yaml; json_free. */
struct json *config_schema(void);
/* docs/reference.md: every key with type, default and sentence. */
void config_reference(struct buf *out);
/* A commented first deploy.yaml for `init`. */
const char *config_example(void);

#endif
