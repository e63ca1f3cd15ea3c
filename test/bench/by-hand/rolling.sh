#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# rolling.sh VERSION: one instance after the other: drain, update, watch; go back on a breach.
VERSION=$1
# shellcheck source=test/bench/by-hand/common.sh
. "$(dirname "$0")/common.sh"

mapfile -t names < <(awk '{ print $1 }' instances)
before=$(ops/version "${names[0]}")
all=$(awk '{ print $3 }' instances)

replace() { # INSTANCE VERSION
    local server
    server=$(server_of "$1")
    admin "set server $BACKEND/$server state drain" > /dev/null
    wait_idle "$server"
    ops/update "$1" "$2"
    wait_healthy "$1" || return 1
    admin "set server $BACKEND/$server state ready" > /dev/null
}

back() {
    local i
    # out of the traffic at once, then repaired one by one
    for ((i = ${#done[@]} - 1; i >= 0; i--)); do
        [ "${#done[@]}" = "${#names[@]}" ] || admin "set server $BACKEND/$(server_of "${done[i]}") state drain" > /dev/null
    done
    for ((i = ${#done[@]} - 1; i >= 0; i--)); do replace "${done[i]}" "$before"; done
    say "all on $before again"
    exit 2
}

done=()
for name in "${names[@]}"; do
    say "$name: $before to $VERSION, watching $WATCH s"
    replace "$name" "$VERSION" || back
    done+=("$name")
    updated=$(for one in "${done[@]}"; do server_of "$one"; done)
    others=$(echo "$all" | grep -vxF "$updated" || true)
    watch_error "$WATCH" "$(echo "$updated" | xargs)" "$(echo "$others" | xargs)" || back
done
say "$VERSION is on all instances"
