#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Three switches in a ring: no storm, and a cut link is no cut.
. "${0%/*}/lib.sh"

lab_up - --clock virtual <<'END'
s1 = alloc(switch, rstp = on, priority = 4096)
s2 = alloc(switch, rstp = on)
s3 = alloc(switch, rstp = on)
link(s1, s2) link(s2, s3) link(s3, s1)
a = alloc(host) b = alloc(host)
link(s2, a) link(s3, b)
END
must vbet clock pace max
must vbet wait
# Ports of hosts forward when three seconds have passed without a BPDU.
must vbet exec a -- ping -n -q -c8 -i 1 b
must vbet exec a -- ping -n -q -c20 -i 0.2 b
out_has ' 20 received, 0% packet loss'
out_has_not duplicates
blocked=$(status_of '[.. | objects | select(.role? == "alternate")] | length')
assert_eq 1 "$blocked" "alternate ports"
[ "$(status_of '[.. | objects | .root? // empty | strings | select(startswith("4096."))] | length')" = 3 ] ||
	fail "not the root that was asked for"

# The way over s1 is cut: the straight one takes over at once.
must vbet link s1 s2 down
must vbet exec a -- ping -n -q -c20 -i 0.2 b
out_has ' (19|20) received'
must vbet link s1 s2 up
must vbet exec a -- ping -n -q -c20 -i 0.2 b
out_has ' (1[5-9]|20) received'
