#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A hub repeats every frame to everybody; a switch does not, once it has learnt where a station is.
. "${0%/*}/lib.sh"

lab_up - <<'END'
a = attach(alloc(host), alloc(NIC, address = 10.1.0.1/24), alloc(NIC, address = 10.2.0.1/24))
b = attach(alloc(host), alloc(NIC, address = 10.1.0.2/24), alloc(NIC, address = 10.2.0.2/24))
c = attach(alloc(host), alloc(NIC, address = 10.1.0.3/24), alloc(NIC, address = 10.2.0.3/24))
link(alloc(hub, name = "hub"), NIC(a, 1), NIC(b, 1), NIC(c, 1))
link(alloc(switch, name = "switch"), NIC(a, 2), NIC(b, 2), NIC(c, 2))
END

# listen NIC NETWORK: what c hears while a pings b, into the file NIC.
listen() {
	local net=$2 pid
	wait_until 10 vbet exec a -- ping -n -c1 -W1 "$net.2" # the switch learns both
	vbet exec c -- timeout 60 tcpdump -i "$1" -n -l --immediate-mode icmp >"$1" 2>"$1.err" </dev/null &
	pid=$!
	wait_until 20 grep -q 'listening on' "$1.err"
	must vbet exec a -- ping -n -c3 -l3 -i5 "$net.2"
	# This one is for c itself: when it is heard, everything before it would have been.
	must vbet exec a -- ping -n -c1 -W5 "$net.3"
	wait_until 20 grep -q "$net.1 > $net.3: ICMP echo request" "$1"
	kill $pid
	wait $pid 2>/dev/null
}
listen eth0 10.1.0
[ "$(grep -c '10.1.0.1 > 10.1.0.2: ICMP echo request' eth0)" = 3 ] || fail "behind the hub c heard: $(cat eth0)"
[ "$(grep -c '10.1.0.2 > 10.1.0.1: ICMP echo reply' eth0)" = 3 ] || fail "behind the hub c heard: $(cat eth0)"
listen eth1 10.2.0
! grep '10.2.0.2' eth1 || fail "behind the switch c heard: $(cat eth1)"
