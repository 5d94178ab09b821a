#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A guest that takes nothing costs its own frames: what is sent to it is dropped and counted, the others go on.
. "${0%/*}/lib.sh"

lab_up - <<'END'
for i in 1..3 { h[i] = attach(alloc(host, name = "h${i}"), alloc(NIC, address = "10.0.0.${i}/24")) }
link(alloc(switch, name = "sw"), h[1], h[2], h[3])
END
# kernel_of PID: the kernel among what came from a launcher; what it traces must not be stopped by others.
kernel_of() {
	local p
	[ "$(readlink "/proc/$1/exe" | sed 's/.*\///; s/ .*//')" != linux ] || { echo "$1"; return; }
	for p in $(cat "/proc/$1/task"/*/children 2>/dev/null); do kernel_of "$p"; done
}
dropped() { status_of '.substrate.objects["h3:eth0"].dropped.queue // 0'; }
is_dropped() { [ "$(dropped)" -gt 0 ]; }

must vbet ping h1 h3
mac=$(in_node h3 'cat /sys/class/net/eth0/address')
in_node h1 "ip neigh replace 10.0.0.3 lladdr $mac dev eth0"
kernel=$(kernel_of "$(node_pid h3)" | head -n 1)
kill -STOP "$kernel"

# Frames to it alone, and to all, until its queue is full, and on.
in_node h1 'timeout 60 socat -u /dev/zero UDP-SENDTO:10.0.0.3:9 & echo $! >/tmp/one
	timeout 60 socat -u /dev/zero UDP-DATAGRAM:10.0.0.255:9,broadcast & echo $! >/tmp/all' >/dev/null 2>&1 &
wait_until 30 is_dropped
must in_node h1 'ping -q -c 20 -i 0.05 10.0.0.2'
out_has ' 0% packet loss'
in_node h2 'nc -l -p 5000 | wc -c >/tmp/got' &
wait_until 10 in_node h2 'grep -q :1388 /proc/net/tcp'
must in_node h1 'head -c 20000000 /dev/zero | nc -N 10.0.0.2 5000'
wait $!
assert_eq 20000000 "$(in_node h2 'cat /tmp/got')" "what h2 got"
must in_node h1 'kill $(cat /tmp/one /tmp/all)'
waiting=$(status_of '.substrate.objects["h3:eth0"].queue_frames')
[ "$waiting" -le 1024 ] || fail "$waiting frames wait for it"

# It goes on where it was.
kill -CONT "$kernel"
wait_until 20 in_node h3 'ping -q -c 1 -W 1 10.0.0.2'
assert_eq 0 "$(status_of '.substrate.objects["h3:eth0"].queue_frames')" "frames that wait"
