/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: what the drivers that ask over HTTP share. Their settings, the request,
 * and all pages fetched at once.
 */
#ifndef WEB_H
#define WEB_H

#include "loop.h"
#include "reading.h"

/* The first member of the settings of each of them. */
struct web_settings {
    struct secret token;
    struct texts headers;
    const char *ca_file;
    int64_t timeout;
};

/* Its rows, each to stand in the driver's table where it reads best. */
#define WEB_TOKEN_ROW                                                                              \
    {                                                                                              \
        .name = "token-env", .type = FIELD_SECRET, .offset = offsetof(struct web_settings, token), \
        .doc = "The environment variable that holds a bearer token."                               \
    }
#define WEB_HEADERS_ROW(sentence)                                                                 \
    {                                                                                             \
        .name = "headers", .type = FIELD_TEXTS, .offset = offsetof(struct web_settings, headers), \
        .doc = (sentence)                                                                         \
    }
#define WEB_CA_ROW(signed_by_it)                                                                 \
    {                                                                                            \
        .name = "ca-file", .type = FIELD_TEXT, .offset = offsetof(struct web_settings, ca_file), \
        .doc = "PEM file of the authority that signed " signed_by_it "."                         \
    }
#define WEB_TIMEOUT_ROW(longest, answer)                                                \
    {                                                                                   \
        .name = "timeout", .type = FIELD_DURATION,                                      \
        .offset = offsetof(struct web_settings, timeout), .def = (longest), .min = 100, \
        .max = 60000, .doc = "The longest wait for one " answer "."                     \
    }

/* All that these drivers hold. */
struct metric {
    const struct driver_context *context;
    const void *settings; /* the driver's own, which begin with struct web_settings */
};

MUST_CHECK int web_open(const struct driver_context *context, struct metric **out,
                        struct error *err);
void web_close(struct metric *metric);

/* What the settings say of every request, without its URL; an answer of 4 MiB at most. */
struct http_request web_request(const struct metric *metric, struct arena *arena);

struct web_page {
    const char *url;  /* NULL: there is none */
    const char *body; /* NULL: none */
    const char *why;  /* there is no answer; else NULL */
    enum nothing nothing;
    const struct operation *operation; /* once fetched; NULL where there is no URL */
    void *own;                         /* the driver's */
};

/* The pages of all queries of one read; web_release. */
struct web_sweep {
    struct metric *metric;
    struct arena *arena;
    const char *without; /* why of a page that has no URL */
    struct web_page *pages;
    size_t count, capacity;
    struct operation *operations;
    size_t started;
};

/* The index of a new page. */
size_t web_add(struct web_sweep *sweep, const char *url, const char *body);
/* The index of the page of that URL, a new one where none has it. */
size_t web_page_of(struct web_sweep *sweep, const char *url);
/* Fetches all pages at once, each as `request` with its own URL and body; what did not come
 * has a why. -1 only when cancelled. */
MUST_CHECK int web_fetch(struct web_sweep *sweep, const struct http_request *request);
void web_release(struct web_sweep *sweep);

#endif
