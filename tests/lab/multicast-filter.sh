#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A guest's NIC hands over the multicast groups that its kernel has joined, and no others; the cable
# carries all, captures see all, and so does whoever asks for it in the guest: tcpdump, a bridge, a VLAN.
. "${0%/*}/lib.sh"

cat >groups.vbet <<'END'
a = attach(alloc(host), alloc(NIC, address = 10.0.0.1/24))
b = attach(alloc(host), alloc(NIC, address = 10.0.0.2/24))
br = attach(alloc(host), alloc(NIC), alloc(NIC))
c = attach(alloc(host), alloc(NIC, address = 10.0.0.3/24))
link(alloc(switch), a, b, NIC(br, 1))
link(NIC(br, 2), c)
exec(br, "ip link add br0 type bridge mcast_snooping 0 && ip link set eth0 master br0 && ip link set eth1 master br0 && ip link set br0 up")
exec(b, "ip link add link eth0 name eth0.7 type vlan id 7 && ip link set eth0.7 up && ip addr add 10.7.0.2/24 dev eth0.7")
exec(a, "ip link add link eth0 name eth0.7 type vlan id 7 && ip link set eth0.7 up && ip addr add 10.7.0.1/24 dev eth0.7")
END

# filtered NODE: frames that its NIC kept from it.
filtered() {
	status_of ".nodes[] | select(.name == \"$1\") | .nics[0].counters.dropped.filter // 0"
}
# until_ended PID COMMAND: a does it as long as the listener is there.
until_ended() {
	while kill -0 "$1" 2>/dev/null; do
		must vbet exec a -- sh -c "$2"
	done
	wait "$1"
}
# hears NODE GROUP ADDRESS FROM: what a sends to a group, until NODE, which has joined at ADDRESS, heard it.
hears() {
	vbet exec "$1" -- timeout 20 socat -u "UDP4-RECVFROM:5000,ip-add-membership=$2:$3" - </dev/null >heard &
	until_ended $! "echo hello | socat -u - UDP4-SENDTO:$2:5000,ip-multicast-if=$4"
	grep -qx hello heard || fail "$1 did not hear what was sent to $2"
}

for clock in real virtual; do
	must vbet up --timeout 100s --clock $clock groups.vbet
	[ $clock = real ] || must vbet clock run
	wait_until 20 vbet exec a -- ping -n -q -c1 -W1 10.0.0.3
	# Nobody has joined: b's kernel sees none of it, c neither, but the cable and a capture do.
	before=$(filtered b)
	vbet capture --count 1 --for 60s -w all.pcapng b:eth0 'dst host 239.1.1.1' >/dev/null 2>&1 </dev/null &
	must vbet exec b -- sh -c 'cat /sys/class/net/eth0/statistics/multicast >/tmp/before'
	until_ended $! 'echo x | socat -u - UDP4-SENDTO:239.1.1.1:5000,ip-multicast-if=10.0.0.1'
	[ "$(tshark -r all.pcapng 2>/dev/null | wc -l)" = 1 ] || fail "the capture of a cable saw no multicast frame"
	[ "$(filtered b)" -gt "$before" ] || fail "nothing was filtered"
	hears b 239.1.1.2 10.0.0.2 10.0.0.1
	hears c 239.1.1.3 10.0.0.3 10.0.0.1
	hears b 239.1.1.4 10.7.0.2 10.7.0.1
	# tcpdump sees all, and when it has gone, the filter is back.
	vbet exec b -- timeout 60 tcpdump -i eth0 -n -l -c1 --immediate-mode dst host 239.1.1.5 >seen 2>seen.err </dev/null &
	wait_until 20 grep -q 'listening on' seen.err
	until_ended $! 'echo x | socat -u - UDP4-SENDTO:239.1.1.5:5000,ip-multicast-if=10.0.0.1'
	grep -q '239.1.1.5.5000' seen || fail "tcpdump did not see a group that nobody joined: $(cat seen seen.err)"
	before=$(filtered b)
	multicast() {
		vbet exec a -- sh -c 'echo x | socat -u - UDP4-SENDTO:239.1.1.5:5000,ip-multicast-if=10.0.0.1'
		[ "$(filtered b)" -gt "$before" ]
	}
	wait_until 20 multicast
	must vbet down
done
