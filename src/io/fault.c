/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#ifdef FAULT_POINTS

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void trace(long count, const char *name)
{
    const char *path = getenv("FAULT_TRACE");
    if (path == NULL) {
        return;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0) {
        dprintf(fd, "%ld %s\n", count, name);
        close(fd);
    }
}

/* NULL: not here; else what follows the point in the wish. */
static const char *is_wished(const char *wish, long count, const char *name)
{
    char *end = NULL;
    size_t length = strlen(name);
    if (strtol(wish, &end, 10) == count && end != wish) {
        return end;
    }
    return strncmp(wish, name, length) == 0 ? wish + length : NULL;
}

static void strike(long count, const char *name)
{
    const char *wish = getenv("FAULT_KILL");
    const char *end = wish == NULL ? NULL : is_wished(wish, count, name);
    if (end == NULL || (*end != '\0' && *end != ':')) {
        return;
    }
    if (strcmp(end, ":TERM") == 0) {
        kill(getpid(), SIGTERM);
    } else if (strcmp(end, ":INT") == 0) {
        kill(getpid(), SIGINT);
    } else {
        kill(getpid(), SIGKILL);
        _exit(137); /* PID 1 is deaf to its own SIGKILL */
    }
}

void fault_point(const char *name)
{
    static long count;
    count++;
    trace(count, name);
    strike(count, name);
}

#endif
