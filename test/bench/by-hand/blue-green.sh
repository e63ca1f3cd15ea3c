#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# blue-green.sh VERSION: start the idle slot, switch, watch, switch back on a breach.
VERSION=$1
# shellcheck source=test/bench/by-hand/common.sh
. "$(dirname "$0")/common.sh"

sides
say "starting $VERSION in $candidate"
start_slot "$candidate"
say "switching to $candidate, watching $WATCH s"
shift_to 100
if ! watch_error "$WATCH" "${new[*]}" "${old[*]}"; then
    shift_back
    say "switched back to $stable"
    exit 2
fi
say "$VERSION is live, $stable stays as standby"
