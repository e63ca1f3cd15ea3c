#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What can go wrong around a run: a named outcome, no wrong promotion, nothing lost.

load helpers
setup() { da_setup; }
teardown() { da_teardown; }

long=(interval=300ms "steps=50:3s 100:1s" watch=3s min_requests=8 hold=2s)

until_watching() {
    da_until 30 sh -c "jq -e '.status == \"running\" and ([.steps[] | select(.step.kind == \"watch\" and .status == \"intent\")] | length > 0)' .deploy/state.json"
}

@test "two runs at once: the second is told who holds the lock, exit 7" {
    da_rig -- "${long[@]}"
    rig_load_start "$DIR" 100
    da_start run canary v2
    until_watching
    run_da run canary v2
    want_status 7
    want_output "another run is at work"
    da_wait
    want_status 0
}

@test "another version while one is unfinished: refused with 7, or --supersede rolls it back first" {
    da_rig -- "${long[@]}"
    rig_load_start "$DIR" 100
    da_start run canary v2
    until_watching
    kill -KILL "$DA_PID"
    wait "$DA_PID" || true
    run_da run canary v4
    want_status 7
    want_output "v2 is unfinished"
    run_da run canary v4 --supersede
    want_status 0
    want_up "green-1=v4 green-2=v4"
    run_da history
    want_output "superseded"
}

@test "HAProxy restarted in the middle: the weights are set again and the stage begins anew" {
    da_rig -- "${long[@]}"
    rig_load_start "$DIR" 100
    da_start run canary v2
    until_watching
    rig_haproxy_restart "$DIR"
    da_wait
    want_status 0
    want_output "the router was changed under us"
    want_up "green-1=v2 green-2=v2"
}

@test "somebody moves the traffic back by hand again and again: held with 5, traffic on the old version" {
    da_rig -- interval=300ms "steps=50:8s 100:1s" min_requests=8 hold=1s
    rig_load_start "$DIR" 100
    da_start run canary v2
    until_watching
    for _ in $(seq 60); do
        kill -0 "$DA_PID" 2> /dev/null || break
        rig_admin "$DIR" "set weight shop/green1 0; set weight shop/green2 0" > /dev/null
        sleep 0.3
    done
    da_wait
    want_status 5
    want_output "the router was changed"
    want_file .deploy/report.md "**HELD**"
}

@test "metrics gone: holds with its name, then exit 5 and traffic on the old version; a re-run goes on" {
    da_rig -- "${long[@]}" metrics=scrape
    rig_load_start "$DIR" 100
    da_start run canary v2
    until_watching
    rig_fault "$DIR" green-1 metrics=gone
    rig_fault "$DIR" green-2 metrics=gone
    da_wait
    want_status 5
    want_output "NODATA"
    run rig_weights "$DIR"
    [[ "$output" == *"green1=0 green2=0"* ]]
    want_up "blue-1=v1 blue-2=v1 green-1=v2 green-2=v2"
    rig_fault "$DIR" green-1 metrics=ok
    rig_fault "$DIR" green-2 metrics=ok
    run_da run canary v2
    want_status 0
    want_up "green-1=v2 green-2=v2"
}

@test "metrics slow, garbage, NaN or endless never promote and never roll back by themselves" {
    for fault in slow garbage nan endless; do
        da_rig per_slot=1 -- "${long[@]}" metrics=scrape
        rig_load_start "$DIR" 60
        da_start run canary v2
        until_watching
        rig_fault "$DIR" green-1 metrics=$fault
        da_wait
        want_status 5
        want_no_output "rolled back"
        rig_stop "$DIR"
        rm -rf "$DIR"
        mkdir "$DIR"
        cd "$DIR"
    done
}

@test "full disk: nothing is done that cannot be journaled, exit 6" {
    da_rig -- "${long[@]}"
    mkdir small
    mount -t tmpfs -o size=64k tmpfs small || da_skip "no permission to mount"
    head -c 65536 /dev/zero > small/fill || true
    run_da run canary v2 --state small/state.json
    umount small
    want_status 6
    want_output "No space left"
    want_effects 0 start
    want_weights "blue1=100 blue2=100 green1=0 green2=0"
}

@test "read-only, truncated and foreign state: refused by name, exit 6, production untouched" {
    da_rig -- "${long[@]}"
    mkdir .deploy
    echo '{"schema": 1, "id": "x", "steps": [{' > .deploy/state.json
    run_da run canary v2
    want_status 6
    want_output ".deploy/state.json: "
    want_output "--restart"
    echo '{"schema": 99}' > .deploy/state.json
    run_da run canary v2
    want_status 6
    want_output "newer"
    rm .deploy/state.json
    ln -s /etc/passwd .deploy/state.json
    run_da run canary v2
    want_status 6
    want_effects 0 start
}

@test "the router cannot be reached: exit 6 before anything is touched" {
    da_rig -- "${long[@]}"
    rig_haproxy_stop "$DIR"
    run_da run canary v2
    [ "$status" != 0 ]
    want_effects 0 start
}

@test "the way back fails: exit 8, CRITICAL, and what to do, word for word (S-354...S-359)" {
    da_rig -- interval=300ms "steps=50:20s 100:1s" min_requests=8
    rig_load_start "$DIR" 60
    # Whatever comes back tells another version than the one that must serve.
    da_start run canary v3
    until_watching
    mv ops/version ops/version.real
    printf '#!/bin/sh\necho v0\n' > ops/version
    chmod +x ops/version
    rig_fault "$DIR" green-1 fail=0.5
    rig_fault "$DIR" green-2 fail=0.5
    da_wait
    want_status 8
    want_output "CRITICAL: Rollback failed - "
    want_output "Escalate to Incident Commander immediately"
    want_output "1. Declare P0 incident"
    want_output "2. Assemble incident response team"
    want_output "3. Manual intervention required (e.g., traffic rerouting, emergency maintenance)"
    want_output "4. Notify stakeholders of service disruption"
    mv ops/version.real ops/version
    run_da rollback
    want_status 2
}

@test "both versions are bad: held, and traffic is not moved to an old version that is dead" {
    da_rig -- interval=300ms "steps=50:3s 100:1s" min_requests=8 hold=1s
    rig_load_start "$DIR" 60
    da_start run canary v3
    until_watching
    ops/stop blue-1
    ops/stop blue-2
    rig_fault "$DIR" green-1 fail=0.5
    rig_fault "$DIR" green-2 fail=0.5
    da_wait
    [ "$status" = 5 ] || [ "$status" = 8 ] || da_fail "exit code $status"
    want_no_output "v1 on blue serves 100 %"
}

@test "rollback by hand of a finished blue-green run, from the state alone, in another folder" {
    da_rig -- "${long[@]}"
    rig_load_start "$DIR" 60
    run_da run blue-green v2
    want_status 0
    run_da rollback --by carol --comment "customers call"
    want_status 2
    want_up "blue-1=v1 blue-2=v1"
    run jq -r '.trigger, .trigger_detail' .deploy/state.json
    [[ "$output" == *manual*carol*customers* ]]
}

@test "SIGTERM and SIGINT at any step: a safe state within 7.5 s, and a re-run finishes" {
    da_rig -- "${long[@]}"
    rig_load_start "$DIR" 60
    for signal in TERM INT; do
        da_start run canary v2
        until_watching
        before=${EPOCHREALTIME/./}
        kill -"$signal" "$DA_PID"
        da_wait
        [ $((${EPOCHREALTIME/./} - before)) -lt $((7500000 * ${DA_SLOW:-1})) ]
        [ "$status" = "$([ $signal = TERM ] && echo 143 || echo 130)" ]
        want_output "cancelled by SIG$signal"
        run rig_weights "$DIR"
        [[ "$output" == *"green1=0 green2=0"* ]]
    done
    run_da run canary v2
    want_status 0
    want_effects 2 "start green"
}
