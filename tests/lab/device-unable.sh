#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A device of a guest that vsubstrate cannot carry (epoll_ctl fails, once, each time another one): the guest is given up
# at once and with the reason, long before the time for its boot is over.
# lab: slow, plain
. "${0%/*}/lib.sh"
. "$ROOT/tests/faults/failing.inc"

cat >one.vbet <<'END'
a = alloc(host) b = alloc(host)
link(a, b)
END
# up_failing N: the N-th epoll_ctl of vsubstrate fails.
up_failing() {
	say_failing vsubstrate epoll_ctl "$1"
	vbet up -q -t 60s one.vbet >out 2>&1 </dev/null
}
up_failing 1000000 || fail "$(cat out)"
must vbet down
calls=$(od -An -t d8 count | tr -d ' ')
[ "$calls" -gt 10 ] || fail "only $calls calls of epoll_ctl"
unable=0
for ((n = 1; n <= calls; n++)); do
	began=$SECONDS
	up_failing "$n"
	status=$?
	[ $((SECONDS - began)) -lt 40 ] || fail "call $n was told after $((SECONDS - began)) s: $(cat out)"
	case $status in
	0) ;;
	3) [ -s out ] || fail "call $n: no word why" ;;
	*) fail "call $n: status $status: $(cat out)" ;;
	esac
	grep -q 'cannot be carried: .*No space left' out && unable=$((unable + 1))
	vbet down -a >/dev/null 2>&1
	wait_until 15 no_processes
	vbet clean >/dev/null 2>&1
	nothing_left || fail "call $n: something is left"
done
# The agent's channel of each guest from both sides, and each NIC.
[ $unable -ge 4 ] || fail "only $unable of $calls were about a device: $(cat out)"
