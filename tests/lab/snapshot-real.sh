#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# vbet save, restore and fork by the real clock: connections, routers that are neighbours, and programs that compute go on; no clock
# shows how long the lab was a file.
# lab: slow, plain
. "${0%/*}/lib.sh"
. "${0%/*}/grow.inc"

cc -O1 -static -o computes "$ROOT/tests/lab/computes.c" || skip "no compiler"

lab_up - <<'END'
h1 = alloc(host) h2 = alloc(host)
r1 = attach(alloc(router), alloc(NIC), alloc(NIC))
r2 = attach(alloc(router), alloc(NIC), alloc(NIC))
link(h1, NIC(r1, 1)) link(NIC(r1, 2), NIC(r2, 1), delay = 5ms) link(NIC(r2, 2), h2)
address(h1, 10.0.1.2/24) address(NIC(r1, 1), 10.0.1.1/24)
address(NIC(r1, 2), 10.0.0.1/24) address(NIC(r2, 1), 10.0.0.2/24)
address(h2, 10.0.2.2/24) address(NIC(r2, 2), 10.0.2.1/24)
default_route(h1, 10.0.1.1) default_route(h2, 10.0.2.1)
for r in [r1, r2] {
	config(r, ospfd, <<CONF)
interface eth0
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 4
interface eth1
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 4
router ospf
 network 10.0.0.0/16 area 0
CONF
}
END
neighbour() { in_node r1 "vtysh -c 'show ip ospf neighbor detail'"; }
full() { neighbour | grep -q 'State is Full'; }
reached() { in_node h1 'ping -c1 -W1 10.0.2.2' >/dev/null; }
wait_until 60 full
wait_until 30 reached
must vbet cp computes h1:/root/computes

# What is under way: a connection that carries all it can, one that sends a little at a time, a computation.
started=(
	'nc -l -p 5001 | awk "\$1 != ++n { print \"lost at\", n, \$0; exit } n % 10000 == 0 { print n; fflush() }"'
	'nc -l -p 5002'
)
in_node h2 "nohup sh -c '${started[0]}' >/tmp/bulk 2>&1 & nohup sh -c '${started[1]}' >/tmp/few 2>&1 &"
listens() { [ "$(in_node h2 'cat /proc/net/tcp /proc/net/tcp6' | grep -c ':138[9A] .* 0A ')" -ge 2 ]; }
wait_until 10 listens
in_node h1 'nohup sh -c "seq 1 2000000000 | nc 10.0.2.2 5001" >/dev/null 2>&1 &
	nohup sh -c "while :; do date +%s.%N; sleep 0.05; done | nc 10.0.2.2 5002" >/dev/null 2>&1 &
	nohup nice /root/computes >/tmp/computed 2>&1 &'

goes_on() {
	grow h2/bulk h2/few h1/computed
	must in_node h2 'grep lost /tmp/bulk || true'
	out_has_not lost
	full || fail "r1 and r2 are no neighbours: $(neighbour)"
}
changes() { neighbour | grep -o '[0-9]* state change' | head -n1; }
goes_on
before=$(changes)
away=3

must vbet save kept
out_has_not .
# Nothing has happened to the lab.
goes_on
[ "$(changes)" = "$before" ] || fail "neighbours were lost by saving: $before, $(changes)"

for life in 1 2; do
	# The machine's clock, then the lab's; later the lab's, then the machine's: however slow it all is, what has passed
	# in the lab is less by the time for which it was a file.
	began=$EPOCHREALTIME
	lab_began=$(in_node h1 'date +%s.%N')
	must vbet save kept
	must vbet down
	sleep "$away" # of which no clock in the lab knows
	must vbet restore kept
	lab_ended=$(in_node h1 'date +%s.%N')
	ended=$EPOCHREALTIME
	awk -v lab="$lab_began $lab_ended" -v us="$began $ended" -v away="$away" 'BEGIN {
		split(lab, l); split(us, u)
		exit !(l[2] > l[1] && l[2] - l[1] < u[2] - u[1] - away)
	}' || fail "life $life: $lab_began to $lab_ended in the lab, $began to $ended outside"
	goes_on
	[ "$(changes)" = "$before" ] || fail "neighbours were lost in life $life: $before, $(changes)"
	must in_node h2 "awk '\$1 < last { print last, \$1 } { last = \$1 }' /tmp/few"
	out_has_not .
done

# A second lab from this moment, beside the first. What was restored can be changed, its nodes booted anew, and then it can be
# saved again.
must vbet fork t -n twin
must vbet exec -n twin h1 -- ping -c1 10.0.2.2
must vbet link -n twin r1 r2 down
must_fail vbet exec -n twin h1 -- ping -c1 -W1 10.0.2.2
must vbet exec -n t h1 -- ping -c1 10.0.2.2
must vbet restart -n twin h2
must vbet save -n twin twin.kept
must vbet down -n twin
goes_on

# What was computed is right, to the last bit.
must in_node h1 "sed '\$d' /tmp/computed" # it may be in the middle of its last line
printf '%s\n' "$OUT" >computed
./computes "$(wc -l <computed)" | diff - computed >&2 || fail "wrong results"

# A node that is down is down afterwards, and boots.
must vbet stop h2
wait_until 10 is_state h2 down
must vbet save kept
must vbet down
must vbet restore kept
must vbet status
out_has 'h2 .*down'
must vbet start h2
must vbet exec h2 -- true

# A guest whose launcher is killed while its kernel is to write itself: the save fails at once, and the lab goes on.
launcher=$(awk '$3 == "h2" { print $1 }' "$RUN/t/pids" | tail -n 1)
kernel=$(for p in $launcher $(pgrep -P "$launcher"); do pgrep -P "$p"; done)
# shellcheck disable=SC2086 # several
kill -STOP $kernel
timeout 8 vbet save torn 2>torn.err &
wait_until 20 sh -c "ls -d '$HOME'/.local/share/vbet/snapshots/stage/*/s.new"
kill -KILL "$launcher"
wait $!
assert_eq 3 $? "save: $(cat torn.err)"
grep -q 'h2 has ended\|h2: its kernel has ended' torn.err || fail "$(cat torn.err)"
must vbet exec h1 -- true

must vbet down
[ -z "$(lab_pids)" ] || fail "processes are left"
