/* SPDX-License-Identifier: Apache-2.0 */
#include "io.h"

#include "arena.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define EXCERPT_MAX 300

void http_reply_release(struct http_reply *reply)
{
    buf_release(&reply->body);
}

/* Names are kept, values may be secrets; a part without a name may be one, too. */
void http_add_query(struct buf *out, const char *query)
{
    const char *before = "?";
    while (*query != '\0') {
        size_t length = strcspn(query, "&");
        const char *equals = memchr(query, '=', length);
        buf_adds(out, before);
        buf_add(out, query, equals == NULL ? 0 : (size_t)(equals - query) + 1);
        buf_adds(out, "\xe2\x80\xa6");
        before = "&";
        query += length + (query[length] == '&');
    }
}

void http_copy_printable(char *out, size_t room, const char *text, size_t length)
{
    size_t used = 0;
    while (length > 0 && (unsigned char)text[0] <= ' ') {
        text++;
        length--;
    }
    for (size_t i = 0; i < length && used + 1 < room; i++) {
        if ((unsigned char)text[i] >= ' ' && text[i] != 0x7f) {
            out[used++] = text[i];
        }
    }
    out[used] = '\0';
}

/* Of several answers on the way only the last counts. */
void http_take_header(struct operation *operation, const char *line, size_t length)
{
    struct http_reply *reply = &operation->reply;
    const char *name = operation->http.want_header;
    size_t room = name == NULL ? 0 : strlen(name);
    if (room > 0 && length > room && line[room] == ':' && strncasecmp(line, name, room) == 0) {
        reply->has_header = true;
        http_copy_printable(reply->header, sizeof(reply->header), line + room + 1,
                            length - room - 1);
    }
    if (length > 5 && memcmp(line, "HTTP/", 5) == 0) {
        reply->location[0] = '\0';
        reply->has_header = false;
    } else if (length > 9 && strncasecmp(line, "location:", 9) == 0) {
        http_copy_printable(reply->location, sizeof(reply->location), line + 9, length - 9);
    }
}

bool http_has_header(const struct http_request *request, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < request->header_count; i++) {
        if (strncasecmp(request->headers[i], name, length) == 0) {
            return true;
        }
    }
    return false;
}

const char *http_method(const struct http_request *request)
{
    return request->method == NULL ? "GET" : request->method;
}

/* "GET http://host/path" */
const char *http_request_shown(struct arena *arena, const struct http_request *request)
{
    return arena_format(arena, "%s %s", http_method(request), http_url_shown(arena, request->url));
}

static const char *body_excerpt(struct arena *arena, const struct http_reply *reply)
{
    if (reply->body.length == 0 || strncasecmp(reply->content_type, "text/html", 9) == 0) {
        return "";
    }
    char *text = arena_text_n(arena, reply->body.data, reply->body.length);
    for (size_t i = 0; i < reply->body.length; i++) {
        text[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
    }
    return text_shown(arena, text, reply->body.length, EXCERPT_MAX);
}

static enum error_kind kind_of_status(int status)
{
    switch (status) {
    case 401:
        return ERROR_AUTH;
    case 403:
        return ERROR_DENIED;
    case 404:
        return ERROR_NOTFOUND;
    case 409:
        return ERROR_CONFLICT;
    case 429:
        return ERROR_RATELIMIT;
    default:
        return ERROR_REMOTE;
    }
}

int http_status_error(const struct http_request *request, const struct http_reply *reply,
                      struct error *err)
{
    if (reply->error.kind != ERROR_NONE) {
        return error_set(err, reply->error.kind, "%s", reply->error.message);
    }
    struct arena arena;
    arena_init(&arena);
    const char *excerpt = body_excerpt(&arena, reply);
    error_set(err, kind_of_status(reply->status), "%s: HTTP %d%s%s",
              http_request_shown(&arena, request), reply->status, excerpt[0] == '\0' ? "" : ": ",
              excerpt);
    arena_release(&arena);
    return -1;
}

static bool is_method(const char *text)
{
    size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return length > 0 && length < 16 && text[length] == '\0';
}

int http_check_words(const struct http_request *request, struct error *err)
{
    if (!is_method(http_method(request))) {
        return error_set(err, ERROR_CONFIG, "no valid HTTP method");
    }
    for (size_t i = 0; i < request->header_count; i++) {
        const char *header = request->headers[i];
        size_t name = strcspn(header, ":\r\n");
        if (name == 0 || header[name] != ':') {
            return error_set(err, ERROR_CONFIG, "header %zu has no name", i + 1);
        }
        if (strpbrk(header, "\r\n") != NULL) {
            return error_set(err, ERROR_CONFIG, "header '%.*s' holds a line break",
                             name > 64 ? 64 : (int)name, header);
        }
    }
    if (request->bearer != NULL && strpbrk(request->bearer, "\r\n") != NULL) {
        return error_set(err, ERROR_CONFIG, "a bearer token holds a line break");
    }
    return 0;
}

const char *http_ca_bundle(void)
{
    static const char *const bundles[] = {
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    };
    const char *wish = getenv("SSL_CERT_FILE");
    if (wish != NULL && wish[0] != '\0') {
        return wish;
    }
    for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++) {
        if (access(bundles[i], R_OK) == 0) {
            return bundles[i];
        }
    }
    return NULL;
}
