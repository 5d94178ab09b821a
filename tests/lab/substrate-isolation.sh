#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# Virtual networks with the same addresses on one wire, in virtual time: while another floods with several
# times its rate, one that keeps to its minimum loses nothing, and its latency stays what it was.
. "${0%/*}/lib.sh"

lab_up - --clock virtual <<'END'
s1 = alloc(substrate) s2 = alloc(substrate) s3 = alloc(substrate)
slink(s1, s2, rate = 10Mbit, delay = 20ms)
slink(s2, s3, rate = 10Mbit, delay = 20ms)
def pair(color, least) {
	net = vnet(name = color)
	a = attach(alloc(host, name = color + "_a", vnet = net, on = s1, memory = 64M), alloc(NIC, address = 10.0.0.1/24))
	b = attach(alloc(host, name = color + "_b", vnet = net, on = s3, memory = 64M), alloc(NIC, address = 10.0.0.2/24))
	vlink(a, b, min = least)
	exec(b, "iperf3 --server --daemon")
}
pair("good", 2Mbit)
pair("flood", 3Mbit)
END

# p99 COUNT: the 99th percentile of as many round trips, in microseconds.
p99() {
	in_node good_a "ping -n -c $1 -i 0.02 -s 600 10.0.0.2" >ping || fail "$(cat ping)"
	grep -q ' 0% packet loss' ping || fail "$(tail -n 3 ping)"
	sed -n 's/.*time=\([0-9.]*\) ms/\1/p' ping | sort -g | awk '{ t[NR] = $1 } END { printf "%d\n", t[int((NR - 1) * 0.99) + 1] * 1000 }'
}
must in_node good_a 'ping -n -q -c 5 10.0.0.2'
quiet=$(p99 150)
[ "$((quiet / 1000))" -eq 82 ] || fail "a round trip of $quiet us when nobody else sends"

must in_node flood_a 'iperf3 --client 10.0.0.2 --udp --bandwidth 25M --length 1400 --time 15 >/dev/null 2>&1 &'
must in_node good_a 'sleep 2'
loud=$(p99 150)
[ $((loud * 100)) -lt $((quiet * 105)) ] || fail "the 99th percentile of round trips was $quiet us, and is $loud us"

# 1.8 Mbit/s of payload are 1.96 with headers (1,000 octets of 1,088): all of it arrives.
must in_node good_a 'iperf3 --client 10.0.0.2 --udp --bandwidth 1800k --length 1000 --time 3 --json'
[[ $OUT =~ \"lost_packets\":[[:space:]]*0, ]] || fail "$OUT"

must vbet substrate
# The flood was one, and was cut where it enters.
out_has '\(flood\) .*queue-full [1-9]'
must vbet down
nothing_left || fail "something is left"
