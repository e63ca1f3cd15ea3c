/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "file.h"
#include "json.h"
#include "loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define STATE_KEY_MIN 16
#define LOCK_WAIT_MS 60000 /* for a command that a killed run left behind */

void session_print(const char *text)
{
    log_document(STDOUT_FILENO, text);
}

/* As it is: what is inside of it was made harmless when it was built. */
void session_print_json(const struct json *json, bool pretty)
{
    char *text = json_print(json, pretty);
    size_t left = strlen(text);
    text[left++] = '\n'; /* in place of the NUL */
    for (const char *at = text; left > 0;) {
        ssize_t wrote = write(STDOUT_FILENO, at, left);
        if (wrote <= 0)
            break;
        at += wrote;
        left -= (size_t)wrote;
    }
    free(text);
}

int session_fail(struct session *session, const struct error *err)
{
    log_live(session->log, "%s", "");
    log_annotate(session->log, LOG_ERROR, NULL, 0, err->message);
    if (err->kind == ERROR_CANCELLED && session->loop != NULL && loop_signal(session->loop) != 0)
        return 128 + loop_signal(session->loop);
    return error_exit_code(err->kind);
}

static void take_mask(void *context, const char *value)
{
    log_mask(context, value);
}

static void print_problems(struct session *session, const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct place *place = &problems->places[i];
        log_annotate(session->log, LOG_ERROR, place->line > 0 ? place->origin : NULL, place->line,
                     problems->items[i]);
    }
    if (problems->count > 1)
        log_line(session->log, LOG_ERROR, "%zu problems; nothing was touched", problems->count);
}

int session_config(struct session *session)
{
    struct problems problems = {0};
    struct error err = {0};
    struct config_source source = {
        .path = session->inputs.file,
        .directory = ".",
        .sets = session->inputs.sets.items,
        .set_count = session->inputs.sets.count,
    };
    if (config_load(&session->arena, &source, &session->config, &problems, &err) != 0 ||
        config_secrets(session->config, take_mask, session->log, &problems) != 0) {
        if (problems.count == 0)
            return session_fail(session, &err);
        print_problems(session, &problems);
        return 1;
    }
    const char *key = session->config->state_key.value;
    if (key != NULL && strlen(key) < STATE_KEY_MIN) {
        error_set(&err, ERROR_CONFIG, "the key of '%s' has fewer than %d bytes: write a longer one",
                  session->config->state_key.env, STATE_KEY_MIN);
        return session_fail(session, &err);
    }
    session->journal.key = key;
    if (report_check_templates(&session->arena, session->config, &err) != 0)
        return session_fail(session, &err);
    return 0;
}

void session_journal(struct session *session)
{
    const char *path = session->inputs.state;
    if (session->journal.store != NULL)
        return;
    if (path == NULL)
        path = ".deploy/state.json";
    session->journal.store = store_file(&session->arena, path);
    session->journal.arena = &session->arena;
    session->journal.clock = &session->clock;
}

int session_lock(struct session *session)
{
    struct error err = {0};
    session_journal(session);
    if (journal_lock(&session->journal, LOCK_WAIT_MS, &err) != 0)
        return session_fail(session, &err);
    session->locked = true;
    return 0;
}

/* An artifact of a fork, a cache of another application, the run of staging: not ours. */
static int check_home(struct session *session, struct error *err)
{
    struct error why = {0};
    const struct run_home home = {
        .project = session->facts.project,
        .app = session->config == NULL ? NULL : session->config->app,
        .environment = session->facts.environment,
    };
    if (run_check_home(&session->run, &home, &why) == 0)
        return 0;
    return error_set(err, why.kind,
                     "%s: the run recorded here %s; name the right file with --state, or begin "
                     "anew with `run … --restart`",
                     session->journal.store->path, why.message);
}

int session_state(struct session *session)
{
    struct error err = {0};
    session_journal(session);
    if (journal_load(&session->journal, &session->run, &err) == 0 &&
        check_home(session, &err) == 0) {
        session->has_run = true;
    } else if (err.kind == ERROR_NOTFOUND || session->inputs.restart) {
        session->unreadable = err.kind != ERROR_NOTFOUND;
        memset(&session->run, 0, sizeof session->run);
    } else {
        return session_fail(session, &err);
    }
    if (session->locked && session->config != NULL)
        publish_sweep(session);
    return 0;
}

static void set_variables(struct session *session, const char *version)
{
    const struct config *config = session->config;
    struct variable *variables = session->variables;
    size_t count = 0;
    variables[count++] = (struct variable){"app", config->app};
    variables[count++] = (struct variable){"version", version};
    if (config->url != NULL)
        variables[count++] = (struct variable){"base_url", config->url};
    variables[count] = (struct variable){0};
    if (config->image != NULL) {
        const char *image = field_expand(&session->arena, config->image, variables);
        variables[count++] = (struct variable){"image", image};
        variables[count] = (struct variable){0};
    }
}

static const char *new_id(struct session *session)
{
    unsigned char random[4] = {0};
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        memset(random, 0, sizeof random);
    return arena_format(&session->arena, "%lld-%02x%02x%02x%02x",
                        (long long)(session->clock.wall(&session->clock) / 1000), random[0],
                        random[1], random[2], random[3]);
}

/* Beside the state: what the guards of the commands write. */
static const char *records_path(struct session *session)
{
    const char *path = session->journal.store == NULL ? NULL : session->journal.store->path;
    const char *slash = path == NULL ? NULL : strrchr(path, '/');
    if (path == NULL)
        return NULL;
    return arena_format(&session->arena, "%.*scommands.log",
                        slash == NULL ? 0 : (int)(slash - path) + 1, path);
}

int session_engine(struct session *session, const char *version, const char *how)
{
    struct engine *engine = &session->engine;
    struct error err = {0};
    set_variables(session, version);
    progress_init(session);
    engine->context = (struct driver_context){
        .config = session->config,
        .arena = &session->arena,
        .clock = &session->clock,
        .loop = session->loop,
        .log = session->log,
        .variables = session->variables,
        .run_id = session->run.id != NULL ? session->run.id : new_id(session),
        .records = session->locked ? records_path(session) : NULL,
    };
    engine->journal = &session->journal;
    engine->run = &session->run;
    engine->observer = &session->observer;
    engine->who = session->inputs.by != NULL ? session->inputs.by : session->facts.actor;
    engine->how = how;
    session->engine_opened = true;
    if (engine_open(engine, &err) != 0)
        return session_fail(session, &err);
    return 0;
}

void session_attempt(struct session *session, const char *how)
{
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        snprintf(host, sizeof host, "unknown");
    struct run *run = &session->run;
    struct run_attempt *last =
        run->attempt_count == 0 ? NULL : &run->attempts[run->attempt_count - 1];
    if (last != NULL && last->ended == 0)
        last->outcome = "killed";
    struct run_attempt *attempt = run_add_attempt(run, &session->arena);
    attempt->host = arena_text(&session->arena, host);
    attempt->how = how;
    attempt->pid = getpid();
    attempt->started = session->clock.wall(&session->clock);
}

static void print_verdict(struct session *session)
{
    const struct run *run = &session->run;
    enum log_level level = run->exit_code == 0 ? LOG_INFO : LOG_ERROR;
    log_live(session->log, "%s", "");
    if (run->exit_code == 0)
        log_line(session->log, level, "%s", run->headline);
    else
        log_annotate(session->log, level, NULL, 0, run->headline);
    const char *const *messages = report_messages(&session->arena, run);
    for (size_t i = 0; messages[i] != NULL; i++)
        log_line(session->log, level, "%s", messages[i]);
}

int session_work(struct session *session)
{
    struct error err = {0};
    int result = engine_work(&session->engine, &err);
    log_group_end(session->log, session->clock.wall(&session->clock));
    if (result != 0) {
        session_fail(session, &err);
        return 6;
    }
    print_verdict(session);
    publish_ci(session);
    return session->run.exit_code;
}

void session_close(struct session *session)
{
    if (session->engine_opened)
        engine_close(&session->engine);
    if (session->locked)
        journal_unlock(&session->journal);
    if (session->config != NULL)
        config_forget(session->config);
    if (session->loop != NULL)
        loop_free(session->loop);
    if (session->log != NULL)
        log_free(session->log);
    arena_release(&session->arena);
}
