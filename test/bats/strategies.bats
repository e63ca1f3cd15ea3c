#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The three strategies on real traffic: a good version is promoted without one failed request, a
# bad one is rolled back, and what users saw of it is bounded by weight and time.

load helpers
setup() { da_setup; }
teardown() { da_teardown; }

short=(interval=300ms "steps=5:2s 25:1s 50:1s 100:1s" watch=2s min_requests=8)

load_figure() { sed -n "s/^$1=//p" "$DIR/load"; }

@test "canary: a good version goes 5, 25, 50, 100 % and is promoted with 0 failed requests" {
    da_rig -- "${short[@]}"
    rig_load_start "$DIR" 200
    run_da run canary v2
    rig_load_stop "$DIR" > load
    want_status 0
    [ "$(load_figure failed)" = 0 ]
    [ "$(load_figure total)" -ge 200 ]
    want_up "green-1=v2 green-2=v2"
    want_effects 2 "start green-. v2"
    want_effects 2 "stop blue"
    want_output "v2 serves 100 % in place of v1"
    want_file .deploy/report.md "**SUCCESS**"
    want_file .deploy/report.md "- 1-5%: 20"
    run jq -r '[.steps[] | select(.step.kind == "shift") | .step.weight] | map(tostring) | join(" ")' .deploy/state.json
    [ "$output" = "0.05 0.25 0.5 1" ]
}

@test "canary: a bad version is rolled back at the first stage, verified and tested, exit 2" {
    da_rig -- "${short[@]}"
    rig_version "$DIR" v3 -fail-ratio 0.5
    rig_load_start "$DIR" 200
    run_da run canary v3
    rig_load_stop "$DIR" > load
    want_status 2
    want_output "SLO breach detected: error-rate - Current: "
    want_output "Automated rollback triggered"
    want_output "ERROR: Canary error rate breach, triggering rollback"
    want_up "blue-1=v1 blue-2=v1"
    run rig_weights "$DIR"
    [[ "$output" == *"green1=0 green2=0"* ]]
    # Never more than the weight of the stage, half of which fails.
    total=$(load_figure total) bad=$(load_figure version_v3)
    [ $((bad * 100)) -le $((total * 6)) ]
    echo "# v3 had $bad of $total requests, $(load_figure failed) failed" >&3
    want_file .deploy/report.md "- Rollback Success: YES"
    want_file .deploy/report.md "- Smoke Tests Post-Rollback: PASS"
    ls docs/incidents/incident-INC-*.md
}

@test "blue-green: cut-over, watch, standby kept; retire stops it later" {
    da_rig -- "${short[@]}"
    rig_load_start "$DIR" 200
    run_da run blue-green v2
    rig_load_stop "$DIR" > load
    want_status 0
    [ "$(load_figure failed)" = 0 ]
    want_up "blue-1=v1 blue-2=v1 green-1=v2 green-2=v2"
    want_effects 0 "stop"
    run_da retire
    want_status 6
    want_output "is kept until"
    run_da retire --yes
    want_status 0
    want_up "green-1=v2 green-2=v2"
    run_da retire --yes
    want_status 6
    want_output "retired already"
}

@test "blue-green: smoke tests that fail on green stop it before any user sees it (S-123, D-13)" {
    da_rig -- "${short[@]}"
    sed -i 's|/health" } }|/missing" } }|' deploy.yaml
    run_da run blue-green v2
    want_status 4
    want_output "Smoke tests failed: api/"
    want_output "production is untouched"
    want_weights "blue1=100 blue2=100 green1=0 green2=0"
    want_effects 0 "stop blue"
    want_file .deploy/report.md "**FAILED**"
}

@test "blue-green: a breach after cut-over brings blue back" {
    da_rig -- "${short[@]}"
    rig_version "$DIR" v3 -fail-ratio 0.5
    rig_load_start "$DIR" 200
    run_da run blue-green v3
    rig_load_stop "$DIR" > load
    want_status 2
    want_up "blue-1=v1 blue-2=v1"
    run rig_weights "$DIR"
    [[ "$output" == *"green1=0 green2=0"* ]]
    echo "# v3 had $(load_figure version_v3) of $(load_figure total) requests" >&3
}

@test "rolling: one instance at a time, 0 failed requests" {
    da_rig rolling -- "${short[@]}"
    rig_load_start "$DIR" 200
    run_da run rolling v2
    rig_load_stop "$DIR" > load
    want_status 0
    [ "$(load_figure failed)" = 0 ]
    want_up "web-1=v2 web-2=v2 web-3=v2"
    want_effects 3 "update web-. v2"
    want_file .deploy/report.md "- Instances updated: 3/3"
}

@test "rolling: a bad version is undone on what was updated, newest first" {
    da_rig rolling -- "${short[@]}"
    rig_version "$DIR" v3 -fail-ratio 0.5
    rig_load_start "$DIR" 200
    run_da run rolling v3
    rig_load_stop "$DIR" > load
    want_status 2
    want_up "web-1=v1 web-2=v1 web-3=v1"
    want_effects 1 "update web-1 v3"
    want_effects 1 "update web-1 v1"
    want_effects 0 "update web-2"
}

@test "rolling: manual validation waits with 75 after each batch and goes on at re-run and promote" {
    da_rig rolling count=2 -- "${short[@]}" validate=manual
    rig_load_start "$DIR" 100
    run_da run rolling v2
    want_status 75
    want_output "promote"
    want_up "web-1=v2 web-2=v1"
    run_da run rolling v2 --by alice
    want_status 75
    want_up "web-1=v2 web-2=v2"
    run_da promote --by bob --comment fine
    want_status 0
    rig_load_stop "$DIR" > load
    [ "$(load_figure failed)" = 0 ]
    run jq -r '[.signatures[] | .who] | join(" ")' .deploy/state.json
    [ "$output" = "alice bob" ]
}

@test "a version that never becomes ready fails before traffic, exit 4" {
    da_rig -- "${short[@]}"
    rig_version "$DIR" v2 -ready-after 60s
    run_da run canary v2 --set ready-timeout=2s
    want_status 4
    want_output "Deployment failed: "
    want_output "production is untouched"
    want_weights "blue1=100 blue2=100 green1=0 green2=0"
}

@test "an unhealthy candidate is rolled back at once, whatever the SLOs say (S-276)" {
    da_rig -- interval=300ms "steps=50:20s 100:1s" min_requests=8
    rig_load_start "$DIR" 100
    da_start run canary v2
    da_until 20 grep -q '"watch-50"' .deploy/state.json
    da_until 20 sh -c "jq -e '.steps[] | select(.step.id == \"watch-50\") | .status == \"intent\"' .deploy/state.json"
    rig_fault "$DIR" green-1 health=bad
    rig_fault "$DIR" green-2 health=bad
    da_wait
    rig_load_stop "$DIR" > load
    want_status 2
    want_output "unhealthy: 2 of 2 instances are not healthy"
    want_up "blue-1=v1 blue-2=v1"
}

@test "a smoke test that fails in production turns the run round (S-010, S-237)" {
    da_rig -- "${short[@]}"
    cat > production-test << TEST
#!/bin/sh
[ "\$version" = v1 ] || [ "\$base_url" != "$(cat "$DIR/url")" ]
TEST
    chmod +x production-test
    sed -i 's|^smoke:|smoke:\n  critical-path: [ { command: ./production-test, retries: 0 } ]|' deploy.yaml
    rig_load_start "$DIR" 100
    run_da run blue-green v2
    want_status 2
    want_output "Smoke tests failed: critical-path/"
    want_up "blue-1=v1 blue-2=v1"
    want_file .deploy/smoke.md "## Critical User Journeys"
    want_file .deploy/preflight.md "## Approvals"
    run jq -r .trigger .deploy/state.json
    [ "$output" = smoke-test-failure ]
}
