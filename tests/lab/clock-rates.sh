#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# In virtual time programs get the rates that they ask for, and that a cable lets through: by TCP in both directions,
# and by UDP, where the sender looks at the clock for each datagram.
. "${0%/*}/lib.sh"

cat >lab.vbet <<'END'
clock = virtual
a = alloc(host) b = alloc(host)
link(a, b, rate = 1Gbit, delay = 20us)
END
must vbet up lab.vbet
must vbet clock pace max
must in_node b 'iperf3 -s -D -I /run/iperf3.pid'

# rate LOW HIGH OPTION...: Mbit/s that arrive, by iperf3 in a.
rate() {
	local low=$1 high=$2 got
	shift 2
	must in_node a "iperf3 -c b -t 1 -J $*"
	got=$(jq '.end | (.sum_received // .sum).bits_per_second / 1e6 | floor' <<<"$OUT")
	if [ "$got" -lt "$low" ] || [ "$got" -gt "$high" ]; then
		fail "iperf3 $*: $got Mbit/s"
	fi
}

rate 940 960
rate 940 960 -R
for asked in 1 30 100 300 800; do
	rate $((asked * 99 / 100)) $((asked * 101 / 100)) "-u -b ${asked}M"
	assert_eq 0 "$(jq .end.sum.lost_packets <<<"$OUT")" "lost at $asked Mbit/s"
done
must vbet down
nothing_left || fail "something is left"
