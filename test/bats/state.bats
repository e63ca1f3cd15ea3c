#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What becomes of the run that another one replaces: a state and a line of the history, whatever happens.

load helpers
setup() { da_setup; }
teardown() { da_teardown; }

# kill_at_gate: a run of v2 is killed at its gate, before anything of production was touched.
kill_at_gate() {
    da_rig per_slot=1 -- interval=300ms "steps=100:1s" min_requests=5
    printf 'gates:\n  tests:\n    - command: sleep 2\n' >> deploy.yaml
    rig_load_start "$DIR" 60
    da_start run canary v2
    da_until 30 sh -c "jq -e '.status == \"running\"' .deploy/state.json"
    kill -KILL "$DA_PID"
    wait "$DA_PID" || true
}

# want_history "VERSION STATUS"…: exactly these lines.
want_history() {
    local got
    got=$(jq -r '"\(.version // "-") \(.status)"' .deploy/history.jsonl | paste -sd ,)
    [ "$got" = "$(printf '%s\n' "$@" | paste -sd ,)" ] || da_fail "the history has: $got"
}

@test "--supersede of a run that had touched nothing: it ends superseded, with its line of the history" {
    kill_at_gate
    run_da run canary v4 --supersede
    want_status 0
    want_output "v2 was superseded by v4; there is nothing to go back from: production was not touched"
    want_up "green-1=v4"
    want_history "v2 superseded" "v4 succeeded"
}

@test "--supersede, and the new run cannot begin: the old one is superseded in state and history all the same" {
    kill_at_gate
    ops/start green-1 v9
    rig_admin "$DIR" "set weight shop/green1 100" > /dev/null
    run_da run canary v4 --supersede
    want_status 6
    run_da status
    want_output "superseded"
    want_history "v2 superseded"
    run jq -r '.status, .headline' .deploy/state.json
    [ "$output" = "superseded"$'\n'"v2 was superseded by v4; there is nothing to go back from: production was not touched" ]
}

@test "--supersede of a run that was on its way back for its own reason: rolled back, then the new one" {
    da_rig per_slot=1 -- interval=300ms "steps=50:20s 100:1s" min_requests=8
    rig_version "$DIR" v3 -fail-ratio 0.5
    rig_load_start "$DIR" 60
    da_start run canary v3
    da_until 30 sh -c "jq -e '.direction == \"backward\"' .deploy/state.json"
    kill -KILL "$DA_PID"
    wait "$DA_PID" || true
    run_da run canary v2 --supersede
    want_status 0
    want_up "green-1=v2"
    want_history "v3 rolled-back" "v2 succeeded"
}

@test "--restart over an unfinished run: its state is kept beside, and the history tells" {
    kill_at_gate
    cp .deploy/state.json before
    run_da run canary v4 --restart
    want_status 0
    old=$(echo .deploy/state.json.*.old)
    want_output "v2 is left unfinished (running); its state is kept as $old"
    cmp before "$old"
    want_history "v2 superseded" "v4 succeeded"
    run_da history
    want_output ", state kept as ${old#.deploy/}"
}

@test "--restart over a state that cannot be read: it is kept beside, and the history tells" {
    da_rig per_slot=1 -- interval=300ms "steps=100:1s" min_requests=5
    rig_load_start "$DIR" 60
    mkdir .deploy
    echo '{"schema": 1, "id": "x", "steps": [{' > .deploy/state.json
    cp .deploy/state.json before
    run_da run canary v2 --restart
    want_status 0
    old=$(echo .deploy/state.json.*.old)
    want_output "the state of the run before this one cannot be read; its state is kept as $old"
    cmp before "$old"
    want_history "- unreadable" "v2 succeeded"
    ln -sf /etc/passwd .deploy/state.json
    run_da history
    want_status 0
    want_output "2 runs, 1 deployed"
    run_da run canary v2 --restart
    want_status 0
    want_output "nothing to do"
    [ ! -e .deploy/state.json ]
    want_history "- unreadable" "v2 succeeded" "- unreadable"
    [ "$(find .deploy -name 'state.json.*.old' | wc -l)" = 2 ]
}

@test "killed between the history and the last save of the state: one line all the same; retire adds none" {
    da_rig per_slot=1 -- interval=300ms watch=1s min_requests=5
    rig_load_start "$DIR" 60
    FAULT_KILL=file.appended run "$DEPLOY_ACTION_FAULT" run blue-green v2
    want_status 137
    want_history "v2 succeeded"
    [ "$(jq -r .status .deploy/state.json)" = running ]
    run_da run blue-green v2
    want_status 0
    want_history "v2 succeeded"
    run_da retire --yes
    want_status 0
    want_history "v2 succeeded"
    FAULT_KILL=file.append.before run "$DEPLOY_ACTION_FAULT" run blue-green v4
    want_status 137
    run_da run blue-green v4
    want_status 0
    want_history "v2 succeeded" "v4 succeeded"
    run_da rollback
    want_status 2
    want_history "v2 succeeded" "v4 succeeded" "v4 rolled-back"
}
