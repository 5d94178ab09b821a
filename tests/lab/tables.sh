#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Tables of routing daemons can be expected: next hop, metric, protocol, ECMP sets, absence. No program runs in the guest for
# that, and the network does not notice.
# lab: slow
. "${0%/*}/lib.sh"

# r1 has two equal ways to r3, and so to the host behind it.
cat >base.vbet <<'END'
clock = virtual
r = ring(4, router, delay = 1ms)
h = alloc(host)
link(h, NIC(r[3], 3))
for i in 1..4 {
	address(NIC(r[i], 1), "10.0.${(i + 2) % 4}.2/24", "fd00:0:0:${(i + 2) % 4}::2/64")
	address(NIC(r[i], 2), "10.0.${i - 1}.1/24", "fd00:0:0:${i - 1}::1/64")
}
address(NIC(r[3], 3), 10.9.0.1/24, fd00:9::1/64)
address(h, 10.9.0.2/24)
default_route(h, 10.9.0.1)
for i in 1..4 { config(r[i], frr, <<-$END2) }
	interface eth0
	 ipv6 ospf6 area 0
	interface eth1
	 ipv6 ospf6 area 0
	interface eth2
	 ipv6 ospf6 area 0
	router ospf
	 network 10.0.0.0/8 area 0
	router ospf6
	 ospf6 router-id 192.0.2.${i}
	router bgp 6500${i}
	 no bgp ebgp-requires-policy
	 bgp bestpath as-path multipath-relax
	 neighbor 10.0.${(i + 2) % 4}.1 remote-as 6500${(i + 2) % 4 + 1}
	 neighbor 10.0.${i - 1}.2 remote-as 6500${i % 4 + 1}
	 address-family ipv4 unicast
	  network 10.9.0.0/24
	END2
END

{
	cat base.vbet
	cat <<'END'
expect within 90s route(r[1], 10.9.0.0/24, via = [10.0.0.2, 10.0.3.1], table = ospf, metric = 30)
expect within 90s route(r[1], 10.9.0.0/24, via = [10.0.0.2, 10.0.3.1], table = rib, proto = ospf)
expect within 90s route(r[1], 10.9.0.0/24, 10.0.0.2, table = rib, proto = ospf, dev = NIC(r[1], 2), metric = 30)
expect within 90s route(r[1], fd00:9::/64, table = ospf6, metric = 30)
expect within 90s route(r[1], fd00:9::/64, table = rib, proto = ospf, dev = NIC(r[1], 1))
expect within 90s route(r[1], 10.9.0.0/24, via = [10.0.0.2, 10.0.3.1], table = bgp)
expect at 91s route(r[1], 10.0.0.0/24, table = rib, proto = connected, dev = "eth1")
expect at 91s route(r[1], 10.0.0.0/24, table = ospf, dev = "eth1", metric = 10)
expect at 91s not route(r[1], 10.77.0.0/24, table = rib)
expect at 91s not route(r[1], 10.77.0.0/24, table = ospf)
expect at 91s not route(r[1], fd00:77::/64, table = ospf6)
expect at 91s not route(r[1], 10.77.0.0/24, table = bgp)
expect at 91s not route(r[1], 10.9.0.0/24, via = [10.0.0.2, 10.0.3.2], table = ospf)
at 92s cut(r[2], r[3])
expect within 60s of 92s not route(r[1], 10.9.0.0/24, 10.0.0.2, table = ospf)
expect within 60s of 92s not route(r[1], 10.9.0.0/24, via = [10.0.0.2, 10.0.3.1], table = bgp)
expect at 160s route(r[1], 10.9.0.0/24, 10.0.3.1, table = rib, proto = ospf)
END
} >good.vbet
must vbet test -q good.vbet
assert_eq 16 "$(grep -c ^PASS <<<"$OUT")" "expectations that held"

# What does not hold says what is there instead.
{
	cat base.vbet
	cat <<'END'
expect at 90s route(r[1], 10.9.0.0/24, 10.0.0.2, table = ospf, metric = 7)
expect at 90s route(r[1], 10.9.0.0/24, via = [10.0.0.2, 10.0.0.3], table = rib)
expect at 90s route(r[1], fd00:9::/64, table = ospf6, metric = 7)
expect at 90s route(r[1], 10.9.0.0/24, 10.0.0.7, table = bgp)
expect at 90s route(r[1], 10.78.0.0/24, table = bgp)
expect at 90s route(h, 10.78.0.0/24, table = bgp)
expect at 90s not route(h, 10.78.0.0/24, table = bgp)
END
} >bad.vbet
must_status 1 vbet test -q bad.vbet
out_has 'r1: ospf: 10\.9\.0\.0/24 via 10\.0\.0\.2 dev eth1 metric 30 \(N\)'
out_has 'r1: rib: 10\.9\.0\.0/24 via 10\.0\.3\.1 dev eth0 proto ospf metric 30 '
out_has 'r1: ospf6: fd00:9::/64 via fe80::[0-9a-f:]+ dev eth[01] metric 30 '
out_has 'r1: bgp: 10\.9\.0\.0/24 via 10\.0\.0\.2 .*\(path 65002 65003, (best|multipath)\)'
out_has 'r1: bgp has no route to 10\.78\.0\.0/24'
out_has '^7 expectations: 0 held, 7 did not'

# Beside checks that never hold and are tried all the time, everything else happens at the same moment. Not beside those of
# tables of ospfd and bgpd: a daemon may do something some milliseconds sooner when it, or another one, has been woken, which
# decides who is first in this ring (docs/time.md). What zebra's table says is asked of zebra, which has no such timers.
{
	cat base.vbet
	echo 'expect within 60s ping(r[1], h)'
} >alone.vbet
{
	cat alone.vbet
	echo 'expect within 60s route(r[1], 10.99.0.0/24, table = rib)'
} >beside.vbet
moment() { grep -o 'ping(r1, h): held at .*' "$1/report"; }
must vbet test -q --name lab --seed 1 --keep alone alone.vbet
must_status 1 vbet test -q --name lab --seed 1 --keep beside beside.vbet
[ -n "$(moment alone)" ] || fail "no moment in the report"
assert_eq "$(moment alone)" "$(moment beside)" "when the ping holds beside checks of tables"
