/* SPDX-License-Identifier: Apache-2.0
 *
 * From what was written down to what may be left of it.
 */
#include "disk.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum rest { REST_LOST, REST_WHOLE, REST_TORN, REST_ZEROS, RESTS }; /* of bytes that nobody synced */

struct crash {
    const struct disk *disk;
    size_t cut, synced; /* ops before `synced` have their names for good */
    const char *folder;
    enum rest rest;
    uint64_t lost; /* a bit for each op with a name since then that did not come to be */
};

static bool has_name(const struct op *op)
{
    return op->kind == OP_CREATE || op->kind == OP_RENAME || op->kind == OP_UNLINK;
}

void disk_empty(const char *folder)
{
    char path[512];
    DIR *dir = opendir(folder);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    closedir(dir);
}

/* How long the file is that is left, and where what is not synced begins. */
static size_t left(const struct crash *crash, int file, size_t *synced)
{
    size_t written = crash->disk->first[file];
    *synced = written;
    for (size_t i = 0; i < crash->cut; i++) {
        const struct op *op = &crash->disk->ops[i];
        if (op->file != file)
            continue;
        if (op->kind == OP_WRITE)
            written = op->length;
        else if (op->kind == OP_SYNC)
            *synced = written;
    }
    switch (crash->rest) {
    case REST_LOST:
        return *synced;
    case REST_TORN:
        return *synced + (written - *synced) / 2;
    default:
        return written;
    }
}

static void make(const struct crash *crash, const char *name, int file)
{
    char path[512], data[FILE_BYTES];
    size_t synced = 0, length = left(crash, file, &synced);
    memcpy(data, crash->disk->data[file], length);
    if (crash->rest == REST_ZEROS)
        memset(data + synced, 0, length - synced);
    snprintf(path, sizeof path, "%s/%s", crash->folder, name);
    FILE *out = fopen(path, "w");
    if (out == NULL || fwrite(data, 1, length, out) != length || fclose(out) != 0)
        abort();
}

/* Later names win; a file has each of its names. */
static void make_all(const struct crash *crash)
{
    struct {
        const char *name;
        int file;
    } names[FILES_MAX * 2];
    int count = 0;
    for (int i = 0; i < crash->disk->begin_count; i++) {
        names[count].name = crash->disk->begin[i].name;
        names[count++].file = crash->disk->begin[i].file;
    }
    unsigned bit = 0;
    for (size_t i = 0; i < crash->cut; i++) {
        const struct op *op = &crash->disk->ops[i];
        if (!has_name(op) || (i >= crash->synced && (crash->lost >> bit++ & 1) != 0))
            continue;
        const char *gone = op->kind == OP_RENAME ? op->old : op->name;
        for (int j = 0; j < count; j++) {
            bool ends = strcmp(names[j].name, gone) == 0 || strcmp(names[j].name, op->name) == 0;
            if (ends)
                names[j--] = names[--count];
        }
        if (op->kind != OP_UNLINK) {
            names[count].name = op->name;
            names[count++].file = op->file;
        }
    }
    disk_empty(crash->folder);
    for (int i = 0; i < count; i++)
        make(crash, names[i].name, names[i].file);
}

static unsigned find_synced(struct crash *crash)
{
    unsigned open = 0;
    for (size_t i = 0; i < crash->cut; i++) {
        if (crash->disk->ops[i].kind == OP_SYNC_FOLDER) {
            crash->synced = i;
            open = 0;
        }
        open += has_name(&crash->disk->ops[i]) ? 1U : 0U;
    }
    return open;
}

void disk_crash(const struct disk *disk, size_t cut, const char *folder,
                void (*found)(void *context), void *context)
{
    struct crash crash = {.disk = disk, .cut = cut, .folder = folder, .rest = REST_WHOLE};
    unsigned open = find_synced(&crash);
    if (open > 8)
        abort();
    for (crash.lost = 0; crash.lost < 1ULL << open; crash.lost++) {
        for (int rest = 0; rest < RESTS; rest++) {
            crash.rest = (enum rest)rest;
            make_all(&crash);
            found(context);
        }
    }
}
