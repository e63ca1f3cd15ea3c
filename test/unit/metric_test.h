/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of metric sources share: two arms of two instances, questions about them,
 * and an HTTP server that answers with files of the test's folder, or badly.
 */
#ifndef METRIC_TEST_H
#define METRIC_TEST_H

#include "driver_test.h"
#include "metric.h"
#include "text.h"

#include <math.h>

#define HEAD                                                                                   \
    "app: shop\nworkload:\n  command:\n    instances: [ { name: x } ]\n    update: \"true\"\n" \
    "    status: \"true\"\n    version: \"true\"\nwatch: { interval: 5s }\n"
#define TRAFFIC "traffic:\n  haproxy: { socket: /nowhere.sock, backend: shop }\n"

static const struct metric_driver *driver;
static struct metric *metric;
static struct reading reading;
static pid_t server;
static int port;

static char urls[4][64];
static struct instance instances[4] = {
    {.name = "blue-1", .slot = "blue"},
    {.name = "blue-2", .slot = "blue"},
    {.name = "green-1", .slot = "green"},
    {.name = "green-2", .slot = "green"},
};
static const struct instance *const stable[] = {&instances[0], &instances[1]};
static const struct instance *const candidate[] = {&instances[2], &instances[3]};

/* ---- the server ------------------------------------------------------------------- */

static void send_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        const ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent <= 0) {
            _exit(0);
        }
        data += sent;
        length -= (size_t)sent;
    }
}

static void send_zeros(int fd, size_t megabytes)
{
    static char zeros[1 << 20];
    char head[128];
    memset(zeros, '0', sizeof(zeros));
    snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", megabytes << 20);
    send_all(fd, head, strlen(head));
    for (size_t i = 0; i < megabytes; i++) {
        send_all(fd, zeros, sizeof(zeros));
    }
}

static void send_forever(int fd)
{
    const char *head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    send_all(fd, head, strlen(head));
    for (;;) {
        send_all(fd, "4\r\na 1\n\r\n", 9);
        usleep(20000);
    }
}

/* `NAME.head` holds the status line and headers where they matter. */
static void send_file(int fd, const char *name)
{
    struct buf body, head;
    char path[512], length[64];
    snprintf(path, sizeof(path), "%s%s", folder, name);
    if (file_read(path, 64 << 20, false, &body, NULL) != 0) {
        const char *none = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno";
        send_all(fd, none, strlen(none));
        return;
    }
    snprintf(path, sizeof(path), "%s%s.head", folder, name);
    if (file_read(path, 4096, false, &head, NULL) == 0) {
        send_all(fd, head.data, head.length);
    } else {
        send_all(fd, "HTTP/1.1 200 OK\r\n", 17);
    }
    snprintf(length, sizeof(length), "Content-Length: %zu\r\n\r\n", body.length);
    send_all(fd, length, strlen(length));
    send_all(fd, body.data, body.length);
}

static void keep_request(int log, const char *request, size_t length)
{
    if (log < 0 || write(log, request, length) != (ssize_t)length) {
        _exit(1);
    }
}

static void serve_request(int fd, const char *request)
{
    char name[256] = "";
    sscanf(request, "%*s %255[^ ?]", name);
    if (strcmp(name, "/silent") == 0) {
        sleep(60);
    } else if (strcmp(name, "/endless") == 0) {
        send_forever(fd);
    } else if (strcmp(name, "/huge") == 0) {
        send_zeros(fd, 100);
    } else if (strcmp(name, "/noise") == 0) {
        send_all(fd, "SSH-2.0-OpenSSH\r\n", 17);
    } else {
        send_file(fd, name);
    }
}

/* One request a connection; what came is kept for the test. */
static void serve_connection(int fd)
{
    static char request[1 << 20];
    size_t used = 0, body = 0;
    for (;;) {
        const ssize_t got = recv(fd, request + used, sizeof(request) - 1 - used, 0);
        if (got <= 0) {
            return;
        }
        used += (size_t)got;
        request[used] = '\0';
        const char *end = strstr(request, "\r\n\r\n");
        const char *length = strstr(request, "Content-Length: ");
        body = length ? strtoul(length + 16, NULL, 10) : 0;
        if (end && used >= (size_t)(end - request) + 4 + body) {
            break;
        }
    }
    const int log = open(in_folder("requests"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    keep_request(log, request, used);
    close(log);
    serve_request(fd, request);
}

static inline void start_server(void)
{
    const int listener = listen_tcp(AF_INET, &port);
    server = fork_peer();
    if (server == 0) {
        signal(SIGCHLD, SIG_IGN);
        for (;;) {
            const int fd = accept(listener, NULL, NULL);
            if (fd >= 0 && fork() == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                serve_connection(fd);
                _exit(0);
            }
            close(fd);
        }
    }
    close(listener);
}

static inline int metric_begin(void **state)
{
    server = 0;
    metric = NULL;
    unsetenv("http_proxy");
    if (driver_begin(state) != 0) {
        return -1;
    }
    start_server();
    for (size_t i = 0; i < 4; i++) {
        snprintf(urls[i], sizeof(urls[i]), "http://127.0.0.1:%d/%s", port, instances[i].name);
        char path[160];
        snprintf(path, sizeof(path), "%s/%s", folder, instances[i].name);
        if (mkdir(path, 0755) != 0) {
            return -1;
        }
        instances[i].url = urls[i];
        instances[i].server = NULL;
    }
    return 0;
}

static inline int metric_end(void **state)
{
    if (metric) {
        driver->close(metric);
    }
    end_peer(server);
    return driver_end(state);
}

/* ---- questions -------------------------------------------------------------------- */

/* The deploy.yaml of one source and its SLOs; `PORT` in it is the server's. */
static inline void configure(const char *name, const char *yaml)
{
    AUTO_BUF struct buf text;
    buf_init(&text, 1 << 16);
    buf_adds(&text, HEAD);
    buf_adds(&text, strstr(yaml, "traffic:") ? "" : TRAFFIC);
    for (const char *at = yaml; *at != '\0';) {
        const size_t length = strncmp(at, "PORT", 4) == 0 ? 4 : 1;
        if (length == 4) {
            buf_addf(&text, "%d", port);
        } else {
            buf_add(&text, at, 1);
        }
        at += length;
    }
    load_config(text.data);
    const struct choice *choices = config->metrics.items;
    for (size_t i = 0; i < config->metrics.count; i++) {
        if (strcmp(choices[i].driver->name, name) == 0) {
            driver = choices[i].driver->door;
            context.settings = choices[i].settings;
        }
    }
}

static inline void open_source(const char *name, const char *yaml)
{
    configure(name, yaml);
    EXPECT_OK(driver->open(&context, &metric, &error), &error);
}

static inline const struct slo_config *slo_named(const char *name)
{
    const struct slo_config *slos = config->slos.items;
    for (size_t i = 0; i < config->slos.count; i++) {
        if (strcmp(slos[i].name, name) == 0) {
            return &slos[i];
        }
    }
    fail_msg("no SLO %s", name);
    return NULL;
}

static inline const char *refusal(const char *slo)
{
    return driver->refuses(metric, slo_named(slo), &arena);
}

static inline void expect_refusal(const char *slo, const char *why)
{
    const char *refused = refusal(slo);
    if (!refused || !strstr(refused, why)) {
        fail_msg("'%s' does not hold '%s'", refused ? refused : "(accepted)", why);
    }
}

static inline struct metric_query query_of(const char *slo, enum arm arm)
{
    return (struct metric_query){
        .slo = slo_named(slo),
        .arm = arm,
        .instances = arm == ARM_STABLE ? stable : candidate,
        .count = 2,
    };
}

static inline struct reading read_arm(const char *slo, enum arm arm)
{
    const struct metric_query query = query_of(slo, arm);
    assert_null(driver->refuses(metric, query.slo, &arena));
    memset(&reading, 0, sizeof(reading));
    assert_int_equal(driver->read(metric, &query, 1, &reading, &arena), 0);
    assert_true(llabs(reading.at - loop_wall()) < 60000);
    return reading;
}

static inline struct reading read_slo(const char *slo)
{
    return read_arm(slo, ARM_CANDIDATE);
}

/* The candidate's reading is this kind of nothing, and says so. */
static inline void expect_nothing(const char *slo, enum nothing nothing, const char *why)
{
    read_slo(slo);
    if (reading.kind != READING_NOTHING) {
        fail_msg("something was read (kind %d), not '%s'", (int)reading.kind, why);
    }
    if (reading.nothing != nothing || !reading.why || !strstr(reading.why, why)) {
        fail_msg("%s '%s' is not %s '%s'", nothing_names[reading.nothing],
                 reading.why ? reading.why : "(null)", nothing_names[nothing], why);
    }
}

static inline void expect_series(size_t index, const char *target, double bad, double total)
{
    if (reading.kind != READING_COUNTS) {
        fail_msg("no counts: %s", reading.why ? reading.why : "(null)");
    }
    const struct series *series = &reading.series[index];
    assert_true(index < reading.count);
    assert_string_equal(series->target, target);
    if (series->bad != bad || series->total != total) {
        fail_msg("%s: %g of %g, not %g of %g", target, series->bad, series->total, bad, total);
    }
}

static inline void expect_gauge(const char *slo, double value)
{
    read_slo(slo);
    if (reading.kind != READING_GAUGE) {
        fail_msg("no gauge: %s", reading.why ? reading.why : "(null)");
    }
    if (fabs(reading.gauge - value) > 1e-9 * fabs(value)) {
        fail_msg("%g is not %g", reading.gauge, value);
    }
}

static inline void put_file(const char *name, const char *text)
{
    write_file(in_folder(name), text);
}

/* One page after the other, and which kind of nothing each is. */
struct page_row {
    const char *page;
    enum nothing nothing;
    const char *why;
};

static inline void expect_pages(const char *slo, const struct page_row *rows, size_t count,
                                void (*put)(const char *page))
{
    for (size_t i = 0; i < count; i++) {
        put(rows[i].page);
        expect_nothing(slo, rows[i].nothing, rows[i].why);
    }
}

/* A source whose address is a path of our server, followed by `tail`. */
struct hostile {
    const char *source, *tail, *slo, *settings;
};

static inline void expect_hostile(const struct hostile *source, const char *path,
                                  enum nothing nothing, const char *why)
{
    const bool huge = strcmp(path, "huge") == 0;
    char yaml[512];
    snprintf(yaml, sizeof(yaml),
             "metrics:\n  %s: { url: 'http://127.0.0.1:PORT/%s%s', timeout: %s }\n"
             "slos:\n  %s: { %s }\n",
             source->source, path, source->tail, huge ? "60s" : "1s", source->slo,
             source->settings);
    open_source(source->source, yaml);
    const int64_t started = loop_mono();
    expect_nothing(source->slo, nothing, why);
    assert_true(loop_mono() - started < (huge ? 60000 * SLOWLY : TIME_SLACK));
}

/* What every source must survive. */
static inline void expect_all_hostile(const struct hostile *source)
{
    expect_hostile(source, "silent", NOTHING_UNREACHABLE, "no whole answer in time");
    expect_hostile(source, "endless", NOTHING_UNREACHABLE, "no whole answer in time");
    expect_hostile(source, "huge", NOTHING_GARBAGE, "larger than");
    expect_hostile(source, "noise", NOTHING_GARBAGE, "no HTTP answer");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, metric_begin, metric_end)

#endif
