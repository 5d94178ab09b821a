#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Addresses that a guest got from a routing daemon, a command or a router's advertisement are known: to ping and pingall,
# in status, and by name in the other guests; and no more when they are gone. In both clocks.
. "${0%/*}/lib.sh"

cat >t.vbet <<'END'
auto_address = off
r = attach(alloc(router), alloc(NIC, address = [10.0.0.1/24, 2001:db8:1::1/64]), ...)
a = alloc(host) b = alloc(router) own = alloc(host)
write(own, "/etc/hosts", "127.0.0.1 localhost\n")
link(alloc(switch), r, a, b, own)
config(b, zebra, "interface eth0\n ip address 10.0.0.2/24\ninterface lo\n ip address 192.0.2.2/32\n")
config(r, zebra, "interface eth0\n no ipv6 nd suppress-ra\n ipv6 nd ra-interval 3\n ipv6 nd prefix 2001:db8:1::/64\n")
END
addresses() { status_of ".nodes[] | select(.name == \"$1\") | .nics[].addresses[], .interfaces[].addresses[]"; }
knows() { addresses "$1" | grep -qxE "$2"; }
forgot() { ! knows "$1" "$2"; }
name_of() { in_node "$1" "cat /etc/hosts" | grep -E " $2\$"; }
no_name() { ! name_of "$1" "$2"; }

for clock in real virtual; do
	must vbet up t.vbet --clock $clock
	[ "$clock" = real ] || must vbet clock run
	wait_until 20 knows b '10\.0\.0\.2/24'
	wait_until 20 knows b '192\.0\.2\.2/32'
	must vbet ping r b
	out_has '10\.0\.0\.2'
	wait_until 20 knows a '2001:db8:1:0:.*/64'
	wait_until 10 vbet ping r a
	out_has '2001:db8:1:'
	must vbet status
	out_has '^  lo +192\.0\.2\.2/32'
	# By name, as soon as it has one; an /etc/hosts of the script stays as it is.
	wait_until 10 name_of r b
	must in_node r 'ping -c1 -W2 b && ping -c1 -W2 a'
	assert_eq 1 "$(name_of r b | grep -c '^10\.0\.0\.2 ')" "lines for b"
	assert_eq "127.0.0.1 localhost" "$(in_node own 'cat /etc/hosts')" "a file that the script laid there"

	must in_node own 'ip address add 10.0.0.9/24 dev eth0'
	wait_until 10 knows own '10\.0\.0\.9/24'
	must vbet ping r own
	must in_node own 'ip address del 10.0.0.9/24 dev eth0'
	wait_until 10 forgot own '10\.0\.0\.9/24'
	wait_until 10 eval '! name_of r own | grep "^10"'

	# Another boot begins with nothing.
	must vbet restart a
	wait_until 20 knows a '2001:db8:1:0:.*/64'
	wait_until 10 name_of a b
	wait_until 10 vbet ping r a
	must_status 1 vbet pingall # an address of IPv4 alone, and one of IPv6 alone
	out_has '^r -> a b own$'
	must vbet down
done
