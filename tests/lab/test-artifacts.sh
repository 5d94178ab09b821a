#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What is left of a run that fails is the same twice, to the byte, in virtual time: routers with FRR's daemons, their tables, logs
# and configurations, frames and consoles. Beside other labs, and alone.
# lab: slow
. "${0%/*}/lib.sh"

mkdir labs
cat >labs/ospf.vbet <<'END'
clock = virtual
r = ring(3, router, delay = 2ms, rate = 5Mbit)
h = [alloc(host), alloc(host)]
for i in 1..2 {
	link(h[i], r[i])
	address(h[i], "10.5.${i}.2/24")
	address(NIC(r[i], 3), "10.5.${i}.1/24")
	default_route(h[i], "10.5.${i}.1")
}
for i in 1..3 { config(r[i], frr, <<-$END2) }
	log file /tmp/frr.log
	router ospf
	 network 10.0.0.0/8 area 0
	router bgp 6500${i}
	 no bgp ebgp-requires-policy
	 neighbor eth0 interface remote-as external
	 neighbor eth1 interface remote-as external
	 address-family ipv4 unicast
	  redistribute connected
	END2
at 45s exec(r[1], "logger -s hello; date >/root/now.log; ps -e >>/root/now.log")
at 50s cut(r[1], r[2])
expect within 40s of 10s ping(h[1], h[2])
expect at 60s throughput(h[1], h[2], duration = 1s) > 10Mbit
expect at 80s route(r[1], 10.99.0.0/24, table = bgp)
END
sed 's/at 50s/at 55s/' labs/ospf.vbet >labs/other.vbet

must_status 1 vbet test -j2 labs --artifacts art1
must_status 1 vbet test -j1 labs --artifacts art2 --filter ospf
for what in report cables nodes again manifest inputs; do [ -e "art1/labs_ospf/$what" ] || fail "no $what: $(ls art1/labs_ospf)"; done
grep -q 'router ospf' art1/labs_ospf/nodes/r1.files || fail "no configuration: $(cat art1/labs_ospf/nodes/r1.files)"
grep -q '^10\..* via ' art1/labs_ospf/nodes/r1.tables || fail "no routes: $(cat art1/labs_ospf/nodes/r1.tables)"
diff -r art1/labs_ospf art2/labs_ospf >&2 || fail "the same run, and something else is left of it"

# Nothing is left of a run that passes, unless that is asked for.
cat >pass.vbet <<'END2'
clock = virtual
a = alloc(host) b = alloc(host)
link(a, b, delay = 5ms)
expect at 3s ping(a, b)
END2
must vbet test --artifacts none pass.vbet
[ -z "$(ls none)" ] || fail "left of a run that passes: $(ls none)"
must vbet test --artifacts all1 --artifacts-all pass.vbet
must vbet test --artifacts all2 --artifacts-all pass.vbet
for what in report cables nodes/a.tables manifest inputs; do [ -e "all1/pass/$what" ] || fail "no $what: $(ls all1/pass)"; done
[ ! -e all1/pass/again ] || fail "there is nothing to go back to"
diff -r all1 all2 >&2 || fail "the same run, and something else is left of it"
must_status 2 vbet test --artifacts-all pass.vbet
out_has 'needs --artifacts DIR'
