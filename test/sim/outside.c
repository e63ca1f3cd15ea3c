/* SPDX-License-Identifier: Apache-2.0
 *
 * What the program has from the operating system: time, its file, and where it tells.
 */
#include "sim.h"

#include "file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define STATE "sim:/state.json"

/* ---- clock ---- */

static int64_t mono(struct clock *clock)
{
    (void)clock;
    return sim.now.mono;
}

static int64_t wall(struct clock *clock)
{
    (void)clock;
    return INT64_C(1800000000000) + sim.now.mono + sim.now.jumped;
}

static int pause_until(struct clock *clock, int64_t until, struct error *err)
{
    enum fault fault;
    (void)clock;
    if (call_enter(CALL_SLEEP, &fault, err) != 0)
        return -1;
    if (until > sim.now.mono)
        world_advance(until - sim.now.mono);
    return 0;
}

static int cancelled(struct clock *clock)
{
    (void)clock;
    return sim.shielded ? 0 : sim.signal;
}

static void shield(struct clock *clock, bool on)
{
    (void)clock;
    sim.shielded = on;
}

void clock_of_sim(struct clock *clock)
{
    *clock = (struct clock){
        .mono = mono, .wall = wall, .sleep = pause_until, .cancelled = cancelled, .shield = shield};
}

/* ---- state ---- */

static int read_state(struct store *store, struct buf *out, struct error *err)
{
    (void)store;
    saved_print();
    if (sim.state == NULL)
        return error_set(err, ERROR_NOTFOUND, STATE ": not there");
    buf_init(out, strlen(sim.state) + 1);
    buf_adds(out, sim.state);
    return 0;
}

static int write_state(struct store *store, const char *data, size_t length, struct error *err)
{
    enum fault fault;
    (void)store;
    if (call_enter(CALL_WRITE, &fault, err) != 0)
        return -1;
    if (sim.nested || !sim.locked)
        violate(9, "the state is written without the lock");
    free(sim.state);
    sim.state = malloc(length + 1);
    memcpy(sim.state, data, length);
    sim.state[length] = '\0';
    return call_leave(fault, err);
}

static int lock(struct store *store, const char *who, struct error *err)
{
    (void)store, (void)who;
    if (sim.nested)
        return error_set(err, ERROR_CONFLICT, "another run is at work");
    sim.locked = true;
    return 0;
}

static void unlock(struct store *store)
{
    (void)store;
    sim.locked = sim.nested && sim.locked;
}

static int set_aside(struct store *store, const char *name, struct error *err)
{
    enum fault fault;
    (void)store, (void)name;
    if (call_enter(CALL_WRITE, &fault, err) != 0)
        return -1;
    saved_set_aside();
    free(sim.state);
    sim.state = NULL;
    return call_leave(fault, err);
}

struct store *store_of_sim(void)
{
    static struct store store = {.read = read_state,
                                 .write = write_state,
                                 .lock = lock,
                                 .unlock = unlock,
                                 .set_aside = set_aside,
                                 .path = STATE};
    return &store;
}

/* ---- the history and other files: in place of what src/io has (--wrap) ---- */

int __wrap_file_append(const char *path, const char *line, struct error *err);
int __wrap_file_read(const char *path, size_t max, bool nofollow, struct buf *out,
                     struct error *err);
int __real_file_read(const char *path, size_t max, bool nofollow, struct buf *out,
                     struct error *err);
void __wrap_file_give(const char *path);
bool __wrap_file_exists(const char *path);
ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags);
int __wrap_session_config(struct session *session);

int __wrap_file_append(const char *path, const char *line, struct error *err)
{
    enum fault fault;
    (void)path;
    if (call_enter(CALL_WRITE, &fault, err) != 0)
        return -1;
    size_t old = sim.history == NULL ? 0 : strlen(sim.history), length = strlen(line);
    sim.history = realloc(sim.history, old + length + 2);
    memcpy(sim.history + old, line, length);
    memcpy(sim.history + old + length, "\n", 2);
    return call_leave(fault, err);
}

int __wrap_file_read(const char *path, size_t max, bool nofollow, struct buf *out,
                     struct error *err)
{
    if (strncmp(path, "sim:", 4) != 0)
        return __real_file_read(path, max, nofollow, out, err);
    if (sim.history == NULL)
        return error_set(err, ERROR_NOTFOUND, "%s: not there", path);
    buf_init(out, max);
    buf_adds(out, sim.history);
    return 0;
}

void __wrap_file_give(const char *path)
{
    (void)path;
}

bool __wrap_file_exists(const char *path)
{
    (void)path;
    return false;
}

ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags)
{
    uint64_t number = sim_hash(40, (uint64_t)sim.process, (uint64_t)sim.calls);
    (void)flags;
    memcpy(out, &number, size < sizeof number ? size : sizeof number);
    return (ssize_t)size;
}

int __wrap_session_config(struct session *session)
{
    (void)session;
    return 0;
}

/* ---- the terminal and the documents ---- */

static int publish(struct observer *observer, const struct run *run, struct error *err)
{
    (void)observer;
    AUTO_BUF struct buf out = {0};
    struct session *session =
        (struct session *)((char *)observer - offsetof(struct session, observer));
    if (sim.seed % 128 != 0)
        return 0; /* to write a document takes as long as all the rest */
    buf_init(&out, 1 << 20);
    struct report_request request = {run, session->config, DOCUMENT_REPORT};
    if (report_render(&session->arena, &request, &out, err) != 0)
        return -1;
    if (strstr(out.data, run->version) == NULL)
        violate(8, "the report does not name %s", run->version);
    return 0;
}

void progress_init(struct session *session)
{
    session->observer = (struct observer){.publish = publish};
}

int publish_files(struct observer *observer, const struct run *run, struct error *err)
{
    return publish(observer, run, err);
}

void publish_ci(struct session *session)
{
    (void)session;
}

void publish_sweep(struct session *session)
{
    (void)session;
}
