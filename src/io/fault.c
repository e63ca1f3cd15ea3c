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

static void strike(long count)
{
    const char *wish = getenv("FAULT_KILL");
    char *end = NULL;
    if (wish == NULL || strtol(wish, &end, 10) != count || end == wish) {
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
    strike(count);
}

#endif
