#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# vbet save, restore and fork of a lab whose frames several processes carry: connections across the trunks go on, no line of them is
# lost or doubled, and each frame is counted.
# lab: slow, plain
. "${0%/*}/lib.sh"
. "${0%/*}/grow.inc"

lab_up - --substrate-processes 3 <<'END'
for i in 1..3 { s[i] = alloc(switch) }
for i in 1..6 { h[i] = attach(alloc(host, name = "h${i}"), alloc(NIC, address = "10.0.0.${i}/24")) }
for i in 1..6 { link(s[(i + 1) / 2], h[i]) }
link(s[1], s[2], name = "fast")
link(s[2], s[3], delay = 20ms, name = "slow")
END
processes() { status_of '[.substrate_processes[].nodes | tojson] | join(" ")'; }
carried=$(processes)
assert_eq 3 "$(status_of '.substrate_processes | length')" "processes"

# One connection at full speed over a plain cable, one that sends a little at a time over one that delays: frames are in the trunks.
in_node h3 'nohup sh -c "nc -l -p 5001 | awk \"\\\$1 != ++n { print \\\"lost at\\\", n, \\\$0; exit } n % 10000 == 0 { print n; fflush() }\"" >/tmp/bulk 2>&1 &'
in_node h5 'nohup nc -l -p 5002 >/tmp/few 2>&1 &'
listens() { in_node h3 'ss -Hltn sport = :5001' | grep -q 5001 && in_node h5 'ss -Hltn sport = :5002' | grep -q 5002; }
wait_until 10 listens
in_node h1 'nohup sh -c "seq 1 2000000000 | nc 10.0.0.3 5001" >/dev/null 2>&1 &'
in_node h4 'nohup sh -c "while :; do date +%s.%N; sleep 0.05; done | nc 10.0.0.5 5002" >/dev/null 2>&1 &'
goes_on() {
	grow h3/bulk h5/few
	must in_node h3 'grep lost /tmp/bulk || true'
	out_has_not lost
	must in_node h1 'ping -c 2 -i 0.2 -W 2 10.0.0.6'
	assert_eq "$carried" "$(processes)" "who carries what"
}
goes_on
must vbet save kept
goes_on
for _ in 1 2; do
	must vbet down
	must vbet restore kept
	goes_on
	# No cable has heard of it, and no clock.
	must in_node h5 'awk "NR > 1 && (\$1 < last || \$1 > last + 1.4) { print last, \$1 } { last = \$1 }" /tmp/few'
	out_has_not .
	must vbet save kept
done
must vbet fork t -n twin
must vbet exec -n twin h1 -- ping -c1 -W 5 10.0.0.6
must vbet link -n twin s1 s2 down
must_fail vbet exec -n twin h1 -- ping -c1 -W1 10.0.0.6
must vbet down -n twin
goes_on

# What one process lacks the lab does not have: it is said, and nothing is saved. The others go on.
kill -KILL "$(status_of '.substrate_processes[1].pid')"
lost() { vbet status | grep -q 'HAS ENDED'; }
wait_until 20 lost
must_fail vbet save again
out_has 'has ended'
must in_node h1 'ping -c 1 10.0.0.2'
