#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A proxy between us and everything that we talk to, which breaks the conversation in every way that is known: each
# fault has a named outcome within its time and its memory, never a promotion and never a rollback for want of data.

load helpers
setup() { da_setup; }
teardown() { da_teardown; }

short=(interval=150ms baseline=200ms "steps=50:300ms 100:300ms" watch=300ms min_requests=5 hold=2s drop=off)
every=(cut reset lost half head stall drip garbage endless empty page short long chunks huge flood heads continue bomb
    loop away 401 404 429 500 503)
secure=(tls-host tls-expired tls-unknown tls-old tls-mute tls-cut tls-plain)

all_on_blue() { [[ $(rig_weights "$DIR") == *"green1=0" ]] || da_fail "$(rig_weights "$DIR")"; }
port_of() { awk -v name="$1" '$1 == name { print $4 }' instances; }

# A gate of one check a fault, all asked at once of the proxies' addresses PLAIN and SECURE.
add_checks() {
    printf 'gates:\n  reliability:\n' >> deploy.yaml
    local fault url
    for fault in "$@"; do
        case $fault in
            tls-*) url="https://$fault.localhost:${SECURE#*:}" ;;
            *) url="http://$PLAIN/~$fault" ;;
        esac
        echo "    - { name: is-$fault, http: { url: \"$url/health\", redirects: 3, ca-file: ca.pem, expect: { jq: '.status == \"ok\"' } }, timeout: 1s, retries: 0 }"
    done >> deploy.yaml
}

# Lines of stdin: "fault VERDICT words": the check's answer names the fault, and came in time.
want_answers() {
    local fault verdict words
    jq -r '.checks[] | [.name, ["", "PASS", "FAIL", "UNKNOWN"][.verdict], .took_ms, .evidence] | @tsv' .deploy/state.json > answers
    while read -r fault verdict words; do
        awk -F '\t' -v fault="is-$fault" -v verdict="$verdict" -v words="$words" '
            $1 == fault { found = 1; good = $2 == verdict && index($4, words) && $3 < 4000 && $4 ~ /^GET http/; line = $0 }
            END { if (!good) print "want " fault " " verdict " " words ", got " (found ? line : "nothing"); exit !good }
        ' answers || da_fail "see above"
    done
}

@test "check http: every fault is what it is called, none passes, all at once within time and memory" {
    da_rig per_slot=1 -- "${short[@]}"
    proxy_start plain "127.0.0.1:$(port_of blue-1)"
    PLAIN=$PROXY
    proxy_start secure "127.0.0.1:$(port_of blue-1)" -tls-dir "$DIR"
    SECURE=$PROXY
    add_checks pass "${every[@]}" "${secure[@]}" tls-none
    run_da_peak run canary v2
    want_status 3
    want_output "production is untouched"
    want_effects 0 .
    want_peak 12288
    want_answers << ANSWERS
pass     PASS    is true
cut      UNKNOWN connection closed without an answer
reset    UNKNOWN Connection reset by peer
lost     UNKNOWN Connection reset by peer
half     UNKNOWN connection lost: end of response with 8 bytes missing
head     UNKNOWN connection lost: the answer ended within its head
stall    UNKNOWN no whole answer in time
drip     UNKNOWN no whole answer in time
garbage  UNKNOWN no HTTP answer
endless  UNKNOWN no HTTP answer
empty    UNKNOWN the input of jq is no JSON
page     UNKNOWN the input of jq is no JSON
short    UNKNOWN the input of jq is no JSON
long     UNKNOWN connection lost: end of response with 20 bytes missing
chunks   UNKNOWN not a hex digit
huge     UNKNOWN answer larger than 2097152 bytes
flood    UNKNOWN answer larger than 2097152 bytes
heads    UNKNOWN answer too large
continue UNKNOWN Too large response headers
bomb     UNKNOWN answer larger than 2097152 bytes
loop     UNKNOWN redirected more than 3 times
away     FAIL    302
401      FAIL    401
404      FAIL    404
429      FAIL    429
500      FAIL    500
503      FAIL    503
tls-host    UNKNOWN certificate refused
tls-expired UNKNOWN The certificate validity has expired
tls-unknown UNKNOWN not correctly signed by the trusted CA
tls-old     UNKNOWN no TLS connection
tls-mute    UNKNOWN no whole answer in time
tls-cut     UNKNOWN no TLS connection
tls-plain   UNKNOWN no TLS connection
ANSWERS
    # Each of them was met, and away was not followed.
    for fault in "${every[@]}"; do want_file plain.log "\"fault\":\"$fault\""; done
    for fault in "${secure[@]}"; do want_file secure.log "\"fault\":\"$fault\""; done
}

@test "check http: what never ends, alone: exit 3 and less than 8 MB" {
    da_rig per_slot=1 -- "${short[@]}"
    proxy_start plain "127.0.0.1:$(port_of blue-1)"
    cp deploy.yaml plain.yaml
    for fault in huge flood endless heads continue bomb; do
        cp plain.yaml deploy.yaml
        PLAIN=$PROXY add_checks "$fault"
        run_da_peak run canary v2
        want_status 3
        want_output "reliability: is-$fault: UNKNOWN: GET http://$PROXY/~$fault/health: "
        want_effects 0 .
        want_peak 8192
    done
}

web_proxy() { # http|https NAME TO
    if [ "$1" = http ]; then proxy_start "$2" "$3"; return; fi
    mkdir "tls.$2"
    proxy_start "$2" "$3" -tls-dir "$DIR/tls.$2" && cat "tls.$2/ca.pem" >> ca.pem
}

# four_sources http|https: four SLOs from four sources: each instance, HAProxy and a real Prometheus behind a proxy of their own, with the rules
# of one file.
four_sources() {
    local name
    printf 'pass show servers\n' > blue.rules
    for name in green haproxy prometheus; do ln -s blue.rules "$name.rules"; done
    da_rig per_slot=1 -- "${short[@]}"
    cat > prometheus.yml << YAML
global: { scrape_interval: 1s, scrape_timeout: 900ms }
scrape_configs:
  - job_name: shop
    static_configs:
      - { targets: ["127.0.0.1:$(port_of blue-1)"], labels: { instance: blue-1 } }
      - { targets: ["127.0.0.1:$(port_of green-1)"], labels: { instance: green-1 } }
YAML
    rig_ports "$DIR" 1
    local real=127.0.0.1:${PORTS[0]}
    (
        setsid prometheus --config.file=prometheus.yml --storage.tsdb.path="$DIR/series" \
            --web.listen-address="$real" < /dev/null > "$DIR/log/prometheus" 2>&1 3>&- &
        echo $! > "$DIR/run/prometheus.pid"
    )
    for name in blue green; do
        web_proxy "$1" "$name" "127.0.0.1:$(port_of "$name-1")"
        sed -i "s|\"http://127.0.0.1:$(port_of "$name-1")\"|\"$1://$PROXY\"|" deploy.yaml
    done
    proxy_start haproxy "127.0.0.1:$(cat run/admin-port)"
    sed -i "s|socket: ./admin.sock|socket: $PROXY, timeout: 1s|" deploy.yaml
    web_proxy "$1" prometheus "$real"
    sed -i "/^metrics:/,/^strategies:/{/^strategies:/!d}; /^slos:/,/^watch:/{/^watch:/!d}" deploy.yaml
    cat >> deploy.yaml << YAML
metrics:
  haproxy: { timeout: 1s }
  scrape: { timeout: 1s, ca-file: ca.pem }
  json: { per: instance, path: /metrics.json, timeout: 1s, ca-file: ca.pem }
  prometheus: { url: "$1://$PROXY", timeout: 1s, scrape-interval: 1s, ca-file: ca.pem }
slos:
  error-rate:  { source: haproxy, target: 1%, window: 1m }
  latency-p99: { source: scrape, target: 5s, max-increase: 1000%, window: 1m }
  json-errors: { source: json, target: 1%, value: .error_rate, unit: ratio, window: 1m }
  latency-p95: { source: prometheus, target: 5s, max-increase: 1000%, window: 1m }
YAML
    rig_load_start "$DIR" 60
}

readable() { [ "$("$DEPLOY_ACTION" doctor | grep -c '^ok    slo .*readable')" = 4 ]; }

# The same fault for every source; the router itself is spared.
break_sources() { printf '%s\n' "pass show servers" "$1 show stat" "$1 /metrics" "$1 /api/v1" > blue.rules; }

@test "scrape, json, Prometheus and HAProxy: every fault is nothing with its name, within time and memory" {
    four_sources http
    ops/start green-1 v1
    rig_admin "$DIR" "set server shop/green1 weight 100" > /dev/null
    da_until 20 readable
    while read -r fault haproxy scrape json prometheus words; do
        break_sources "$fault"
        before=${EPOCHREALTIME/./}
        run_da_peak doctor
        took=$((${EPOCHREALTIME/./} - before))
        want_status 6
        want_output "slo error-rate: haproxy: $haproxy, "
        want_output "slo latency-p99: scrape: $scrape, "
        want_output "slo json-errors: json: $json, "
        want_output "slo latency-p95: prometheus: $prometheus, "
        want_output "$words"
        want_peak 12288 # 4 MiB for each of two pages
        [ "$took" -lt $((9000000 * ${DA_SLOW:-1})) ] || da_fail "$fault took $took us"
    done << FAULTS
cut      UNREACHABLE UNREACHABLE UNREACHABLE UNREACHABLE connection closed without an answer
reset    UNREACHABLE UNREACHABLE UNREACHABLE UNREACHABLE Connection reset by peer
lost     UNREACHABLE UNREACHABLE UNREACHABLE UNREACHABLE Connection reset by peer
half     UNREACHABLE UNREACHABLE UNREACHABLE UNREACHABLE bytes missing
head     UNREACHABLE UNREACHABLE UNREACHABLE UNREACHABLE the answer ended within its head
stall    UNREACHABLE UNREACHABLE UNREACHABLE UNREACHABLE no whole answer in time
drip     UNREACHABLE UNREACHABLE UNREACHABLE UNREACHABLE no whole answer in time
garbage  UNREACHABLE GARBAGE     GARBAGE     GARBAGE     no HTTP answer
endless  GARBAGE     GARBAGE     GARBAGE     GARBAGE     answer larger than 4194304 bytes
empty    UNREACHABLE NO_DATA     GARBAGE     GARBAGE     the answer is not from Prometheus' HTTP API
page     UNREACHABLE GARBAGE     GARBAGE     GARBAGE     no metrics page
short    GARBAGE     GARBAGE     GARBAGE     GARBAGE     the page ends within a line
long     GARBAGE     UNREACHABLE UNREACHABLE UNREACHABLE end of response with 20 bytes missing
chunks   UNREACHABLE UNREACHABLE UNREACHABLE UNREACHABLE not a hex digit
huge     GARBAGE     GARBAGE     GARBAGE     GARBAGE     answer larger than 4194304 bytes
flood    GARBAGE     GARBAGE     GARBAGE     GARBAGE     answer larger than 4194304 bytes
heads    GARBAGE     GARBAGE     GARBAGE     GARBAGE     answer too large
continue GARBAGE     UNREACHABLE UNREACHABLE UNREACHABLE Too large response headers
bomb     UNREACHABLE GARBAGE     GARBAGE     GARBAGE     answer larger than 4194304 bytes
loop     UNREACHABLE UNREACHABLE UNREACHABLE UNREACHABLE HTTP 302
away     UNREACHABLE UNREACHABLE UNREACHABLE UNREACHABLE HTTP 302
401      UNREACHABLE UNREACHABLE UNREACHABLE UNREACHABLE HTTP 401
503      UNREACHABLE UNREACHABLE UNREACHABLE UNREACHABLE HTTP 503
FAULTS
}

@test "a watch under every fault of its sources in turn: held with 5, never promoted, never rolled back" {
    four_sources http
    sed -i 's/hold: 2s/hold: 10m/' deploy.yaml
    da_start run canary v2
    da_until 30 grep -q 'watch-50' .deploy/state.json
    da_until 30 sh -c "jq -e '.steps[] | select(.step.id == \"watch-50\") | .status == \"intent\"' .deploy/state.json"
    for fault in "${every[@]}"; do
        break_sources "$fault"
        da_until 10 fault_met "$fault" haproxy
        da_until 10 fault_met "$fault" green
        da_until 10 fault_met "$fault" prometheus
    done
    kill -TERM "$DA_PID"
    da_wait
    want_status 143
    want_no_output "rolled back"
    want_no_output "SLO breach"
    want_output "no data"
    all_on_blue
    # Left alone with a fault it holds, and says for want of what.
    sed -i 's/hold: 10m/hold: 1s/' deploy.yaml
    break_sources half
    run_da run canary v2
    want_status 5
    want_output "NODATA"
    all_on_blue
    break_sources pass
    run_da run canary v2
    want_status 0
    want_up "green-1=v2"
}
fault_met() { grep -q "\"fault\":\"$1\"" "$2.log"; }

@test "sources over TLS: a certificate that is not theirs is nothing, not a number" {
    four_sources https
    ops/start green-1 v1
    rig_admin "$DIR" "set server shop/green1 weight 100" > /dev/null
    : > blue.rules
    da_until 20 readable
    for fault in "${secure[@]}"; do
        echo "$fault" > blue.rules
        run_da doctor
        want_status 6
        for slo in latency-p99 json-errors latency-p95; do
            grep -Eq "^FAIL  slo $slo: [a-z]*: UNREACHABLE, .*(certificate refused|no TLS connection|in time)" <<< "$output" ||
                da_fail "$fault: $slo"
        done
    done
}

# HAProxy's runtime socket by TCP through a proxy, with router.rules.
far_router() {
    da_rig per_slot=1 -- "${short[@]}"
    proxy_start router "127.0.0.1:$(cat run/admin-port)"
    sed -i "s|socket: ./admin.sock|socket: $PROXY, timeout: 1s|" deploy.yaml
    rig_load_start "$DIR" 60
}

@test "the router breaks off at the first word: exit 6 with its address and nothing touched" {
    far_router
    while read -r fault words; do
        echo "$fault" > router.rules
        run_da_peak run canary v2
        want_status 6
        want_output "$PROXY"
        want_output "$words"
        [ "${#lines[@]}" = 1 ] || da_fail "more than one line"
        want_peak 8192
        [ ! -e .deploy/state.json ]
    done << FAULTS
cut     the answer ended early
reset   Connection reset by peer
lost    Connection reset by peer
half    the answer ended early
stall   no whole answer in time
drip    no whole answer in time
garbage the answer ended early
endless answer larger than 4194304 bytes
heads   answer larger than 4194304 bytes
FAULTS
    : > router.rules
    echo deaf > deaf.rules
    proxy_start deaf 127.0.0.1:1
    sed "s|socket: [^,]*|socket: $PROXY|" deploy.yaml > deaf.yaml
    sleep 1
    run_da -f deaf.yaml run canary v2
    want_status 6
    want_output "$PROXY: no whole answer in time"
    rig_kill fake.deaf.pid TERM 20
    run_da -f deaf.yaml run canary v2
    want_status 6
    want_output "$PROXY: could not connect: Connection refused"
    want_effects 0 .
    run_da run canary v2
    want_status 0
}

@test "the router breaks off when traffic is to be moved: done, or safe and told, and a re-run goes on" {
    far_router
    while IFS='|' read -r fault verdict words; do
        echo "$fault" > router.rules
        run_da run canary v2
        want_status "$verdict"
        want_output "$words"
        if [ "$verdict" != 0 ]; then
            all_on_blue
            want_output "v1 on blue serves 100 %"
            want_up "blue-1=v1 green-1=v2"
            : > router.rules
            run_da run canary v2
            want_status 0
        fi
        want_file router.log "\"fault\":\"${fault%%[* ]*}\""
        want_up "green-1=v2"
        want_effects 1 "start green-1 v2"
        # Back to where it began.
        ops/start blue-1 v1
        da_until 5 ops/status blue-1
        rig_admin "$DIR" "set server shop/blue1 weight 100; set server shop/green1 weight 0" > /dev/null
        ops/stop green-1
        rm -r .deploy
        : > effects.log
    done << FAULTS
lost*1 set server|0|v2 serves 100 %
cut*1 set server|0|v2 serves 100 %
lost set server|0|v2 serves 100 %
half*1 set server|0|v2 serves 100 %
cut set server|6|the answer ended early
stall set server|6|no whole answer in time
garbage set server|6|the answer ended early
FAULTS
}

@test "the router is gone while traffic is moved, and stays so: told that nothing is known, and a re-run goes on" {
    far_router
    # The first half is moved, nobody hears of it, and then nothing is heard at all.
    echo "lost*1 set server" > router.rules
    da_start run canary v2
    da_until 20 grep -q '"fault":"lost"' router.log
    echo reset > router.rules
    da_wait
    want_status 6
    want_output "traffic could not be moved"
    want_output "no safe state was reached"
    want_weights "blue1=50 green1=50"
    : > router.rules
    run_da run canary v2
    want_status 0
    want_up "green-1=v2"
    want_effects 1 "start green-1 v2"
}

@test "the router is gone while it is watched: held with 5, and nothing is made of it" {
    far_router
    sed -i 's/hold: 2s/hold: 10m/' deploy.yaml
    da_start run canary v2
    da_until 30 sh -c "jq -e '.steps[] | select(.step.id == \"watch-50\") | .status == \"intent\"' .deploy/state.json"
    for fault in cut reset lost half stall drip garbage endless; do
        echo "$fault" > router.rules
        da_until 10 fault_met "$fault" router
    done
    : > router.rules
    da_until 20 sh -c "! kill -0 $DA_PID"
    da_wait
    want_status 0 # it was never decided, and when the router was back it was
    want_no_output "the router was changed under us"
    want_up "green-1=v2"
    # And one that does not come back.
    ops/start blue-1 v1
    da_until 5 ops/status blue-1
    sed -i 's/hold: 10m/hold: 1s/' deploy.yaml
    da_start run canary v1
    da_until 30 sh -c "jq -e '.version == \"v1\" and (.steps[] | select(.step.id == \"watch-50\") | .status == \"intent\")' .deploy/state.json"
    echo half > router.rules
    da_wait
    want_status 5
    want_output "NODATA"
    want_output "no safe state was reached"
}

@test "the way back through a broken router: tried again until it is done, else exit 8 and CRITICAL" {
    rig_version "$DIR" v3 -fail-ratio 0.5 2> /dev/null || { mkdir versions && rig_version "$DIR" v3 -fail-ratio 0.5; }
    far_router
    # Forward it is asked to weigh green, on the way back blue first: 0 for green comes only then.
    echo "cut*2 green1 weight 0" > router.rules
    run_da run canary v3
    want_status 2
    all_on_blue
    want_up "blue-1=v1"
    [ "$(grep -c '"fault":"cut"' router.log)" = 2 ]
    rm -r .deploy
    echo "cut green1 weight 0" > router.rules
    run_da run canary v3
    want_status 8
    want_output "CRITICAL: Rollback failed - "
    [[ $(rig_weights "$DIR") != *"green1=0"* ]]
    : > router.rules
    run_da rollback
    want_status 2
    all_on_blue
    want_up "blue-1=v1"
}
