#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Virtual networks on one substrate, by the real clock: the latency of one that keeps to its minimum, and the rate
# of one that wants more than it has, while 1, 3 and 8 others flood. What virtual time says exactly is in
# tests/unit/substrate_isolation_test.c.
# shellcheck source=tests/bench/lib.sh disable=SC2154
. "${0%/*}/lib.sh"

# On two cores twenty guests cannot send more than about 200 Mbit/s of such frames: the wire has 20 Mbit/s, so that what is
# measured is the traffic managers, not how the host shares its cores.

# lay FLOODS: a script of that many vNets that flood beside "good" and "eager", on 20 Mbit/s and twice 20 ms.
lay() {
	cat <<END
s1 = alloc(substrate) s2 = alloc(substrate) s3 = alloc(substrate)
slink(s1, s2, rate = 20Mbit, delay = 20ms)
slink(s2, s3, rate = 20Mbit, delay = 20ms)
def pair(color, least) {
	net = vnet(name = color)
	a = attach(alloc(host, name = color + "_a", vnet = net, on = s1, memory = 64M), alloc(NIC, address = 10.0.0.1/24))
	b = attach(alloc(host, name = color + "_b", vnet = net, on = s3, memory = 64M), alloc(NIC, address = 10.0.0.2/24))
	vlink(a, b, min = least)
	exec(b, "iperf3 --server --daemon")
}
pair("good", 2Mbit)
pair("eager", 4Mbit)
for i in 1..$1 { pair("flood\${i}", $((12000 / $1))kbit) }
END
}

p99() {
	vbet exec good_a -- ping -n -c 500 -i 0.01 -s 600 10.0.0.2 | sed -n 's/.*time=\([0-9.]*\) ms/\1/p' | sort -g |
		awk '{ t[NR] = $1 } END { print t[int((NR - 1) * 0.99) + 1] }'
}
mbits() { # of the receiver
	vbet exec eager_a -- iperf3 --client 10.0.0.2 --udp --bandwidth 8M --length 1400 --time 5 --json | tr -d '\r' |
		awk '/"sum_received":/ { in_it = 1 } in_it && /"bits_per_second":/ { gsub(/[^0-9.e+]/, "", $2); printf "%.4f\n", $2 * 1466 / 1400 / 1e6; exit }'
}

for n in 1 3 8; do
	lay $n >lab.vbet
	measure vbet up -q lab.vbet || exit 1
	vbet exec good_a -- ping -n -q -c 5 10.0.0.2 >/dev/null
	quiet=$(p99)
	for ((i = 1; i <= n; i++)); do
		vbet exec "flood${i}_a" -- sh -c 'iperf3 --client 10.0.0.2 --udp --bandwidth 20M --length 1400 --time 60 >/dev/null 2>&1 &'
	done
	sleep 3
	loud=$(p99)
	rate=$(mbits)
	figure "$n flooding: 99th percentile of round trips, quiet" "$quiet" ms
	figure "$n flooding: 99th percentile of round trips, while they flood" "$loud" ms
	figure "$n flooding: latency gained" "$(calc "($loud / $quiet - 1) * 100")" % "<=" 5
	figure "$n flooding: rate of one that is promised 4 Mbit/s" "$rate" Mbit/s ">=" 3.96
	vbet down >/dev/null
done
