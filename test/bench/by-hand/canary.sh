#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# canary.sh VERSION: start the idle slot, raise its share step by step, watch, promote or go back.
VERSION=$1
# shellcheck source=test/bench/by-hand/common.sh
. "$(dirname "$0")/common.sh"

sides
say "starting $VERSION in $candidate"
start_slot "$candidate"
for step in $STEPS; do
    say "$step % to $VERSION, watching $WATCH s"
    shift_to "$step"
    if ! watch_error "$WATCH" "${new[*]}" "${old[*]}"; then
        shift_back
        say "rolled back, stopping $candidate"
        stop_slot "$candidate"
        exit 2
    fi
done
say "$VERSION is promoted, stopping $stable"
stop_slot "$stable"
