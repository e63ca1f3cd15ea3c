/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP(S) requests as data. Only src/io/http.c knows the library behind.
 * Everything that comes back is hostile: capped, timed, never followed to another host
 * with credentials.
 */
#ifndef HTTP_H
#define HTTP_H

#include "text.h"

#include <stddef.h>

struct http_request {
    const char *method;         /* NULL: GET */
    const char *url;            /* http:// or https:// only */
    const char *const *headers; /* "Name: value"; CR and LF are refused */
    size_t header_count;
    const char *body;                     /* NULL: none */
    const char *ca_file;                  /* NULL: $SSL_CERT_FILE, else the system's bundle */
    const char *client_cert, *client_key; /* PEM files */
    const char *bearer;                   /* sent as Authorization; not to another host */
    const char *unix_socket;              /* path, instead of the URL's host */
    int64_t timeout_ms;                   /* whole request; 0: 10 s */
    size_t max_bytes;                     /* of the body; 0: 1 MiB */
    int redirects;                        /* followed at most, same host only; 0: none */
    const char *want_header;              /* name of a header whose value is kept; NULL: none */
};

struct http_reply {
    int status; /* 0: no answer, then error says why */
    struct buf body;
    char content_type[128];
    char location[512];
    bool has_header;        /* want_header came */
    char header[512];       /* its value */
    int64_t retry_after_ms; /* -1: not sent */
    int64_t took_ms;
    struct error error; /* kind ERROR_NONE where a whole answer arrived */
};

void http_reply_release(struct http_reply *reply);

/* Scheme, host and a printable path; no user info, query values replaced by "…": for
 * evidence and messages. */
const char *http_url_shown(struct arena *arena, const char *url);

/* The error for a status that is no success: 401 AUTH, 403 DENIED, 404 NOTFOUND, 409
 * CONFLICT, 429 RATELIMIT, 5xx REMOTE, other REMOTE. Always -1. */
int http_status_error(const struct http_request *request, const struct http_reply *reply,
                      struct error *err);

#endif
