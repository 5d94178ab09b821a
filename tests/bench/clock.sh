#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How fast virtual time passes: hours in which nothing happens, routing protocols that have converged, a
# failure that only a timer tells, and transfers. The ratio is virtual seconds per second.
#
# VBET_BENCH_CLOCK="idle ospf reroute tcp": some of it.
# shellcheck source=tests/bench/lib.sh
. "${0%/*}/lib.sh"

parts=${VBET_BENCH_CLOCK:-idle ospf reroute tcp}
wants() { [[ " $parts " = *" $1 "* ]]; }

# sum KEY: of all values of that name in the state of the lab.
sum() { status_values "$1" | awk '{ n += $1 } END { printf "%d", n }'; }
# begin_lab FILE [OPTION...]: up, standing still, as fast as it goes.
begin_lab() {
	LIMIT=600 measure vbet up -q --timeout 500s --clock virtual "$@" || return
	UP=$TOOK
	measure vbet clock pause && measure vbet clock pace max
}

# An hour of N idle hosts at a switch.
idle() {
	local n=$1
	echo "star($n, host, memory = 32M)" >idle.vbet
	begin_lab idle.vbet || exit 1
	LIMIT=300 measure vbet clock step 1h || exit 1
	figure "an idle hour of $n hosts" "$TOOK" s
	if [ "$n" = 100 ]; then figure "  ratio" "3600 / $TOOK" x '>=' 1000; else figure "  ratio" "3600 / $TOOK" x; fi
	measure vbet down || exit 1
}
if wants idle; then for n in 2 10 50 100 200; do idle "$n"; done; fi

# A ring of N routers (FRR, default timers) over cables of DELAY: to 70 s, then as it goes on.
converged() {
	local n=$1 delay=$2 budget=$3 turns
	cat >ring.vbet <<-END
	r = ring($n, router, delay = $delay)
	for i in 1..$n {
		config(r[i], ospfd, <<X)
	router ospf
	 network 10.0.0.0/8 area 0
	X
	}
	END
	begin_lab ring.vbet || return
	figure "OSPF, ring of $n, cables of $delay: up" "$UP" s
	LIMIT=600 measure vbet clock step 70s || return
	figure "  the first 70 s" "$TOOK" s
	LIMIT=600 measure vbet clock step 20s || return
	turns=$(sum turns)
	LIMIT=600 measure vbet clock step 50s || return
	if [ -n "$budget" ]; then figure "  converged: ratio" "50 / $TOOK" x '>=' "$budget"; else figure "  converged: ratio" "50 / $TOOK" x; fi
	figure "  turns of all guests in a second" "($(sum turns) - $turns) / 50" ""
	measure vbet clock run || return
	[ "$(timeout 120 vbet exec r1 -- vtysh -c 'show ip ospf neighbor' </dev/null | grep -c Full)" = 2 ] ||
		note "r1 does not have two neighbours"
}
if wants ospf; then
	for ring in "3 2ms" "20 2ms 50" "20 500ns" "100 2ms"; do
		# shellcheck disable=SC2086 # words on purpose
		converged ${ring} "" || note "OSPF: the ring ($ring) has failed"
		vbet down >/dev/null
	done
fi

# The paper's OSPF lab: a cable that falls silent, which only the dead interval of 40 s tells.
way() { timeout 60 vbet exec r2 -- ip route show 192.168.0.0/24 </dev/null | sed -n 's/.* via \([^ ]*\) .*/\1/p'; }
lab_seconds() { vbet clock | grep -o '[0-9.]* s' | head -n 1 | cut -d' ' -f1; }
reroute() {
	measure vbet up -q --clock virtual "$ROOT/examples/ospf-flapping.vbet" || return
	measure vbet clock pause && measure vbet clock pace max && measure vbet clock step 70s || return
	measure vbet clock run || return
	[ "$(way)" = 192.168.1.1 ] || { note "OSPF: no route after 70 s"; return 1; }
	measure vbet clock pause && measure vbet link r1 r2 set loss=100% && measure vbet clock step 50s || return
	measure vbet clock run || return
	[ "$(way)" = 192.168.2.2 ] || { note "OSPF: the route has not moved 50 s after the failure"; return 1; }
	measure vbet clock pause
}
if wants reroute; then
	begin=$EPOCHREALTIME
	if reroute; then
		took=$(calc "$EPOCHREALTIME - $begin")
		virtual=$(lab_seconds)
		figure "OSPF: from nothing to the route around a silent cable" "$took" s '<=' 10
		figure "  of virtual time" "${virtual:-120}" s
		figure "  ratio" "${virtual:-120} / $took" x
	fi
	vbet down >/dev/null
fi

# N virtual seconds of TCP over a cable of RATE and 5 ms, and what a frame of it costs. The transfer is
# under way when the measurement begins.
tcp() {
	local rate=$1 time=$2 seconds=$3 turns kicks frames
	cat >tcp.vbet <<-END
	a = attach(alloc(host, memory = 64M), alloc(NIC, address = 10.0.0.1/24))
	b = attach(alloc(host, memory = 64M), alloc(NIC, address = 10.0.0.2/24))
	link(a, b, rate = $rate, delay = 5ms)
	exec(a, "iperf3 -s -D")
	exec(b, "nohup iperf3 -t 1000 -c 10.0.0.1 >/root/out 2>&1 & sleep 1")
	END
	begin_lab tcp.vbet || exit 1
	turns=$(sum turns) kicks=$(sum kicks) frames=$(sum in_frames)
	LIMIT=600 measure vbet clock step "$time" || exit 1
	frames=$(($(sum in_frames) - frames))
	figure "$time of TCP over a cable of $rate" "$TOOK" s
	figure "  ratio" "$seconds / $TOOK" x
	figure "  a frame: wall time" "$TOOK * 1e6 / $frames" us
	figure "  a frame: turns of guests" "($(sum turns) - $turns) / $frames" ""
	figure "  a frame: kicks" "($(sum kicks) - $kicks) / $frames" ""
	measure vbet down || exit 1
}
if wants tcp; then
	tcp 10Mbit 10s 10
	tcp 1Gbit 10s 10
fi
