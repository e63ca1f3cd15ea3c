/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include "arena.h"
#include "catalog.h"
#include "check.h"
#include "query.h"

#include <string.h>
#include <strings.h>

#define BODY_MAX ((size_t)2 << 20)
#define BODY_SHOWN 160

struct expect {
    struct texts status;
    const char *header, *body, *jq;
};

struct settings {
    const char *url, *method;
    struct texts headers;
    const char *body;
    struct expect expect;
    const char *ca_file, *client_cert, *client_key, *unix_socket;
    struct secret token;
    int64_t redirects;
};

static const struct field expect_fields[] = {
    {.name = "status",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct expect, status),
     .def = "2xx",
     .doc = "The status: `200`, `2xx`, or a list of these."},
    {.name = "header",
     .type = FIELD_TEXT,
     .offset = offsetof(struct expect, header),
     .doc = "`Content-Type: text/html`: a header of the answer and how its value begins."},
    {.name = "body",
     .type = FIELD_TEXT,
     .offset = offsetof(struct expect, body),
     .doc = "A text that stands in the answer."},
    {.name = "jq",
     .type = FIELD_JQ,
     .offset = offsetof(struct expect, jq),
     .doc = "A jq program over the answer that gives something else than false and null."},
    {.name = NULL},
};

#define TEXT(key, member, sentence)                                                     \
    {                                                                                   \
        .name = (key), .type = FIELD_TEXT, .offset = offsetof(struct settings, member), \
        .doc = (sentence)                                                               \
    }

static const struct field http_fields[] = {
    {.name = "url",
     .type = FIELD_URL,
     .offset = offsetof(struct settings, url),
     .required = true,
     .doc = "The address; may hold ${base_url} and ${version}."},
    {.name = "method",
     .type = FIELD_TEXT,
     .offset = offsetof(struct settings, method),
     .def = "GET",
     .doc = "The HTTP method."},
    {.name = "headers",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct settings, headers),
     .doc = "Request headers, each as `Name: value`."},
    TEXT("body", body, "What is sent."),
    {.name = "expect",
     .type = FIELD_SECTION,
     .offset = offsetof(struct settings, expect),
     .fields = expect_fields,
     .size = sizeof(struct expect),
     .doc = "What must come back; all of it must be true."},
    {.name = "token-env",
     .type = FIELD_SECRET,
     .offset = offsetof(struct settings, token),
     .doc = "The environment variable with the bearer token to send."},
    {.name = "redirects",
     .type = FIELD_INT,
     .offset = offsetof(struct settings, redirects),
     .def = "0",
     .min = 0,
     .max = 10,
     .doc = "How many redirects on the same host are followed."},
    TEXT("ca-file", ca_file, "A PEM file with the certificates to trust instead of the system's."),
    TEXT("client-cert", client_cert, "A PEM file with the certificate to show."),
    TEXT("client-key", client_key, "A PEM file with the key of that certificate."),
    TEXT("unix-socket", unix_socket, "A socket to connect to instead of the URL's host."),
    {.name = NULL},
};

static const char *subject(const struct check_config *config, struct arena *arena)
{
    const struct settings *settings = config->kind.settings;
    const char *method = settings->method ? settings->method : "GET";
    const char *url = settings->url;
    /* Before the run's variables are known there is nothing to take apart. */
    if (!strncmp(url, "http", 4)) {
        url = http_url_shown(arena, url);
    }
    return arena_format(arena, "%s %s", method, url);
}

/* ---- asking ----------------------------------------------------------------------- */

static const char *const *expand_all(const struct check_call *call, const struct texts *texts)
{
    const char **out = arena_array(call->context->arena, texts->count + 1, sizeof(*out));
    for (size_t i = 0; i < texts->count; i++) {
        out[i] = field_expand(call->context->arena, texts->items[i], call->context->variables);
    }
    return out;
}

static const char *expand(const struct check_call *call, const char *text)
{
    return field_expand(call->context->arena, text, call->context->variables);
}

/* The name in "Name: value". */
static const char *header_name(const char *wanted, struct arena *arena)
{
    return wanted ? arena_text_n(arena, wanted, strcspn(wanted, ": \t")) : NULL;
}

static int start(struct check_call *call, struct error *err)
{
    const struct settings *settings = call->settings;
    struct arena *arena = call->context->arena;
    const char *url = expand(call, settings->url);
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
        return error_set(err, ERROR_CONFIG, "'%s' came out as '%.200s', which is no http address",
                         settings->url, url);
    }
    call->operation = (struct operation){
        .kind = OPERATION_HTTP,
        .http =
            {
                .method = settings->method,
                .url = url,
                .headers = expand_all(call, &settings->headers),
                .header_count = settings->headers.count,
                .body = expand(call, settings->body),
                .ca_file = driver_path(call->context, settings->ca_file, arena),
                .client_cert = driver_path(call->context, settings->client_cert, arena),
                .client_key = driver_path(call->context, settings->client_key, arena),
                .bearer = settings->token.value,
                .unix_socket = driver_path(call->context, settings->unix_socket, arena),
                .timeout_ms = call->config->timeout,
                .max_bytes = BODY_MAX,
                .redirects = (int)settings->redirects,
                .want_header = header_name(expand(call, settings->expect.header), arena),
            },
    };
    return 0;
}

/* ---- judging ---------------------------------------------------------------------- */

/* What was found, as a sentence that grows, and whether all of it was as expected. */
struct finding {
    struct buf text;
    bool good;
};

/* "200" and "2xx"; -1: neither. */
static int status_matches(const char *pattern, int status)
{
    if (strlen(pattern) != 3 || pattern[0] < '1' || pattern[0] > '5') {
        return -1;
    }
    int number = status;
    for (int i = 2; i >= 0; i--, number /= 10) {
        const bool any = pattern[i] == 'x' || pattern[i] == 'X';
        if (!any && (pattern[i] < '0' || pattern[i] > '9')) {
            return -1;
        }
        if (!any && pattern[i] - '0' != number % 10) {
            return 0;
        }
    }
    return 1;
}

/* Where a redirect leads: its query may be a way in (a session, a code). */
static const char *place_shown(const char *location, struct arena *arena)
{
    if (strncmp(location, "http", 4) == 0) {
        return http_url_shown(arena, location);
    }
    const size_t length = strcspn(location, "?#");
    return arena_format(arena, "%.*s%s", (int)length, location, location[length] ? "?…" : "");
}

static int judge_status(const struct check_call *call, const struct http_reply *reply,
                        struct finding *finding, struct error *err)
{
    const struct texts *wanted = &((const struct settings *)call->settings)->expect.status;
    bool good = wanted->count == 0 && reply->status / 100 == 2;
    for (size_t i = 0; i < wanted->count; i++) {
        const int match = status_matches(wanted->items[i], reply->status);
        if (match < 0) {
            return error_set(err, ERROR_CONFIG,
                             "expect.status '%.40s' is no status: write 200 "
                             "or 2xx",
                             wanted->items[i]);
        }
        good = good || match == 1;
    }
    finding->good = good;
    if (!good && reply->location[0]) {
        buf_addf(&finding->text, " to %s", place_shown(reply->location, call->context->arena));
    }
    if (!good) {
        buf_adds(&finding->text, ", expected ");
        for (size_t i = 0; i < wanted->count; i++) {
            buf_addf(&finding->text, "%s%s", i > 0 ? " or " : "", wanted->items[i]);
        }
        buf_adds(&finding->text, wanted->count == 0 ? "2xx" : "");
    }
    return 0;
}

static void judge_header(const char *wanted, const struct http_reply *reply,
                         struct finding *finding)
{
    const size_t length = strcspn(wanted, ": \t");
    const char *value = wanted + length;
    value += strspn(value, ": \t");
    finding->good = reply->has_header && text_starts(reply->header, value);
    if (!reply->has_header) {
        buf_addf(&finding->text, ", no header %.*s", (int)length, wanted);
    } else if (finding->good) {
        buf_addf(&finding->text, ", %.*s: %s", (int)length, wanted, reply->header);
    } else {
        buf_addf(&finding->text, ", %.*s: '%s' does not begin with '%s'", (int)length, wanted,
                 reply->header, value);
    }
}

static void show_body(const struct check_call *call, const struct http_reply *reply,
                      struct finding *finding)
{
    const char *data = reply->body.data ? reply->body.data : "";
    char *shown = arena_text(call->context->arena, text_shown(call->context->arena, data,
                                                              reply->body.length, BODY_SHOWN));
    for (char *at = shown; *at; at++) {
        *at = (unsigned char)*at < ' ' ? ' ' : *at;
    }
    buf_addf(&finding->text, "; the answer was '%s'%s", shown,
             reply->body.length > BODY_SHOWN ? "…" : "");
}

static void judge_body(const char *wanted, const struct http_reply *reply, struct finding *finding)
{
    const char *data = reply->body.data ? reply->body.data : "";
    finding->good = memmem(data, reply->body.length, wanted, strlen(wanted)) != NULL;
    buf_addf(&finding->text, ", body %s '%.80s'", finding->good ? "holds" : "does not hold",
             wanted);
}

static int judge_jq(const char *program, const struct http_reply *reply, struct finding *finding,
                    struct error *err)
{
    char got[200];
    const char *data = reply->body.data ? reply->body.data : "";
    if (query_truth(program, (struct slice){data, reply->body.length}, &finding->good, got, err) <
        0) {
        return -1;
    }
    buf_addf(&finding->text, ", %.120s is %s", program, got);
    return 0;
}

/* One expectation after the other, up to the first that is not met. */
static int judge(const struct check_call *call, const struct http_reply *reply,
                 struct finding *finding, struct error *err)
{
    const struct expect *expect = &((const struct settings *)call->settings)->expect;
    if (judge_status(call, reply, finding, err) < 0) {
        return -1;
    }
    if (finding->good && expect->header) {
        judge_header(expand(call, expect->header), reply, finding);
    }
    if (finding->good && expect->body) {
        judge_body(expand(call, expect->body), reply, finding);
    }
    if (finding->good && expect->jq &&
        judge_jq(expand(call, expect->jq), reply, finding, err) < 0) {
        return -1;
    }
    if (!finding->good) {
        show_body(call, reply, finding);
    }
    return 0;
}

static int step(struct check_call *call, struct error *err)
{
    struct arena *arena = call->context->arena;
    const struct http_request *request = &call->operation.http;
    const struct http_reply *reply = &call->operation.reply;
    const char *asked = arena_format(arena, "%s %s", request->method ? request->method : "GET",
                                     http_url_shown(arena, request->url));
    if (reply->error.kind != ERROR_NONE) {
        const bool named = text_starts(reply->error.message, asked);
        return error_set(err, reply->error.kind, "%s%s%s", named ? "" : asked, named ? "" : ": ",
                         reply->error.message);
    }
    struct finding finding = {.good = false};
    buf_init(&finding.text, 2000);
    buf_addf(&finding.text, "%s → %d", asked, reply->status);
    buf_addf(&finding.text, " in %lld ms", (long long)reply->took_ms);
    const int outcome = judge(call, reply, &finding, err);
    if (outcome < 0) {
        error_wrap(err, "%s", finding.text.data);
    } else {
        call->verdict = finding.good ? VERDICT_PASS : VERDICT_FAIL;
        call->evidence = arena_text(arena, finding.text.data);
    }
    buf_release(&finding.text);
    return outcome;
}

static const struct check_driver driver = {subject, start, step};

const struct driver_row check_http_row = {
    .room = "check",
    .name = "http",
    .doc = "Asks an address, and looks at what comes back.",
    .fields = http_fields,
    .size = sizeof(struct settings),
    .door = &driver,
};
