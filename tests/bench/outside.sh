#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# TCP between a guest and what is outside of the lab: an interface of the host (alloc(outside)), and a server on
# the host by way of alloc(internet); beside them guest to guest through a switch.
# shellcheck source=tests/bench/lib.sh disable=SC2154
. "${0%/*}/lib.sh"

secs=${VBET_BENCH_SECONDS:-3}
cat >out.vbet <<'END'
lab0 = attach(alloc(outside, where = own), alloc(NIC, address = 10.0.0.254/24))
a = attach(alloc(host, memory = 64M), alloc(NIC, address = 10.0.0.1/24))
b = attach(alloc(host, memory = 64M), alloc(NIC, address = 10.0.0.2/24))
link(alloc(switch), lab0, a, b)
c = alloc(host, memory = 64M)
link(alloc(internet, loopback = on), c)
END

# tcp VBET'S-WORDS: who runs iperf3, and how.
tcp() { timeout -k 5 60 vbet "$@" -J -t "$secs" | iperf_gbits; }

port=$((20000 + $$ % 20000))
setsid iperf3 -s -B 127.0.0.1 -p "$port" >/dev/null 2>&1 </dev/null &
groups+=($!)
measure vbet up -q out.vbet || exit 1
vbet exec a -- iperf3 -s -D
sleep 0.5

guests=() from_host=() to_host=() outward=() inward=()
for ((i = 0; i < RUNS; i++)); do
	guests+=("$(tcp exec b -- iperf3 -c 10.0.0.1)")
	from_host+=("$(tcp outside -- iperf3 -c 10.0.0.1)")
	to_host+=("$(tcp outside -- iperf3 -R -c 10.0.0.1)")
	outward+=("$(tcp exec c -- iperf3 -c 10.0.2.2 -p "$port")")
	inward+=("$(tcp exec c -- iperf3 -R -c 10.0.2.2 -p "$port")")
done
figure "guest to guest through a switch" "$(median "${guests[@]}")" Gbit/s
figure "the host's interface to a guest" "$(median "${from_host[@]}")" Gbit/s
figure "a guest to the host's interface" "$(median "${to_host[@]}")" Gbit/s
figure "a guest to a server of the host, alloc(internet)" "$(median "${outward[@]}")" Gbit/s
figure "a server of the host to a guest, alloc(internet)" "$(median "${inward[@]}")" Gbit/s
