#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# VLANs keep apart what shares a switch; a trunk carries them to another switch; a mirror sees all.
. "${0%/*}/lib.sh"

lab_up - <<'END'
auto_address = off
s1 = attach(alloc(switch), alloc(NIC, vlan = 10), alloc(NIC, vlan = 20), alloc(NIC, trunk = [10, 20]),
	alloc(NIC, mirror = all))
s2 = attach(alloc(switch), alloc(NIC, trunk = all), alloc(NIC, vlan = 10), alloc(NIC, vlan = 20))
a10 = attach(alloc(host), alloc(NIC, address = 10.0.0.1/24))
a20 = attach(alloc(host), alloc(NIC, address = 10.0.0.2/24))
b10 = attach(alloc(host), alloc(NIC, address = 10.0.0.3/24))
b20 = attach(alloc(host), alloc(NIC, address = 10.0.0.4/24))
probe = attach(alloc(host), alloc(NIC, address = 10.9.9.9/24))
link(NIC(s1, 1), a10)
link(NIC(s1, 2), a20)
link(NIC(s1, 3), NIC(s2, 1))
link(NIC(s1, 4), probe)
link(NIC(s2, 2), b10)
link(NIC(s2, 3), b20)
END
must vbet wait
wait_until 10 vbet exec a10 -- ping -n -q -c1 -W1 10.0.0.3
wait_until 10 vbet exec a20 -- ping -n -q -c1 -W1 10.0.0.4
must_status 1 vbet exec a10 -- ping -n -q -c2 -i 0.2 -W1 10.0.0.2
must_status 1 vbet exec a10 -- ping -n -q -c2 -i 0.2 -W1 10.0.0.4
[ "$(status_of '[.. | objects | select(.vlan_aware? == true)] | length')" = 2 ] || fail "not VLAN-aware"

# What the mirror sees of the trunk has the tags on it.
vbet exec probe -- timeout 60 tcpdump -e -i eth0 -n -l --immediate-mode icmp or vlan >mirror 2>mirror.err </dev/null &
wait_until 20 grep -q 'listening on' mirror.err
must vbet exec b20 -- ping -n -q -c1 -W5 10.0.0.2
wait_until 20 grep -q 'vlan 20.*10.0.0.4 > 10.0.0.2: ICMP echo request' mirror
wait_until 20 grep -q '10.0.0.2 > 10.0.0.4: ICMP echo reply' mirror
kill $!
wait $! 2>/dev/null
must_status 1 vbet exec probe -- ping -n -q -c1 -W1 10.9.9.1
