/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include "fault.h"
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN_MODE 0600

void fd_cleanup(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

/* `nofollow`: no link on the way, either. */
static int open_read(const char *path, bool nofollow)
{
    /* O_NONBLOCK: a named pipe must not hang us. */
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    AUTO_FD int folder = -1;
    const char *name = path;
    if (!nofollow) {
        return open(path, flags);
    }
    return folder_open(path, &folder, &name) < 0 ? -1 : openat(folder, name, flags | O_NOFOLLOW);
}

static int open_regular(const char *path, bool nofollow, int *out, struct error *err)
{
    AUTO_FD int fd = open_read(path, nofollow);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0) {
        return folder_error(path, "", err);
    }
    if (!S_ISREG(status.st_mode)) {
        return error_set(err, ERROR_FORMAT, "%s: is not a regular file", path);
    }
    *out = fd;
    fd = -1;
    return 0;
}

/* The size is not asked for: in /proc it is 0, and elsewhere it may change. */
static int read_all(int fd, const char *path, struct buf *out, struct error *err)
{
    char chunk[16384];
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return error_system(err, errno, "%s", path);
        }
        if (got == 0) {
            return 0;
        }
        buf_add(out, chunk, (size_t)got);
        if (out->overflow) {
            return error_set(err, ERROR_FORMAT, "%s: is larger than %zu bytes", path, out->max);
        }
    }
}

int file_read(const char *path, size_t max, bool nofollow, struct buf *out, struct error *err)
{
    buf_init(out, max);
    AUTO_FD int fd = -1;
    if (open_regular(path, nofollow, &fd, err) < 0) {
        return -1;
    }
    if (read_all(fd, path, out, err) < 0) {
        buf_release(out);
        return -1;
    }
    return 0;
}

int fd_write(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t put = write(fd, data, length);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return -1;
        }
        data += put;
        length -= (size_t)put;
    }
    return 0;
}

/* Pipes and some network file systems know no fsync: what cannot be asked is no failure. */
int fd_sync(int fd)
{
    while (fsync(fd) < 0) {
        if (errno == EINVAL || errno == EROFS || errno == ENOTSUP) {
            return 0;
        }
        if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

static int sync_folder(int folder)
{
    AUTO_FD int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -1 : fd_sync(fd);
}

/* Random, not the PID: in a container that is 1 every time, and a file that a SIGKILL
 * left behind would be in the way. */
static int temporary_name(const char *name, char out[static NAME_MAX + 1])
{
    uint64_t number;
    ssize_t got;
    do {
        got = getrandom(&number, sizeof(number), 0);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof(number)) {
        return -1;
    }
    int length = snprintf(out, NAME_MAX + 1, "%s.%016llx.tmp", name, (unsigned long long)number);
    if (length < 0 || length > NAME_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}

/* Locked until it has its name: by that a sweep knows that the writer lives. Where there are
 * no locks a sweep cannot take one either, and removes nothing. */
static int open_temporary(int folder, const char *base, char name[static NAME_MAX + 1])
{
    int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    for (;;) {
        struct stat status;
        int fd = temporary_name(base, name) < 0 ? -1 : openat(folder, name, flags, OWN_MODE);
        if (fd < 0) {
            return -1;
        }
        bool swept = flock(fd, LOCK_EX | LOCK_NB) < 0
                         ? errno == EWOULDBLOCK
                         : fstat(fd, &status) == 0 && status.st_nlink == 0;
        if (!swept) {
            return fd;
        }
        unlinkat(folder, name, 0); /* a sweep came between open and lock */
        fd_cleanup(&fd);
    }
}

static int fill_temporary(int fd, const char *data, size_t length)
{
    if (fd_write(fd, data, length) < 0 || fd_sync(fd) < 0) {
        return -1;
    }
    /* Network file systems tell a full disk only at a close. */
    int again = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return again >= 0 && (close(again) == 0 || errno == EINTR) ? 0 : -1;
}

int file_write(const char *path, const char *data, size_t length, struct error *err)
{
    char temporary[NAME_MAX + 1];
    AUTO_FD int folder = -1;
    const char *name = path;
    fault_point("file.write.before");
    AUTO_FD int fd = -1;
    if (folder_open(path, &folder, &name) == 0) {
        fd = open_temporary(folder, name, temporary);
    }
    if (fd < 0) {
        return folder_error(path, "cannot write ", err);
    }
    if (fill_temporary(fd, data, length) < 0 || renameat(folder, temporary, folder, name) < 0) {
        int number = errno;
        unlinkat(folder, temporary, 0);
        return error_system(err, number, "cannot write %s", path);
    }
    if (sync_folder(folder) < 0) {
        return error_system(err, errno, "cannot write the folder of %s", path);
    }
    fault_point("file.written");
    return 0;
}

/* "BASE.0123456789abcdef.tmp" */
static bool is_temporary(const char *name, const char *base)
{
    size_t length = strlen(base);
    if (strncmp(name, base, length) != 0 || name[length] != '.') {
        return false;
    }
    name += length + 1;
    return strspn(name, "0123456789abcdef") == 16 && text_equal(name + 16, ".tmp");
}

static void remove_ownerless(int folder, const char *name)
{
    int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    AUTO_FD int fd = openat(folder, name, flags);
    struct stat status;
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        flock(fd, LOCK_EX | LOCK_NB) == 0) {
        unlinkat(folder, name, 0);
    }
}

void file_sweep(const char *path)
{
    AUTO_FD int folder = -1;
    const char *name = path;
    if (folder_open(path, &folder, &name) < 0) {
        return;
    }
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        fd_cleanup(&fd);
        return;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (is_temporary(entry->d_name, name)) {
            remove_ownerless(folder, entry->d_name);
        }
    }
    closedir(dir);
}

/* Whether the last writer was killed, or ran out of disk, within its line. An empty line
 * more, where that cannot be seen, harms nobody; two lines in one do. */
static bool is_torn(int fd)
{
    struct stat status;
    char last;
    if (fstat(fd, &status) < 0) {
        return true;
    }
    return S_ISREG(status.st_mode) && status.st_size > 0 &&
           (pread(fd, &last, 1, status.st_size - 1) != 1 || last != '\n');
}

/* What goes into a pipe, nobody reads again. */
static bool keeps(mode_t mode)
{
    return S_ISREG(mode) || S_ISCHR(mode);
}

int file_open_append(const char *path, int *out, struct error *err)
{
    AUTO_FD int folder = -1;
    const char *name = path;
    const int flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
    struct stat status;
    AUTO_FD int fd = -1;
    if (folder_open(path, &folder, &name) == 0) {
        fd = openat(folder, name, flags, OWN_MODE);
    }
    bool known = fd >= 0 && fstat(fd, &status) == 0;
    if (known && !keeps(status.st_mode)) {
        return error_set(err, ERROR_FORMAT, "cannot append to %s: is not a regular file", path);
    }
    if (!known || (is_torn(fd) && fd_write(fd, "\n", 1) < 0)) {
        return folder_error(path, "cannot append to ", err);
    }
    *out = fd;
    fd = -1;
    return 0;
}

int file_append(const char *path, const char *line, struct error *err)
{
    AUTO_FD int fd = -1;
    if (file_open_append(path, &fd, err) < 0) {
        return -1;
    }
    size_t length = strlen(line);
    AUTO_BUF struct buf whole;
    buf_init(&whole, length + 1);
    buf_add(&whole, line, length);
    if (length == 0 || line[length - 1] != '\n') {
        buf_add(&whole, "\n", 1);
    }
    fault_point("file.append.before");
    if (fd_write(fd, whole.data, whole.length) < 0 || fd_sync(fd) < 0) {
        return error_system(err, errno, "cannot append to %s", path);
    }
    fault_point("file.appended");
    return 0;
}

int file_move(const char *from, const char *to, struct error *err)
{
    AUTO_FD int folder = -1;
    const char *name = to, *slash = strrchr(from, '/');
    if (folder_open(to, &folder, &name) < 0) {
        return folder_error(to, "cannot rename to ", err);
    }
    if (renameat(folder, slash != NULL ? slash + 1 : from, folder, name) < 0) {
        return error_system(err, errno, "cannot rename %s to %s", from, to);
    }
    if (sync_folder(folder) < 0) {
        return error_system(err, errno, "cannot write the folder of %s", to);
    }
    fault_point("file.moved");
    return 0;
}

bool file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

int file_remove(const char *path, struct error *err)
{
    if (unlink(path) < 0 && errno != ENOENT) {
        return error_system(err, errno, "cannot remove %s", path);
    }
    return 0;
}

void file_give(const char *path)
{
    AUTO_FD int folder = -1;
    const char *name = path;
    struct stat status;
    if (geteuid() == 0 && folder_open(path, &folder, &name) == 0 && fstat(folder, &status) == 0 &&
        fchownat(folder, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) < 0) {
        return; /* a courtesy */
    }
}
