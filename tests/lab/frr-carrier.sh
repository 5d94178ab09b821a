#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# FRR reacts to a cable that is cut within a second: it sees the carrier go. A cut that no carrier tells of
# takes OSPF's dead interval. Both in one run, by the virtual clock.
. "${0%/*}/lib.sh"

cat >carrier.vbet <<'END'
clock = virtual
r = [alloc(router), alloc(router), alloc(router)]
h = [alloc(host), alloc(host)]
link(r[1], r[2], name = "short")
link(r[2], r[3], name = "over")
link(r[3], r[1], name = "round")
link(r[1], h[1], name = "left")
link(r[2], h[2], name = "right")
address(NIC(r[1], 1), 10.0.12.1/24) address(NIC(r[2], 1), 10.0.12.2/24)
address(NIC(r[2], 2), 10.0.23.2/24) address(NIC(r[3], 1), 10.0.23.3/24)
address(NIC(r[3], 2), 10.0.31.3/24) address(NIC(r[1], 2), 10.0.31.1/24)
address(NIC(r[1], 3), 10.1.0.1/24) address(NIC(h[1], 1), 10.1.0.2/24)
address(NIC(r[2], 3), 10.2.0.1/24) address(NIC(h[2], 1), 10.2.0.2/24)
default_route(h[1], 10.1.0.1)
default_route(h[2], 10.2.0.1)
config(r, ospfd, <<OSPF)
router ospf
 network 10.0.0.0/8 area 0
OSPF
expect within 30s of 60s ping(h[1], h[2])
expect at 99s route(r[1], 10.2.0.0/24, 10.0.12.2)
at 100s cut(r[1], r[2])
expect within 1s of 100s route(r[1], 10.2.0.0/24, 10.0.31.3)
expect at 101s ping(h[1], h[2])
at 120s mend(r[1], r[2])
expect within 70s of 120s route(r[1], 10.2.0.0/24, 10.0.12.2)
at 200s cut(r[1], r[2], one_way = on)
at 200s cut(r[2], r[1], one_way = on)
expect at 220s not ping(h[1], h[2])
expect within 30s of 225s route(r[1], 10.2.0.0/24, 10.0.31.3)
END
must vbet test -q --timeout 300s carrier.vbet
out_has '^7 expectations: 7 held'
