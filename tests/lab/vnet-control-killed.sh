#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The control daemon of an end system is killed: it is started again, and knows its network again.
# lab: slow
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/no-ip.vbet"
wait_until 20 vbet exec h1 -- trellis ping -c1 h2
control() { VNET_CONF=$RUN/no-ip/n/$1/vnet.conf vnet-mux status | jq ".instances[0] | $2"; }
for node in h1 r1; do
	pid=$(control $node .pid)
	kill -KILL "$pid"
	is_back() { [ "$(control $node '.state == "running" and .times_started == 2')" = true ]; }
	wait_until 10 is_back
	[ "$(control $node .pid)" != "$pid" ] || fail "the same process"
	must vbet log $node
	out_has 'control unloaded: signal 9 \(Killed\); it is started again'
	out_has 'control loaded again, 1 times until now'
	wait_until 30 vbet exec h1 -- trellis ping -c1 h2
done
# The other vNet's were not touched.
assert_eq 1 "$(control g1 .times_started)" "starts of another vNet's daemon"
must vbet down
nothing_left || fail "something is left"
