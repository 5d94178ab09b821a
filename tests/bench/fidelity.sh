#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A cable of 5 ms and 100 Mbit/s, then with a loss of 10 %, as its ends see it: in virtual time, by the real
# clock, and as a Mininet TCLink; while nothing else runs, and while every core burns.
# shellcheck source=tests/bench/lib.sh disable=SC2154
. "${0%/*}/lib.sh"

cat >cable.vbet <<'END'
a = attach(alloc(host, memory = 64M), alloc(NIC, address = 10.0.0.1/24))
b = attach(alloc(host, memory = 64M), alloc(NIC, address = 10.0.0.2/24))
link(a, b, delay = 5ms, rate = 100Mbit)
END
# There and back: twice 5 ms, twice 98 bytes at 100 Mbit/s; ping cuts off what is less than a microsecond.
want_ms=10.015

cat >tclink.py <<'END'
import sys
from mininet.net import Mininet
from mininet.link import TCLink

net = Mininet(link=TCLink, controller=None)
a, b = net.addHost('a', ip='10.0.0.1/24'), net.addHost('b', ip='10.0.0.2/24')
plain = net.addLink(a, b, bw=100, delay='5ms')
net.start()
a.cmd('ping -n -q -c1 10.0.0.2')
print(a.cmd('ping -n -q -c50 -i 0.1 10.0.0.2'))
b.cmd('iperf3 -s -D -1 -I pid; sleep 0.5')
print(a.cmd('iperf3 -f m -t 5 -c 10.0.0.2'))
plain.intf1.config(bw=100, delay='5ms', loss=10)
plain.intf2.config(bw=100, delay='5ms', loss=10)
print(a.cmd('ping -n -q -c1000 -i 0.01 10.0.0.2'))
net.stop()
END

burn() {
	local i
	for ((i = 0; i < $(nproc); i++)); do
		setsid sh -c 'while :; do :; done' </dev/null >/dev/null 2>&1 &
		groups+=($!)
	done
}
unburn() {
	local g
	for g in "${groups[@]}"; do kill -KILL -- "-$g"; wait "$g"; done 2>/dev/null
	groups=()
}

in_a() { timeout -k 5 120 vbet exec -t 120s a -- sh -c "$1" </dev/null; }
vbet_cable() { # CLOCK
	measure vbet up -q --clock "$1" cable.vbet || return
	[ "$1" = real ] || measure vbet clock pace max || return
	in_a 'ping -n -q -c1 10.0.0.2 >/dev/null; ping -n -q -c50 -i 0.1 10.0.0.2'
	timeout 20 vbet exec b -- iperf3 -s -D -1
	in_a 'sleep 0.5; iperf3 -f m -t 5 -c 10.0.0.2'
	measure vbet link a b set loss=10% || return
	in_a 'ping -n -q -c1000 -i 0.01 10.0.0.2'
	measure vbet down
}
# Mininet makes its delays with the host's netem, which not every kernel has.
has_netem() {
	can_be_root || return
	local ns=vbetn$$ ok
	"${as_root[@]}" ip netns add $ns || return
	"${as_root[@]}" tc -n $ns qdisc add dev lo root netem delay 1ms 2>/dev/null
	ok=$?
	"${as_root[@]}" ip netns del $ns
	return $ok
}
# Where the host has none, Mininet runs in a guest of ours by the real clock, which sees the host's files: as it is installed
# here, in one kernel. Its timers are those of User-Mode Linux.
{
	echo 'g = alloc(host, root = "/", memory = 256M)'
	echo 'write(g, "/tmp/tclink.py", <<TCLINK)'
	cat tclink.py
	echo TCLINK
} >mininet.vbet
guest_mininet_cable() {
	measure vbet up -q mininet.vbet || return
	timeout -k 5 120 vbet exec -t 120s g -- python3 /tmp/tclink.py 2>&1 </dev/null
	measure vbet down
}
mininet_cable() { timeout -k 5 120 "${as_root[@]}" /usr/bin/python3 tclink.py 2>&1 </dev/null; }

# show NAME: a line of the table from what the commands above have printed.
show() {
	awk -v name="$1" -v want=$want_ms '
	/^rtt/ && !seen++ { split($4, t, "/") }
	/receiver/ { rate = $(NF - 2) }
	/packet loss/ { for (i = 1; i < NF; i++) if ($i ~ /%/) loss = $i }
	END {
		if (!seen) { printf "   %-26s no result\n", name; exit }
		printf "   %-26s %9.3f %9.3f %9.3f %9.3f  %+8.3f %9s %9s\n", name, t[1], t[2], t[3], t[4], t[2] - want, rate, loss
	}'
}

printf '   %-26s %9s %9s %9s %9s  %8s %9s %9s\n' 'round trip in ms, 50 pings' min avg max mdev error Mbit/s loss
printf '   %-26s %9s %9s %9s %9s  %8s %9s %9s\n' 'what the cable says' 10.015 10.015 10.015 0 '' 95.6 19%
peer=guest_mininet_cable
name='Mininet TCLink, guest'
if has_netem; then
	peer=mininet_cable
	name='Mininet TCLink'
fi
for state in idle busy; do
	[ $state = idle ] || burn
	vbet_cable virtual | show "vbet, virtual, $state"
	vbet_cable real | show "vbet, real clock, $state"
	$peer | show "$name, $state"
done
unburn
[ $peer = mininet_cable ] || note "a TCLink in namespaces of the host needs root and a host kernel with netem; hence one in a guest"
