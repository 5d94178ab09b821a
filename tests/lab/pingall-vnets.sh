#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Where vNets have the same addresses, pingall pings within each, and within the ordinary network, and counts those alone;
# a gateway belongs to both of its networks, and is called by its address there.
. "${0%/*}/lib.sh"

lab_up - <<'END'
s = line(2, substrate)
red = vnet() blue = vnet()
gate = attach(alloc(host, vnet = red, on = s[1]), alloc(NIC, address = 10.0.0.1/24), alloc(NIC, address = 10.0.0.9/24))
r2 = attach(alloc(host, vnet = red, on = s[2]), alloc(NIC, address = 10.0.0.2/24))
b1 = attach(alloc(host, vnet = blue, on = s[1]), alloc(NIC, address = 10.0.0.1/24))
b2 = attach(alloc(host, vnet = blue, on = s[2]), alloc(NIC, address = 10.0.0.2/24))
plain = attach(alloc(host), alloc(NIC, address = 10.0.0.8/24))
vlink(NIC(gate, 1), r2)
vlink(b1, b2)
link(NIC(gate, 2), plain)
# The gateway has one subnet on both sides; a route says where plain is.
exec(gate, "ip route add 10.0.0.8/32 dev eth1")
END
must vbet pingall
out_has '^gate -> r2 plain$'
out_has '^r2 -> gate$'
out_has '^b1 -> b2$'
out_has '^b2 -> b1$'
out_has '^plain -> gate$'
out_has '^6 of 6 reached$'
# A vNet that loses its link is missed, though the other has the same addresses.
must vbet stop b2
wait_until 10 is_state b2 down
must_status 1 vbet pingall
out_has '^r2 -> gate$'
out_has '^b1 -> X$'
out_has '^b2 \(down\) -> X$'
out_has '^4 of 6 reached$'
must_fail vbet ping r2 b1
