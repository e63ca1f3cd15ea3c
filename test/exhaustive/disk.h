/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program does to the files of one folder, written down call by call, and every folder that
 * a crash or a loss of power at one of these calls may leave behind.
 */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPS_MAX 512
#define FILES_MAX 64
#define NAME_BYTES 64
#define FILE_BYTES 16384

enum op_kind { OP_CREATE, OP_WRITE, OP_SYNC, OP_RENAME, OP_UNLINK, OP_SYNC_FOLDER, OP_MARK };

struct op {
    enum op_kind kind;
    int file;              /* which; of a rename: the one that gets the name */
    char name[NAME_BYTES]; /* CREATE, UNLINK; RENAME: the new one */
    char old[NAME_BYTES];  /* RENAME */
    size_t length;         /* WRITE: of the file afterwards */
    int mark;              /* MARK: the caller's */
    int64_t number;
};

struct disk {
    struct op ops[OPS_MAX];
    size_t count;
    char data[FILES_MAX][FILE_BYTES];
    size_t length[FILES_MAX], first[FILES_MAX]; /* first: what was there before, and is durable */
    int files;
    struct {
        char name[NAME_BYTES];
        int file;
    } begin[FILES_MAX];
    int begin_count;
};

/* Begins to write down what happens in folder from now on; NULL: ends it. */
void disk_watch(struct disk *disk, const char *folder);
void disk_mark(int mark, int64_t number);
/* Called at each op while disk is watched; NULL: nobody. */
extern void (*disk_probe)(void);

void disk_empty(const char *folder);

/* Calls found for every folder that may be there when the machine stops before op `cut`: by a
 * kill, where everything that was written is there, or by a loss of power, where what was not
 * synced may be lost, torn or in another order. Each is made in `folder`, which is emptied. */
void disk_crash(const struct disk *disk, size_t cut, const char *folder,
                void (*found)(void *context), void *context);

#endif
