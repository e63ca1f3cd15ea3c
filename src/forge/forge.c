/* SPDX-License-Identifier: Apache-2.0 */
#include "forges.h"

#include "arena.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static const struct forge_driver *const forges[] = {
    &forge_github,
    &forge_gitlab,
    &forge_terminal,
    &forge_plain,
};

const struct forge_driver *forge_here(void)
{
    size_t index = 0;
    while (!forges[index]->detect()) {
        index++; /* the last one always detects itself */
    }
    return forges[index];
}

const char *forge_env(const char *name)
{
    const char *value = getenv(name);
    return value && *value != '\0' ? value : NULL;
}

bool forge_env_is(const char *name, const char *value)
{
    return text_equal(forge_env(name), value);
}

const char *forge_env_text(struct arena *arena, const char *name, const char *other)
{
    const char *value = forge_env(name);
    if (!value && other) {
        value = forge_env(other);
    }
    return arena_text(arena, value);
}

int forge_random(char out[static 2 * FORGE_RANDOM + 1], struct error *err)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[FORGE_RANDOM];
    size_t got = 0;
    while (got < sizeof(bytes)) {
        const ssize_t more = getrandom(bytes + got, sizeof(bytes) - got, 0);
        if (more < 0 && errno != EINTR) {
            return error_system(err, errno, "no random bytes");
        }
        got += more > 0 ? (size_t)more : 0;
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * sizeof(bytes)] = '\0';
    return 0;
}

int forge_append(const char *path, const char *data, size_t length, struct error *err)
{
    AUTO_FD int fd =
        open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0644);
    if (fd < 0) {
        return error_system(err, errno, "cannot open '%s'", path);
    }
    while (length > 0) {
        const ssize_t wrote = write(fd, data, length);
        if (wrote < 0 && errno != EINTR) {
            return error_system(err, errno, "cannot write '%s'", path);
        }
        data += wrote > 0 ? wrote : 0;
        length -= wrote > 0 ? (size_t)wrote : 0;
    }
    return 0;
}
