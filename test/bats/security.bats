#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What others can write or read around a run, and what must not come of it: rows of docs/security.md.

load helpers
setup() { da_setup; }
teardown() { da_teardown; }

# A world without processes; `status` takes as long as SLOW says.
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
slos: { error-rate: { total: "echo 0 1000", target: 1% } }
EOF
    cat > ops << 'EOF'
#!/bin/sh
case $1 in
    status) env > "env.${instance:-none}"; sleep "${SLOW:-0}"; [ "$instance" = web-1 ] ;;
    version) [ "$instance" = web-1 ] && cat version ;;
    observe) printf 'blue 100\ngreen 0\n' ;;
    *) echo "$*" >> effects.log ;;
esac
EOF
    chmod 755 ops && echo v1 > version
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
