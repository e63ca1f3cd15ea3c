/* SPDX-License-Identifier: Apache-2.0 */
#include "disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FDS 1024
#define NO_FILE (-1)
#define FOLDER (-2)

int __real_openat(int folder, const char *name, int flags, mode_t mode);
int __wrap_openat(int folder, const char *name, int flags, mode_t mode);
ssize_t __real_write(int fd, const void *data, size_t length);
ssize_t __wrap_write(int fd, const void *data, size_t length);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from, const char *old, int to, const char *name);
int __wrap_renameat(int from, const char *old, int to, const char *name);
int __real_unlinkat(int folder, const char *name, int flags);
int __wrap_unlinkat(int folder, const char *name, int flags);
int __real_close(int fd);
int __wrap_close(int fd);

void (*disk_probe)(void);

static struct disk *watched;
static int file_of[FDS]; /* 1 more than the file, or FOLDER; 0: none */
static struct {
    char name[NAME_BYTES];
    int file;
} live[FILES_MAX];
static int live_count;

static struct op *add(enum op_kind kind, int file)
{
    if (watched->count == OPS_MAX)
        abort();
    struct op *op = &watched->ops[watched->count++];
    *op = (struct op){.kind = kind, .file = file};
    return op;
}

static void probe(void)
{
    struct disk *disk = watched;
    if (disk_probe == NULL)
        return;
    watched = NULL;
    disk_probe();
    watched = disk;
}

static int find(const char *name)
{
    for (int i = 0; i < live_count; i++) {
        if (strcmp(live[i].name, name) == 0)
            return i;
    }
    return NO_FILE;
}

static void name_live(const char *name, int file)
{
    int at = find(name);
    if (at == NO_FILE)
        at = live_count++;
    snprintf(live[at].name, NAME_BYTES, "%s", name);
    live[at].file = file;
}

static void forget_live(const char *name)
{
    int at = find(name);
    if (at != NO_FILE)
        live[at] = live[--live_count];
}

static int new_file(struct disk *disk)
{
    if (disk->files == FILES_MAX)
        abort();
    disk->length[disk->files] = disk->first[disk->files] = 0;
    return disk->files++;
}

static void load(struct disk *disk, const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "r");
    int file = new_file(disk);
    disk->length[file] = disk->first[file] = fread(disk->data[file], 1, FILE_BYTES, in);
    fclose(in);
    snprintf(disk->begin[disk->begin_count].name, NAME_BYTES, "%s", name);
    disk->begin[disk->begin_count++].file = file;
    name_live(name, file);
}

void disk_watch(struct disk *disk, const char *folder)
{
    watched = NULL;
    live_count = 0;
    memset(file_of, 0, sizeof file_of);
    if (disk == NULL)
        return;
    disk->count = 0;
    disk->files = disk->begin_count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] != '.')
            load(disk, folder, entry->d_name);
    }
    closedir(dir);
    watched = disk;
}

void disk_mark(int mark, int64_t number)
{
    if (watched == NULL)
        return;
    struct op *op = add(OP_MARK, NO_FILE);
    op->mark = mark;
    op->number = number;
}

int __wrap_openat(int folder, const char *name, int flags, mode_t mode)
{
    int fd = __real_openat(folder, name, flags, mode);
    if (watched == NULL || fd < 0 || fd >= FDS)
        return fd;
    int at = find(name);
    if (flags & O_DIRECTORY) {
        file_of[fd] = FOLDER;
    } else if (at != NO_FILE) {
        file_of[fd] = live[at].file + 1;
    } else if (flags & O_CREAT) {
        int file = new_file(watched);
        snprintf(add(OP_CREATE, file)->name, NAME_BYTES, "%s", name);
        name_live(name, file);
        file_of[fd] = file + 1;
        probe();
    }
    return fd;
}

ssize_t __wrap_write(int fd, const void *data, size_t length)
{
    ssize_t done = __real_write(fd, data, length);
    if (watched == NULL || done <= 0 || fd >= FDS || file_of[fd] <= 0)
        return done;
    int file = file_of[fd] - 1;
    if (watched->length[file] + (size_t)done > FILE_BYTES)
        abort();
    memcpy(watched->data[file] + watched->length[file], data, (size_t)done);
    watched->length[file] += (size_t)done;
    add(OP_WRITE, file)->length = watched->length[file];
    probe();
    return done;
}

int __wrap_fsync(int fd)
{
    int result = __real_fsync(fd);
    if (watched == NULL || fd < 0 || fd >= FDS || file_of[fd] == 0)
        return result;
    add(file_of[fd] == FOLDER ? OP_SYNC_FOLDER : OP_SYNC, file_of[fd] - 1);
    probe();
    return result;
}

int __wrap_renameat(int from, const char *old, int to, const char *name)
{
    int result = __real_renameat(from, old, to, name);
    int at = find(old);
    if (watched == NULL || result != 0 || at == NO_FILE)
        return result;
    int file = live[at].file;
    struct op *op = add(OP_RENAME, file);
    snprintf(op->name, NAME_BYTES, "%s", name);
    snprintf(op->old, NAME_BYTES, "%s", old);
    forget_live(old);
    name_live(name, file);
    probe();
    return result;
}

int __wrap_unlinkat(int folder, const char *name, int flags)
{
    int result = __real_unlinkat(folder, name, flags);
    if (watched == NULL || result != 0)
        return result;
    snprintf(add(OP_UNLINK, NO_FILE)->name, NAME_BYTES, "%s", name);
    forget_live(name);
    probe();
    return result;
}

int __wrap_close(int fd)
{
    if (fd >= 0 && fd < FDS)
        file_of[fd] = 0;
    return __real_close(fd);
}
