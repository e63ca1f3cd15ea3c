#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The command line: help, mistakes, what is read and what is never touched.

load helpers
setup() { da_setup; }
teardown() { da_teardown; }

@test "help: the program and every subcommand answer --help with an example" {
    run_da --help
    want_status 0
    want_output "Exit codes:"
    for command in $("$DEPLOY_ACTION" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
        run_da "$command" --help
        want_status 0
        want_output "Example: deploy-action $command"
    done
}

@test "unknown option and subcommand: exit 1, the seed's words, the nearest" {
    run_da run canary v2 --guidence x
    want_status 1
    want_output "Unknown option: --guidence"
    want_output "did you mean '--guidance'"
    run_da statos
    want_status 1
    want_output "did you mean 'status'"
    run_da run canery v2
    want_status 1
    want_output "did you mean 'canary'"
    run_da run canary
    want_status 1
}

@test "a missing, broken or hostile deploy.yaml: exit 1, place, remedy, nothing touched" {
    run_da run canary v2
    want_status 1
    want_output "deploy-action init"
    printf 'app: shop\nworkloat: {}\n' > deploy.yaml
    run_da run canary v2
    want_status 1
    want_output "deploy.yaml:2:1: "
    want_output "did you mean 'workload'"
    head -c 10000000 /dev/urandom > deploy.yaml
    run_da validate
    want_status 1
    [ ! -e .deploy ]
}

@test "init writes a valid example and never overwrites" {
    run_da init
    want_status 0
    run_da validate
    want_status 0
    want_output "deploy.yaml is valid"
    run_da init
    want_status 1
}

@test "a strategy as first word means run; a word with a slash is the project (S-004, S-034, D-01)" {
    mkdir -p project
    run_da canary v2 ./project
    want_status 1
    want_output "deploy-action init"
    run_da canary v2 ./nowhere
    want_status 1
    want_output "nowhere"
}

@test "plan prints steps and touches nothing; --json is JSON" {
    da_rig
    run_da plan canary v2
    want_status 0
    want_output "canary v2 over v1"
    want_effects 0 .
    [ ! -e .deploy ]
    "$DEPLOY_ACTION" plan blue-green v2 --json | jq -e '.steps | length > 8'
}

@test "status, report, history without a run say so; doctor names what is wrong" {
    da_rig
    for command in status report history; do
        run_da $command
        want_status 0
    done
    run_da doctor
    want_status 0
    want_output "permissions:"
    rig_haproxy_stop "$DIR"
    run_da doctor
    [ "$status" != 0 ]
}

@test "guidance and interactive: focus is shown, no terminal fails closed, answers become guidance" {
    da_rig
    run_da plan canary v2 --guidance "HIPAA audit, urgent"
    want_status 0
    run_da run canary v2 --interactive
    want_status 1
    want_output "no terminal"
}

@test "secrets are masked in log, journal and report" {
    da_rig -- interval=300ms "steps=100:1s" min_requests=5
    cat >> deploy.yaml << YAML
gates:
  tests:
    - command: "echo leak \$TOKEN_PLAIN; exit 0"
    - { http: { url: "\${base_url}/health", token-env: SHOP_TOKEN } }
    - command: "echo it is s3cr3t-value-123"
YAML
    rig_load_start "$DIR" 60
    SHOP_TOKEN=s3cr3t-value-123 run_da run canary v2
    want_status 0
    want_no_output s3cr3t-value-123
    run grep -r s3cr3t-value-123 .deploy docs
    [ "$status" != 0 ]
    grep -qF '\*\*\*' .deploy/report.md
}

@test "outputs and summary for both CIs" {
    da_rig -- interval=300ms "steps=100:1s" min_requests=5
    rig_load_start "$DIR" 60
    GITHUB_ACTIONS=true GITHUB_OUTPUT=$DIR/output GITHUB_STEP_SUMMARY=$DIR/summary GITHUB_REPOSITORY=o/shop \
        INPUT_STRATEGY=canary INPUT_VERSION=v2 INPUT_COMMAND=run run_da
    want_status 0
    want_output "::group::"
    grep -q '^verdict' output
    want_file summary "# Production Deployment Report"
    GITLAB_CI=true CI_PROJECT_PATH=o/shop DEPLOY_ACTION_COMMAND=run DEPLOY_ACTION_STRATEGY=canary \
        DEPLOY_ACTION_VERSION=v2 run_da
    want_status 0
    want_output "nothing to do"
}

@test "templates from an AIWG tree that is not there: exit 1 before anything is touched (S-041)" {
    da_rig
    AIWG_ROOT=$DIR run_da run canary v2 --set report.template=aiwg
    want_status 1
    want_output "Error: AIWG installation not found at $DIR"
    want_output "Please install AIWG or set AIWG_ROOT environment variable"
    want_effects 0 start
}
