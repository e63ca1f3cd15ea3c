#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The rig: a real HAProxy in front of real services under real load, on loopback, in one
# directory. Source it (it defines functions and changes no shell option) or run it:
# `rig.sh start DIR …` is `rig_start DIR …`.
#
#   rig_start DIR [slots=blue,green] [per_slot=2] [check=500ms] [abrupt=yes]
#   rig_start DIR rolling [count=3] [check=500ms] [abrupt=yes]
#       check: HAProxy's own health checks; abrupt: ops stop services by KILL, so that
#       whoever does not drain first breaks requests
#   rig_stop DIR                     everything the rig started, by process id
#   rig_haproxy_restart DIR [soft]   stop and start (weights are back at the file's); soft: reload
#   rig_haproxy_stop DIR  rig_haproxy_start DIR
#   rig_deploy_yaml DIR [key=value…] $DIR/deploy.yaml; keys at the function
#   rig_version DIR VERSION [flag…]  how a version behaves: flags of the service, e.g. -fail-ratio 0.3
#   rig_load_start DIR RATE [vegeta attack options]
#   rig_load_stop DIR                total= failed= status_N= error_…= version_V= failed_V= …
#   rig_admin DIR COMMAND…           one command to HAProxy's admin socket
#   rig_weights DIR                  "blue1=100 blue2=100 …" as HAProxy has them now
#   rig_up DIR                       "blue-1=v1 …" of the instances that answer
#   rig_fault DIR INSTANCE QUERY     changes a running service: fail=0.5, metrics=gone, health=bad
#   rig_effects DIR [PATTERN]        how often commands ran that match PATTERN
#   rig_slot_url DIR INSTANCE        its own address; run/admin-port: HAProxy's admin TCP port
#
# In DIR: haproxy.cfg admin.sock deploy.yaml instances url ops/ versions/ run/ log/ effects.log

RIG_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
RIG_ROOT=$(cd "$RIG_HOME/../.." && pwd)
SERVICE=${SERVICE:-$RIG_ROOT/build/service}
RIG_LOCKS=${TMPDIR:-/tmp}/deploy-action-ports.$(id -u)

rig_die() {
    echo "rig: $*" >&2
    return 1
}

# rig_need: finds or builds what the rig runs; says what is missing.
rig_need() {
    local tool
    PATH=$PATH:/usr/sbin:/usr/local/sbin
    for tool in haproxy socat curl jq setsid; do
        command -v "$tool" > /dev/null || { rig_die "$tool is missing (make deps)"; return 1; }
    done
    if [ ! -x "$SERVICE" ]; then
        command -v go > /dev/null || { rig_die "no $SERVICE and no Go to build it"; return 1; }
        (cd "$RIG_ROOT/test/service" && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$SERVICE" .) || return 1
    fi
}

rig_vegeta() {
    local candidate
    for candidate in "${VEGETA:-}" "$(command -v vegeta)" "$RIG_ROOT/build/vegeta" \
        "$("$RIG_ROOT/.ci/where" tools 2> /dev/null)/bin/vegeta" "$HOME/go/bin/vegeta"; do
        [ -n "$candidate" ] && [ -x "$candidate" ] && { echo "$candidate"; return 0; }
    done
    rig_die "vegeta is missing (make deps, or set VEGETA)"
}

# rig_option NAME DEFAULT ARG…: value of the last NAME=value among ARG…
rig_option() {
    local name=$1 value=$2 word
    shift 2
    for word in "$@"; do
        case $word in "$name="*) value=${word#*=} ;; esac
    done
    echo "$value"
}

# rig_ports DIR COUNT: sets PORTS to that many ports below the ephemeral range that nobody
# listens on, reserved against rigs that start at the same moment. Reservations of
# directories that are gone are taken over.
rig_ports() {
    local dir=$1 port hex owner try used
    mkdir -p "$RIG_LOCKS"
    used=$(< /proc/net/tcp)
    PORTS=()
    for ((try = 0; try < 1000 && ${#PORTS[@]} < $2; try++)); do
        port=$((15000 + (RANDOM << 3 ^ RANDOM) % 15000))
        printf -v hex ':%04X 00000000:0000 0A' "$port"
        [[ $used != *"$hex"* ]] || continue
        if ! mkdir "$RIG_LOCKS/$port" 2> /dev/null; then
            { read -r owner < "$RIG_LOCKS/$port/dir"; } 2> /dev/null || continue
            [ -z "$owner" ] || [ -d "$owner" ] || rm -rf "${RIG_LOCKS:?}/$port"
            continue
        fi
        echo "$dir" > "$RIG_LOCKS/$port/dir"
        echo "$port" >> "$dir/run/ports"
        PORTS+=("$port")
    done
    [ "${#PORTS[@]}" = "$2" ] || rig_die "no free port"
}

# rig_alive PIDFILE: prints the process id if that process lives and is not a zombie.
rig_alive() {
    local pid stat
    read -r pid 2> /dev/null < "$1" || return 1
    read -r stat 2> /dev/null < "/proc/$pid/stat" || return 1
    case ${stat##*) } in Z* | X*) return 1 ;; esac
    echo "$pid"
}

# rig_kill PIDFILE [SIGNAL [TENTHS]]: signal, wait, at last KILL.
rig_kill() {
    local pid i
    pid=$(rig_alive "$1") || { rm -f "$1"; return 0; }
    kill "-${2:-TERM}" "$pid" 2> /dev/null
    for ((i = 0; i < ${3:-60}; i++)); do
        rig_alive "$1" > /dev/null || break
        [ "$i" = "$((${3:-60} - 1))" ] && kill -KILL "$pid" 2> /dev/null
        sleep 0.1
    done
    rm -f "$1"
}

rig_start() {
    local dir kind=slots slots per count check slot i n port name weight
    mkdir -p "$1" && dir=$(cd "$1" && pwd) || return 1
    shift
    rig_need || return 1
    [ "${#dir}" -lt 90 ] || { rig_die "path too long for a unix socket: $dir"; return 1; }
    [ "${1:-}" = rolling ] && kind=rolling
    slots=$(rig_option slots blue,green "$@")
    per=$(rig_option per_slot 2 "$@")
    count=$(rig_option count 3 "$@")
    check=$(rig_option check '' "$@")
    mkdir -p "$dir/run" "$dir/log" "$dir/versions"
    : > "$dir/effects.log"
    : > "$dir/instances"
    [ -z "$(rig_option abrupt '' "$@")" ] || : > "$dir/abrupt"
    i=0
    if [ "$kind" = rolling ]; then
        rig_ports "$dir" $((count + 2)) || return 1
        for ((n = 1; n <= count; n++)); do
            echo "web-$n - web$n ${PORTS[i++]} 100"
        done >> "$dir/instances"
    else
        weight=${slots//[!,]/}
        rig_ports "$dir" $(((${#weight} + 1) * per + 2)) || return 1
        weight=100
        for slot in ${slots//,/ }; do
            for ((n = 1; n <= per; n++)); do
                echo "$slot-$n $slot $slot$n ${PORTS[i++]} $weight"
            done >> "$dir/instances"
            weight=0
        done
    fi
    echo "http://127.0.0.1:${PORTS[i]}" > "$dir/url"
    echo "${PORTS[i + 1]}" > "$dir/run/admin-port"
    rig_haproxy_config "$dir" "${PORTS[i]}" "${PORTS[i + 1]}" "$check" > "$dir/haproxy.cfg"
    rig_ops "$dir"
    while read -r name _ _ _ weight; do
        [ "$weight" = 0 ] || "$dir/ops/start" "$name" v1 || return 1
    done < "$dir/instances"
    : > "$dir/effects.log"
    rig_haproxy_start "$dir" || return 1
    rig_wait_url "$(cat "$dir/url")/" || { rig_die "no answer through HAProxy, see $dir/log"; return 1; }
    while read -r name _ _ port weight; do
        [ "$weight" = 0 ] || rig_wait_url "http://127.0.0.1:$port/health" || return 1
    done < "$dir/instances"
}

rig_wait_url() {
    local i
    for ((i = 0; i < 200; i++)); do
        curl -fsS -m 2 -o /dev/null "$1" 2> /dev/null && return 0
        sleep 0.05
    done
    return 1
}

# A retry after a refused connection is what everybody runs; answers are never retried, so a
# user sees each 500 that a service gives.
rig_haproxy_config() {
    local dir=$1 port=$2 admin=$3 check=$4
    cat << EOF
global
    stats socket $dir/admin.sock mode 600 level admin
    stats socket ipv4@127.0.0.1:$admin level admin
    stats timeout 1m
    log stdout format raw local0
    maxconn 2000
    nbthread 1

defaults
    mode http
    log global
    option httplog
    option dontlog-normal
    option redispatch 1
    retries 3
    retry-on conn-failure
    timeout connect 1s
    timeout client 75s
    timeout server 10s
    timeout queue 5s
    timeout http-keep-alive 75s

frontend www
    bind 127.0.0.1:$port
    http-request deny deny_status 403 if { path_beg /fault }
    default_backend shop

backend shop
    balance roundrobin
$([ -z "$check" ] || echo "    option httpchk GET /health")
EOF
    while read -r _ _ server service weight; do
        echo "    server $server 127.0.0.1:$service weight $weight${check:+ check inter $check fall 2 rise 1}"
    done < "$dir/instances"
}

rig_haproxy_start() {
    local dir=$1
    shift
    local i
    # in a subshell, so that bash has no job to report; descriptor 3 is bats' own
    (
        setsid haproxy -db -f "$dir/haproxy.cfg" "$@" < /dev/null >> "$dir/log/haproxy" 2>&1 3>&- &
        echo $! > "$dir/run/haproxy.pid"
    )
    for ((i = 0; i < 100; i++)); do
        rig_alive "$dir/run/haproxy.pid" > /dev/null || break
        rig_admin "$dir" show info 2> /dev/null | grep -q "^Pid: $(cat "$dir/run/haproxy.pid")" && return 0
        sleep 0.03
    done
    rig_die "haproxy did not start: $(tail -n 3 "$dir/log/haproxy")"
}

rig_haproxy_stop() {
    rig_kill "$1/run/haproxy.pid" # TERM: at once, connections are cut
}

rig_haproxy_restart() {
    local old
    if [ "${2:-}" = soft ] && old=$(rig_alive "$1/run/haproxy.pid"); then
        echo "$old" >> "$1/run/haproxy-old"
        rig_haproxy_start "$1" -sf "$old"
        return
    fi
    rig_haproxy_stop "$1"
    rig_haproxy_start "$1"
}

rig_stop() {
    local dir=$1 file port
    [ -d "$dir/run" ] || return 0
    for file in "$dir"/run/*.pid; do
        [ -e "$file" ] || continue
        # asked all at once first, so that waiting for one is waiting for all
        kill "$(rig_alive "$file")" 2> /dev/null
    done
    for file in "$dir"/run/*.pid; do
        [ -e "$file" ] && rig_kill "$file" TERM 30
    done
    if [ -e "$dir/run/haproxy-old" ]; then
        while read -r port; do
            grep -aqs "$dir/haproxy.cfg" "/proc/$port/cmdline" && kill "$port" 2> /dev/null
        done < "$dir/run/haproxy-old"
    fi
    if [ -e "$dir/run/ports" ]; then
        while read -r port; do rm -rf "${RIG_LOCKS:?}/$port"; done < "$dir/run/ports"
        rm -f "$dir/run/ports"
    fi
    return 0
}

# The user's commands. Each is a line of shell that calls `ops`, as a team's scripts would
# call ssh or systemctl.
rig_ops() {
    local dir=$1 verb
    mkdir -p "$dir/ops"
    for verb in start stop update status version; do
        printf '#!/bin/bash\nexport SERVICE=%q\n. %q %q %s "$@"\n' "$SERVICE" "$RIG_HOME/ops" "$dir" "$verb" > "$dir/ops/$verb"
        chmod +x "$dir/ops/$verb"
    done
}

rig_version() {
    local dir=$1 version=$2
    shift 2
    echo "$*" > "$dir/versions/$version"
}

# rig_deploy_yaml DIR [watch=3s] [steps="5:3s 25:3s 50:3s 100:3s"] [interval=500ms]
#   [min_requests=50] [baseline=1s] [hold=15s] [metrics=haproxy|scrape] [validate=auto] [batch=1] [socket=PATH]
#   [error_target=1%] [error_increase=2%] [error_window=5m] [drop=30%|off] [drop_window=10m]
#   [latency=500ms|''] [smoke=on|off] [extra=FILE]      extra: more YAML, appended
rig_deploy_yaml() {
    local dir=$1
    shift
    local watch interval steps step text='' name slot server port weight latency drop
    watch=$(rig_option watch 3s "$@")
    interval=$(rig_option interval 500ms "$@")
    steps=$(rig_option steps "5:$watch 25:$watch 50:$watch 100:$watch" "$@")
    for step in $steps; do
        text="$text${text:+, }{weight: ${step%%:*}%, watch: ${step#*:}}"
    done
    drop=$(rig_option drop 30% "$@")
    latency=$(rig_option latency '' "$@")
    {
        cat << EOF
app: shop
url: $(cat "$dir/url")
workload:
  command:
    instances:
EOF
        while read -r name slot server port weight; do
            [ "$slot" = - ] && slot='' || slot="slot: $slot, "
            echo "      - { name: $name, ${slot}url: \"http://127.0.0.1:$port\", server: $server }"
        done < "$dir/instances"
        cat << EOF
    start:   [./ops/start, "\${instance}", "\${version}"]
    stop:    [./ops/stop, "\${instance}"]
    update:  [./ops/update, "\${instance}", "\${version}"]
    status:  [./ops/status, "\${instance}"]
    version: [./ops/version, "\${instance}"]
traffic:
  haproxy: { socket: $(rig_option socket ./admin.sock "$@"), backend: shop }
metrics:
EOF
        case $(rig_option metrics haproxy "$@") in
            scrape) echo "  scrape: { path: /metrics }" ;;
            *) echo "  haproxy: {}" ;;
        esac
        cat << EOF
strategies:
  canary:     { steps: [ $text ] }
  blue-green: { watch: $watch }
  rolling:    { batch: $(rig_option batch 1 "$@"), validate: $(rig_option validate auto "$@"), watch: $watch }
EOF
        [ "$(rig_option smoke on "$@")" = off ] || cat << EOF
smoke:
  api:
    - { http: { url: "\${base_url}/health" } }
    - { http: { url: "\${base_url}/status", expect: { status: 200, jq: '.version == "\${version}"' } } }
EOF
        cat << EOF
slos:
  error-rate:  { target: $(rig_option error_target 1% "$@"), max-increase: $(rig_option error_increase 2% "$@"), window: $(rig_option error_window 5m "$@") }
EOF
        [ "$drop" = off ] || echo "  throughput:  { max-drop: $drop, window: $(rig_option drop_window 10m "$@") }"
        [ -z "$latency" ] || echo "  latency-p99: { target: $latency, window: 5m }"
        echo "watch: { interval: $interval, baseline: $(rig_option baseline 1s "$@"), min-requests: $(rig_option min_requests 50 "$@"), hold: $(rig_option hold 15s "$@") }"
        text=$(rig_option extra '' "$@")
        [ -z "$text" ] || cat "$text"
    } > "$dir/deploy.yaml"
}

rig_load_start() {
    local dir=$1 rate=$2 vegeta i
    shift 2
    vegeta=$(rig_vegeta) || return 1
    rm -f "$dir/run/load.bin"
    echo "GET $(cat "$dir/url")/" > "$dir/run/targets"
    (
        setsid "$vegeta" attack -rate="$rate/1s" -duration=0 -timeout=15s -max-body=0 -max-workers=200 \
            -targets="$dir/run/targets" -output="$dir/run/load.bin" "$@" < /dev/null > "$dir/log/load" 2>&1 3>&- &
        echo $! > "$dir/run/load.pid"
    )
    for ((i = 0; i < 100; i++)); do
        [ -s "$dir/run/load.bin" ] && return 0
        sleep 0.03
    done
    rig_die "vegeta did not start: $(cat "$dir/log/load")"
}

# Ends the load and prints what the users saw. Failed: an error, or a status of 400 and above.
rig_load_stop() {
    local dir=$1 vegeta
    vegeta=$(rig_vegeta) || return 1
    rig_kill "$dir/run/load.pid" INT 200
    "$vegeta" encode -to json "$dir/run/load.bin" |
        jq -r '[.code, (.headers["X-Version"][0]? // "none"), .latency, (.error | gsub("[\t\n]"; " ")), .timestamp] | @tsv' \
            > "$dir/run/load.tsv"
    rig_load_summary < "$dir/run/load.tsv"
}

rig_load_summary() {
    awk -F '\t' '
        { total++; version[$2]++ }
        $1 < 200 || $1 >= 400 {
            failed++; bad[$2]++; status[$1]++
            if ($1 == 0) { text = $4; sub(/^Get "[^"]*": /, "", text); gsub(/[0-9.]+:[0-9]+/, "*", text); gsub(/[^A-Za-z0-9*]+/, "_", text); error[text]++ }
            if (first == "" || $5 < first) first = $5
            if ($5 > last) last = $5
        }
        { latency[NR] = $3 }
        END {
            printf "total=%d\nfailed=%d\nshare=%.4f\n", total, failed, total ? failed / total : 0
            for (k in status) printf "status_%s=%d\n", k, status[k]
            for (k in error) printf "error_%s=%d\n", k, error[k]
            for (k in version) printf "version_%s=%d\nfailed_%s=%d\n", k, version[k], k, bad[k]
            if (failed) printf "first_failure=%s\nlast_failure=%s\n", first, last
        }'
}

rig_admin() {
    local dir=$1
    shift
    echo "$*" | socat -t 2 - "UNIX-CONNECT:$dir/admin.sock"
}

rig_weights() {
    rig_admin "$1" show stat | awk -F, '
        /^# / { for (i = 1; i <= NF; i++) column[$i] = i }
        $1 == "shop" && $2 != "BACKEND" { printf "%s%s=%s%s", n++ ? " " : "", $2, $column["weight"], $column["status"] ~ /^(no check|UP|OPEN)/ ? "" : "(" $column["status"] ")" }
        END { print "" }'
}

rig_up() {
    local name version line=''
    while read -r name _; do
        version=$("$1/ops/version" "$name" 2> /dev/null) && line="$line${line:+ }$name=$version"
    done < "$1/instances"
    echo "$line"
}

rig_slot_url() {
    awk -v name="$2" '$1 == name { print "http://127.0.0.1:" $4 }' "$1/instances"
}

rig_fault() {
    curl -fsS -m 5 -o /dev/null "$(rig_slot_url "$1" "$2")/fault?$3"
}

rig_effects() {
    grep -c -- "${2:-.}" "$1/effects.log" || true
}

[ "${BASH_SOURCE[0]}" != "$0" ] || { verb=$1 && shift && "rig_$verb" "$@"; }
