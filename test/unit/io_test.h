/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of src/io share: a scratch folder, forked peers, a body in a child.
 */
#ifndef IO_TEST_H
#define IO_TEST_H

#include "file.h"
#include "loop.h"
#include "slowly.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cmocka.h>

#define TIME_SLACK (4000 * SLOWLY) /* for a machine under load */

static struct error error;
static char folder[64];

static inline int enter_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/io-test-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static inline int leave_folder(void **state)
{
    char command[128];
    pid_t pid;
    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
    return 0;
}

/* Up to four results are alive at once. */
static inline const char *in_folder(const char *name)
{
    static char paths[4][160];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static inline struct loop *open_loop(void)
{
    struct loop *loop = NULL;
    int result = loop_open(&loop, &error);
    assert_int_equal(result, 0);
    return loop;
}

static inline pid_t fork_peer(void)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    assert_true(pid >= 0);
    return pid;
}

static inline void end_peer(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* Sends a signal to this process after a while, from outside. */
static inline pid_t signal_later(int number, unsigned ms)
{
    pid_t target = getpid();
    pid_t pid = fork_peer();
    if (pid == 0) {
        usleep(ms * 1000);
        kill(target, number);
        _exit(0);
    }
    return pid;
}

/* Runs body in a child and returns its wait status. */
static inline int status_of(int (*body)(void))
{
    int status = -1;
    pid_t pid = fork_peer();
    if (pid == 0) {
        _exit(body());
    }
    waitpid(pid, &status, 0);
    return status;
}

static inline bool appears(const char *path, int ms)
{
    for (ms *= SLOWLY; ms > 0 && !file_exists(path); ms -= 10) {
        usleep(10000);
    }
    return file_exists(path);
}

static inline void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static inline int listen_tcp(int family, int *port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr *address =
        family == AF_INET ? (struct sockaddr *)&four : (struct sockaddr *)&six;
    socklen_t size = family == AF_INET ? sizeof(four) : sizeof(six);
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, address, size) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, address, &size) < 0) {
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    *port = ntohs(family == AF_INET ? four.sin_port : six.sin6_port);
    return fd;
}

static inline int listen_unix(const char *path, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(strlen(path) < sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

#endif
