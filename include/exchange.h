/* SPDX-License-Identifier: Apache-2.0
 *
 * One question and its answer over a stream socket, for line protocols that are no HTTP
 * (HAProxy's runtime API).
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "text.h"

/* Sends `request` to a unix socket path or "host:port" and reads until the peer closes,
 * `max` bytes or the deadline. Waits in
 * the loop. out is initialised here; buf_release it. */
struct loop;
struct exchange {
    const char *address; /* "/run/x.sock" or "127.0.0.1:9999" */
    const char *request;
    size_t length, max;
    int64_t timeout_ms;
};
MUST_CHECK int exchange_run(struct loop *loop, const struct exchange *exchange, struct buf *out,
                            struct error *err);

#endif
