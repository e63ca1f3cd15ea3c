/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this room say to each other.
 */
#ifndef IO_H
#define IO_H

#include "error.h"
#include "loop.h"

#include <sys/types.h>

#define STOP_GRACE_MS 1000 /* between SIGTERM and SIGKILL */

/* file.c: 0, or -1 with errno; safe after fork. All of it, however little the system takes at
 * a time. On disk, as far as the file system can say. */
MUST_CHECK int fd_write(int fd, const char *data, size_t length);
MUST_CHECK int fd_sync(int fd);

/* signal.c: one set of handlers a process. */
MUST_CHECK int signals_install(struct error *err);
void signals_restore(void);
int signals_first(void);   /* 0: none yet */
int signals_wake_fd(void); /* readable after a signal */
void signals_drain(void);
const char *signals_name(int number); /* "SIGTERM" or "signal 44" in static storage */

/* loop.c: descriptors that wake the poll. Unwatch before close: a forked copy of the
 * descriptor would keep the registration alive. */
MUST_CHECK int loop_watch(struct loop *loop, int fd, unsigned events, struct error *err);
void loop_unwatch(struct loop *loop, int fd);
/* Until a watched descriptor is ready, something else happened, or `until`. */
MUST_CHECK int loop_turn(struct loop *loop, int64_t until, struct error *err);
/* As loop_wait, but to the end, and without forgetting what got done on the way. */
MUST_CHECK int loop_sleep(struct loop *loop, int64_t until, struct error *err);
/* Sets CANCELLED with the signal's name, or "stopped" where there was none; always -1. */
int loop_cancelled(const struct loop *loop, struct error *err);

/* folder.c: the folder of path (for openat, renameat) and the name in it. -1 with errno, which
 * is ELOOP where a symbolic link stands in the way; folder_error tells it. */
MUST_CHECK int folder_open(const char *path, int *out, const char **name);
int folder_error(const char *path, const char *what, struct error *err);

/* http.c: transfers. Each sets operation->done at its end. */
struct http_engine;
MUST_CHECK int http_engine_open(struct http_engine **out, struct error *err);
void http_engine_free(struct http_engine *engine);
MUST_CHECK int http_start(struct http_engine *engine, struct operation *operation,
                          struct error *err);
void http_step(struct http_engine *engine);
void http_drop(struct http_engine *engine, struct operation *operation, const struct error *why);
void http_poll(struct http_engine *engine, int fd, int timeout_ms);

/* request.c: what needs no library. */
const char *http_method(const struct http_request *request);
const char *http_request_shown(struct arena *arena, const struct http_request *request);
/* Without blanks at its start and control characters, cut to the room. */
void http_copy_printable(char *out, size_t room, const char *text, size_t length);
bool http_has_header(const struct http_request *request, const char *name); /* "name:" */
/* Keeps what the caller wants of a line of an answer's head. */
void http_take_header(struct operation *operation, const char *line, size_t length);
MUST_CHECK int http_check_words(const struct http_request *request, struct error *err);
void http_add_query(struct buf *out, const char *query); /* as http_url_shown does */
const char *http_ca_bundle(void);                        /* of the system; NULL: none */

/* process.c: children under a guard. */
MUST_CHECK int process_start(struct loop *loop, struct operation *operation, struct error *err);
void process_step(struct loop *loop, struct operation *operation);
int64_t process_limit(const struct operation *operation);
pid_t process_guard(const struct operation *operation);
void process_stop(struct operation *operation, const struct error *why);
/* Gives up on a guard that does not answer. */
void process_abandon(struct loop *loop, struct operation *operation, const struct error *why);

#endif
