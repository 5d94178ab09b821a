#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# "up -t" holds: for a node that hangs in its boot, and for a lab whose nodes each keep their time but not
# together; all that are not ready are named.
. "${0%/*}/lib.sh"

cat >row.vbet <<'END'
for i in 1..6 { h[i] = alloc(host) exec(h[i], "sleep 1") }
for i in 1..5 { link(h[i], h[i+1]) }
END
# timed LIMIT COMMAND...: status 4, and not much later than LIMIT.
timed() {
	local limit=$1 begin=$EPOCHREALTIME
	shift
	must_status 4 "$@"
	awk "BEGIN { exit !($EPOCHREALTIME - $begin < $limit + 10) }" || fail "too late: $*"
	nothing_left || fail "something is left"
}
timed 3 vbet up row.vbet -J 1 -t 900ms
timed 3 vbet up row.vbet -J 1 -t 500ms
out_has '^vbet: h1: not ready after 0.5 s, nor are h2 \(.*\), h3 '
sed 's/sleep 1"/while :; do :; done"/' row.vbet >hang.vbet
timed 3 vbet up hang.vbet -t 3s
timed 3 vbet up hang.vbet -t 3s --clock virtual
out_has 'not ready after 3 s'
must vbet up -q row.vbet -t 60s
