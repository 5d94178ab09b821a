#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A NIC lets in what its MTU and one VLAN tag allow and counts the rest, as veth and network cards do; also of segments
# that travel together. Both back ends.
# lab: slow
. "${0%/*}/lib.sh"

lab_up - <<'END'
s = alloc(switch)
a = attach(alloc(host), alloc(NIC, mtu = 1600))
b = alloc(host) c = attach(alloc(host), alloc(NIC, backend = seqpacket))
link(s, a, b, c)
END
# count NODE NAME: how often its NIC did that.
count() { in_node "$1" 'ip -s -s -j link show dev eth0' | jq ".[0].stats64.rx.$2"; }
# get_in NODE BYTES / stay_out NODE BYTES: three packets of that size.
get_in() { must in_node a "ping -n -M do -c 3 -i 0.2 -W 5 -s $(($2 - 28)) $1"; }
stay_out() { must_fail in_node a "ping -n -M do -c 3 -i 0.2 -W 1 -s $(($2 - 28)) $1"; }

# send NODE ADVMSS SECONDS: how many of 1,000,000 bytes get to the node within that time, if it asks for segments of that size.
send() {
	must in_node "$1" "ip route change 10.0.0.0/24 dev eth0 proto kernel scope link advmss $2; rm -f /tmp/got
		nc -l 9000 >/tmp/got </dev/null 2>/dev/null & until ss -Hlt 'sport = 9000' | grep -q .; do :; done"
	in_node a "head -c 1000000 /dev/zero | timeout $3 nc -N $1 9000"
	in_node "$1" 'pkill nc; wc -c </tmp/got'
}

for node in b c; do
	get_in $node 1500
	get_in $node 1504 # as long as with a tag
	assert_eq 0 "$(count $node length_errors)" "frames that are too long for $node"
	stay_out $node 1505
	stay_out $node 1600
	before=$(count $node length_errors)
	# What is too long for a NIC without shared memory does not get as far as into the guest.
	[ $node = c ] || assert_eq 6 "$before" "frames that are too long for $node"
	assert_eq "$before" "$(count $node dropped)" "frames that $node dropped"

	# The MTU of the moment counts.
	must in_node $node 'ip link set eth0 mtu 1400'
	stay_out $node 1500
	assert_eq 3 $(($(count $node length_errors) - before)) "frames that are too long for $node"
	must in_node $node 'ip link set eth0 mtu 1500'
	get_in $node 1500

	assert_eq 1000000 "$(send $node 1460 60)" "bytes that came to $node in segments of 1,460"
	assert_eq 0 "$(send $node 1560 4)" "bytes that came to $node in segments of 1,560"
done
[ "$(count b length_errors)" -gt 9 ] || fail "long segments were not counted"
