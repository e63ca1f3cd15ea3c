#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What others can write or read around a run, and what must not come of it: rows of docs/security.md.

load helpers
setup() { da_setup; }
teardown() { da_teardown; }

# A world of files, in which a canary of one stage takes two seconds; `status` takes as long as SLOW says.
small_world() {
    cat > deploy.yaml << 'EOF'
app: shop
url: http://127.0.0.1:9
workload:
  command:
    instances: [{ name: web-1, slot: blue }, { name: web-2, slot: green }]
    start: [./ops, start, "${instance}", "${version}"]
    stop: [./ops, stop, "${instance}"]
    status: ./ops status
    version: ./ops version
traffic: { command: { shift: ./ops shift, observe: ./ops observe } }
metrics: { command: {} }
slos: { error-rate: { total: ./ops numbers, target: 1% } }
strategies: { canary: { steps: [{ weight: 100%, watch: 500ms }] }, blue-green: { watch: 500ms } }
watch: { interval: 100ms, baseline: 200ms, min-requests: 10, hold: 2s }
EOF
    cat > ops << 'EOF'
#!/bin/sh
case $1 in
    status) env > "env.$instance"; sleep "${SLOW:-0}"; [ -e "version.$instance" ] ;;
    version) cat "version.$instance" ;;
    shift) echo "$weight" > "weight.$slot" && date +%s%N > since ;;
    numbers) # with a file `bad` half of what green answers is an error
        now=$(date +%s%N) bad=0
        [ ! -e bad ] || [ "$arm" = stable ] || [ "$(cat weight.green)" = 0 ] || bad=$(((now - $(cat since)) / 2000000))
        echo "$bad $((now / 1000000))"
        ;;
    observe) echo "blue $(cat weight.blue)" && echo "green $(cat weight.green)" ;;
    start) echo "$3" > "version.$2" && echo "$*" >> effects.log ;;
    stop) rm -f "version.$2" && echo "$*" >> effects.log ;;
esac
EOF
    chmod 755 ops
    small_world_reset
}

small_world_reset() {
    rm -rf .deploy docs effects.log
    small_world_v1
}

small_world_v1() {
    rm -f version.* && echo v1 > version.web-1
    echo 100 > weight.blue && echo 0 > weight.green
}

@test "memory: no core file, and no look into it by others of the same user" {
    small_world
    chmod 777 .
    cp "$DEPLOY_ACTION" program
    as=()
    [ "$(id -u)" != 0 ] || as=(setpriv --reuid 65534 --clear-groups)
    ulimit -c unlimited
    SLOW=10 "${as[@]}" ./program plan canary v2 > out 2>&1 < /dev/null 3>&- &
    DA_PID=$!
    da_until 10 sh -c "pgrep -P \$(pgrep -P $DA_PID | head -n 1)"
    guard=$(pgrep -P "$DA_PID" | head -n 1)
    command=$(pgrep -P "$guard" | head -n 1)
    # The kernel gives these files to root where the process must not be looked into.
    [ "$(stat -c %u "/proc/$DA_PID/environ")" = 0 ]
    [ "$(stat -c %u "/proc/$guard/environ")" = 0 ]
    [ "$(id -u)" != 0 ] || [ "$(stat -c %u "/proc/$command/environ")" = 65534 ]
    kill -SEGV "$guard" "$DA_PID"
    da_wait
    want_status 139
    run ls
    want_no_output core
}

@test "commands of the user do not inherit what is not theirs" {
    small_world
    cat >> deploy.yaml << 'EOF'
smoke: { api: { http: { url: "http://127.0.0.1:9/", token-env: SHOP_TOKEN } } }
EOF
    export GITHUB_ACTIONS=true GITHUB_OUTPUT=$DIR/output GITHUB_STEP_SUMMARY=$DIR/summary
    SHOP_TOKEN=for-us-alone ACTIONS_RUNTIME_TOKEN=of-the-runner DB_PASSWORD=for-commands run_da plan canary v2
    want_status 0
    want_file env.web-1 DB_PASSWORD=for-commands
    run grep -l -e for-us-alone -e of-the-runner env.web-1 env.web-2
    want_status 1
}

@test "links in place of the state, its folder, lock, history, records and report: never followed" {
    small_world
    mkdir outside
    for file in state.json state.json.lock history.jsonl commands.log report.md preflight.md smoke.md; do
        small_world_reset
        mkdir .deploy && ln -s ../outside/file .deploy/$file && echo untouched > outside/file
        run_da run canary v2
        [ "$(cat outside/file)" = untouched ] || da_fail "written through $file: $(head -c 300 outside/file)"
        [ "$(ls outside)" = file ] || da_fail "came to the outside: $(ls outside)"
    done
    rm outside/file
    small_world_reset
    ln -s outside .deploy
    run_da run canary v2
    want_status 6
    want_output "a symbolic link stands in the way; give the path that it leads to"
    [ -z "$(ls outside)" ] || da_fail "came to the outside: $(ls outside)"
    run_da run canary v2 --state "$DIR/outside/state.json" --set report.path=outside/report.md
    want_status 0
    want_file outside/state.json '"succeeded"'
}

@test "a link in place of the folder of incidents: never followed" {
    small_world
    touch bad
    mkdir -p outside && ln -s outside docs
    run_da run blue-green v2
    want_status 2
    want_output "a symbolic link stands in the way"
    [ -z "$(ls outside)" ] || da_fail "came to the outside: $(ls outside)"
}

# As a job of GitLab: project, commit and environment are known.
in_ci() { # PROJECT COMMIT ENVIRONMENT ARG…
    local project=$1 commit=$2 environment=$3
    shift 3
    run env GITLAB_CI=true CI_PROJECT_PATH="$project" CI_COMMIT_SHA="$commit" CI_ENVIRONMENT_NAME="$environment" \
        CI_PIPELINE_ID=1 timeout -k 5 60 "$DEPLOY_ACTION" "$@" < /dev/null
}

signed_off=(--set strategies.canary.sign-off=true)

waiting_run() { # a run of v2 that waits for a person, as the job of o/shop at commit aaaa left it
    small_world_reset
    in_ci o/shop aaaa production run canary v2 "${signed_off[@]}"
    want_status 75
    cp .deploy/state.json kept.json
    : > effects.log
}

want_untouched() {
    cmp -s .deploy/state.json kept.json || da_fail "the state was changed"
    [ ! -s effects.log ] || da_fail "acted: $(cat effects.log)"
}

@test "a state of another project, application or environment: refused by every command, untouched" {
    small_world
    waiting_run
    for command in "run canary v2" promote rollback retire status report finalize doctor "run canary v2 --supersede"; do
        # shellcheck disable=SC2086  # a command and its words
        in_ci fork/shop aaaa production $command
        want_status 6
        want_output "the run recorded here is of project 'o/shop', and this is 'fork/shop'"
        want_output "--restart"
        # shellcheck disable=SC2086
        in_ci o/shop aaaa staging $command
        want_status 6
        want_output "is of environment 'production', and this is 'staging'"
        want_untouched
    done
    for command in "run canary v2" promote rollback retire report; do
        # shellcheck disable=SC2086
        in_ci o/shop aaaa production $command --set app=other
        want_status 6
        want_output "is of app 'shop', and this is 'other'"
        want_untouched
    done
    run_da promote --environment staging
    want_status 6
    want_untouched
    # From a laptop nothing is known but the application; names are compared without case.
    run_da status
    want_status 0
    in_ci O/Shop aaaa production status
    want_status 0
    run_da promote
    want_status 0
    # Whoever wants to begin anew says so.
    waiting_run
    small_world_v1
    in_ci fork/shop aaaa production run canary v2 --restart "${signed_off[@]}"
    want_status 75
    want_file .deploy/state.json '"project": "fork/shop"'
}

@test "a state of another commit: not gone on with as the same version, and no verdict about it" {
    small_world
    waiting_run
    in_ci o/shop bbbb production run canary v2 "${signed_off[@]}"
    want_status 6
    want_output "v2 is unfinished (waiting) and of commit aaaa, and this is bbbb"
    want_untouched
    # The job of that commit again; a person from another commit; a laptop.
    in_ci o/shop aaaa production run canary v2 "${signed_off[@]}"
    want_status 0
    waiting_run
    in_ci o/shop bbbb production promote
    want_status 0
    waiting_run
    in_ci o/shop bbbb production rollback
    want_status 2
    waiting_run
    run_da run canary v2 "${signed_off[@]}"
    want_status 0
    # A new version of a new commit; the same one with --supersede goes back first.
    in_ci o/shop bbbb production run canary v3
    want_status 0
    waiting_run
    in_ci o/shop bbbb production run canary v2 --supersede "${signed_off[@]}"
    want_status 75
    want_file effects.log "stop web-2"
    want_file .deploy/history.jsonl '"superseded"'
    want_file .deploy/state.json '"commit": "bbbb"'
}

@test "a verdict is about a commit: the same version from another one is judged anew" {
    small_world
    touch bad
    in_ci o/shop aaaa production run blue-green v2
    want_status 2
    : > effects.log
    in_ci o/shop aaaa production run blue-green v2
    want_status 2
    want_output "recorded verdict"
    [ ! -s effects.log ]
    rm bad
    in_ci o/shop bbbb production run blue-green v2
    want_status 0
    want_file effects.log "start web-2 v2"
}

@test "a forged state: no path, command, record or address that we would not write ourselves" {
    small_world
    fake_http '{"routes": [{"path": "/health", "replies": [{"status": 200}]}]}'
    thief=$FAKE_URL thief_log=$FAKE_LOG
    fake_http '{"routes": [{"path": "/health", "replies": [{"status": 200}]}]}'
    sed -i "s|^url: .*|url: $FAKE_URL|; s|slot: green|&, url: \"$FAKE_URL\"|" deploy.yaml
    echo 'smoke: { api: { http: { url: "${base_url}/health", token-env: SHOP_TOKEN } } }' >> deploy.yaml
    export SHOP_TOKEN=for-the-shop-alone
    waiting_run
    for forged in '.id = "/../../outside"' '.id = "a\nended x"' '.version = "$(touch outside)"' \
        '.previous = "-rf"' '.previous = "v1;touch outside"' '.candidate_slot = "a b"' \
        '.steps[1].step.id = "../x"' '.steps[0].step.version = "`x`"' '.steps[2].step.instances = ["web-1\n"]'; do
        jq "$forged" kept.json > .deploy/state.json && cp .deploy/state.json forged.json
        for command in "run canary v2" promote rollback retire finalize; do
            # shellcheck disable=SC2086
            run_da $command
            want_status 6
            want_output "which we never write"
            cmp .deploy/state.json forged.json
        done
    done
    [ ! -s effects.log ]
    # The tests would take the token elsewhere.
    jq --arg url "$thief" '(.steps[] | select(.step.base_url).step.base_url) = $url
        | (.steps[] | select(.step.kind == "smoke").status) = "pending"' kept.json > .deploy/state.json
    run_da run canary v2
    [ "$status" != 0 ]
    want_output "'$thief' is recorded as the address to test, and is none of deploy.yaml"
    [ ! -s "$thief_log" ] || da_fail "the token went to $(cat "$thief_log")"
    jq -e 'select(.path == "/health")' "$FAKE_LOG" > /dev/null
    [ -z "$(fake_unexpected)" ]
}

@test "a sealed state: what others wrote is refused, with the key it is ours" {
    small_world
    echo 'state-key-env: DEPLOY_STATE_KEY' >> deploy.yaml
    export DEPLOY_STATE_KEY=0123456789abcdef-of-the-environment
    waiting_run
    jq -e '.seal | length == 64' .deploy/state.json
    for forged in '.steps |= map(.status = "done")' '.seal = "0" * 64' 'del(.seal)' '.previous = "v0"'; do
        jq "$forged" kept.json > .deploy/state.json && cp .deploy/state.json forged.json
        for command in "run canary v2" promote rollback retire report; do
            # shellcheck disable=SC2086
            run_da $command
            want_status 6
            want_output "seal"
            cmp .deploy/state.json forged.json
        done
    done
    # The same run, not formatted as we do it; and with another key.
    jq -c . kept.json > .deploy/state.json
    run_da promote
    want_status 6
    cp kept.json .deploy/state.json
    DEPLOY_STATE_KEY=0123456789abcdef-of-another run_da promote
    want_status 6
    want_output "somebody else wrote it, or the key was changed"
    DEPLOY_STATE_KEY=fifteen-bytes-- run_da promote
    want_status 1
    want_output "the key of 'DEPLOY_STATE_KEY' has fewer than 16 bytes"
    [ ! -s effects.log ]
    env -u DEPLOY_STATE_KEY "$DEPLOY_ACTION" status | grep waiting
    run_da promote
    want_status 0
    run_da run canary v2
    want_status 0
    run grep -r 0123456789abcdef-of-the .deploy
    want_status 1
}
