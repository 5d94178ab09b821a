#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How fast virtual time passes: hours in which nothing happens, a routing protocol that waits for its
# timers, and a transfer. The ratio is virtual seconds per second.
# shellcheck source=tests/bench/lib.sh
. "${0%/*}/lib.sh"

# An hour of N idle hosts at a switch.
for n in 2 10 50; do
	echo "star($n, host, memory = 32M)" >idle.vbet
	measure vbet up -q --clock virtual idle.vbet || exit 1
	measure vbet clock pause && measure vbet clock pace max || exit 1
	LIMIT=200 measure vbet clock step 1h || exit 1
	figure "an idle hour of $n hosts" "$TOOK" s
	figure "  ratio" "3600 / $TOOK" x
	measure vbet down || exit 1
done

# The paper's OSPF lab: a cable that falls silent, which only the dead interval of 40 s tells.
way() { timeout 60 vbet exec r2 -- ip route show 192.168.0.0/24 </dev/null | sed -n 's/.* via \([^ ]*\) .*/\1/p'; }
lab_seconds() { vbet clock | grep -o '[0-9.]* s' | head -n 1 | cut -d' ' -f1; }
ospf() {
	measure vbet up -q --clock virtual "$ROOT/examples/ospf-flapping.vbet" || return
	measure vbet clock pause && measure vbet clock pace max && measure vbet clock step 70s || return
	measure vbet clock run || return
	[ "$(way)" = 192.168.1.1 ] || { note "OSPF: no route after 70 s"; return 1; }
	measure vbet clock pause && measure vbet link r1 r2 set loss=100% && measure vbet clock step 50s || return
	measure vbet clock run || return
	[ "$(way)" = 192.168.2.2 ] || { note "OSPF: the route has not moved 50 s after the failure"; return 1; }
	measure vbet clock pause
}
begin=$EPOCHREALTIME
if ospf; then
	took=$(calc "$EPOCHREALTIME - $begin")
	virtual=$(lab_seconds)
	figure "OSPF: from nothing to the route around a silent cable" "$took" s
	figure "  of virtual time" "${virtual:-120}" s
	figure "  ratio" "${virtual:-120} / $took" x
fi
vbet down >/dev/null

# Ten seconds of TCP at 10 Mbit/s.
cat >tcp.vbet <<'END'
a = attach(alloc(host, memory = 64M), alloc(NIC, address = 10.0.0.1/24))
b = attach(alloc(host, memory = 64M), alloc(NIC, address = 10.0.0.2/24))
link(a, b, rate = 10Mbit, delay = 5ms)
END
measure vbet up -q --clock virtual tcp.vbet && measure vbet clock pace max || exit 1
vbet exec a -- iperf3 -s -D
begin=$EPOCHREALTIME
rate=$(timeout -k 5 200 vbet exec -t 200s b -- sh -c 'sleep 1; iperf3 -J -t 10 -c 10.0.0.1' |
	tr -d '\r' | awk '/"sum_received":/ { in_it = 1 } in_it && /"bits_per_second":/ { print $2 / 1e6; exit }')
took=$(calc "$EPOCHREALTIME - $begin")
figure "10 s of TCP over a cable of 10 Mbit/s" "$took" s
figure "  ratio" "10 / $took" x
figure "  its rate, headers aside" "$rate" Mbit/s
vbet down >/dev/null
