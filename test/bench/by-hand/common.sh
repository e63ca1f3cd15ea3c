# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What a competent team writes today with curl, jq, bc and socat. The bench runs these beside
# deploy-action, on the same rig with the same windows. They work in the project directory
# (admin.sock, instances, ops/) and know nothing that deploy-action does not know.
# Exit codes: 0 deployed, 1 did not start, 2 rolled back.
set -euo pipefail

SOCKET=${SOCKET:-admin.sock}
BACKEND=${BACKEND:-shop}
STEPS=${STEPS:-5 25 50 100}
WATCH=${WATCH:-10}                # seconds
INTERVAL=${INTERVAL:-1}           # seconds
MAX_ERROR=${MAX_ERROR:-1}         # percent
MAX_INCREASE=${MAX_INCREASE:-2}   # points above the old version
MIN_REQUESTS=${MIN_REQUESTS:-50}
EVENTS=${EVENTS:-/dev/null}

say() { echo "$(date +%T) $*"; }
event() { echo "$EPOCHREALTIME $*" >> "$EVENTS"; }
admin() { echo "$1" | socat -t 5 - "UNIX-CONNECT:$SOCKET"; }
set_weight() { admin "set server $BACKEND/$1 weight $2" > /dev/null; }

# names of one slot: column 1 is the instance, 3 its server, 4 its port
of_slot() { awk -v slot="$1" -v column="$2" '$2 == slot { print $column }' instances; }
server_of() { awk -v name="$1" '$1 == name { print $3 }' instances; }
url_of() { awk -v name="$1" '$1 == name { print "http://127.0.0.1:" $4 }' instances; }

# counters SERVER…: "answers 5xx" summed
counters() {
    admin "show stat" | awk -F, -v backend="$BACKEND" -v wanted=" $* " '
        NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i }
        $1 == backend && index(wanted, " " $2 " ") {
            bad += $column["hrsp_5xx"]
            for (i = 2; i <= 5; i++) total += $column["hrsp_" i "xx"]
        }
        END { print total + 0, bad + 0 }'
}

weight_of() { admin "show stat" | awk -F, -v b="$BACKEND" -v s="$1" '$1 == b && $2 == s { print $19 }'; }

wait_idle() {
    local i busy
    for ((i = 0; i < 100; i++)); do
        busy=$(admin "show stat" | awk -F, -v b="$BACKEND" -v s="$1" '$1 == b && $2 == s { print $5 }')
        [ "$busy" = 0 ] && return 0
        sleep 0.1
    done
}

wait_healthy() {
    local i
    for ((i = 0; i < 100; i++)); do
        curl -fsS -m 2 -o /dev/null "$(url_of "$1")/health" 2> /dev/null && return 0
        sleep 0.2
    done
    say "$1 does not become healthy"
    return 1
}

smoke() {
    [ "$(curl -fsS -m 5 "$(url_of "$1")/status" | jq -r .version)" = "$VERSION" ]
}

# rate TOTAL BAD TOTAL_BEFORE BAD_BEFORE: percent
rate() { echo "scale=4; if ($1 > $3) 100 * ($2 - $4) / ($1 - $3) else 0" | bc; }

# watch_error SECONDS CANDIDATES STABLES: returns 1 on a breach
watch_error() {
    local end total bad total0 bad0 st sb st0 sb0 now error base
    read -r total0 bad0 <<< "$(counters "$2")"
    read -r st0 sb0 <<< "$(counters "$3")"
    end=$(echo "$EPOCHREALTIME + $1" | bc)
    while :; do
        sleep "$INTERVAL"
        read -r total bad <<< "$(counters "$2")"
        read -r st sb <<< "$(counters "$3")"
        now=$EPOCHREALTIME
        error=$(rate "$total" "$bad" "$total0" "$bad0")
        base=$(rate "$st" "$sb" "$st0" "$sb0")
        if [ $((total - total0)) -ge "$MIN_REQUESTS" ]; then
            if [ "$(echo "$error > $MAX_ERROR || $error > $base + $MAX_INCREASE" | bc)" = 1 ]; then
                event breach
                say "BREACH: error rate $error %, old version $base %"
                return 1
            fi
            [ "$(echo "$now >= $end" | bc)" = 1 ] && return 0
        elif [ "$(echo "$now >= $end + 60" | bc)" = 1 ]; then
            say "no traffic, no verdict"
            return 1
        fi
    done
}

# sides: which slot serves, which one is idle
sides() {
    stable='' candidate=''
    local slot
    for slot in $(awk '{ print $2 }' instances | uniq); do
        if [ "$(weight_of "$(of_slot "$slot" 3 | head -n 1)")" -gt 0 ]; then stable=$slot; else candidate=$slot; fi
    done
    if [ -z "$stable" ] || [ -z "$candidate" ]; then
        say "cannot tell the slots apart"
        exit 1
    fi
    mapfile -t old < <(of_slot "$stable" 3)
    mapfile -t new < <(of_slot "$candidate" 3)
}

# shift_to PERCENT: the candidate's share
shift_to() {
    local server
    # what gains weight first, so that there is always somebody to answer
    for server in "${new[@]}"; do set_weight "$server" "$1"; done
    for server in "${old[@]}"; do set_weight "$server" $((100 - $1)); done
}

shift_back() {
    local server
    for server in "${old[@]}"; do set_weight "$server" 100; done
    for server in "${new[@]}"; do set_weight "$server" 0; done
}

start_slot() {
    local instance
    for instance in $(of_slot "$1" 1); do ops/start "$instance" "$VERSION"; done
    for instance in $(of_slot "$1" 1); do
        if ! wait_healthy "$instance" || ! smoke "$instance"; then
            say "$instance does not pass, stopping $1"
            stop_slot "$1"
            exit 1
        fi
    done
}

stop_slot() {
    local instance
    for instance in $(of_slot "$1" 1); do
        wait_idle "$(server_of "$instance")"
        ops/stop "$instance"
    done
}
