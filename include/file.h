/* SPDX-License-Identifier: Apache-2.0
 *
 * Files: read with a cap, written whole or not at all, locked.
 */
#ifndef FILE_H
#define FILE_H

#include "text.h"

/* Where we write, and read with `nofollow`, a symbolic link is never followed: in a relative path
 * nowhere, in an absolute one not at its last two components. ERROR_DENIED says so. */

/* Regular files only; larger than max: ERROR_FORMAT; absent: ERROR_NOTFOUND. out is initialised
 * here; buf_release it. */
MUST_CHECK int file_read(const char *path, size_t max, bool nofollow, struct buf *out,
                         struct error *err);

/* tmp (O_EXCL, 0600) → write → fsync → rename → fsync of the folder; on any failure before
 * the rename the old file is untouched and the tmp file gone. A process that is killed on the
 * way leaves `PATH.<16 hex digits>.tmp` behind. */
MUST_CHECK int file_write(const char *path, const char *data, size_t length, struct error *err);

/* Removes such files of path, but not of a writer that is still alive. Failure is ignored:
 * they cost nothing but their place. */
void file_sweep(const char *path);

/* One line added to a file with O_APPEND and fsync; and the descriptor for more of them. A
 * last line that a killed writer left torn is ended first. FORMAT for a pipe or a socket. */
MUST_CHECK int file_open_append(const char *path, int *out, struct error *err);
MUST_CHECK int file_append(const char *path, const char *line, struct error *err);

/* Renames `from` within its folder, whatever it is, in place of `to`; fsync of the folder. */
MUST_CHECK int file_move(const char *from, const char *to, struct error *err);

/* Creates path and its missing parents, 0755. */
MUST_CHECK int file_make_folder(const char *path, struct error *err);

bool file_exists(const char *path);
MUST_CHECK int file_remove(const char *path, struct error *err);

/* Takes the exclusive lock of path (created when absent) and writes `who` into it.
 * Held by somebody else: ERROR_CONFLICT with what stands in the file. The lock is flock(2):
 * it ends with the last process that holds the descriptor. */
MUST_CHECK int file_lock(const char *path, const char *who, int *fd, struct error *err);
void file_unlock(int fd);

/* Gives path the owner of the folder it lies in, where we are root (CI containers leave
 * no root-owned files behind). Failure is ignored: it is a courtesy. */
void file_give(const char *path);

void fd_cleanup(int *fd);
#define AUTO_FD __attribute__((cleanup(fd_cleanup)))

#endif
