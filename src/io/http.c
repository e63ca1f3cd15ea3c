/* SPDX-License-Identifier: Apache-2.0 */
#include "io.h"

#include "arena.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_TIMEOUT_MS 10000
#define CONNECT_MS 5000
#define DEFAULT_BYTES (1024 * 1024)
#define RETRY_AFTER_MAX_S 86400
#define POOL 16L
#define SHOWN_MAX 8192

struct http_engine {
    CURLM *multi;
};

struct transfer {
    struct operation *operation;
    CURL *easy;
    struct curl_slist *headers;
    int64_t started, until;
    int redirects_left;
    bool too_large, retry_after, head_ended;
    char words[CURL_ERROR_SIZE];
};

int http_engine_open(struct http_engine **out, struct error *err)
{
    /* Memory that is never NULL: an option that the library could not copy, a token's header
     * among them, would be left out without a word. */
    CURLcode code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, memory_alloc, free, memory_resize,
                                         memory_text, memory_zeroed);
    if (code != CURLE_OK) {
        return error_set(err, ERROR_BUG, "libcurl does not start: %s", curl_easy_strerror(code));
    }
    struct http_engine *engine = memory_alloc(sizeof(*engine));
    errno = 0;
    engine->multi = curl_multi_init();
    *out = engine;
    if (engine->multi == NULL) {
        return error_system(err, errno, "libcurl does not start");
    }
    curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, POOL);
    return 0;
}

void http_engine_free(struct http_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    curl_multi_cleanup(engine->multi);
    free(engine);
    curl_global_cleanup();
}

static void add_part(struct buf *out, CURLU *url, CURLUPart part, const char *before)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, 0) == CURLUE_OK) {
        buf_adds(out, before);
        buf_adds(out, text);
    }
    curl_free(text);
}

const char *http_url_shown(struct arena *arena, const char *text)
{
    const char *shown = "(no valid URL)";
    char *query = NULL;
    AUTO_BUF struct buf out;
    buf_init(&out, SHOWN_MAX);
    CURLU *url = curl_url();
    if (url != NULL && text != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK) {
        add_part(&out, url, CURLUPART_SCHEME, "");
        add_part(&out, url, CURLUPART_HOST, "://");
        add_part(&out, url, CURLUPART_PORT, ":");
        add_part(&out, url, CURLUPART_PATH, "");
        if (curl_url_get(url, CURLUPART_QUERY, &query, 0) == CURLUE_OK) {
            http_add_query(&out, query);
        }
        shown = text_shown(arena, out.data, out.length, out.max);
    }
    curl_free(query);
    curl_url_cleanup(url);
    return shown;
}

static bool has_scheme(CURLU *url)
{
    char *scheme = NULL;
    bool known = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                 (strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0);
    curl_free(scheme);
    return known;
}

static int check_request(const struct http_request *request, struct error *err)
{
    CURLU *url = curl_url();
    CURLUcode code = request->url == NULL ? CURLUE_MALFORMED_INPUT
                                          : curl_url_set(url, CURLUPART_URL, request->url, 0);
    bool known = code == CURLUE_OK && has_scheme(url);
    curl_url_cleanup(url);
    if (code != CURLUE_OK && code != CURLUE_UNSUPPORTED_SCHEME) {
        return error_set(err, ERROR_CONFIG, "no valid URL: %s", curl_url_strerror(code));
    }
    if (!known) {
        return error_set(err, ERROR_CONFIG, "a URL must start with http:// or https://");
    }
    return http_check_words(request, err);
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    struct buf *body = &transfer->operation->reply.body;
    buf_add(body, data, size * count);
    transfer->too_large = body->overflow;
    return body->overflow ? 0 : size * count;
}

static size_t on_header(char *line, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    size_t length = size * count;
    http_take_header(transfer->operation, line, length);
    if (length > 5 && memcmp(line, "HTTP/", 5) == 0) {
        transfer->retry_after = false;
        transfer->head_ended = false;
    } else if (line[0] == '\r' || line[0] == '\n') {
        transfer->head_ended = true;
    } else if (length > 12 && strncasecmp(line, "retry-after:", 12) == 0) {
        transfer->retry_after = true;
    }
    return length;
}

static void add_header(struct transfer *transfer, const char *header)
{
    transfer->headers = curl_slist_append(transfer->headers, header);
}

static void set_headers(struct transfer *transfer, const struct http_request *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        add_header(transfer, request->headers[i]);
    }
    if (request->bearer != NULL) {
        AUTO_BUF struct buf line;
        buf_init(&line, strlen(request->bearer) + 32);
        buf_adds(&line, "Authorization: Bearer ");
        buf_adds(&line, request->bearer);
        add_header(transfer, line.data);
        explicit_bzero(line.data, line.length);
    }
    add_header(transfer, "Expect:");
    if (!http_has_header(request, "content-type:")) {
        add_header(transfer, "Content-Type:"); /* else a body goes out as a form */
    }
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

static void set_method(CURL *easy, const struct http_request *request)
{
    const char *method = http_method(request);
    bool is_get = strcmp(method, "GET") == 0;
    bool is_post = strcmp(method, "POST") == 0;
    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (request->body != NULL || is_post) {
        const char *body = request->body == NULL ? "" : request->body;
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    }
    if (!(is_get && request->body == NULL) && !is_post) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    }
    if (is_post || strcmp(method, "PATCH") == 0) {
        /* libcurl sends again when a reused connection turns out to be dead. Whether the
         * first one was acted on cannot be known. */
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    }
}

static void set_tls(CURL *easy, const struct http_request *request)
{
    const char *bundle = request->ca_file == NULL ? http_ca_bundle() : request->ca_file;
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (bundle != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, bundle);
    }
    if (request->client_cert != NULL) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, request->client_cert);
        curl_easy_setopt(easy, CURLOPT_SSLKEY, request->client_key);
    }
}

static void set_time(struct transfer *transfer)
{
    int64_t left = transfer->until - loop_mono();
    left = left < 1 ? 1 : left > INT32_MAX ? INT32_MAX : left;
    curl_easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS, (long)left);
    curl_easy_setopt(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(left < CONNECT_MS ? left : CONNECT_MS));
}

static void set_options(struct transfer *transfer, const struct http_request *request)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->words);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "deploy-action");
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Else the end of a transfer waits for a name server that does not answer. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    if (request->unix_socket != NULL) {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
    set_time(transfer);
    set_tls(easy, request);
    set_method(easy, request);
    set_headers(transfer, request);
}

static void transfer_free(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    for (struct curl_slist *node = transfer->headers; node != NULL; node = node->next) {
        explicit_bzero(node->data, strlen(node->data)); /* tokens */
    }
    curl_slist_free_all(transfer->headers);
    free(transfer);
}

static struct transfer *transfer_new(struct operation *operation)
{
    const struct http_request *request = &operation->http;
    int64_t timeout = request->timeout_ms > 0 ? request->timeout_ms : DEFAULT_TIMEOUT_MS;
    struct transfer *transfer = memory_alloc(sizeof(*transfer));
    memset(transfer, 0, sizeof(*transfer));
    transfer->operation = operation;
    transfer->started = loop_mono();
    transfer->until = transfer->started + (timeout < INT32_MAX ? timeout : INT32_MAX);
    transfer->redirects_left = request->redirects;
    transfer->easy = curl_easy_init();
    return transfer;
}

int http_start(struct http_engine *engine, struct operation *operation, struct error *err)
{
    const struct http_request *request = &operation->http;
    struct http_reply *reply = &operation->reply;
    memset(reply, 0, sizeof(*reply));
    reply->retry_after_ms = -1;
    buf_init(&reply->body, request->max_bytes > 0 ? request->max_bytes : DEFAULT_BYTES);
    if (check_request(request, err) < 0) {
        return -1;
    }
    struct transfer *transfer = transfer_new(operation);
    if (transfer->easy != NULL) {
        set_options(transfer, request);
    }
    if (transfer->easy == NULL ||
        curl_multi_add_handle(engine->multi, transfer->easy) != CURLM_OK) {
        transfer_free(transfer);
        return error_set(err, ERROR_BUG, "libcurl refuses a transfer");
    }
    operation->state = transfer;
    return 0;
}

/* Curl's own words follow; they name hosts, never headers. */
static const struct {
    CURLcode code;
    enum error_kind kind;
    const char *what;
} causes[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERROR_NETWORK, "host not found"},
    {CURLE_COULDNT_RESOLVE_PROXY, ERROR_NETWORK, "proxy not found"},
    {CURLE_COULDNT_CONNECT, ERROR_NETWORK, "could not connect"},
    {CURLE_OPERATION_TIMEDOUT, ERROR_TIMEOUT, "no whole answer in time"},
    {CURLE_GOT_NOTHING, ERROR_NETWORK, "connection closed without an answer"},
    {CURLE_SEND_ERROR, ERROR_NETWORK, "could not send"},
    {CURLE_RECV_ERROR, ERROR_NETWORK, "could not receive"},
    {CURLE_PARTIAL_FILE, ERROR_NETWORK, "connection lost"},
    {CURLE_SSL_CONNECT_ERROR, ERROR_AUTH, "no TLS connection"},
    {CURLE_PEER_FAILED_VERIFICATION, ERROR_AUTH, "certificate refused"},
    {CURLE_SSL_ISSUER_ERROR, ERROR_AUTH, "certificate refused"},
    {CURLE_SSL_CERTPROBLEM, ERROR_AUTH, "own certificate or key unusable"},
    {CURLE_SSL_CACERT_BADFILE, ERROR_AUTH, "CA file unusable"},
    {CURLE_UNSUPPORTED_PROTOCOL, ERROR_FORMAT, "no HTTP answer"},
    {CURLE_WEIRD_SERVER_REPLY, ERROR_FORMAT, "no HTTP answer"},
    {CURLE_TOO_LARGE, ERROR_FORMAT, "answer too large"},
    {CURLE_BAD_CONTENT_ENCODING, ERROR_FORMAT, "answer cannot be unpacked"},
};

/* What the system said, where it has the last word: of an address that was tried before
 * another one it may be left over. */
static const char *system_words(const struct transfer *transfer, CURLcode code)
{
    long number = 0;
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR) {
        curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &number);
    }
    return number == 0 ? "" : strerror((int)number);
}

static void explain(const struct transfer *transfer, CURLcode code, struct error *err)
{
    enum error_kind kind = ERROR_REMOTE;
    const char *what = "failed";
    const char *words = transfer->words[0] == '\0' ? curl_easy_strerror(code) : transfer->words;
    struct arena arena;
    arena_init(&arena);
    words = text_clean(&arena, words, strlen(words), 1000); /* they quote the other side */
    const char *shown = http_request_shown(&arena, &transfer->operation->http);
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        if (causes[i].code == code) {
            kind = causes[i].kind;
            what = causes[i].what;
        }
    }
    if (transfer->too_large) {
        error_set(err, ERROR_FORMAT, "%s: answer larger than %zu bytes", shown,
                  transfer->operation->reply.body.max);
    } else {
        const char *system = system_words(transfer, code);
        error_set(err, kind, "%s: %s: %s%s%s", shown, what, words, *system == '\0' ? "" : ": ",
                  system);
    }
    arena_release(&arena);
}

static bool is_same_part(CURLU *a, CURLU *b, CURLUPart part)
{
    char *one = NULL, *two = NULL;
    bool same = curl_url_get(a, part, &one, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                curl_url_get(b, part, &two, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                strcasecmp(one, two) == 0;
    curl_free(one);
    curl_free(two);
    return same;
}

static bool is_same_origin(const char *from, const char *to)
{
    CURLU *a = curl_url(), *b = curl_url();
    bool same = curl_url_set(a, CURLUPART_URL, from, 0) == CURLUE_OK &&
                curl_url_set(b, CURLUPART_URL, to, 0) == CURLUE_OK &&
                is_same_part(a, b, CURLUPART_SCHEME) && is_same_part(a, b, CURLUPART_HOST) &&
                is_same_part(a, b, CURLUPART_PORT);
    curl_url_cleanup(a);
    curl_url_cleanup(b);
    return same;
}

/* Where to go on, or NULL where the answer is the caller's. */
static const char *redirect_of(const struct transfer *transfer)
{
    const struct http_request *request = &transfer->operation->http;
    const char *method = http_method(request);
    char *to = NULL;
    if (request->redirects <= 0 || (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)) {
        return NULL;
    }
    curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &to);
    return to != NULL && is_same_origin(request->url, to) ? to : NULL;
}

static int status_of(const struct transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static void take_answer(const struct transfer *transfer, struct http_reply *reply)
{
    curl_off_t seconds = 0;
    const char *type = NULL;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &seconds);
    reply->status = status_of(transfer);
    if (type != NULL) {
        http_copy_printable(reply->content_type, sizeof(reply->content_type), type, strlen(type));
    }
    if (transfer->retry_after) {
        reply->retry_after_ms = 1000 * (seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S);
    }
}

static void end_transfer(struct transfer *transfer)
{
    struct operation *operation = transfer->operation;
    operation->reply.took_ms = loop_mono() - transfer->started;
    operation->state = NULL;
    operation->done = true;
    transfer_free(transfer);
}

static bool follow(struct http_engine *engine, struct transfer *transfer, const char *to)
{
    struct http_reply *reply = &transfer->operation->reply;
    if (transfer->redirects_left == 0) {
        struct arena arena;
        arena_init(&arena);
        error_set(&reply->error, ERROR_REMOTE, "%s: redirected more than %d times",
                  http_request_shown(&arena, &transfer->operation->http),
                  transfer->operation->http.redirects);
        arena_release(&arena);
        return false;
    }
    transfer->redirects_left--;
    buf_clear(&reply->body);
    curl_easy_setopt(transfer->easy, CURLOPT_URL, to);
    set_time(transfer);
    return curl_multi_add_handle(engine->multi, transfer->easy) == CURLM_OK;
}

/* To libcurl a connection that ends within the head has said all. */
static CURLcode outcome_of(struct transfer *transfer, CURLcode code)
{
    static const char words[] = "the answer ended within its head";
    if (code != CURLE_OK || transfer->head_ended) {
        return code;
    }
    memcpy(transfer->words, words, sizeof(words));
    return CURLE_PARTIAL_FILE;
}

static void finish(struct http_engine *engine, struct transfer *transfer, CURLcode result)
{
    struct http_reply *reply = &transfer->operation->reply;
    CURLcode code = outcome_of(transfer, result);
    curl_multi_remove_handle(engine->multi, transfer->easy);
    if (code == CURLE_OK && status_of(transfer) < 100) {
        code = CURLE_WEIRD_SERVER_REPLY; /* libcurl takes any three digits */
    }
    const char *to = code == CURLE_OK ? redirect_of(transfer) : NULL;
    if (to != NULL && follow(engine, transfer, to)) {
        return;
    }
    if (code != CURLE_OK) {
        explain(transfer, code, &reply->error);
    } else if (reply->error.kind == ERROR_NONE) {
        take_answer(transfer, reply);
    }
    if (reply->error.kind != ERROR_NONE) {
        buf_clear(&reply->body);
    }
    end_transfer(transfer);
}

void http_step(struct http_engine *engine)
{
    int count = 0;
    curl_multi_perform(engine->multi, &count);
    for (CURLMsg *news = curl_multi_info_read(engine->multi, &count); news != NULL;
         news = curl_multi_info_read(engine->multi, &count)) {
        char *transfer = NULL;
        CURLcode code = news->data.result;
        curl_easy_getinfo(news->easy_handle, CURLINFO_PRIVATE, &transfer);
        finish(engine, (struct transfer *)(void *)transfer, code);
    }
}

void http_drop(struct http_engine *engine, struct operation *operation, const struct error *why)
{
    struct transfer *transfer = operation->state;
    curl_multi_remove_handle(engine->multi, transfer->easy);
    operation->reply.error = *why;
    end_transfer(transfer);
}

void http_poll(struct http_engine *engine, int fd, int timeout_ms)
{
    struct curl_waitfd ours = {.fd = fd, .events = CURL_WAIT_POLLIN};
    curl_multi_poll(engine->multi, &ours, 1, timeout_ms, NULL);
}
