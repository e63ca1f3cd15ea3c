/* SPDX-License-Identifier: Apache-2.0
 *
 * Expectations of HTTP checks over any answer: a verdict has its evidence, and jq comes to the
 * same as alone. Lines: what is expected as status, header, body and jq (one of a few programs);
 * then status and header of the answer; the rest is its body.
 */
#include "../../src/check/http.c"

#include "fuzz.h"

static const char *filled(const char *line)
{
    return line[0] != '\0' ? line : NULL;
}

/* Programs that end by themselves: each runs in a process of its own, and those that do not end
 * have a target of theirs. */
static const char *program_of(const char *line)
{
    static const char *const programs[] = {".", ".status == \"ok\"", ".[0] > 2", "length",
                                           "keys[0]"};
    const size_t count = sizeof programs / sizeof programs[0];
    return line[0] == '\0' ? NULL : programs[(unsigned char)line[0] % count];
}

static void read_expectations(struct arena *arena, struct slice *rest, struct settings *settings)
{
    static const char *status[1];
    status[0] = input_line(arena, rest);
    settings->expect.status = (struct texts){status, status[0][0] != '\0'};
    settings->expect.header = filled(input_line(arena, rest));
    settings->expect.body = filled(input_line(arena, rest));
    settings->expect.jq = program_of(input_line(arena, rest));
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
    if (driver.step(&call, &err) == 0) {
        REQUIRE(call.verdict == VERDICT_PASS || call.verdict == VERDICT_FAIL);
        REQUIRE(call.evidence != NULL && text_starts(call.evidence, "GET http://shop.test/"));
    } else {
        REQUIRE(err.kind == ERROR_CONFIG || err.kind == ERROR_FORMAT);
    }
    buf_release(&call.operation.reply.body);
    return 0;
}
