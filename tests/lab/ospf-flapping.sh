#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Section 4.1 of the paper: r2 hears of 192.168.0.0/24 from both sides, goes by the better one, and its
# route moves away and back as that side fails and recovers.
# lab: slow
. "${0%/*}/lib.sh"

route_by() {
	in_node r2 'ip route show 192.168.0.0/24' | grep -q "via $1 "
}
both_full() {
	[ "$(in_node r2 "vtysh -c 'show ip ospf neighbor'" | grep -c Full/)" = 2 ]
}

lab_up "$EXAMPLES/ospf-flapping.vbet"
# A router waits one dead interval (40 s) before it elects a designated router (RFC 2328, 9.4).
wait_until 80 both_full
wait_until 20 route_by 192.168.1.1
must in_node r2 "vtysh -c 'show ip ospf database external'"
out_has 'Advertising Router: 192.168.1.1'
out_has 'Advertising Router: 192.168.2.2'

must vbet link r1 r2 down
wait_until 20 no_carrier r2 eth0
must in_node r2 'ip link show eth0'
out_has 'NO-CARRIER'
must has_carrier r2 eth1
wait_until 80 route_by 192.168.2.2

must vbet link r1 r2 up
wait_until 20 has_carrier r2 eth0
wait_until 100 route_by 192.168.1.1
must both_full
