/* SPDX-License-Identifier: Apache-2.0 */
#include "web.h"

#include "text.h"

int web_open(const struct driver_context *context, struct metric **out, struct error *err)
{
    (void)err;
    *out = ARENA_NEW(context->arena, struct metric);
    **out = (struct metric){.context = context, .settings = context->settings};
    return 0;
}

void web_close(struct metric *metric)
{
    (void)metric;
}

struct http_request web_request(const struct metric *metric, struct arena *arena)
{
    const struct web_settings *settings = metric->settings;
    return (struct http_request){
        .headers = (const char *const *)settings->headers.items,
        .header_count = settings->headers.count,
        .ca_file = driver_path(metric->context, settings->ca_file, arena),
        .bearer = settings->token.value,
        .timeout_ms = settings->timeout,
        .max_bytes = (size_t)4 << 20,
    };
}

size_t web_add(struct web_sweep *sweep, const char *url, const char *body)
{
    sweep->pages = arena_grow(sweep->arena, sweep->pages, sweep->count, &sweep->capacity,
                              sizeof(*sweep->pages));
    sweep->pages[sweep->count] = (struct web_page){
        .url = url,
        .body = body,
        .why = url ? NULL : sweep->without,
        .nothing = NOTHING_UNREACHABLE,
    };
    return sweep->count++;
}

size_t web_page_of(struct web_sweep *sweep, const char *url)
{
    for (size_t i = 0; i < sweep->count; i++) {
        if (text_equal(sweep->pages[i].url, url)) {
            return i;
        }
    }
    return web_add(sweep, url, NULL);
}

static void page_start(struct web_sweep *sweep, struct web_page *page,
                       const struct http_request *request)
{
    struct operation *operation = &sweep->operations[sweep->started++];
    operation->kind = OPERATION_HTTP;
    operation->http = *request;
    operation->http.url = page->url;
    operation->http.body = page->body;
    page->operation = operation;
}

int web_fetch(struct web_sweep *sweep, const struct http_request *request)
{
    struct error err;
    sweep->operations = arena_array(sweep->arena, sweep->count, sizeof(*sweep->operations));
    for (size_t i = 0; i < sweep->count; i++) {
        if (sweep->pages[i].url) {
            page_start(sweep, &sweep->pages[i], request);
        }
    }
    struct loop *loop = sweep->metric->context->loop;
    const int result = loop_run_all(loop, sweep->operations, sweep->started, &err);
    for (size_t i = 0; i < sweep->count && result == 0; i++) {
        struct web_page *page = &sweep->pages[i];
        const struct operation *done = page->operation;
        if (done && transfer_failed(&done->http, &done->reply, sweep->arena, &page->why)) {
            page->nothing = nothing_of_transfer(&done->reply);
        }
    }
    return result;
}

void web_release(struct web_sweep *sweep)
{
    for (size_t i = 0; i < sweep->started; i++) {
        operation_release(&sweep->operations[i]);
    }
}
