/* SPDX-License-Identifier: Apache-2.0
 *
 * A log that writes to memory, and what is expected there.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include "expect.h"

#include "log.h"

#include <sys/mman.h>
#include <unistd.h>

struct capture {
    int fd;
    struct log *log;
};

static inline struct capture capture(enum log_style style, enum log_level level, bool color)
{
    int fd = memfd_create("log", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return (struct capture){fd, log_open(fd, style, level, color)};
}

static inline struct capture plain(void)
{
    return capture(LOG_PLAIN, LOG_DETAIL, false);
}

static inline struct capture github(void)
{
    return capture(LOG_GITHUB, LOG_DETAIL, false);
}

/* All that was written since the last time; begins anew. */
static inline void expect_written(struct capture *capture, const char *wanted)
{
    static char got[600000];
    ssize_t length = pread(capture->fd, got, sizeof got - 1, 0);
    assert_true(length >= 0);
    got[length] = '\0';
    assert_int_equal(ftruncate(capture->fd, 0), 0);
    assert_int_equal(lseek(capture->fd, 0, SEEK_SET), 0);
    assert_string_equal(got, wanted);
}

/* The end of the log, with what it still writes. */
static inline void expect_last(struct capture *capture, const char *wanted)
{
    log_free(capture->log);
    expect_written(capture, wanted);
    close(capture->fd);
}

#endif
