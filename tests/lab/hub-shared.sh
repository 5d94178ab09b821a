#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Guests that share one half-duplex medium collide, back off, and get through.
. "${0%/*}/lib.sh"

lab_up - --clock virtual <<'END'
hub1 = alloc(hub, medium = shared, rate = 10Mbit, propagation = 5us)
a = alloc(host) b = alloc(host) c = alloc(host)
link(hub1, a, b, c)
END
must vbet wait
must vbet clock pace max
must vbet exec a -- ping -n -q -c1 b
must vbet exec a -- ping -n -q -c5 -i 0.2 b
# (64 + 8 * 102) bits at 10 Mbit/s, 5 us, the two cables; twice.
out_has '^rtt min/avg/max/mdev = 0\.[12][0-9]*/'
must in_node a 'ping -n -q -s 1400 -c 300 -i 0.002 c & ping -n -q -s 1400 -c 300 -i 0.002 b; wait'
collisions=$(status_of '[.. | objects | select(.medium? == "shared") | .collisions] | max')
sent=$(status_of '[.. | objects | select(.medium? == "shared") | .sent] | max')
[ "$collisions" -ge 1 ] || fail "only $collisions collisions of $sent frames"
[ "$sent" -ge 600 ] || fail "only $sent frames got through"
