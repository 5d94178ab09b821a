#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the forwarding tables of all nodes together do (reaches, path, no_loop, no_blackhole), when they come to rest (converges),
# and what is measured between two nodes (loss, rtt, throughput, bounds of ping), in virtual time, where all of it is exact.
# lab: slow
. "${0%/*}/lib.sh"

cat >base.vbet <<'END'
clock = virtual
r1 = alloc(router) r2 = alloc(router) r3 = alloc(router)
h1 = alloc(host) h2 = alloc(host)
link(h1, r1, rate = 10Mbit, delay = 5ms)
link(h2, r3) link(r1, r2) link(r2, r3) link(r1, r3)
for x in [r1, r2, r3] { config(x, ospfd, <<END2) }
router ospf
 network 10.0.0.0/8 area 0
END2
default_route(h1, 10.0.0.1) default_route(h2, 10.0.4.1)
END
{
	cat base.vbet
	cat <<'END'
expect at 2s not reaches(h1, h2)
expect within 80s reaches(h1, h2)
expect within 80s reaches(h1, 10.0.3.2)
expect at 90s path(h1, h2) == [r1, r3]
expect at 90s not path(h1, h2) == [r1, r2, r3]
expect at 90s path(h1, h2) != [r1, r2, r3]
expect at 90s path(h1, r1) == []
expect at 90s no_loop() expect at 90s no_blackhole()
at 100s cut(r1, r3)
expect "rest": converges within 5s of 100s
expect at 102s path(h1, h2) == [r1, r2, r3]
expect at 102s no_blackhole()
at 110s exec(r2, "ip route add blackhole 10.0.4.0/24")
expect at 111s not no_blackhole()
expect at 111s not reaches(h1, h2)
at 112s exec(r2, "ip route del blackhole 10.0.4.0/24; ip route add 10.0.4.0/24 via 10.0.1.1")
expect at 113s not no_loop()
at 114s exec(r2, "ip route del 10.0.4.0/24 via 10.0.1.1; sysctl -w net.ipv4.ip_forward=0")
expect at 115s not no_blackhole()
at 116s exec(r2, "sysctl -w net.ipv4.ip_forward=1")
at 116s exec(r1, "for i in 1 2 3 4 5 6 7 8 9; do ip route add 10.77.0.0/24 via 10.0.1.2; ip route del 10.77.0.0/24; ip route add 10.78.$i.0/24 via 10.0.1.2; sleep .5; done")
expect converges within 3s of 116s
expect converges within 6s of 116s
expect at 125s ping(h1, h2, count = 5, size = 1000, loss = 0, rtt = 15ms)
expect at 125s ping(h1, h2, count = 5, rtt = 5ms)
expect at 125s loss(h1, h2, count = 3) == 0
expect at 125s rtt(h1, h2) >= 10ms
expect at 130s throughput(h1, h2) > 9Mbit
expect at 130s throughput(h1, h2, duration = 2s) > 10Mbit
at 140s cut(h1, r1)
expect at 141s loss(h1, h2) == 100%
expect at 141s not rtt(h1, h2) < 10s
END
} >ways.vbet
must_status 1 vbet test -q ways.vbet
out_has '^FAIL .*: did not hold, last tried at .*: r1 changed at 119\.'
out_has '^PASS .*rest: expect within 5s of 100s converges\(\): held at 10[0-9.]* s: converged after 0\.[0-9]* s'
out_has '^PASS .*within 6s of .*converges\(\): .*converged after [34]\.[0-9]* s'
out_has '^FAIL .*rtt = 5ms\).* round trip 1[0-9]*us'
out_has 'expected: an answer, round trip at most 5ms; seen: round trip 1'
out_has '^PASS .*throughput\(h1, h2\) > 9Mbit: .*: throughput 9[0-9]*bit'
out_has '^FAIL .*throughput.* > 10Mbit: '
out_has ' expectations: [0-9]* held, 3 did not;'

# A running lab: the same.
lab_up base.vbet
must vbet wait -t 90s 'reaches(h1, h2)'
must vbet expect 'within 9s converges()'
out_has 'converged after '
must_status 1 vbet expect 'path(h1, h2) == [r1, r2, r3]'
out_has ': r1 r3$'
must vbet down
must vbet test -q "$EXAMPLES/checks.vbet"
