/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"
#include "file.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOLDER_MAX 256

static int held_by_other(int fd, const char *path, struct error *err)
{
    char text[HOLDER_MAX];
    ssize_t length = pread(fd, text, sizeof(text), 0);
    size_t end = length < 0 ? 0 : (size_t)length;
    while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == ' ')) {
        end--;
    }
    if (end == 0) {
        return error_set(err, ERROR_CONFLICT, "%s is held by another run", path);
    }
    struct arena arena;
    arena_init(&arena);
    AUTO_BUF struct buf shown;
    buf_init(&shown, HOLDER_MAX * 4);
    text_to_terminal(&shown, text_shown(&arena, text, end, HOLDER_MAX));
    arena_release(&arena);
    return error_set(err, ERROR_CONFLICT, "%s is held by: %s", path, shown.data);
}

/* False where the file was removed or replaced between open and flock: then the lock is
 * on a file that nobody else will ever open. */
static bool is_still_there(int fd, const char *path)
{
    struct stat ours, named;
    return fstat(fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_ino == named.st_ino &&
           ours.st_dev == named.st_dev;
}

static int write_holder(int fd, const char *path, const char *who, struct error *err)
{
    if (ftruncate(fd, 0) < 0 || fd_write(fd, who, strlen(who)) < 0 || fd_write(fd, "\n", 1) < 0) {
        return error_system(err, errno, "cannot write %s", path);
    }
    return 0;
}

static int take(const char *path, int *out, struct error *err)
{
    AUTO_FD int folder = -1, fd = -1;
    const char *name = path;
    if (folder_open(path, &folder, &name) == 0) {
        fd = openat(folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0644);
    }
    if (fd < 0) {
        return folder_error(path, "cannot lock ", err);
    }
    int result;
    do {
        result = flock(fd, LOCK_EX | LOCK_NB);
    } while (result < 0 && errno == EINTR);
    if (result < 0 && errno == EWOULDBLOCK) {
        return held_by_other(fd, path, err);
    }
    if (result < 0) {
        return error_system(err, errno, "cannot lock %s", path);
    }
    *out = fd;
    fd = -1;
    return 0;
}

int file_lock(const char *path, const char *who, int *fd, struct error *err)
{
    AUTO_FD int taken = -1;
    do {
        fd_cleanup(&taken);
        if (take(path, &taken, err) < 0) {
            return -1;
        }
    } while (!is_still_there(taken, path));
    if (write_holder(taken, path, who, err) < 0) {
        return -1;
    }
    *fd = taken;
    taken = -1;
    return 0;
}

/* No LOCK_UN: it would also end the lock of a guard that still runs a command. */
void file_unlock(int fd)
{
    fd_cleanup(&fd);
}
