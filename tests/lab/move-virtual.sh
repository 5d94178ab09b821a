#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# vbet move in virtual time: nodes go on in new processes of this machine, and nothing of it can be seen in the lab: captures of all cables,
# consoles and commands' output are those of a run in which nobody moved, byte by byte. A replay of the record shows the same.
# lab: slow, plain
. "${0%/*}/lib.sh"

cat >t.vbet <<'END'
clock = virtual
h1 = alloc(host, disk_size = 16M) h2 = alloc(host)
r[1] = attach(alloc(router, name = "r1"), alloc(NIC, address = 10.1.0.1/24), alloc(NIC, address = 10.9.0.1/24))
r[2] = attach(alloc(router, name = "r2"), alloc(NIC, address = 10.9.0.2/24), alloc(NIC, address = 10.2.0.1/24))
attach(h1, alloc(NIC, address = 10.1.0.2/24)) attach(h2, alloc(NIC, address = 10.2.0.2/24))
s = alloc(switch)
link(h1, s, delay = 3ms, jitter = 1ms) link(NIC(r[1], 1), s)
link(NIC(r[1], 2), NIC(r[2], 1), delay = 10ms, loss = 3%)
link(NIC(r[2], 2), h2, rate = 500kbit)
default_route(h1, 10.1.0.1) default_route(h2, 10.2.0.1)
for i in 1..2 {
	config(r[i], ospfd, <<E)
interface eth0
 ip ospf hello-interval 1
 ip ospf dead-interval 4
interface eth1
 ip ospf hello-interval 1
 ip ospf dead-interval 4
router ospf
 network 10.0.0.0/8 area 0
E
}
END
moves='9s h1
10.2s r1
10.2s h2
11s r2
11.123456789s h1
12s h1'
counters() { status_of '[.cables[] | del(.events)]'; }
asked() { # NODE COMMAND
	local before
	before=$(grep -c ' eof$' "$dir.record/inputs")
	vbet exec "$1" -- sh -c "$2" </dev/null >"$dir/$before" 2>&1 &
	running+=($!)
	asked_for() { [ "$(grep -c ' eof$' "$dir.record/inputs")" -gt "$before" ]; }
	wait_until 60 asked_for
}
run() { # DIR COMMAND...: which is told the node, at the times of above
	local dir=$1 at node end captures=() running=()
	mkdir "$dir"
	must vbet up t.vbet --record "$dir.record"
	must vbet clock until 6s
	for end in h1:eth0 h2:eth0 r1:eth0 r1:eth1 r2:eth0; do
		vbet capture $end -w "$dir/$end.pcapng" 2>/dev/null &
		captures+=($!)
	done
	captured() { [ "$(find "$dir" -name '*.pcapng' -size +0 | wc -l)" = 5 ]; }
	wait_until 10 captured
	must vbet clock pace max
	# They begin as soon as the clock goes on, in this order.
	asked h2 'nc -l -p 5000'
	asked h1 'mkfs.ext4 -q /dev/vda && mkdir /tmp/m && mount /dev/vda /tmp/m && ping -D -i 0.3 10.1.0.1 >/tmp/m/f'
	asked h1 'ping -i 0.1 10.2.0.2'
	asked h1 'sleep 6; seq 60000 | nc 10.2.0.2 5000'
	while read -r at node; do
		must vbet clock until "$at"
		"${@:2}" "$node"
	done <<<"$moves"
	must vbet clock until 13s
	asked h1 'cat /tmp/m/f /proc/uptime'
	must vbet clock until 13100ms
	kill "${running[@]}" 2>/dev/null
	wait "${running[@]}"
	kill -INT "${captures[@]}"
	wait "${captures[@]}"
	for node in h1 h2 r1 r2; do
		vbet log "$node" >"$dir/$node.log"
		cp "$RUN/t/n/$node/console.log" "$dir/$node.console"
	done
	counters >counted
	must vbet down
}
move() {
	local pid
	pid=$(node_pid "$1")
	must vbet move "$1"
	out_has "^$1 goes on in a new process"
	say "$OUT"
	[ "$pid" != "$(node_pid "$1")" ] || fail "$1 is the process that it was"
}
run was :
run moved move
for f in was/*.pcapng; do
	[ "$(wc -c <"$f")" -gt 4000 ] || fail "little is in $f"
done
diff -r was moved 2>&1 | head -n 14 >&2; diff -rq was moved >&2 || fail "it is another run"
[ "$(grep -c ' move ' moved.record/inputs)" = 6 ] || fail "the moves are not in the record"

# A replay knows it.
must vbet replay moved.record
out_has_not 'not done|another run'
for node in h1 h2 r1 r2; do
	cmp "$RUN/t/n/$node/console.log" "moved/$node.console" || fail "$node is another one in the replay"
done
assert_eq "$(cat counted)" "$(counters)" "what the cables carried in the replay"
must vbet down

# What was moved is a node like any other.
must vbet up t.vbet
must vbet move h1 --to substrate
must vbet save ./kept
must vbet restart h1
must vbet wait h1
must vbet down
must vbet restore ./kept
must vbet exec h1 -- true
move h1
must vbet exec h1 -- true
must_status 2 vbet move h1 --to 2
out_has 'one substrate process'
must_status 2 vbet move s
out_has 'no kernel of its own'
must vbet stop h2
wait_until 10 is_state h2 down
must_status 3 vbet move h2
out_has 'h2 is down'
