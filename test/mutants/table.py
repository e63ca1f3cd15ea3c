# SPDX-License-Identifier: Apache-2.0
"""Deliberate defects. Each: name, file, what is there, what is put in its place, and who must see
it: the number of an invariant of the simulator (and within how many seeds, where it is seldom
met), or a unit test."""

ENGINE = "src/engine/"

MUTANTS = [
    # --- journal and order -----------------------------------------------------------------------
    ("skip the intent write", ENGINE + "engine.c",
     """    if (journal_save(engine->journal, engine->run, err) != 0)
        return -1;
    engine_tell_step(engine, step);
    return 0;""",
     """    (void)err;
    engine_tell_step(engine, step);
    return 0;""", 4),
    ("never record a result", ENGINE + "engine.c",
     "        step->status = STATUS_DONE;\n    else if (outcome != OUTCOME_WAIT",
     "        step->status = step->status;\n    else if (outcome != OUTCOME_WAIT", 5),
    ("a step that is done is done once more", ENGINE + "engine.c",
     "(step->status == STATUS_PENDING || step->status == STATUS_INTENT))\n            return step;",
     "(step->status == STATUS_PENDING || step->status == STATUS_INTENT ||\n"
     "             (step->step.kind == STEP_DEPLOY && step->attempts < 2)))\n            return step;", 4),
    ("forget that a command was begun", ENGINE + "engine.c",
     "engine->resumed = step->status == STATUS_INTENT;", "engine->resumed = false;", 4),
    ("work without the lock", "src/cli/run.c",
     "    if (code == 0)\n        code = session_lock(session);\n",
     "    if (code == 0)\n        session_journal(session);\n", 9),
    ("the state says more than the process", "src/run/run.c",
     "[RUN_HELD] = 5,", "[RUN_HELD] = 0,", 8),
    # --- what production is believed to be -------------------------------------------------------
    ("trust the journal about the end", ENGINE + "settle.c",
     "if (version == NULL || engine->proven ||", "if (version != NULL || engine->proven ||", 3, 200000),
    ("promote without a look", ENGINE + "place.c",
     "if (place_serves(engine, engine->run->version, VERIFY_MS, &why) != 0) {",
     "if (engine->run->version == NULL) {", 3),
    ("trust a weight that was never set", ENGINE + "traffic.c",
     "step->step.weight >= 0 && step->status == STATUS_DONE)\n            weight",
     "step->step.weight >= 0 && step->status != STATUS_SKIPPED)\n            weight", 2),
    ("any version will do", ENGINE + "place.c",
     "if (!instance->ready || !text_equal(instance->version, version)) {",
     "if (!instance->ready) {", 3),
    ("deploy onto what serves", ENGINE + "place.c", "    if (share > 0) {\n        error_set(err,"
     " ERROR_STATE,\n                  \"slot '%s' has %.1f",
     "    if (share > 2) {\n        error_set(err, ERROR_STATE,\n                  \"slot '%s' has %.1f", 1, 200000),
    ("stop what serves", ENGINE + "traffic.c",
     "        if (share > 0)\n            return error_set(err, ERROR_STATE, \"slot '%s' still",
     "        if (share > 2)\n            return error_set(err, ERROR_STATE, \"slot '%s' still", 1),
    ("ready is what was asked to start", ENGINE + "place.c",
     "if (missing(engine, step, &state, &laggard) == 0)",
     "if (missing(engine, step, &state, &laggard) < 99)", 1),
    ("the new version may serve untested", ENGINE + "traffic.c",
     "return instance->ready && (unproven || !is_unproven(run, instance));",
     "return (void)is_unproven, (void)run, (void)unproven, instance->ready;", 1),
    ("a cancelled run is left where it is", ENGINE + "settle.c",
     "    if (make_safe(engine, &named, &err) != 0) {",
     "    named = arena_format(engine->context.arena, \"%s serves 100 %%\", engine->run->previous);\n"
     "    if (engine->run->id == NULL && make_safe(engine, &named, &err) != 0) {", 8),
    # --- traffic ---------------------------------------------------------------------------------
    ("swap the two arms", ENGINE + "traffic.c",
     "route->share = weight / (double)candidates;", "route->share = (1 - weight) / (double)candidates;", 2),
    ("one stage too early", ENGINE + "place.c",
     "return traffic_apply(engine, step->step.weight, err);",
     "return traffic_apply(engine, step->step.weight * 2 < 1 ? step->step.weight * 2 : 1, err);", 2),
    ("smoke tests come after the traffic", "src/plan/slots.c",
     """    step = plan_smoke(b, arena_format(b->arena, "smoke-%s", slot), first_of(b->facts, slot)->url,
                      "before any traffic");
    if (step != NULL) {""",
     "    step = NULL;\n    if (step != NULL) {", 1),
    ("no wait before the traffic", "src/plan/slots.c",
     """    step = plan_step(b, STEP_READY, arena_format(b->arena, "ready-%s", slot));
    step->title = arena_format(b->arena, "wait until %s is ready", slot);
    step->reason = plan_says_so""",
     """    step = plan_step(b, STEP_NOTIFY, arena_format(b->arena, "ready-%s", slot));
    step->title = arena_format(b->arena, "wait until %s is ready", slot);
    step->reason = plan_says_so""", 1),
    ("rolling does not drain", "src/plan/rolling.c",
     "batch = {.first = first, .drain = r->total > 1};", "batch = {.first = first, .drain = false};", 1),
    # --- judging ---------------------------------------------------------------------------------
    ("count missing data as good", ENGINE + "judge.c",
     "    line->judgement = JUDGE_NODATA;\n    line->detail =",
     "    line->judgement = JUDGE_PASS;\n    line->detail =", 7),
    ("decide on too few requests", "src/stats/rule.c",
     "if (!(measured->requests >= measured->min_requests) || !isfinite(bound)) {",
     "if (!isfinite(bound)) {", 7),
    ("a breach is a pass", "src/stats/rule.c",
     "return breach ? JUDGE_BREACH : JUDGE_PASS;", "return breach && false ? JUDGE_BREACH : JUDGE_PASS;", 7),
    ("what is undecided passes", ENGINE + "watch.c",
     "        if (line->judgement != JUDGE_PASS)\n            return line;",
     "        if (line->judgement == JUDGE_BREACH)\n            return line;", 7),
    ("every breach is shared", ENGINE + "judge.c",
     "if (judgement == JUDGE_BREACH && is_shared(limit, measured->baseline)) {",
     "if (judgement == JUDGE_BREACH && !is_shared(limit, measured->baseline)) {", 6),
    ("a breach does not turn round", ENGINE + "settle.c",
     "    if (outcome == OUTCOME_BREACH)\n        return turn_back(engine, step, why, ended);",
     "    if (outcome == OUTCOME_BREACH)\n        step->status = STATUS_DONE;\n"
     "    if (outcome == OUTCOME_BREACH)\n        return 0;", 7),
    ("blind to crash loops", ENGINE + "trigger.c",
     "if (restarts > CRASH_LOOP_RESTARTS)", "if (restarts > 1000000)", 7),
    ("restarts count from the second look", ENGINE + "trigger.c",
     "    if (step_observe(engine, step, &state, &why) != 0)\n        return;",
     "    if (step_observe(engine, step, &state, &why) <= 0)\n        return;", 7, 200000),
    ("a new counter counts from nothing", "src/stats/counts.c",
     "delta = born ? delta : none;", "delta = born ? none : (struct counts){bad, total + 1000};", 7),
    # --- gates and people ------------------------------------------------------------------------
    ("a gate that fails lets pass", ENGINE + "gate.c",
     "    if (no != NULL) {\n        error_set(err, ERROR_GATE, \"%s: %s: %s: %s\", step->step.group",
     "    if (no != NULL && list.count > 9) {\n"
     "        error_set(err, ERROR_GATE, \"%s: %s: %s: %s\", step->step.group", 7),
    ("a smoke test that fails lets pass", ENGINE + "gate.c",
     "    if (no == NULL)\n        return OUTCOME_DONE;", "    if (no == NULL || address != NULL)\n"
     "        return OUTCOME_DONE;", 1),
    ("nobody has to sign", ENGINE + "human.c",
     "    return OUTCOME_WAIT;", "    return OUTCOME_DONE;", 7),
    ("a killed job signs", ENGINE + "human.c",
     "if (engine->resumed && engine->waited &&", "if (engine->resumed &&", 7),
    # --- the way back ----------------------------------------------------------------------------
    ("a failed way back is a way back", ENGINE + "end.c",
     "status = broken_back(run) == NULL ? RUN_ROLLED_BACK : RUN_ROLLBACK_FAILED;",
     "status = RUN_ROLLED_BACK;", 3),
    ("what is not ready serves all the same", ENGINE + "settle.c",
     "    if (run_is_promoted(run))\n        return settle_promoted(",
     "    if (run_is_promoted(run))\n        return journal_save(engine->journal, run, why);\n"
     "    if (run_is_promoted(run))\n        return settle_promoted(", 1),
    # --- drivers, which the simulator has its own of ---------------------------------------------
    ("the load balancer is not read back", "src/router/haproxy.c",
     "return view.moves.count == 0 ? 0 : still_different(router, &view.moves.items[0], err);",
     "(void)still_different;\n    return 0;", "test_router_haproxy"),
    ("who is down has a share", "src/router/haproxy.c",
     "if (takes_requests(server) && total > 0) {", "if (total > 0) {", "test_router_haproxy"),
    ("a command that ended well is run again", "src/workload/command.c",
     "    } else if (recorded == RECORDED_ENDED && code == 0) {\n        *out = MEMORY_DONE;",
     "    } else if (recorded == RECORDED_ENDED && code == 0) {\n        *out = MEMORY_NONE;",
     "test_workload_command"),
    ("several series are one", "src/metric/prometheus.c",
     "NOTHING_MULTI_SERIES,", "NOTHING_NO_DATA,", "test_metric_prometheus"),
    ("any status will do", "src/check/http.c",
     "bool good = wanted->count == 0 && reply->status / 100 == 2;", "bool good = true;", "test_check"),
    ("what was begun is told twice", ENGINE + "history.c",
     "    if (is_told(path, run))\n        return 0;\n    AUTO_JSON",
     "    if (run == NULL && is_told(path, run))\n        return 0;\n    AUTO_JSON", "test_journal"),
    ("a state that was changed is believed", ENGINE + "journal.c",
     "if ((journal->key != NULL && seal_check(journal->key, &text, &why) != 0) ||",
     "if ((journal->key != NULL && seal_check(journal->key, &text, &why) > 0) ||", "test_journal"),
    # --- files, over a disk that loses what was not synced ---------------------------------------
    ("the state is not synced", "src/io/file.c",
     "if (fd_write(fd, data, length) < 0 || fd_sync(fd) < 0) {", "if (fd_write(fd, data, length) < 0) {", "walk"),
    ("the folder is not synced", "src/io/file.c",
     "    if (sync_folder(folder) < 0) {\n        return error_system(err, errno, \"cannot write the folder of %s\","
     " path);",
     "    if (folder < 0 && sync_folder(folder) < 0) {\n"
     "        return error_system(err, errno, \"cannot write the folder of %s\", path);", "walk"),
    ("the lock is not taken", "src/io/lock.c",
     "result = flock(fd, LOCK_EX | LOCK_NB);", "result = flock(fd, LOCK_SH | LOCK_NB);", "walk"),
]
