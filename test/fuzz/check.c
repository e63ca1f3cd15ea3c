/* SPDX-License-Identifier: Apache-2.0
 *
 * Expectations of HTTP checks over any answer: a verdict has its evidence, and jq comes to the
 * same as alone. Lines: what is expected as status, header, body and jq; then status and header
 * of the answer; the rest is its body.
 */
#include "../../src/base/program.h"
#include "../../src/check/http.c"

#include "fuzz.h"

static const char *filled(const char *line)
{
    return line[0] != '\0' ? line : NULL;
}

static void read_expectations(struct arena *arena, struct slice *rest, struct settings *settings)
{
    static const char *status[1];
    status[0] = input_line(arena, rest);
    settings->expect.status = (struct texts){status, status[0][0] != '\0'};
    settings->expect.header = filled(input_line(arena, rest));
    settings->expect.body = filled(input_line(arena, rest));
    settings->expect.jq = filled(input_line(arena, rest));
}

static void read_answer(struct arena *arena, struct slice *rest, struct http_reply *reply)
{
    int64_t status = 200;
    if (text_int(input_line(arena, rest), &status, NULL) != 0) {
        status = 200;
    }
    reply->status = (int)(status % 1000);
    const char *header = input_line(arena, rest);
    reply->has_header = header[0] != '\0';
    memcpy(reply->header, header, strnlen(header, sizeof reply->header - 1));
    memcpy(reply->location, header, strnlen(header, sizeof reply->location - 1));
    buf_init(&reply->body, BODY_MAX);
    buf_add(&reply->body, rest->data, rest->length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct slice rest = {(const char *)data, size};
    struct settings settings = {.url = "http://shop.test/"};
    const struct config config = {.directory = "."};
    const struct check_config check = {.timeout = 1000, .kind.settings = &settings};
    struct driver_context context = {.config = &config, .settings = &settings, .arena = &arena};
    struct check_call call = {.config = &check, .settings = &settings, .context = &context};
    struct error err = {0};
    read_expectations(&arena, &rest, &settings);
    REQUIRE(driver.start(&call, &err) == 0);
    read_answer(&arena, &rest, &call.operation.reply);
    bool plain = false;
    bool runs = settings.expect.jq == NULL || program_look(settings.expect.jq, &plain, NULL) == 0;
    if (runs && (settings.expect.jq == NULL || plain)) {
        if (driver.step(&call, &err) == 0) {
            REQUIRE(call.verdict == VERDICT_PASS || call.verdict == VERDICT_FAIL);
            REQUIRE(call.evidence != NULL && text_starts(call.evidence, "GET http://shop.test/"));
        } else {
            REQUIRE(err.kind == ERROR_CONFIG || err.kind == ERROR_FORMAT);
        }
    }
    buf_release(&call.operation.reply.body);
    return 0;
}
