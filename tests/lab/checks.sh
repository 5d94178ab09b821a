#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What kernels and routing daemons know can be expected without a command: in both clocks, in tests and at the console.
# In virtual time they do not change when another expectation holds, and those of routes not one frame, nor the order in which
# a node sends its own.
# lab: slow
. "${0%/*}/lib.sh"

cat >base.vbet <<'END'
auto_address = off
r = [attach(alloc(router), alloc(NIC, address = 10.0.0.1/24)),
     attach(alloc(router), alloc(NIC, address = 10.0.0.2/24), alloc(NIC, address = 10.1.0.2/24)),
     attach(alloc(router), alloc(NIC, address = 10.1.0.3/24), alloc(NIC, address = 10.2.0.3/24))]
h = attach(alloc(host), alloc(NIC, address = 10.2.0.4/24))
default_route(h, 10.2.0.3)
link(r[1], r[2], delay = 1ms)
link(r[2], r[3], delay = 1ms)
link(r[3], h, delay = 1ms)
for i in 1..3 { config(r[i], ospfd, <<END2) }
interface eth0
 ip ospf hello-interval 2
 ip ospf dead-interval 8
interface eth1
 ip ospf hello-interval 2
 ip ospf dead-interval 8
router ospf
 network 10.0.0.0/8 area 0
END2
for i in 1..2 { config(r[i], bgpd, <<-$END2) }
	router bgp 6500${i}
	 no bgp ebgp-requires-policy
	 neighbor 10.0.0.${3 - i} remote-as 6500${3 - i}
END2
expect within 60s ping(h, 10.0.0.1)
END

{
	cat base.vbet
	cat <<'END'
expect route(r[1], 10.0.0.0/24, dev = NIC(r[1], 1), proto = kernel)
expect not route(r[1], 10.1.0.0/24)
expect within 60s ospf_full()
expect within 60s ospf_full(r[1])
expect within 60s neighbor(r[2], r[3], ospf, full)
expect within 60s bgp_established()
expect within 60s bgp_established(r[1], r[2])
expect within 60s route(r[1], 10.1.0.0/24, 10.0.0.2, dev = "eth0", proto = ospf, metric = 20)
END
} >checks.vbet
must vbet test -q --clock virtual checks.vbet
must vbet test -q --clock real checks.vbet

# What does not hold says what is there instead.
{
	cat base.vbet
	cat <<'END'
expect at 40s neighbor(r[1], r[3], ospf)
expect at 40s route(r[1], 10.1.0.0/24, 10.0.0.9)
expect at 40s route(r[1], 10.9.0.0/24)
at 41s stop(r[3])
expect within 20s of 42s not ospf_full()
expect at 60s not neighbor(r[2], r[3], ospf)
expect at 60s neighbor(r[2], r[3], ospf, down)
expect at 60s ospf_full(r[2])
END
} >fails.vbet
must_status 1 vbet test -q --clock virtual fails.vbet
out_has '^FAIL .*neighbor\(r1, r3, ospf\).*'
out_has 'r1: ospf knows no neighbour r3'
out_has 'r1: ospf 10\.0\.0\.2 is Full'
out_has 'r1: 10\.1\.0\.0/24 via 10\.0\.0\.2 dev eth0 proto ospf metric 20'
out_has 'r1: no route to 10\.9\.0\.0/24'
out_has '^PASS .*not ospf_full\(\)'
out_has '^PASS .*not neighbor\(r2, r3, ospf\)'
out_has '^PASS .*neighbor\(r2, r3, ospf, "down"\)'
out_has 'r2: ospf knows no neighbour r3'
out_has '^8 expectations: 4 held, 4 did not|^9 expectations: 5 held, 4 did not'

# With and without checks that try all the time: the same moment, and with those of routes the same frames (docs/time.md).
{
	echo 'clock = virtual'
	grep -vE '^interface|^ ip ospf|^expect|^for i in 1..2|^	|^END2$' base.vbet | sed '/^for i in 1..3/,$d'
	echo 'for i in 1..3 { config(r[i], ospfd, "router ospf\n network 10.0.0.0/8 area 0\n") }'
	echo 'expect within 60s ping(h, 10.0.0.1)'
	echo 'expect at 90s ping(h, 10.0.0.1)'
} >same.vbet
mv same.vbet base.vbet
{
	cat base.vbet
	for i in 1 2; do echo "expect within 90s route(r[$i], 10.99.0.0/24, every = 250ms)"; done
} >route.vbet
{
	cat base.vbet
	for i in 1 2 3; do echo "expect within 90s neighbor(r[$i], h, ospf)"; done
} >neighbor.vbet
moment() { grep -o 'ping(h, 10.0.0.1): held at .*' "$1/report"; }
# A line for each frame, by who sent it (the second address), each one's in their order: which of two ends that speak
# within a tenth of a millisecond is the first is not promised.
frames() {
	tshark -r "$1" -t r -x 2>/dev/null | grep -E '^[0-9a-f]{4} ' |
		awk '/^0000 / && frame { print frame; frame = "" } { frame = frame $0 } END { print frame }' | sort -s -k 8,13
}
must vbet test -q --name lab --seed 1 --keep base base.vbet
[ -n "$(moment base)" ] || fail "no moment in the report"
for with in route neighbor; do
	must_status 1 vbet test -q --name lab --seed 1 --keep $with $with.vbet
	assert_eq "$(moment base)" "$(moment $with)" "when the ping holds beside $with checks"
done
for cable in base/cables/*.pcapng; do
	[ "$(frames "$cable" | wc -l)" -gt 50 ] || fail "nothing passed over $cable"
	cmp <(frames "$cable") <(frames "route/${cable#*/}") || fail "checks of routes changed what passed over $cable"
done

# At the console, in a run that goes on, and in its replay.
must vbet up base.vbet -q --record run1
must vbet clock pace max
must vbet clock until 'ospf_full()' -t 60s
OUT=$(vbet console <<<'expect within 30s route(r1, 10.1.0.0/24, proto = ospf)' 2>&1) || fail "$OUT"
out_has 'held at'
OUT=$(vbet console <<<'expect route(r1, 10.77.0.0/24)' 2>&1) && fail "a route that there is not"
out_has 'r1: no route to 10\.77\.0\.0/24'
must vbet down
must vbet replay -q run1
out_has_not 'not done'
must vbet down
