# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For every .bats file:
#   load helpers
#   setup() { da_setup; }
#   teardown() { da_teardown; }
# The test then works in $DIR, a new directory that is also the rig's.
#
#   da_rig [rig_start words] [-- deploy.yaml words]   rig, ops and deploy.yaml in $DIR
#   run_da ARG…                        $status $output (both streams) as of bats' run
#   da_start ARG…                      in the background: $DA_PID, output in $DIR/out
#   da_wait                            its exit code in $status, $output
#   da_until SECONDS COMMAND…          polls; fails with what was waited for
#   want_status N  want_output TEXT  want_no_output TEXT  want_file FILE TEXT
#   want_weights "blue1=100 …"  want_up "blue-1=v1 …"  want_effects N PATTERN
#   fake_http 'JSON' [flag…]           strict scripted server: $FAKE_URL $FAKE_LOG (see fake.go)
#   fake_unexpected                    prints refused requests; none: prints nothing
#   proxy_start NAME TO [flag…]        in front of TO (host:port, socket): sets PROXY to its address; its rules are
#                                      $DIR/NAME.rules, what it did is in $DIR/NAME.log (see proxy.go)
#   run_da_peak ARG…                   as run_da, and the most memory it had, in kB, in $peak
#   da_skip WHY                        printed and counted skip
#
# From outside: DEPLOY_ACTION (the binary), DEPLOY_ACTION_FAULT (the one with fault points), SERVICE,
# VEGETA, DA_TIMEOUT (seconds, 60), DA_SLOW (how many times as long da_until waits, 1), DA_SKIPS (a file that gets one
# line per skip), DA_LEFT_OUT (a file of tests to skip), DA_KEEP=1 (leave failed directories).

bats_require_minimum_version 1.5.0
DA_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
DEPLOY_ACTION=${DEPLOY_ACTION:-$DA_ROOT/build/deploy-action}
DEPLOY_ACTION_FAULT=${DEPLOY_ACTION_FAULT:-$DA_ROOT/build/fault/deploy-action}
# shellcheck source=test/rig/rig.sh
. "$DA_ROOT/test/rig/rig.sh"
export SERVICE

# bats traces every command of a test, which makes long functions slow: these run outside.
for da_verb in start stop haproxy_start haproxy_stop haproxy_restart deploy_yaml load_start load_stop weights up; do
    eval "rig_$da_verb() { \"\$DA_ROOT/test/rig/rig.sh\" $da_verb \"\$@\"; }"
done

da_setup() {
    DIR=$(mktemp -d "${TMPDIR:-/tmp}/da.XXXXXX")
    cd "$DIR" || return 1
    DA_PID=''
    FAKES=0
    unset GITHUB_ACTIONS GITHUB_OUTPUT GITHUB_STEP_SUMMARY GITLAB_CI CI
    da_leave_out
}

# Lines of DA_LEFT_OUT are "NAME | WHY".
da_leave_out() {
    local why
    [ -n "${DA_LEFT_OUT:-}" ] || return 0
    why=$(awk -F ' [|] ' -v name="$BATS_TEST_DESCRIPTION" '$1 == name { print $2 }' "$DA_LEFT_OUT")
    [ -z "$why" ] || da_skip "$why"
}

da_teardown() {
    local file
    [ -z "${DA_PID:-}" ] || kill -KILL "$DA_PID" 2> /dev/null
    for file in "$DIR"/fake.*.pid; do
        [ -e "$file" ] && rig_kill "$file" TERM 20
    done
    rig_stop "$DIR"
    cd / || return 1
    if [ -n "${DA_KEEP:-}" ] && [ -z "${BATS_TEST_COMPLETED:-}" ]; then
        echo "# kept: $DIR" >&3
    else
        rm -rf "$DIR"
    fi
    return 0
}

da_skip() {
    [ -z "${DA_SKIPS:-}" ] || echo "$BATS_TEST_FILENAME: $BATS_TEST_DESCRIPTION: $*" >> "$DA_SKIPS"
    skip "$*"
}

da_rig() {
    local rig=() yaml=() half=rig word
    for word in "$@"; do
        if [ "$word" = -- ]; then half=yaml; elif [ "$half" = rig ]; then rig+=("$word"); else yaml+=("$word"); fi
    done
    rig_start "$DIR" "${rig[@]}" && rig_deploy_yaml "$DIR" "${yaml[@]}"
}

run_da() {
    run timeout -k 5 "${DA_TIMEOUT:-60}" "$DEPLOY_ACTION" "$@" < /dev/null
}

da_start() {
    "$DEPLOY_ACTION" "$@" < /dev/null > "$DIR/out" 2>&1 3>&- &
    DA_PID=$!
}

da_wait() {
    local i
    for ((i = 0; i < ${DA_TIMEOUT:-60} * 20; i++)); do
        kill -0 "$DA_PID" 2> /dev/null || break
        sleep 0.05
    done
    kill -KILL "$DA_PID" 2> /dev/null && echo "# still running after ${DA_TIMEOUT:-60} s, killed" >> "$DIR/out"
    status=0
    wait "$DA_PID" || status=$?
    DA_PID=''
    output=$(cat "$DIR/out")
}

da_until() {
    local seconds=$(($1 * ${DA_SLOW:-1})) i
    shift
    for ((i = 0; i < seconds * 20; i++)); do
        "$@" > /dev/null 2>&1 && return 0
        sleep 0.05
    done
    da_fail "waited $seconds s in vain for: $*"
}

da_fail() {
    {
        echo "$1"
        echo "status: ${status:-} output:"
        echo "${output:-$(cat "$DIR/out" 2> /dev/null)}"
    } >&2
    return 1
}

want_status() {
    [ "$status" = "$1" ] || da_fail "exit code $status, want $1"
}

want_output() {
    [[ $output == *"$1"* ]] || da_fail "output lacks: $1"
}

want_no_output() {
    [[ $output != *"$1"* ]] || da_fail "output has: $1"
}

want_file() {
    grep -qF -- "$2" "$1" || da_fail "$1 lacks: $2; it has: $(head -c 2000 "$1" 2>&1)"
}

want_weights() {
    local got
    got=$(rig_weights "$DIR")
    [ "$got" = "$1" ] || da_fail "weights are $got, want $1"
}

want_up() {
    local got
    got=$(rig_up "$DIR")
    [ "$got" = "$1" ] || da_fail "up are $got, want $1"
}

want_effects() {
    local got
    got=$(rig_effects "$DIR" "$2")
    [ "$got" = "$1" ] || da_fail "$got effects match '$2', want $1: $(xargs < "$DIR/effects.log")"
}

# In the background, by process id: FILE gets what it prints first, an address.
da_serve() {
    local name=$1 address i
    shift
    rig_need || return 1
    (
        setsid "$SERVICE" -listen 127.0.0.1:0 "$@" < /dev/null > "$DIR/$name.out" 2>&1 3>&- &
        echo $! > "$DIR/$name.pid"
    )
    for ((i = 0; i < 250; i++)); do
        read -r address 2> /dev/null < "$DIR/$name.out" && break
        sleep 0.02
    done
    case $address in
        127.0.0.1:*) ADDRESS=$address ;;
        *) da_fail "$name: ${address:-did not start}" ;;
    esac
}

proxy_start() {
    local name=$1 to=$2
    shift 2
    [ -e "$DIR/$name.rules" ] || : > "$DIR/$name.rules"
    : > "$DIR/$name.log"
    da_serve "fake.$name" -proxy "$DIR/$name.rules" -to "$to" -log "$DIR/$name.log" "$@" || return 1
    export PROXY=$ADDRESS
}

run_da_peak() {
    run timeout -k 5 "${DA_TIMEOUT:-60}" /usr/bin/time -q -f %M -o "$DIR/peak" "$DEPLOY_ACTION" "$@" < /dev/null
    peak=$(tail -n 1 "$DIR/peak")
}

want_peak() {
    if [ -n "${DA_LEFT_OUT:-}" ]; then
        echo "# $peak kB of memory, not judged: not only ours is counted" >&3
        return 0
    fi
    [ "$peak" -le "$1" ] || da_fail "$peak kB of memory, want at most $1"
}

fake_http() {
    local script=$1
    shift
    FAKES=$((FAKES + 1))
    FAKE_LOG=$DIR/fake.$FAKES.log
    echo "$script" > "$DIR/fake.$FAKES.json"
    : > "$FAKE_LOG"
    da_serve "fake.$FAKES" -fake "$DIR/fake.$FAKES.json" -log "$FAKE_LOG" "$@" || return 1
    FAKE_URL=http://$ADDRESS
    case " $* " in *" -tls-dir "*) FAKE_URL=https://$ADDRESS ;; esac
    export FAKE_URL FAKE_LOG
}

fake_unexpected() {
    jq -r 'select(.unexpected) | "\(.method) \(.path): \(.unexpected)"' "$FAKE_LOG"
}
