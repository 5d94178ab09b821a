#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# IPv6 of guests is that of Linux: hosts take addresses and routes from a router, routers do not, and addresses are checked
# for duplicates; those of the script hold at once. Sysctls for all NICs hold for all, whenever they come.
. "${0%/*}/lib.sh"

lab_up - <<'END'
auto_address = off
r = attach(alloc(router), alloc(NIC, address = 2001:db8:1::1/64), ...)
q = alloc(router) a = alloc(host)
deaf = attach(alloc(host), alloc(NIC), ...)
b = attach(alloc(host), alloc(NIC, address = 2001:db8:1::b/64), ...)
sw = link(alloc(switch), r, q, a, b, deaf)
config(r, zebra, "interface eth0\n no ipv6 nd suppress-ra\n ipv6 nd ra-interval 3\n ipv6 nd prefix 2001:db8:1::/64\n")
sysctl(deaf, "net.ipv6.conf.all.accept_ra", 0)
sysctl(b, "net.ipv6.conf.default.accept_dad", 0)
sysctl(b, "net.ipv4.conf.all.rp_filter", 1)
exec(b, "ping -6 -c1 -W5 2001:db8:1::1")
END
setting() { in_node "$1" "cat /proc/sys/net/$2"; }
global() { in_node "$1" 'ip -6 -o address show dev eth0 scope global -tentative' | grep 'dynamic'; }

wait_until 30 global a
must in_node a 'ip -6 route show default'
out_has 'proto ra'
must in_node a 'ping -6 -c1 -W5 2001:db8:1::1'
assert_eq 1 "$(setting a ipv6/conf/eth0/accept_dad)" "accept_dad"
must_fail global q
assert_eq 1 "$(setting q ipv6/conf/eth0/forwarding)" "forwarding"
must_fail global deaf
assert_eq 0 "$(setting deaf ipv6/conf/eth0/accept_ra)" "accept_ra, as said for all"
assert_eq 0 "$(setting b ipv6/conf/eth0/accept_dad)" "accept_dad, as said for default"
assert_eq 1 "$(setting b ipv4/conf/eth0/rp_filter)" "rp_filter, as said for all"

# NICs that come later.
must type_in 'link(deaf, sw) link(b, sw)'
for what in "deaf ipv6/conf/eth1/accept_ra 0" "b ipv6/conf/eth1/accept_dad 0" "b ipv4/conf/eth1/rp_filter 1"; do
	read -r node key want <<<"$what"
	wait_until 10 setting "$node" "$key"
	assert_eq "$want" "$(setting "$node" "$key")" "$node: $key"
done
must in_node b 'ip link add d0 type dummy'
assert_eq 1 "$(setting b ipv4/conf/d0/rp_filter)" "rp_filter of a dummy"

# A second owner of an address is found out.
mac=$(in_node a 'ip -6 -o address show dev eth0 scope link' | awk '{ print $4 }')
must in_node b "ip address add $mac dev eth0"
must in_node a 'ip link set eth0 down && ip link set eth0 up'
failed() { in_node a 'ip -6 address show dev eth0' | grep dadfailed; }
wait_until 10 failed
