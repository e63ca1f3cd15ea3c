/* SPDX-License-Identifier: Apache-2.0 */
#include "query.h"

#include "arena.h"
#include "json.h"
#include "program.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jq.h>
#include <jv.h>

enum {
    OUTPUTS_MAX = 1000,
    RESULTS_BYTES = 8 * 1024 * 1024,
    MEMORY_BYTES = 512 * 1024 * 1024,
    WALL_SECONDS = 5,  /* for a machine so busy that a second of work takes long */
    SILENCE_MS = 8000, /* the child's own timers end it before */
    EXIT_MUTE = 1      /* of a child that could not send */
};

struct task {
    const char *program;
    const char *input; /* NULL: the program is only compiled */
    size_t length, outputs;
};

/* One result as a line: what it is, then its JSON text. */
enum tag { TAG_VALUE = 'v', TAG_NAN = 'n', TAG_INFINITE = 'i' };

static void keep_first_message(void *data, jv message)
{
    struct buf *first = data;
    if (jv_get_kind(message) == JV_KIND_STRING && first->length == 0) {
        const char *text = jv_string_value(message);
        text += text_starts(text, "jq: error: ") ? strlen("jq: error: ") : 0;
        buf_add(first, text, strcspn(text, "\n"));
        while (first->length > 0 && first->data[first->length - 1] == ':') {
            first->data[--first->length] = '\0';
        }
    }
    jv_free(message);
}

static void drop_message(void *data, jv message)
{
    (void)data;
    jv_free(message);
}

/* The library would say so and abort. */
static void end_without_memory(void *data)
{
    (void)data;
    memory_gone();
}

static int compile(const char *program, jq_state **out, struct error *err)
{
    jv_nomem_handler(end_without_memory, NULL);
    jq_state *jq = jq_init();
    if (jq == NULL) {
        memory_gone(); /* the only reason */
    }
    jq_set_nomem_handler(jq, end_without_memory, NULL); /* compiling forgets the other */
    struct buf message AUTO_BUF;
    buf_init(&message, 400);
    jq_set_error_cb(jq, keep_first_message, &message);
    int compiled = jq_compile(jq, program);
    jq_set_error_cb(jq, drop_message, NULL);
    if (!compiled) {
        jq_teardown(&jq);
        return error_set(err, ERROR_CONFIG, "jq '%.120s': %s", program, message.data);
    }
    *out = jq;
    return 0;
}

/* The message of a failed value; takes it. */
static int fail_with(jv failed, const char *program, struct error *err)
{
    jv message = jv_invalid_get_msg(failed);
    if (jv_get_kind(message) != JV_KIND_STRING) {
        message = jv_dump_string(message, 0);
    }
    int result = error_set(err, ERROR_FORMAT, "jq '%.120s': %s", program, jv_string_value(message));
    jv_free(message);
    return result;
}

static void add_result(struct buf *out, jv value)
{
    bool number = jv_get_kind(value) == JV_KIND_NUMBER;
    enum tag tag = TAG_VALUE;
    if (number && isnan(jv_number_value(value))) {
        tag = TAG_NAN;
    } else if (number && isinf(jv_number_value(value))) {
        tag = TAG_INFINITE;
    }
    jv text = jv_dump_string(value, 0);
    buf_addf(out, "%c", tag);
    buf_add(out, jv_string_value(text), (size_t)jv_string_length_bytes(jv_copy(text)));
    buf_add(out, "\n", 1);
    jv_free(text);
}

/* Why a program gave no further output; takes value. Its end is no failure. */
static int end_of_outputs(jq_state *jq, jv value, const char *program, struct error *err)
{
    if (jq_halted(jq)) {
        jv message = jq_get_error_message(jq);
        bool quiet = !jv_is_valid(message) || jv_get_kind(message) == JV_KIND_NULL;
        jv_free(value);
        value = quiet ? jv_invalid() : jv_invalid_with_msg(jv_copy(message));
        jv_free(message);
    }
    if (jv_invalid_has_msg(jv_copy(value))) {
        return fail_with(value, program, err);
    }
    jv_free(value);
    return 0;
}

/* Takes input. */
static int draw(jq_state *jq, jv input, const struct task *task, struct buf *out, struct error *err)
{
    int result = 0;
    jq_start(jq, input, 0);
    for (size_t count = 0; result == 0 && count < task->outputs; count++) {
        jv value = jq_next(jq);
        if (!jv_is_valid(value)) {
            result = end_of_outputs(jq, value, task->program, err);
            break;
        }
        add_result(out, value);
        if (out->overflow) {
            result = error_set(err, ERROR_FORMAT, "jq '%.120s': results larger than 8 MiB",
                               task->program);
        }
    }
    return result;
}

static int parse_input(const struct task *task, jv *out, struct error *err)
{
    if (task->length > INT_MAX) {
        return error_set(err, ERROR_FORMAT, "the input of jq is larger than 2 GiB");
    }
    *out = jv_parse_sized(task->input, (int)task->length);
    if (jv_is_valid(*out)) {
        return 0;
    }
    jv message = jv_invalid_get_msg(*out);
    bool known = jv_get_kind(message) == JV_KIND_STRING;
    int result = error_set(err, ERROR_FORMAT, "the input of jq is no JSON: %s",
                           known ? jv_string_value(message) : "it is empty");
    jv_free(message);
    return result;
}

/* One second of work to compile and one to run: SIGPROF ends the child. Work, because jq
 * never waits, and a busy machine is no fault of the program. */
static int start_second(struct error *err)
{
    struct itimerval second = {.it_value = {.tv_sec = 1}};
    if (setitimer(ITIMER_PROF, &second, NULL) != 0) {
        return error_system(err, errno, "jq: no timer");
    }
    return 0;
}

/* Compiles the program, reads the input, where there is one, and draws. */
static int work(const struct task *task, struct buf *out, struct error *err)
{
    jq_state *jq;
    jv value;
    if (compile(task->program, &jq, err) != 0) {
        return -1;
    }
    if (task->input == NULL) {
        jq_teardown(&jq);
        return 0;
    }
    int result = start_second(err);
    if (result == 0) {
        result = parse_input(task, &value, err);
    }
    if (result == 0) {
        result = draw(jq, value, task, out, err);
    }
    jq_teardown(&jq);
    return result;
}

/* In the child: from here on nothing of the parent's may be touched, and nothing that
 * reaches the child may reach the parent (the loop's signal handlers write to a pipe that
 * both share). */
static int confine(struct error *err)
{
    /* jq reads HOME (for ~/.jq) and the whole environment when it compiles, `env` when it
     * runs: it is shown none. */
    static char *nothing[] = {NULL};
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        explicit_bzero(*entry, strlen(*entry)); /* nor is who looks at /proc/PID/environ */
    }
    environ = nothing;
    for (int number = 1; number < NSIG; number++) {
        signal(number, SIG_DFL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    struct rlimit cpu = {3, 3}, core = {0, 0};
    alarm(WALL_SECONDS);
    if (setrlimit(RLIMIT_CPU, &cpu) != 0 || setrlimit(RLIMIT_CORE, &core) != 0) {
        return error_system(err, errno, "jq: no limit");
    }
/* What watches memory maps terabytes for itself. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(MEMCHECK)
    struct rlimit memory = {MEMORY_BYTES, MEMORY_BYTES};
    if (setrlimit(RLIMIT_AS, &memory) != 0) {
        return error_system(err, errno, "jq: no limit");
    }
#endif
    /* What the library says when it dies is for nobody. */
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0 || dup2(nowhere, STDERR_FILENO) < 0) {
        return error_system(err, errno, "jq: /dev/null");
    }
    return start_second(err);
}

static void send_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t sent = write(fd, data, length);
        if (sent >= 0) {
            data += sent;
            length -= (size_t)sent;
        } else if (errno != EINTR) {
            _exit(EXIT_MUTE);
        }
    }
}

/* Works, and sends the kind of the outcome and the results or the message. */
_Noreturn static void child_main(const struct task *task, int fd)
{
    struct error err = {.kind = ERROR_NONE};
    struct buf out;
    buf_init(&out, RESULTS_BYTES);
    int failed = confine(&err) != 0 || work(task, &out, &err) != 0;
    char kind = (char)('A' + (int)err.kind);
    send_all(fd, &kind, 1);
    send_all(fd, failed ? err.message : out.data, failed ? strlen(err.message) : out.length);
    _exit(0);
}

static int still_running(const char *program, struct error *err)
{
    return error_set(err, ERROR_TIMEOUT, "jq '%.120s': still running after one second", program);
}

/* Everything the child sends. */
static int receive_all(int fd, const char *program, struct buf *out, struct error *err)
{
    char part[16 * 1024];
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, SILENCE_MS);
        if (ready == 0) {
            return still_running(program, err);
        }
        ssize_t got = ready > 0 ? read(fd, part, sizeof part) : -1;
        if (got == 0) {
            return 0;
        }
        if (got < 0 && errno != EINTR) {
            return error_system(err, errno, "jq: no answer");
        }
        buf_add(out, part, got > 0 ? (size_t)got : 0);
    }
}

/* Waits for the child; how it ended as an error, where it did not end by itself. */
static int reap(pid_t child, const char *program, struct error *err)
{
    int status = 0;
    pid_t done;
    do {
        done = waitpid(child, &status, 0);
    } while (done < 0 && errno == EINTR);
    if (done < 0) {
        return error_system(err, errno, "jq '%.120s': no word of its end", program);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return 0;
    }
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (number == SIGPROF || number == SIGALRM || number == SIGXCPU) {
        return still_running(program, err);
    }
    if (number == 0 && WEXITSTATUS(status) != EXIT_MUTE) {
        return error_set(err, ERROR_FORMAT, "jq '%.120s': out of memory", program);
    }
    return error_set(err, ERROR_FORMAT, "jq '%.120s': ended without an answer (signal %d)", program,
                     number);
}

static int decode(const struct buf *received, struct buf *out, struct error *err)
{
    enum error_kind kind = (enum error_kind)(received->data[0] - 'A');
    if (received->length == 0 || (unsigned)kind >= ERROR_KINDS) {
        return error_set(err, ERROR_BUG, "jq: no outcome");
    }
    if (kind != ERROR_NONE) {
        return error_set(err, kind, "%s", received->data + 1);
    }
    buf_add(out, received->data + 1, received->length - 1);
    return 0;
}

/* The results of a program as lines: a tag and JSON text. jq cannot be interrupted, aborts
 * where it finds no memory, and reads what anybody sent us: it works in a process that can be
 * lost. */
static int run(const struct task *task, struct buf *out, struct error *err)
{
    if (program_look(task->program, err) != 0) {
        return -1;
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return error_system(err, errno, "jq: pipe");
    }
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child == 0) {
        child_main(task, ends[1]);
    }
    int number = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return error_system(err, number, "jq: fork");
    }
    struct buf received AUTO_BUF;
    buf_init(&received, RESULTS_BYTES + 1);
    bool whole = receive_all(ends[0], task->program, &received, err) == 0;
    close(ends[0]);
    if (!whole) {
        kill(child, SIGKILL);
    }
    bool ended = reap(child, task->program, whole ? err : NULL) == 0;
    return whole && ended ? decode(&received, out, err) : -1;
}

int query_check(const char *program, struct error *err)
{
    const struct task task = {.program = program};
    struct buf nothing AUTO_BUF;
    buf_init(&nothing, 0);
    return run(&task, &nothing, err);
}

int query_run(const char *program, struct slice input, size_t max, struct json **out,
              struct error *err)
{
    const struct task task = {.program = program,
                              .input = input.data,
                              .length = input.length,
                              .outputs = max < OUTPUTS_MAX ? max : OUTPUTS_MAX};
    struct buf lines AUTO_BUF;
    buf_init(&lines, RESULTS_BYTES);
    if (run(&task, &lines, err) != 0) {
        return -1;
    }
    struct json *results AUTO_JSON = json_array();
    for (const char *line = lines.data; *line != '\0';) {
        size_t end = strcspn(line, "\n");
        struct json *result;
        if (json_parse(line + 1, end - 1, &result, err) != 0) {
            return error_wrap(err, "jq '%.120s'", program);
        }
        json_append(results, result);
        line += end + 1;
    }
    *out = results;
    results = NULL;
    return 0;
}

/* The first result as its line without the newline; empty where there is none. */
static int first_result(const char *program, const char *input, size_t length, struct buf *out,
                        struct error *err)
{
    const struct task task = {.program = program, .input = input, .length = length, .outputs = 1};
    buf_init(out, RESULTS_BYTES);
    if (run(&task, out, err) != 0) {
        return -1;
    }
    if (out->length > 0) {
        out->data[--out->length] = '\0'; /* the newline */
    }
    return 0;
}

static int number_of_text(const char *program, const struct json *value, double *out,
                          struct error *err)
{
    const char *text = json_text(value);
    if (strcasecmp(text, "nan") == 0) {
        return error_set(err, ERROR_NOTFOUND, "jq '%.120s' gave NaN", program);
    }
    if (text_real(text, out, NULL) != 0) {
        return error_set(err, ERROR_FORMAT, "jq '%.120s' gave '%.80s', which is no finite number",
                         program, text);
    }
    return 0;
}

int query_number(const char *program, const char *input, size_t length, double *out,
                 struct error *err)
{
    struct buf line AUTO_BUF;
    struct json *value AUTO_JSON = NULL;
    if (first_result(program, input, length, &line, err) != 0) {
        return -1;
    }
    const char *nothing = line.length == 0                 ? "no output"
                          : line.data[0] == TAG_NAN        ? "NaN"
                          : text_equal(line.data, "vnull") ? "null"
                                                           : NULL;
    if (nothing != NULL) {
        return error_set(err, ERROR_NOTFOUND, "jq '%.120s' gave %s", program, nothing);
    }
    if (json_parse(line.data + 1, line.length - 1, &value, err) != 0) {
        return error_wrap(err, "jq '%.120s'", program);
    }
    if (json_text(value) != NULL) {
        return number_of_text(program, value, out, err);
    }
    if (line.data[0] == TAG_INFINITE || !json_number(value, out)) {
        return error_set(err, ERROR_FORMAT, "jq '%.120s' gave %.80s, which is no finite number",
                         program, line.data[0] == TAG_INFINITE ? "infinity" : line.data + 1);
    }
    return 0;
}

int query_truth(const char *program, struct slice input, bool *out, char got[static 200],
                struct error *err)
{
    struct arena arena = {0};
    struct buf line AUTO_BUF;
    struct json *value AUTO_JSON = NULL;
    if (first_result(program, input.data, input.length, &line, err) != 0) {
        return -1;
    }
    const char *shown = line.length == 0 ? "no output" : line.data + 1;
    *out = line.length > 0 && !text_equal(shown, "false") && !text_equal(shown, "null");
    if (line.length > 0 && json_parse(shown, line.length - 1, &value, err) != 0) {
        return error_wrap(err, "jq '%.120s'", program);
    }
    shown = json_text(value) != NULL ? json_text(value) : shown;
    shown = text_shown(&arena, shown, strlen(shown), 199);
    memcpy(got, shown, strlen(shown) + 1);
    arena_release(&arena);
    return 0;
}
