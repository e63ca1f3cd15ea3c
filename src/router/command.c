/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"
#include "catalog.h"
#include "clock.h"
#include "log.h"
#include "loop.h"
#include "router.h"

#include <math.h>
#include <string.h>

#define LOOK_AGAIN_MS 250
#define EXACT 1e-9
#define LINE_WORDS 3

struct settings {
    struct command shift, observe;
    int64_t timeout, settle;
    double tolerance;
};

struct router {
    const struct driver_context *context;
    const struct settings *settings;
    struct instances instances;
    bool slots; /* one call moves a whole slot */
};

static const struct field command_router_fields[] = {
    {.name = "shift",
     .type = FIELD_COMMAND,
     .offset = offsetof(struct settings, shift),
     .required = true,
     .doc = "Gives ${slot}, or ${instance} and ${server} where there are no slots, ${weight} "
            "percent of the traffic and the ${state} `ready`, `drain` or `maintenance`."},
    {.name = "observe",
     .type = FIELD_COMMAND,
     .offset = offsetof(struct settings, observe),
     .required = true,
     .doc = "Prints what is so now, a line each: the name of a slot or an instance, its weight "
            "(all weights together are all of the traffic), and its state unless that is "
            "`ready`."},
    {.name = "timeout",
     .type = FIELD_DURATION,
     .offset = offsetof(struct settings, timeout),
     .def = "1m",
     .min = 100,
     .max = 3600000,
     .doc = "The longest time a command may take."},
    {.name = "settle",
     .type = FIELD_DURATION,
     .offset = offsetof(struct settings, settle),
     .def = "5s",
     .min = 0,
     .max = 3600000,
     .doc = "How long it may take until `observe` shows what `shift` did."},
    {.name = "tolerance",
     .type = FIELD_PERCENT,
     .offset = offsetof(struct settings, tolerance),
     .def = "0.5%",
     .doc = "How far a share that was read back may be from the one wanted; none of the "
            "traffic is always none."},
    {.name = NULL},
};

static const char *const state_names[] = {"ready", "drain", "maintenance", NULL};

static int open_router(const struct driver_context *context, const struct instances *instances,
                       struct router **out, struct error *err)
{
    struct router *router = ARENA_NEW(context->arena, struct router);
    (void)err;
    router->context = driver_keep(context);
    router->settings = context->settings;
    router->instances = *instances;
    router->slots = instances->count > 0 && instances->items[0].slot != NULL;
    *out = router;
    return 0;
}

static int run(const struct router *router, const struct process_spec *spec, struct buf *output,
               struct error *err)
{
    struct process_result result = {0};
    int outcome = process_run(router->context->loop, spec, &result, err);
    if (outcome == 0 && (result.exit_code != 0 || result.signal != 0)) {
        outcome = process_failed(spec, &result, err);
    } else if (outcome == 0 && result.cut) {
        outcome = error_set(err, ERROR_FORMAT, "the output of '%.80s' is too long",
                            spec->shell ? spec->shell : spec->argv[0]);
    }
    if (outcome == 0 && output) {
        *output = result.output;
        return 0;
    }
    process_result_release(&result);
    return outcome;
}

/* ---- reading ---------------------------------------------------------------------- */

struct line {
    const char *words[LINE_WORDS + 1];
    size_t count;
};

static struct line split(char *text)
{
    struct line line = {.count = 0};
    while (line.count <= LINE_WORDS) {
        text += strspn(text, " \t\r");
        if (*text == '\0') {
            break;
        }
        line.words[line.count++] = text;
        text += strcspn(text, " \t\r");
        if (*text) {
            *text++ = '\0';
        }
    }
    return line;
}

/* "5", "5%", "2.5" */
static bool read_weight(const char *word, struct arena *arena, double *out)
{
    size_t length = strlen(word);
    length -= length > 0 && word[length - 1] == '%';
    return text_real(arena_text_n(arena, word, length), out, NULL) == 0 && *out >= 0;
}

static bool read_state(const char *word, enum traffic_state *out)
{
    for (int i = 0; state_names[i]; i++) {
        if (text_equal(word, state_names[i])) {
            *out = (enum traffic_state)i;
            return true;
        }
    }
    return text_equal(word, "maint") ? (*out = TRAFFIC_MAINTENANCE, true) : false;
}

/* The routes that a line is about: one instance, or all of a slot. */
static bool is_about(const struct traffic *traffic, size_t at, const char *name)
{
    for (size_t i = 0; i < traffic->count; i++) {
        if (text_equal(traffic->items[i].instance.name, name)) {
            return i == at;
        }
    }
    return text_equal(traffic->items[at].instance.slot, name);
}

static int take_line(const struct line *line, struct arena *arena, struct traffic *out,
                     struct error *err)
{
    double weight = 0;
    enum traffic_state state = TRAFFIC_READY;
    size_t about = 0;
    if (line->count < 2 || line->count > LINE_WORDS ||
        !read_weight(line->words[1], arena, &weight) ||
        (line->count == LINE_WORDS && !read_state(line->words[2], &state))) {
        return error_set(err, ERROR_FORMAT,
                         "observe printed '%.40s %.40s %.40s': write a name, "
                         "its weight, and perhaps ready, drain or maintenance",
                         line->words[0], line->count > 1 ? line->words[1] : "",
                         line->count > 2 ? line->words[2] : "");
    }
    for (size_t i = 0; i < out->count; i++) {
        about += is_about(out, i, line->words[0]) ? 1U : 0U;
    }
    for (size_t i = 0; i < out->count; i++) {
        if (is_about(out, i, line->words[0])) {
            out->items[i].known = true;
            out->items[i].share += weight / (double)about;
            out->items[i].state = state;
        }
    }
    return about > 0 ? 0
                     : error_set(err, ERROR_FORMAT,
                                 "observe printed '%.40s', which is no "
                                 "slot and no instance",
                                 line->words[0]);
}

/* Weights become shares. */
static int finish(struct traffic *traffic, struct error *err)
{
    double sum = 0;
    for (size_t i = 0; i < traffic->count; i++) {
        const struct route *route = &traffic->items[i];
        if (!route->known) {
            return error_set(err, ERROR_FORMAT, "observe printed nothing about '%s'",
                             route->instance.slot ? route->instance.slot : route->instance.name);
        }
        sum += route->share;
    }
    if (!isfinite(sum)) {
        return error_set(err, ERROR_FORMAT, "observe printed weights too large to be added up");
    }
    for (size_t i = 0; i < traffic->count && sum > 0; i++) {
        traffic->items[i].share /= sum;
    }
    return 0;
}

static int take_output(char *text, struct arena *arena, struct traffic *out, struct error *err)
{
    while (*text) {
        char *end = text + strcspn(text, "\n");
        char *next = *end ? end + 1 : end;
        *end = '\0';
        const struct line line = split(text);
        if (line.count > 0 && take_line(&line, arena, out, err) < 0) {
            return -1;
        }
        text = next;
    }
    return finish(out, err);
}

static int observe(struct router *router, struct arena *arena, struct traffic *out,
                   struct error *err)
{
    const size_t count = router->instances.count;
    struct process_spec spec =
        driver_process(router->context, &router->settings->observe, NULL, arena);
    struct buf output;
    spec.timeout_ms = router->settings->timeout;
    if (run(router, &spec, &output, err) < 0) {
        return -1;
    }
    char *text = arena_text(arena, output.data);
    buf_release(&output);
    *out = (struct traffic){arena_array(arena, count, sizeof(struct route)), count};
    for (size_t i = 0; i < count; i++) {
        out->items[i] = (struct route){.instance = router->instances.items[i], .connections = -1};
    }
    return take_output(text, arena, out, err);
}

/* ---- shifting --------------------------------------------------------------------- */

/* One call of `shift`: a slot, or an instance where there are no slots. */
struct call {
    const struct instance *instance;
    const char *slot;
    double is, wanted;
    enum traffic_state was, state;
};

static const struct route *route_of(const struct traffic *traffic, const char *name)
{
    for (size_t i = 0; i < traffic->count; i++) {
        if (text_equal(traffic->items[i].instance.name, name)) {
            return &traffic->items[i];
        }
    }
    return NULL;
}

static struct call call_of(const struct router *router, const struct traffic *now,
                           const struct traffic *wanted, size_t at)
{
    const struct route *route = &wanted->items[at];
    const struct route *is = route_of(now, route->instance.name);
    const char *slot = route->instance.slot;
    return (struct call){
        .instance = router->slots ? NULL : &route->instance,
        .slot = slot,
        .is = router->slots ? traffic_share(now, slot)
              : is          ? is->share
                            : 0,
        .wanted = router->slots ? traffic_share(wanted, slot) : route->share,
        .was = is ? is->state : TRAFFIC_READY,
        .state = route->state,
    };
}

static bool call_needed(const struct router *router, const struct call *call)
{
    const bool nothing = call->wanted < EXACT;
    if (call->was != call->state) {
        return true;
    }
    return nothing ? call->is > EXACT
                   : fabs(call->is - call->wanted) > router->settings->tolerance + EXACT;
}

/* A slot is spoken of once, at its first instance. */
static bool is_first(const struct router *router, const struct traffic *wanted, size_t at)
{
    for (size_t i = 0; router->slots && i < at; i++) {
        if (text_equal(wanted->items[i].instance.slot, wanted->items[at].instance.slot)) {
            return false;
        }
    }
    return true;
}

/* What has to be said next, of what was not said yet (NULL: of all): the shares that rise
 * first, so that none that has yet to fall becomes larger than it was. count: nothing. */
static size_t next_call(const struct router *router, const struct traffic *now,
                        const struct traffic *wanted, const bool *said)
{
    size_t best = wanted->count;
    double most = 0;
    for (size_t i = 0; i < wanted->count; i++) {
        const struct call call = call_of(router, now, wanted, i);
        if ((said && said[i]) || !is_first(router, wanted, i) || !call_needed(router, &call)) {
            continue;
        }
        if (best == wanted->count || call.wanted - call.is > most + EXACT) {
            best = i;
            most = call.wanted - call.is;
        }
    }
    return best;
}

static int run_shift(struct router *router, const struct call *call, struct arena *arena,
                     struct error *err)
{
    const struct instance *instance = call->instance;
    const struct variable more[] = {
        {"weight", arena_format(arena, "%g", round(call->wanted * 1e6) / 1e4)},
        {"state", state_names[call->state]},
        {"slot", call->slot},
        {"instance", instance ? instance->name : ""},
        {"server", instance ? instance->server : ""},
        {NULL, NULL},
    };
    struct process_spec spec =
        driver_process(router->context, &router->settings->shift, more, arena);
    spec.timeout_ms = router->settings->timeout;
    if (router->context->log) {
        log_line(router->context->log, LOG_DETAIL, "shift %s: %s %%, %s",
                 instance ? instance->name : call->slot, more[0].value, more[1].value);
    }
    return run(router, &spec, NULL, err);
}

/* Says everything that differs once, and looks again after each: one call may be enough for
 * two slots. */
static int say_all(struct router *router, const struct traffic *wanted, struct arena *arena,
                   struct traffic *now, struct error *err)
{
    bool *said = arena_array(arena, wanted->count, sizeof(*said));
    for (size_t at; (at = next_call(router, now, wanted, said)) < wanted->count;) {
        const struct call call = call_of(router, now, wanted, at);
        said[at] = true;
        if (run_shift(router, &call, arena, err) < 0 || observe(router, arena, now, err) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Looks until all is as wanted, or the time for it is over. */
static int settle(struct router *router, const struct traffic *wanted, struct arena *arena,
                  struct traffic *now, struct error *err)
{
    struct clock *clock = router->context->clock;
    const int64_t until = clock->mono(clock) + router->settings->settle;
    while (next_call(router, now, wanted, NULL) < wanted->count && clock->mono(clock) < until) {
        if (clock->sleep(clock, clock->mono(clock) + LOOK_AGAIN_MS, err) < 0 ||
            observe(router, arena, now, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static int shift(struct router *router, const struct traffic *wanted, struct error *err)
{
    __attribute__((cleanup(arena_release))) struct arena arena;
    struct traffic now;
    arena_init(&arena);
    if (observe(router, &arena, &now, err) < 0) {
        return -1;
    }
    size_t open = next_call(router, &now, wanted, NULL);
    /* A second time where the first did not hold. */
    for (int attempt = 0; attempt < 2 && open < wanted->count; attempt++) {
        if (say_all(router, wanted, &arena, &now, err) < 0 ||
            settle(router, wanted, &arena, &now, err) < 0) {
            return -1;
        }
        open = next_call(router, &now, wanted, NULL);
    }
    if (open == wanted->count) {
        return 0;
    }
    const struct call call = call_of(router, &now, wanted, open);
    return error_set(err, ERROR_STATE,
                     "'%s': %g %% and state %s were set, %g %% and state %s "
                     "were read back",
                     call.instance ? call.instance->name : call.slot, call.wanted * 100,
                     state_names[call.state], call.is * 100, state_names[call.was]);
}

static void close_router(struct router *router)
{
    (void)router;
}

static const struct router_driver driver = {open_router, observe, shift, close_router};

const struct driver_row router_command_row = {
    .room = "router",
    .name = "command",
    .doc = "Your own commands move the traffic: DNS, a CDN, a cloud's load balancer.",
    .fields = command_router_fields,
    .size = sizeof(struct settings),
    .door = &driver,
};
