#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A lab that is a directory: trees over the roots of guests, daemons found by their files, commands, shared files and tests;
# its run is repeated from its record when the directory is gone; what nobody would read is refused.
. "${0%/*}/lib.sh"

lay() { mkdir -p "$(dirname "ring/$1")" && cat >"ring/$1"; }
lay lab.vbet <<'END'
clock = virtual
r[1] = attach(alloc(router), alloc(NIC, address = 10.0.0.1/24), alloc(NIC, address = 10.1.0.1/24))
r[2] = attach(alloc(router), alloc(NIC, address = 10.0.0.2/24), alloc(NIC, address = 10.2.0.1/24))
fw = attach(alloc(firewall), alloc(NIC, address = 10.1.0.2/24))
h = attach(alloc(host), alloc(NIC, address = 10.2.0.2/24))
link(NIC(r[1], 1), NIC(r[2], 1))
link(NIC(r[1], 2), fw)
link(NIC(r[2], 2), h)
default_route(fw, 10.1.0.1)
default_route(h, 10.2.0.1)
END
lay r1/frr.conf <<'END'
interface lo
 ip address 10.255.0.1/32
router ospf
 network 10.0.0.0/8 area 0
ip route 10.77.0.0/16 blackhole
END
lay r2/etc/frr/ospfd.conf <<<$'router ospf\n network 10.0.0.0/8 area 0'
lay fw/nft.conf <<'END'
table inet filter {
	chain input {
		type filter hook input priority 0
		icmp type echo-request ip saddr 10.2.0.0/16 drop
	}
}
END
lay h/usr/local/bin/greet <<<$'#!/bin/sh\necho "hello from $(hostname)"'
chmod 755 ring/h/usr/local/bin/greet
printf 'a\0b\377\r\n' | lay h/root/octets
lay h.startup <<<'greet >/root/greeting; cat /shared/word /root/all >>/root/greeting'
lay shared.startup <<<'echo everywhere >/root/all'
lay shared/word <<<'swordfish'
lay tests/ospf.vbet <<'END'
expect within 60s ospf_full()
expect at 60s ping(h, 10.255.0.1)
expect at 61s not ping(h, fw)
expect at 62s ping(r[1], fw)
expect at 63s exec(h, "printf 'hello from h\nswordfish\neverywhere\n' | cmp - /root/greeting")
expect at 63s exec(h, "printf 'a\\000b\\377\\r\\n' | cmp - /root/octets")
expect at 64s exec(r[1], "test -e /run/frr/ospfd.pid -a -e /run/frr/staticd.pid && ip route show 10.77.0.0/16 | grep blackhole")
END
lay tests/cut.vbet <<'END'
at 60s cut(r[1], r[2])
expect within 60s of 60s not route(r[2], 10.255.0.1/32)
END

must vbet check ring
out_has '^ring: lab ring, 4 nodes, 3 cables: nothing wrong'
must vbet test -j2 ring --artifacts art
out_has '^PASS ring/tests/cut\.vbet: 1 of 1'
out_has '^PASS ring/tests/ospf\.vbet: 7 of 7'
(cd ring/tests && must vbet test cut.vbet) || exit 1

# From its record, without the directory.
must vbet up ring --record run
must vbet exec h -- greet
out_has '^hello from h$'
must vbet clock until 30s
must vbet down
mv ring elsewhere
must vbet replay run --until 30s
must vbet clock run
must vbet exec -n ring h -- sh -c 'greet; cat /root/greeting'
out_has '^swordfish$'
must vbet down
mv elsewhere ring

# What would be read by nobody.
mv ring/r1/frr.conf ring/r1/fr.conf
must_status 2 vbet up ring
out_has "there is no daemon 'fr'; did you mean 'frr'"
mv ring/r1/fr.conf ring/r1/frr.conf
printf 'router ospf\n network 10.0.0.0/8 area 0\n netwrk 10.0.0.0/8\n' >ring/r1/frr.conf
must_fail vbet up ring
out_has 'netwrk'
printf 'router bgp 1\n' >ring/r2/etc/frr/ospfd.conf
must_fail vbet up ring
out_has 'ospfd does not take line 1: router bgp 1: it is for bgpd'
echo 'false' >ring/h.startup
printf 'router ospf\n' >ring/r2/etc/frr/ospfd.conf
printf 'router ospf\n' >ring/r1/frr.conf
must_fail vbet up ring
out_has 'h: .*startup'
