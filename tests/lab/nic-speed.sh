#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# NICs have the speed and the duplex of their cables: a bond with LACP comes up, and OSPF prefers the faster way.
. "${0%/*}/lib.sh"

cat >t.vbet <<'END'
a = attach(alloc(host), alloc(NIC), ...) b = attach(alloc(host), alloc(NIC), ...)
link(NIC(a, 1), NIC(b, 1)) link(NIC(a, 2), NIC(b, 2))
sw = alloc(switch, wire = on)
link(NIC(a, 3), NIC(b, 3), rate = 100Mbit)
link(NIC(a, 4), alloc(hub)) link(NIC(b, 4), alloc(hub, medium = shared, rate = 10Mbit))
c = attach(alloc(host), alloc(NIC, speed = 1Gbit, duplex = half))
link(c, sw, rate = 20Mbit)
END
# says NODE NIC SPEED DUPLEX
says() { [ "$(in_node "$1" "cat /sys/class/net/$2/speed /sys/class/net/$2/duplex" | tr '\n' ' ')" = "$3 $4 " ]; }

for clock in real virtual; do
	must vbet up t.vbet --clock $clock
	for node in a b; do
		must says $node eth0 10000 full
		must says $node eth2 100 full
	done
	must says a eth3 10000 half
	must says b eth3 10 half
	must says c eth0 1000 half
	[ "$clock" = real ] || must vbet clock run

	# One direction, seen by who sends into it; the carrier stays.
	must vbet link a:eth2 b:eth2 set ab.rate=1600kbit
	wait_until 10 says a eth2 2 full
	must says b eth2 100 full
	must vbet link a:eth2 b:eth2 set rate=40Mbit
	wait_until 10 says a eth2 40 full
	wait_until 10 says b eth2 40 full
	assert_eq 1 "$(in_node a 'cat /sys/class/net/eth2/carrier_up_count')" "times that the carrier came"

	for node in a b; do
		must in_node $node 'ip link add bond0 type bond mode 802.3ad miimon 100 lacp_rate fast
			for i in 0 1; do ip link set eth$i down && ip link set eth$i master bond0; done
			ip link set bond0 up'
	done
	bundled() { in_node "$1" 'cat /proc/net/bonding/bond0' | grep -q 'Number of ports: 2'; }
	wait_until 30 bundled a
	wait_until 30 bundled b
	must vbet down
done
