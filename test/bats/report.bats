#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What people see and say: gates, questions, sign-off, triggers of the infrastructure, history.

load helpers
setup() { da_setup; }
teardown() { da_teardown; }

short=(interval=300ms "steps=100:1s" watch=1s min_requests=5)

# One gate for each word: `command: test ! -e no-WORD`.
add_gates() {
    echo "gates:" >> deploy.yaml
    for gate in "$@"; do
        echo "  $gate: { name: asked, command: \"test ! -e no-$gate\" }" >> deploy.yaml
    done
}

@test "a gate that fails stops the run before anything is touched: exit 3, word for word" {
    all=(security reliability tests approvals artifacts environment incidents rollback)
    da_rig -- "${short[@]}"
    add_gates "${all[@]}"
    for gate in "${all[@]}"; do
        touch "no-$gate"
        run_da run canary v2
        rm "no-$gate"
        want_status 3
        want_output "Pre-deployment validation failed: $gate"
        want_output "Resolve gate failure before proceeding"
        want_output "/project:gate-check construction"
        want_output "Review quality gate criteria and re-run validation"
        want_output "production is untouched"
        want_effects 0 .
        want_file .deploy/report.md "- FAIL $gate / asked: "
    done
    rig_fault "$DIR" blue-2 health=bad
    run_da run canary v2
    want_status 3
    want_output "environment: 1 of 2 serving instances are ready"
    want_effects 0 .
}

@test "approvals: whoever is missing is named, all of them let it through" {
    roles=(release-manager security-gatekeeper reliability-engineer change-advisory-board)
    da_rig per_slot=1 -- "${short[@]}"
    printf 'gates:\n  approvals:\n' >> deploy.yaml
    for role in "${roles[@]}"; do
        echo "    - { role: $role, command: \"cat approved-by-$role\" }" >> deploy.yaml
        echo "$role says yes" > "approved-by-$role"
    done
    for role in "${roles[@]}"; do
        mv "approved-by-$role" away
        run_da run canary v2
        mv away "approved-by-$role"
        want_status 3
        want_output "Pre-deployment validation failed: approvals"
        want_output "approved-by-$role: FAIL"
        want_effects 0 .
    done
    rig_load_start "$DIR" 60
    run_da run canary v2
    want_status 0
    grep -q '^| Release Manager | .*release-manager says yes | 20' .deploy/report.md
    grep -q '^| Reliability Engineer | .*reliability-engineer says yes | 20' .deploy/report.md
}

@test "artifacts: checksums that do not match stop the run" {
    da_rig per_slot=1 -- "${short[@]}"
    echo built > artifact
    sha256sum artifact > SHA256SUMS
    printf 'gates:\n  artifacts: { command: sha256sum -c SHA256SUMS }\n' >> deploy.yaml
    echo changed > artifact
    run_da run canary v2
    want_status 3
    want_output "Pre-deployment validation failed: artifacts"
    want_file .deploy/report.md "- Checksums verified: NO"
    want_effects 0 .
    echo built > artifact
    rig_load_start "$DIR" 60
    run_da run canary v2
    want_status 0
    want_file .deploy/report.md "- Checksums verified: YES"
}

# ask ANSWER…: the run at a terminal, one line typed for each question.
ask() {
    printf '%s\n' "$@" > typed
    run timeout -k 5 60 script -qec "$DEPLOY_ACTION run canary v2 --interactive" /dev/null < typed
}

@test "interactive: six questions, no ends with 0, yes applies the answers" {
    command -v script > /dev/null || da_skip "no script(1)"
    da_rig per_slot=1 -- "${short[@]}"
    add_gates tests
    touch no-tests
    ask speed budget "data loss" senior May GDPR no
    want_status 0
    want_output "# Flow Deploy To Production - Interactive Setup"
    want_output "I'll ask 6 strategic questions to tailor this flow to your project's needs."
    want_output "Q1: What are your top priorities for this activity?"
    want_output "Q2: What are your biggest constraints?"
    want_output "Q3: What risks concern you most for this workflow?"
    want_output "Q4: What's your team's experience level with this type of activity?"
    want_output "Q5: What's your target timeline?"
    want_output "Q6: Are there compliance or regulatory requirements?"
    want_output "Based on your answers, I'll adjust priorities, agent assignments, and activity focus."
    want_output "Proceed with these adjustments? (yes/no)"
    want_output "Aborting flow."
    [ ! -e .deploy/state.json ]
    ask speed budget "data loss" senior May GDPR Yes
    want_status 0
    want_output "Aborting flow."
    ask speed budget "data loss" senior May GDPR yes
    want_status 3
    want_output "✓ Guidance applied: Adjusted priorities and agent assignments"
    want_no_output "Aborting flow."
    run jq -r '.guidance, (.reviewers | join(" "))' .deploy/state.json
    want_output "Priorities: speed. Constraints: budget. Risks: data loss. Team: senior. Timeline: May. Compliance: GDPR."
    want_output "reliability-engineer legal-liaison privacy-officer"
}

@test "interactive: answers given beforehand are used where there is no terminal" {
    da_rig per_slot=1 -- "${short[@]}"
    add_gates tests
    touch no-tests
    run_da run canary v2
    want_status 3
    want_no_output "Guidance applied"
    run_da run canary v2 --interactive --answer speed --answer budget --answer loss --answer new --answer May --answer SOX
    want_status 3
    want_output "✓ Guidance applied"
    run jq -r '.guidance' .deploy/state.json
    want_output "Timeline: May. Compliance: SOX."
}

@test "a crash loop and a kill for memory roll back at once" {
    for what in restarts=9 oom=1; do
        da_rig per_slot=1 -- interval=300ms "steps=50:20s 100:1s" min_requests=8
        rig_load_start "$DIR" 60
        da_start run canary v2
        da_until 30 sh -c "jq -e '.watch.observed_ms > 300' .deploy/state.json"
        echo "${what#*=}" > "run/green-1.${what%=*}"
        da_wait
        want_status 2
        want_output "Infrastructure failure: "
        if [ "$what" = oom=1 ]; then
            want_output "'green-1' was killed for its memory"
        else
            want_output "'green-1' restarted 9 times"
        fi
        want_up "blue-1=v1"
        rig_stop "$DIR"
        rm -rf "$DIR"
        mkdir "$DIR"
        cd "$DIR"
    done
}

@test "sign-off: waits with 75 for the operations lead, whose name stands in the report" {
    da_rig per_slot=1 -- "${short[@]}"
    sed -i 's/^  blue-green: { /&sign-off: true, /' deploy.yaml
    rig_load_start "$DIR" 60
    run_da run blue-green v2
    want_status 75
    want_file .deploy/report.md "| Operations Lead | not recorded | not recorded |"
    run_da promote --by olivia --comment "dashboards are fine"
    want_status 0
    want_file .deploy/report.md "| Operations Lead | olivia | 20"
    want_up "blue-1=v1 green-1=v2"
}

@test "smoke tests that fail after the way back: exit 8, escalate (S-261)" {
    da_rig per_slot=1 -- interval=300ms "steps=50:20s 100:1s" min_requests=8
    sed -i 's|^smoke:|&\n  critical-path: { name: old, command: "test $version != v1", retries: 0 }|' deploy.yaml
    rig_version "$DIR" v3 -fail-ratio 0.5
    rig_load_start "$DIR" 60
    run_da run canary v3
    want_status 8
    want_output "CRITICAL: Rollback failed - critical-path/old"
    want_output "Escalate to Incident Commander immediately"
    want_up "blue-1=v1"
    want_file .deploy/report.md "- Rollback Success: NO"
    want_file .deploy/report.md "- Smoke Tests Post-Rollback: FAIL"
}

@test "history and the expectation at the end: runs are counted, throughput away from its baseline is a remark" {
    da_rig per_slot=1 -- "${short[@]}"
    sed -i 's/max-drop: 30%, window/max-drop: 99%, tolerance: 0.001%, window/' deploy.yaml
    rig_version "$DIR" v3 -fail-ratio 0.5
    rig_load_start "$DIR" 67
    run_da run canary v2
    want_status 0
    grep -qE 'throughput is [-+][0-9.]+ % from its baseline, expected within' .deploy/report.md
    run_da run canary v3
    want_status 2
    run_da history
    want_status 0
    want_output "2 runs, 1 deployed, 1 rolled back; change failure rate 50.0 %"
}

# breach METRICS-NAME: v3 is rolled back for this SLO, whose limits are the defaults (S-271…S-278).
breach() {
    run_da run canary v3
    want_status 2
    want_output "SLO breach detected: $1 - Current: "
    want_up "blue-1=v1"
}

@test "a slow version is rolled back: p99 more than a fifth above the baseline" {
    da_rig per_slot=1 -- interval=300ms "steps=50:20s 100:1s" min_requests=8 metrics=scrape latency=10s drop=off
    rig_version "$DIR" v3 -latency 300ms
    rig_load_start "$DIR" 60
    breach latency-p99
    want_output "SLO BREACH: Latency p99 "
    want_output "at most 20 % above baseline"
}

@test "a version that loses sales is rolled back: conversion more than a fifth below the baseline" {
    da_rig per_slot=1 -- interval=300ms "steps=50:20s 100:1s" min_requests=8 metrics=scrape drop=off
    sed -i 's/^slos:/&\n  conversion: { total: checkout_started_total, bad: checkout_abandoned_total }/' deploy.yaml
    rig_version "$DIR" v3 -abandon-ratio 0.9
    rig_load_start "$DIR" 60
    setsid bash -c 'while curl -fsS -o /dev/null "$(cat url)/checkout"; do sleep 0.01; done' > /dev/null 2>&1 3>&- &
    echo $! > run/shoppers.pid
    breach conversion
    want_output "at most 20 % below baseline"
}

@test "a version that loses users is rolled back: throughput more than 30 % below the baseline" {
    da_rig per_slot=1 -- interval=300ms "steps=50:20s 100:1s" min_requests=8 drop_window=2s
    rig_version "$DIR" v3 -fail-ratio 0
    rig_load_start "$DIR" 100
    da_start run canary v3
    da_until 30 sh -c "jq -e '.watch.observed_ms > 300' .deploy/state.json"
    rig_load_stop "$DIR" > load
    rig_load_start "$DIR" 20
    da_wait
    want_status 2
    want_output "SLO breach detected: throughput - Current: "
    want_output "at most 30 % below baseline"
    want_up "blue-1=v1"
}
