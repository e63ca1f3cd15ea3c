#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The rig itself: what the other suites rely on.

load helpers
setup() { da_setup; }
teardown() { da_teardown; }

metric() { curl -fsS "$1/metrics" | awk -v name="$2" '$1 == name { print $2 }'; }

@test "rig: the stable slot serves, the other waits with weight 0" {
    da_rig
    want_weights "blue1=100 blue2=100 green1=0 green2=0"
    want_up "blue-1=v1 blue-2=v1"
    [ "$(rig_effects "$DIR")" = 0 ]
}

@test "rig: ops start, stop, update, status and version, each side effect counted" {
    da_rig per_slot=1
    run ops/version green-1
    [ "$status" != 0 ]
    run ops/status green-1
    [ "$status" = 1 ]
    ops/start green-1 v2
    da_until 5 ops/status green-1
    [ "$(ops/version green-1)" = v2 ]
    [ "$(ops/status green-1)" = "restarts=0 oom=0" ]
    first=$(cat run/green-1.pid)
    ops/start green-1 v2
    [ "$(cat run/green-1.pid)" = "$first" ]
    ops/start green-1 v3
    da_until 5 ops/status green-1
    [ "$(ops/version green-1)" = v3 ]
    ops/update green-1 v4
    da_until 5 ops/status green-1
    ops/stop green-1
    ops/stop green-1
    want_effects 3 start
    want_effects 1 update
    want_effects 2 stop
    want_up "blue-1=v1"
}

@test "rig: rolling through drain loses no request, even when services die abruptly" {
    da_rig rolling abrupt=yes
    rig_load_start "$DIR" 300
    for i in 1 2 3; do
        rig_admin "$DIR" set server "shop/web$i" state drain
        da_until 5 idle "web$i"
        ops/update "web-$i" v2
        da_until 5 ops/status "web-$i"
        rig_admin "$DIR" set server "shop/web$i" state ready
    done
    run rig_load_stop "$DIR"
    want_output "failed=0"
    want_up "web-1=v2 web-2=v2 web-3=v2"
}
idle() { rig_admin "$DIR" show stat | awk -F, -v s="$1" '$1 == "shop" && $2 == s && $5 == 0 { found = 1 } END { exit !found }'; }

@test "rig: a bad version is seen by users and by version" {
    mkdir -p versions
    rig_version "$DIR" v1 -fail-ratio 0.3
    rig_start "$DIR" per_slot=1 check=500ms
    rig_load_start "$DIR" 200
    sleep 1
    run rig_load_stop "$DIR"
    total=$(sed -n 's/^total=//p' <<< "$output")
    failed=$(sed -n 's/^status_500=//p' <<< "$output")
    [ "$failed" -ge $((total * 29 / 100)) ] && [ "$failed" -le $((total * 31 / 100 + 1)) ]
    want_output "failed_v1=$failed"
}

@test "rig: HAProxy restarted comes back with the file's weights" {
    da_rig per_slot=1
    rig_admin "$DIR" set server shop/green1 weight 5
    want_weights "blue1=100 green1=5"
    rig_haproxy_restart "$DIR"
    want_weights "blue1=100 green1=0"
    rig_haproxy_restart "$DIR" soft
    want_weights "blue1=100 green1=0"
}

@test "service: counters count users and nobody else" {
    da_rig per_slot=1
    url=$(rig_slot_url "$DIR" blue-1)
    before=$(metric "$url" 'http_requests_total{code="200",method="GET"}')
    curl -fsS "$url/" "$url/checkout" "$url/health" "$url/status" "$url/metrics.json" > /dev/null
    curl -fsS -H 'Authorization: Bearer test' "$url/api/v1/users" "$url/api/v1/orders" > /dev/null
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/v1/users")" = 401 ]
    [ "$(metric "$url" 'http_requests_total{code="200",method="GET"}')" = $((before + 4)) ]
    [ "$(metric "$url" 'http_requests_total{code="401",method="GET"}')" = 1 ]
    [ "$(metric "$url" checkout_started_total)" = 1 ]
    curl -fsS -H 'Accept: application/openmetrics-text; version=1.0.0' "$url/metrics" | tail -n 1 | grep -qx '# EOF'
}

@test "service: faults at run time, from loopback only and never through HAProxy" {
    da_rig per_slot=1
    url=$(rig_slot_url "$DIR" blue-1)
    rig_fault "$DIR" blue-1 fail=1
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/")" = 500 ]
    rig_fault "$DIR" blue-1 'fail=0&metrics=gone'
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/metrics")" = 404 ]
    rig_fault "$DIR" blue-1 metrics=nan
    [ "$(metric "$url" http_request_duration_seconds_count)" = NaN ]
    rig_fault "$DIR" blue-1 metrics=endless
    run curl -fsS -m 1 -o /dev/null "$url/metrics"
    [ "$status" = 28 ]
    rig_fault "$DIR" blue-1 'metrics=ok&health=bad'
    run ops/status blue-1
    [ "$status" = 1 ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$(cat url)/fault?fail=1")" = 403 ]
}

@test "service: readiness, crash loop with counted restarts" {
    da_rig per_slot=1
    rig_version "$DIR" late -ready-after 1s
    rig_version "$DIR" loop -crash-after 200ms
    ops/start green-1 late
    sleep 0.3
    run ops/status green-1
    [ "$status" = 1 ]
    da_until 5 ops/status green-1
    ops/start green-1 loop
    sleep 1.2
    run ops/status green-1
    count=${output#restarts=}
    [ "${count%% *}" -ge 3 ]
}

@test "fake: answers what is scripted, refuses and names the rest" {
    fake_http '{"routes": [
        {"path": "/a", "headers": {"Authorization": "Bearer t"}, "replies": [{"status": 503}, {"json": {"x": 1}}]},
        {"method": "POST", "path": "/b", "json": {"n": [1, 2]}, "once": true, "replies": [{"body": "ok"}]}]}'
    [ "$(curl -s -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer t' "$FAKE_URL/a")" = 503 ]
    [ "$(curl -s -H 'Authorization: Bearer t' "$FAKE_URL/a")" = '{"x": 1}' ]
    [ "$(curl -s -d '{ "n": [1,2] }' "$FAKE_URL/b")" = ok ]
    [ -z "$(fake_unexpected)" ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$FAKE_URL/a")" = 501 ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' -d '{"n":[1,2]}' "$FAKE_URL/b")" = 501 ]
    fake_unexpected | grep -q 'POST /b: asked too often'
}

@test "fake: TLS with its own authority" {
    fake_http '{"routes": [{"path": "/", "replies": [{"body": "safe"}]}]}' -tls-dir "$DIR"
    [ "$(curl -s --cacert ca.pem "$FAKE_URL/")" = safe ]
    run curl -s "$FAKE_URL/"
    [ "$status" = 60 ]
}

@test "tap: relays the admin socket and times each command" {
    da_rig per_slot=1
    "$SERVICE" -tap tap.sock -to admin.sock -log tap.log -pidfile run/tap.pid 3>&- &
    da_until 5 test -S tap.sock
    echo "set server shop/green1 weight 7" | socat - UNIX-CONNECT:tap.sock
    want_weights "blue1=100 green1=7"
    [ "$(jq -r 'select(.answered > .sent) | .command' tap.log)" = "set server shop/green1 weight 7" ]
}

@test "rig_stop: nothing is left" {
    da_rig per_slot=1
    rig_load_start "$DIR" 50
    rig_haproxy_restart "$DIR" soft
    rig_stop "$DIR"
    for file in run/*.pid; do [ ! -e "$file" ] || ! rig_alive "$file"; done
    run ! pgrep -f "$DIR/haproxy.cfg"
}
