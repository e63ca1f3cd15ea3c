/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands of a workload print: a version, a state, restarts. The first byte is the
 * exit code.
 */
#include "../../src/workload/command_look.c"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct operation operation = {.kind = OPERATION_PROCESS, .process.shell = "./status"};
    struct sight sight = {.broken = false};
    size_t skip = size > 0;
    operation.result.exit_code = skip ? data[0] : 0;
    buf_init(&operation.result.output, 1 << 20);
    buf_add(&operation.result.output, (const char *)data + skip, size - skip);
    read_status(&operation, &sight, &arena);
    read_version(&operation, &sight, &arena);
    REQUIRE(sight.state.restarts >= -1 && sight.state.restarts <= 1000000);
    REQUIRE(sight.state.oom_kills >= -1 && sight.state.oom_kills <= 1000000);
    REQUIRE(sight.state.detail != NULL && strchr(sight.state.detail, '\n') == NULL);
    REQUIRE((sight.life == LIFE_READY) == (operation.result.exit_code == 0));
    if (sight.state.version != NULL) {
        REQUIRE(!text_blank(sight.state.version) && strchr(sight.state.version, '\n') == NULL);
        REQUIRE(text_utf8_valid(sight.state.version, strlen(sight.state.version)));
    }
    buf_release(&operation.result.output);
    return 0;
}
