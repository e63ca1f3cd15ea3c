/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"
#include "file.h"
#include "journal.h"
#include "process.h"

#include <string.h>

#define STATE_MAX_BYTES (8 * 1024 * 1024)

struct file_store {
    struct store store;
    const char *folder, *lock_path;
    int lock;
};

static int store_read(struct store *store, struct buf *out, struct error *err)
{
    return file_read(store->path, STATE_MAX_BYTES, true, out, err);
}

static int store_write(struct store *store, const char *data, size_t length, struct error *err)
{
    return file_write(store->path, data, length, err);
}

static int store_lock(struct store *store, const char *who, struct error *err)
{
    struct file_store *file = (struct file_store *)store;
    if (file_make_folder(file->folder, err) != 0)
        return -1;
    if (file_lock(file->lock_path, who, &file->lock, err) != 0)
        return -1;
    process_guard_lock(file->lock);
    file_sweep(store->path);
    file_give(file->folder);
    file_give(file->lock_path);
    return 0;
}

static void store_unlock(struct store *store)
{
    struct file_store *file = (struct file_store *)store;
    if (file->lock >= 0)
        file_unlock(file->lock);
    file->lock = -1;
}

static int store_set_aside(struct store *store, const char *name, struct error *err)
{
    return file_move(store->path, name, err);
}

struct store *store_file(struct arena *arena, const char *path)
{
    struct file_store *file = ARENA_NEW(arena, struct file_store);
    const char *slash = strrchr(path, '/');
    file->folder = slash == NULL ? "." : arena_text_n(arena, path, (size_t)(slash - path));
    file->lock_path = arena_format(arena, "%s.lock", path);
    file->lock = -1;
    file->store = (struct store){
        .read = store_read,
        .write = store_write,
        .lock = store_lock,
        .unlock = store_unlock,
        .set_aside = store_set_aside,
        .path = arena_text(arena, path),
    };
    return &file->store;
}
