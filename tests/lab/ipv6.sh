#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# IPv6: addresses, neighbours, a route through a router, names.
. "${0%/*}/lib.sh"

lab_up - <<'END'
r = attach(alloc(router), alloc(NIC, address = [fd00:1::1/64, 10.1.0.1/24]), alloc(NIC, address = fd00:2::1/64))
a = attach(alloc(host), alloc(NIC, address = [fd00:1::2/64, 10.1.0.2/24]))
b = attach(alloc(host), alloc(NIC, address = fd00:2::2/64))
link(a, NIC(r, 1))
link(b, NIC(r, 2))
default_route(a, fd00:1::1)
default_route(b, fd00:2::1)
END
wait_until 10 vbet exec a -- ping -6 -n -c1 -W2 fd00:1::1
wait_until 10 vbet exec a -- ping -6 -n -c1 -W2 b
out_has 'from fd00:2::2'
must vbet exec b -- ping -6 -n -c1 -W5 a
must vbet ping b r
must vbet exec a -- ip -6 -o address show dev eth0
out_has 'fd00:1::2/64'
out_has 'fe80::'
# Both families on one NIC.
must vbet exec a -- ping -4 -n -c1 -W5 10.1.0.1
