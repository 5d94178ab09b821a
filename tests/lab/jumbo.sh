#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# jumbo frames: 9,000 bytes through switch and hub, 65,535 on request, and not one byte more than the MTU.
. "${0%/*}/lib.sh"

lab_up - <<'END'
a = attach(alloc(host), alloc(NIC, mtu = 9000), alloc(NIC, mtu = 65535))
b = attach(alloc(host), alloc(NIC, mtu = 9000), alloc(NIC, mtu = 65535))
link(alloc(switch), NIC(a, 1), NIC(b, 1))
link(alloc(hub), NIC(a, 2), NIC(b, 2))
address(NIC(a, 1), 10.0.1.1/24) address(NIC(b, 1), 10.0.1.2/24)
address(NIC(a, 2), 10.0.2.1/24) address(NIC(b, 2), 10.0.2.2/24)
END
# biggest BYTES ADDRESS: a packet of that size passes whole, there and back.
biggest() {
	must in_node a "ping -M do -c 3 -l 3 -i 5 -s $(($1 - 28)) $2"
	out_has ' 0% packet loss'
}
must in_node a 'cat /sys/class/net/eth0/mtu /sys/class/net/eth1/mtu'
assert_eq '9000 65535' "$(tr '\n' ' ' <<<"$OUT" | sed 's/ $//')" MTUs
biggest 9000 10.0.1.2
biggest 65535 10.0.2.2
must_fail in_node a 'ping -M do -c 1 -W 1 -s 8973 10.0.1.2'
out_has 'too long|local error'

# In the capture such a frame is one frame.
vbet exec a -- ping -q -M "do" -c 1000 -i 0.1 -s 8972 10.0.1.2 >/dev/null &
must vbet capture b:eth0 icmp --count 2 -w jumbo.pcapng
must tshark -r jumbo.pcapng -T fields -e frame.len
assert_eq '9014 9014' "$(tr '\n' ' ' <<<"$OUT" | sed 's/ $//')" lengths
kill %1

# A cable with a smaller MTU drops what is larger, and counts it.
must vbet link a:eth0 set mtu=1500
must_fail in_node a 'ping -M do -c 2 -i 0.2 -W 1 -s 8972 10.0.1.2'
must in_node a 'ping -M do -c 2 -i 0.2 -W 5 -s 1472 10.0.1.2'
[ "$(status_of '[.substrate.objects[] | select(.kind == "cable") | .ab.dropped.mtu, .ba.dropped.mtu | numbers] | add')" -ge 2 ] ||
	fail "not counted: $(status_of '.substrate.objects[] | select(.kind == "cable")')"
