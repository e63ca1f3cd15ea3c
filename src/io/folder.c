/* SPDX-License-Identifier: Apache-2.0
 *
 * The way to a file that we write. A workspace is filled by others (a checkout, an artifact, a
 * cache): a link in it must not lead us to write elsewhere with our rights.
 */
#include "io.h"

#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAY (O_PATH | O_DIRECTORY | O_CLOEXEC)

/* One component of the way. */
struct hop {
    char name[NAME_MAX + 1];
    bool strict; /* no symbolic link */
    bool make;   /* what is missing */
};

static bool is_link(int at, const char *name)
{
    struct stat status;
    return fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
}

static int hop_over(int *at, const struct hop *hop)
{
    const int flags = WAY | (hop->strict ? O_NOFOLLOW : 0);
    int next = openat(*at, hop->name, flags);
    if (next < 0 && errno == ENOENT && hop->make &&
        (mkdirat(*at, hop->name, 0755) == 0 || errno == EEXIST)) {
        next = openat(*at, hop->name, flags);
    }
    if (next < 0) {
        const int number = errno;
        errno = hop->strict && is_link(*at, hop->name) ? ELOOP : number;
        return -1;
    }
    fd_cleanup(at);
    *at = next;
    return 0;
}

/* Below the project nothing may be a link, elsewhere not the folder itself: /var/run may lead
 * to /run, which is the machine's own affair. */
static int walk(const char *path, size_t length, bool make, int *out)
{
    const bool absolute = path[0] == '/';
    AUTO_FD int at = open(absolute ? "/" : ".", WAY);
    if (at < 0) {
        return -1;
    }
    for (const char *name = path, *end = path + length; name < end;) {
        const char *slash = memchr(name, '/', (size_t)(end - name));
        const size_t size = (size_t)((slash != NULL ? slash : end) - name);
        const char *rest = name + size;
        while (rest < end && *rest == '/') {
            rest++;
        }
        struct hop hop = {.strict = !absolute || rest == end, .make = make};
        if (size > NAME_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(hop.name, name, size);
        name = rest;
        if (size > 0 && hop_over(&at, &hop) < 0) {
            return -1;
        }
    }
    *out = at;
    at = -1;
    return 0;
}

int folder_error(const char *path, const char *what, struct error *err)
{
    if (errno == ELOOP) {
        return error_set(err, ERROR_DENIED,
                         "%s%s: a symbolic link stands in the way; give the path that it leads to",
                         what, path);
    }
    return error_system(err, errno, "%s%s", what, path);
}

int folder_open(const char *path, int *out, const char **name)
{
    const char *slash = strrchr(path, '/');
    *name = slash != NULL ? slash + 1 : path;
    if (strlen(path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return walk(path, (size_t)(*name - path), false, out);
}

int file_make_folder(const char *path, struct error *err)
{
    AUTO_FD int fd = -1;
    const size_t length = strlen(path);
    errno = length == 0 ? ENOENT : ENAMETOOLONG;
    if (length == 0 || length >= PATH_MAX || walk(path, length, true, &fd) < 0) {
        return folder_error(path, "cannot make folder ", err);
    }
    return 0;
}
