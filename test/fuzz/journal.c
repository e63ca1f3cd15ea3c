/* SPDX-License-Identifier: Apache-2.0
 *
 * The state file: an error says what is wrong; a run that was loaded, saved and loaded again is
 * the same run, one write later; a seal holds for these bytes alone.
 */
#include "clock.h"
#include "journal.h"

#include "fuzz.h"

/* A store in memory: what was written is what is read. */
struct memory {
    struct store store;
    struct buf bytes;
};

static int memory_read(struct store *store, struct buf *out, struct error *err)
{
    const struct buf *bytes = &((struct memory *)store)->bytes;
    (void)err;
    buf_init(out, bytes->max);
    buf_add(out, bytes->data, bytes->length);
    return 0;
}

static int memory_write(struct store *store, const char *data, size_t length, struct error *err)
{
    struct buf *bytes = &((struct memory *)store)->bytes;
    (void)err;
    buf_clear(bytes);
    buf_add(bytes, data, length);
    REQUIRE(!bytes->overflow);
    return 0;
}

static int64_t no_time(struct clock *clock)
{
    (void)clock;
    return 1;
}

static char *print(const struct run *run)
{
    struct json *json AUTO_JSON = run_save(run);
    return json_print(json, true);
}

static void save_and_load(struct journal *journal, struct run *run)
{
    struct run again;
    struct error err = {0};
    int64_t before = run->sequence;
    REQUIRE(journal_save(journal, run, &err) == 0 && run->sequence == before + 1);
    REQUIRE(journal_load(journal, &again, &err) == 0);
    char *first = print(run), *second = print(&again);
    REQUIRE(strcmp(first, second) == 0);
    free(first);
    free(second);
}

/* Sealed, a file is read, and one in which any byte is another is not. */
static void try_seal(struct journal *journal, struct run *run, size_t at)
{
    struct buf *bytes = &((struct memory *)journal->store)->bytes;
    struct run again;
    struct error err = {0};
    REQUIRE(journal_load(journal, &again, NULL) == 0);
    journal->key = "the key of our seal";
    REQUIRE(journal_load(journal, &again, &err) != 0 && strstr(err.message, "seal") != NULL);
    REQUIRE(journal_save(journal, run, &err) == 0);
    REQUIRE(journal_load(journal, &again, &err) == 0);
    bytes->data[at % bytes->length] ^= 1;
    REQUIRE(journal_load(journal, &again, &err) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO_ARENA = {0};
    struct clock clock = {.mono = no_time, .wall = no_time};
    struct memory memory = {
        .store = {.read = memory_read, .write = memory_write, .path = "state.json"}};
    struct journal journal = {.store = &memory.store, .arena = &arena, .clock = &clock};
    struct run run;
    struct error err = {0};
    buf_init(&memory.bytes, 32 << 20);
    buf_add(&memory.bytes, (const char *)data, size);
    if (journal_load(&journal, &run, &err) != 0) {
        REQUIRE(err.kind == ERROR_STATE && text_starts(err.message, "state.json: "));
        REQUIRE(strstr(err.message, "--restart") != NULL);
    } else {
        save_and_load(&journal, &run);
        try_seal(&journal, &run, size * 7);
    }
    buf_release(&memory.bytes);
    return 0;
}
