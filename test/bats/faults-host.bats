#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a machine can do to a run: full disks, strange files, little of everything, signals, commands without manners.
# Each has a named outcome; production is never left between two versions by it.

load helpers
setup() { da_setup; }
teardown() {
    if mountpoint -q "$DIR/small"; then umount -l "$DIR/small"; fi
    da_teardown
}

short=(interval=150ms baseline=200ms "steps=50:300ms 100:300ms" watch=300ms min_requests=5 hold=2s drop=off)
long=(interval=150ms baseline=200ms "steps=50:4s 100:300ms" watch=300ms min_requests=5 hold=2s drop=off)

shop() { # words of deploy.yaml
    da_rig per_slot=1 -- "$@"
    sed -i 's/^strategies:/ready-timeout: 5s\nstrategies:/' deploy.yaml
    rig_load_start "$DIR" 60
}

# Where everything began, for the next row of a table.
back() {
    ops/start blue-1 v1
    da_until 10 ops/status blue-1
    rig_admin "$DIR" "set server shop/blue1 weight 100; set weight shop/green1 0" > /dev/null
    sleep 0.1
    ops/stop green-1
    rm -rf .deploy docs
    : > effects.log
}

is_watching() { jq -e '.steps[] | select(.step.id == "watch-50") | .status == "intent"' "${1:-.deploy/state.json}"; }
watching() { da_until 30 is_watching "$@"; }

on_blue() { [[ $(rig_weights "$DIR") == *"green1=0" ]] || da_fail "$(rig_weights "$DIR")"; }

# All of v2, and every side effect once.
done_once() {
    want_status 0
    want_up "green-1=v2"
    want_effects 1 "start green-1 v2"
    want_effects 1 "stop blue-1"
}

# ---- the disk ------------------------------------------------------------------------------------------------------

small_disk() {
    mkdir -p small
    mount -t tmpfs -o "$1" tmpfs small || da_skip "no permission to mount"
}

@test "the disk fills up while it is watched: exit 6, traffic on the old version; with room a re-run goes on" {
    shop "${long[@]}"
    small_disk size=128k
    da_start run canary v2 --state small/state.json
    watching small/state.json
    head -c 200000 /dev/zero > small/fill 2> /dev/null || true
    da_wait
    want_status 6
    want_output "small/state.json: No space left on device"
    want_output "v1 on blue serves 100 %"
    on_blue
    want_up "blue-1=v1 green-1=v2"
    rm small/fill
    run_da run canary v2 --state small/state.json
    done_once
}

@test "no room for another file, and a file that may not grow: exit 6 with the words of the system" {
    shop "${short[@]}"
    small_disk size=1m,nr_inodes=6
    touch small/1 small/2 small/3 small/4
    run_da run canary v2 --state small/state.json
    want_status 6
    want_output "small/state.json: No space left on device"
    want_effects 0 .
    rm small/?
    # The limit of one file's size stands for a quota: at 1 KB nothing is begun, at 14 KB it is met on the way.
    sed -i 's/50%, watch: 300ms/50%, watch: 4s/' deploy.yaml
    for size in 1 14; do
        run bash -c "ulimit -S -f $size; exec '$DEPLOY_ACTION' run canary v2 --quiet < /dev/null"
        want_status 6
        want_output ".deploy/state.json: File too large"
        on_blue
        want_up "$([ $size = 1 ] && echo blue-1=v1 || echo blue-1=v1 green-1=v2)"
    done
    run_da run canary v2
    done_once
}

@test "a state that cannot be written: exit 6 before anything is touched, while reading goes on" {
    shop "${long[@]}"
    small_disk size=128k
    da_start run canary v2 --state small/state.json
    watching small/state.json
    kill -KILL "$DA_PID"
    wait "$DA_PID" || true
    rm -f small/*.lock
    mount -o remount,ro small
    run_da run canary v2 --state small/state.json
    want_status 6
    want_output "small/state.json.lock: Read-only file system"
    run_da rollback --state small/state.json
    want_status 6
    run_da status --state small/state.json
    want_status 0
    want_output "watch"
    run_da report --state small/state.json
    want_status 0
    want_weights "blue1=50 green1=50"
    mount -o remount,rw small
    run_da run canary v2 --state small/state.json
    done_once
}

@test "the folder of the state is removed while it is watched: exit 6, traffic on the old version" {
    shop "${long[@]}"
    da_start run canary v2
    watching
    mv .deploy away
    da_wait
    want_status 6
    want_output ".deploy/state.json: No such file or directory"
    on_blue
    mv away .deploy
    run_da run canary v2
    done_once
}

# ---- strange files -------------------------------------------------------------------------------------------------

@test "a pipe, folder, device or socket in place of a file of ours: named at once, nothing hangs, nothing is deployed" {
    shop "${short[@]}"
    export DA_TIMEOUT=10
    mkdir .deploy
    for make in "mkfifo" "mkdir" "mknod_null" "mksocket"; do
        $make .deploy/state.json
        run_da run canary v2
        want_status 6
        want_output ".deploy/state.json: "
        [ "${#lines[@]}" = 1 ]
        rm -rf .deploy/state.json
    done
    rm -rf .deploy
    mkdir .deploy
    for file in state.json.lock commands.log; do
        for make in mkfifo mkdir; do
            $make ".deploy/$file"
            run_da run canary v2
            [ "$status" = 6 ] || [ "$status" = 4 ] || da_fail "exit code $status"
            want_output "$file: "
            rm -rf .deploy
            mkdir .deploy
        done
    done
    for make in mkfifo touch; do
        rmdir .deploy
        $make .deploy
        run_da run canary v2
        want_status 6
        want_output ".deploy: Not a directory"
        rm .deploy
        mkdir .deploy
    done
    mkfifo pipe.yaml
    run_da run canary v2 -f pipe.yaml
    want_status 1
    want_output "pipe.yaml: is not a regular file"
    want_effects 0 .
    # What is told afterwards is no reason to stop.
    mkfifo .deploy/history.jsonl .deploy/smoke.md
    mkdir .deploy/report.md
    run_da run canary v2
    done_once
    want_output "history.jsonl: is not a regular file"
    want_output "report.md: "
}
mknod_null() { mknod "$1" c 1 3 || mkdir "$1"; }
mksocket() { (cd "$(dirname "$1")" && python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$(basename "$1")"); }

@test "a state of a newer version: no command touches it or anything else" {
    shop "${short[@]}"
    run_da run canary v2
    want_status 0
    : > effects.log
    jq '.schema = 99 | .steps[0].step.kind = "dance"' .deploy/state.json > newer
    for command in "run canary v2" "run canary v3 --supersede" rollback promote "retire --yes" status report; do
        cp newer .deploy/state.json
        # shellcheck disable=SC2086
        run_da $command
        want_status 6
        want_output ".deploy/state.json: state was written by a newer version (schema 99, this one knows 1)"
        cmp newer .deploy/state.json
    done
    want_effects 0 .
}

# ---- a state edited by hand ----------------------------------------------------------------------------------------

@test "a state edited by hand: refused with the place, or the world is believed instead; never a false success" {
    shop "${long[@]}"
    da_start run canary v2
    watching
    kill -KILL "$DA_PID"
    wait "$DA_PID" || true
    cp -r .deploy kept
    while IFS=@ read -r edit verdict words; do
        rm -rf .deploy
        cp -r kept .deploy
        jq "$edit" kept/state.json > .deploy/state.json
        run_da run canary v2
        [ "$status" = "$verdict" ] || da_fail "$edit: exit code $status, want $verdict"
        want_output "$words"
        [ "$status" != 6 ] || want_weights "blue1=50 green1=50"
        [ "$status" != 6 ] || want_effects 1 .
        rig_admin "$DIR" "set server shop/blue1 weight 50; set server shop/green1 weight 50" > /dev/null
    done << 'EDITS'
del(.schema)@6@state has no schema number
.status = "fine"@6@state: status: not a name known here: 'fine'
.steps[3].step.kind = "dance"@6@state: steps[3].step.kind: not a name known here: 'dance'
.steps[2] = null@6@state: steps[2]: not an object
.steps += .steps@6@state: two steps have the id
(.steps[] | select(.step.kind == "shift") | .step.weight) = 7.5@6@step.weight is out of range
(.steps[] | select(.step.kind == "shift") | .step.weight) = -3@6@step.weight is out of range
.sequence = -5@6@state: sequence is out of range
.started = 1e300@6@state: started: not exact
.version = "v9"@7@v9 is unfinished
.strategy = "rolling"@7@v2 is being deployed as rolling
.steps |= map(.status = "done")@5@every step was done, but: 'blue-1' has 50.0 % of the traffic
.status = "rolled-back"@2@recorded verdict
.status = "succeeded"@6@blue serves 50 % and green 50 %
.candidate_slot = "purple"@2@no instance in deploy.yaml is in slot 'purple'
EDITS
    # Slots that are gone: those who serve go on serving.
    rm -rf .deploy
    cp -r kept .deploy
    jq '.stable_slot = "purple"' kept/state.json > .deploy/state.json
    run_da rollback
    want_status 8
    want_output "no instance in deploy.yaml is in slot 'purple': the traffic is left as it is"
    rig_load_stop "$DIR" > load
    want_file load "failed=0"
}

@test "a state with any one value gone or another: it is shown, or the place is named" {
    shop "${long[@]}"
    da_start run canary v2
    watching
    kill -KILL "$DA_PID"
    wait "$DA_PID" || true
    cp .deploy/state.json whole
    run python3 - "$DEPLOY_ACTION" << 'PYTHON'
import copy, json, random, subprocess, sys
whole = json.load(open("whole"))
def places(value, path=()):
    yield path
    for key in (range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ()):
        yield from places(value[key], path + (key,))
paths = [p for p in places(whole) if p]
random.Random(1).shuffle(paths)
tried = 0
for path in paths[:50]:
    for edit in ("gone", None, "x", [1e9], -1, {}):
        state = copy.deepcopy(whole)
        inner = state
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = edit
        if edit == "gone":
            del inner[path[-1]]
        json.dump(state, open(".deploy/state.json", "w"))
        done = subprocess.run([sys.argv[1], "status"], capture_output=True, text=True, timeout=10)
        words = done.stdout + done.stderr
        if done.returncode not in (0, 6) or done.returncode == 6 and ".deploy/state.json: " not in words:
            sys.exit(f"{path} {edit}: {done.returncode} {words}")
        tried += 1
print(tried, "states")
PYTHON
    want_status 0
    want_output "300 states"
}

# ---- little of everything ------------------------------------------------------------------------------------------

@test "no environment at all" {
    shop "${short[@]}"
    run env -i "$DEPLOY_ACTION" run canary v2 < /dev/null
    done_once
}

@test "descriptors 0, 1 and 2 closed, each and all: done, and nothing is written into a file of ours" {
    shop "${short[@]}"
    for closed in "0<&-" "1>&-" "2>&-" "0<&- 1>&- 2>&-"; do
        run bash -c "exec $closed; exec '$DEPLOY_ACTION' run canary v2"
        done_once
        jq -e '.status == "succeeded"' .deploy/state.json
        grep -qv '^begun \|^ended ' .deploy/commands.log && da_fail "$(cat .deploy/commands.log)"
        back
    done
}

@test "a reader that has gone away: the run does not end with it" {
    shop "${short[@]}"
    { "$DEPLOY_ACTION" run canary v2 < /dev/null 2>&1; echo $? > code; } | head -c 1 > /dev/null
    status=$(cat code)
    done_once
}

# Only our own program is short of it, not the commands.
generous() {
    mv ops real
    mkdir ops
    for verb in start stop update status version; do
        printf '#!/bin/busybox sh\nulimit -S -v unlimited\nulimit -S -n 1024\nexec "%s/real/%s" "$@"\n' "$DIR" "$verb" > "ops/$verb"
        chmod +x "ops/$verb"
    done
}

@test "few descriptors: enough, or a named end before anything is touched" {
    shop "${short[@]}"
    generous
    for few in 3 4 5 6 7 8 9 10 11 12 14; do
        run bash -c "ulimit -S -n $few; exec '$DEPLOY_ACTION' run canary v2 < /dev/null"
        case $status in 1 | 3 | 6) ;; *) da_fail "$few: exit code $status" ;; esac
        [ -n "$output" ]
        want_weights "blue1=100 green1=0"
        want_effects 0 .
    done
    run bash -c "ulimit -S -n 32; exec '$DEPLOY_ACTION' run canary v2 < /dev/null"
    done_once
}

@test "little memory: 4 MB are enough, and with less production is safe and a re-run goes on" {
    shop "${short[@]}"
    generous
    run bash -c "ulimit -S -v 4096; exec '$DEPLOY_ACTION' run canary v2 < /dev/null"
    done_once
    back
    for kb in 2200 2000 1800; do
        run bash -c "ulimit -S -v $kb; exec '$DEPLOY_ACTION' run canary v2 < /dev/null"
        case $status in 3 | 6) ;; *) da_fail "$kb: exit code $status" ;; esac
        want_weights "blue1=100 green1=0"
    done
    run_da run canary v2
    done_once
}

@test "nobody: a user without a home and without rights runs it all; what is not theirs is named" {
    [ "$(id -u)" = 0 ] || da_skip "only root can become nobody"
    shop "${short[@]}"
    chmod 755 "$DIR"
    nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all)
    run "${nobody[@]}" "$DEPLOY_ACTION" run canary v2 < /dev/null
    want_status 6
    want_output ".deploy: Permission denied"
    chown -R 65534:65534 "$DIR"
    ops/stop blue-1
    "${nobody[@]}" ops/start blue-1 v1 # theirs to stop
    da_until 10 ops/status blue-1
    : > effects.log
    chmod 600 admin.sock
    chown 0:0 admin.sock
    run "${nobody[@]}" "$DEPLOY_ACTION" run canary v2 < /dev/null
    want_status 6
    want_output "admin.sock: could not connect: Permission denied"
    want_effects 0 .
    chown 65534 admin.sock
    run "${nobody[@]}" "$DEPLOY_ACTION" run canary v2 < /dev/null
    done_once
    chown 0:0 .deploy/state.json
    run "${nobody[@]}" "$DEPLOY_ACTION" status < /dev/null
    want_status 6
    want_output ".deploy/state.json: Permission denied"
}

# ---- signals -------------------------------------------------------------------------------------------------------

@test "SIGHUP: a safe state and 129; under nohup, and SIGPIPE, SIGTSTP, SIGXFSZ from outside: nothing" {
    shop "${long[@]}"
    # Whoever runs the tests may be under nohup, too.
    printf '#!/bin/sh\nexec env --default-signal=HUP %s "$@"\n' "$DEPLOY_ACTION" > hearing
    chmod +x hearing
    DEPLOY_ACTION=$PWD/hearing da_start run canary v2
    watching
    kill -HUP "$DA_PID"
    da_wait
    want_status 129
    want_output "cancelled by SIGHUP"
    on_blue
    "$DEPLOY_ACTION" status | grep -q "cancelled"
    nohup "$DEPLOY_ACTION" run canary v2 < /dev/null > out 2>&1 3>&- &
    DA_PID=$!
    da_until 20 sh -c 'jq -e ".attempts | length == 2" .deploy/state.json && grep -q "set again" out'
    for signal in HUP PIPE XFSZ TSTP CONT; do
        kill -"$signal" "$DA_PID"
        sleep 0.1
    done
    da_wait
    done_once
}

@test "stopped and continued: the time in which nobody looked is not counted" {
    shop "${long[@]}"
    da_start run canary v2
    watching
    kill -STOP "$DA_PID"
    sleep 5
    kill -CONT "$DA_PID"
    da_wait
    done_once
    want_output "nobody looked for "
    run jq '[.steps[] | select(.step.id == "watch-50")][0] | .ended - .started > 8500' .deploy/state.json
    [ "$output" = true ]
}

@test "stopped, told to end, and continued: it ends safely" {
    shop "${long[@]}"
    da_start run canary v2
    watching
    kill -STOP "$DA_PID"
    kill -TERM "$DA_PID"
    sleep 1
    kill -CONT "$DA_PID"
    da_wait
    want_status 143
    on_blue
}

# ---- commands without manners --------------------------------------------------------------------------------------

rude() { # VERB SCRIPT: the command is that instead
    [ -e "ops/$1.kind" ] || mv "ops/$1" "ops/$1.kind"
    printf '#!/bin/bash\n%s\n' "$2" > "ops/$1"
    chmod +x "ops/$1"
}
polite() { mv "ops/$1.kind" "ops/$1"; }
timeouts() { sed -i "s|^  command:|  command:\n    timeouts: { $1 }|" deploy.yaml; }
nothing_left() { # of the commands with this mark in their environment or name
    ! pgrep -f "$DIR/$1" > /dev/null || da_fail "left: $(pgrep -af "$DIR/$1")"
}

@test "a start that ignores SIGTERM and never ends: killed with all of its children, exit 4" {
    shop "${short[@]}"
    timeouts "start: 1s, settle: 500ms"
    rude start "trap '' TERM; cp /bin/sleep '$DIR/stubborn'; '$DIR/stubborn' 1000 & (trap '' TERM; exec '$DIR/stubborn' 1000) & wait; while :; do wait; done"
    before=$SECONDS
    run_da run canary v2
    want_status 4
    want_output "'./ops/start green-1 v2' did not end within 1s"
    [ $((SECONDS - before)) -le $((8 * ${DA_SLOW:-1})) ]
    nothing_left stubborn
    want_weights "blue1=100 green1=0"
    polite start
    run_da run canary v2
    done_once
}

@test "SIGTERM to us while a command ignores its own: we end within 7.5 s, and so does it" {
    shop "${short[@]}"
    rude start "trap '' TERM; cp /bin/sleep '$DIR/stubborn'; (trap '' TERM; exec '$DIR/stubborn' 1000) & while :; do wait; done"
    da_start run canary v2
    da_until 20 pgrep -f "$DIR/stubborn"
    before=${EPOCHREALTIME/./}
    kill -TERM "$DA_PID"
    da_wait
    [ $((${EPOCHREALTIME/./} - before)) -lt $((7500000 * ${DA_SLOW:-1})) ]
    want_status 143
    nothing_left stubborn
}

@test "a start that leaves a daemon with our descriptors: not waited for, and the daemon lives" {
    shop "${short[@]}"
    rude start "'$DIR/ops/start.kind' \"\$@\"; cp /bin/sleep '$DIR/daemon'; setsid '$DIR/daemon' 60 & '$DIR/daemon' 60 & disown; exit 0"
    before=$SECONDS
    run_da run canary v2
    done_once
    [ $((SECONDS - before)) -le $((10 * ${DA_SLOW:-1})) ]
    [ "$(pgrep -cf "$DIR/daemon")" = 2 ]
    pkill -KILL -f "$DIR/daemon"
}

@test "commands that flood 1 GB of output: done, in less than 8 MB" {
    shop "${short[@]}"
    rude start "'$DIR/ops/start.kind' \"\$@\"; head -c 1000000000 /dev/zero; echo done >&2"
    rude stop "yes 'a line that means nothing' | head -c 100000000; exec '$DIR/ops/stop.kind' \"\$@\""
    run_da_peak run canary v2
    done_once
    want_peak 8192
}

@test "a status that never ends, floods, or is killed: not ready with the reason, never taken for ready" {
    shop "${short[@]}"
    timeouts "status: 500ms"
    while IFS='|' read -r script words; do
        rude status "$script"
        run_da run canary v2
        [ "$status" = 3 ] || [ "$status" = 6 ] || da_fail "$script: exit code $status"
        want_output "$words"
        want_effects 0 .
    done << 'STATUS'
sleep 60|'./ops/status blue-1' did not end within 500ms
kill -STOP $$|'./ops/status blue-1' did not end within 500ms
kill -KILL $$|was ended by SIGKILL
kill -KILL $PPID; sleep 5|the guard of './ops/status blue-1' was killed
while :; do echo ready; done|did not end within 500ms
printf 'restarts=\xff\x1b[31m\0'; exit 1|ended with code 1
exec /no/such/program|ended with code 12
STATUS
    polite status
    run_da run canary v2
    done_once
}

@test "checks by command: all kinds at once, each with its verdict, none passes" {
    shop "${short[@]}"
    cat >> deploy.yaml << YAML
gates:
  tests:
    - { name: is-endless,  command: "sleep 1000", timeout: 1s, retries: 0 }
    - { name: is-stubborn, command: "trap '' TERM; while :; do sleep 0.1; done", timeout: 1s, retries: 0 }
    - { name: is-flood,    command: "yes", timeout: 1s, retries: 0 }
    - { name: is-daemon,   command: "sleep 3 & exit 1", timeout: 2s, retries: 0 }
    - { name: is-stopped,  command: "kill -STOP \$\$", timeout: 1s, retries: 0 }
    - { name: is-orphan,   command: "kill -KILL \$PPID; sleep 3", timeout: 2s, retries: 0 }
    - { name: is-missing,  command: [./no-such-program], timeout: 1s, retries: 0 }
    - { name: is-folder,   command: [/tmp], timeout: 1s, retries: 0 }
    - { name: is-fine,     command: "head -c 1000000 /dev/urandom", timeout: 9s, retries: 0 }
YAML
    run_da_peak run canary v2
    want_status 3
    want_peak 8192
    want_effects 0 .
    jq -r '.checks[] | select(.step == "gate-tests" or .group == "tests") | "\(.name) \(["", "PASS", "FAIL", "UNKNOWN"][.verdict]) \(.took_ms < 6000) \(.evidence)"' .deploy/state.json > answers
    while read -r line; do want_file answers "$line"; done << ANSWERS
is-endless UNKNOWN true 'sleep 1000' did not end within 1s
is-stubborn UNKNOWN true
is-flood UNKNOWN true 'yes' did not end within 1s
is-daemon FAIL true
is-stopped UNKNOWN true
is-orphan UNKNOWN true the guard of
is-missing UNKNOWN true
is-folder UNKNOWN true
is-fine PASS true
ANSWERS
}

@test "a metric by command that never ends, floods or fails: held with 5, never promoted, never rolled back" {
    shop "${short[@]}"
    sed -i "/^metrics:/,/^strategies:/{/haproxy/d}; s|^metrics:|metrics:\n  command: { timeout: 500ms }|" deploy.yaml
    sed -i '/^slos:/,/^watch:/{/error-rate/d}; s|^slos:|slos:\n  error-rate: { value: "./measure ${arm}", unit: ratio, target: 1% }|' deploy.yaml
    sed -i 's/hold: 2s/hold: 500ms/' deploy.yaml
    for script in "sleep 60" "yes 1 2" "exit 3" "kill -KILL \$PPID" "trap '' TERM; while :; do sleep 1; done"; do
        printf '#!/bin/bash\n%s\n' "$script" > measure
        chmod +x measure
        run_da_peak run canary v2
        want_status 5
        want_output "NODATA"
        want_no_output "rolled back"
        want_peak 8192
        on_blue
        back
    done
}
