#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# Long TCP segments pass whole where nobody can tell; on the way to who can, and for who looks, frames are real ones.
. "${0%/*}/lib.sh"

lab_up - <<'END'
a = attach(alloc(host), alloc(NIC, address = 10.0.1.1/24))
plain = attach(alloc(host), alloc(NIC, address = 10.0.1.2/24))
shaped = attach(alloc(host), alloc(NIC, address = 10.0.1.3/24))
old = attach(alloc(host), alloc(NIC, address = 10.0.1.4/24, backend = seqpacket))
r = attach(alloc(router), alloc(NIC, address = 10.0.1.9/24), alloc(NIC, address = 10.0.2.9/24))
behind = attach(alloc(host), alloc(NIC, address = 10.0.2.1/24))
default_route(behind, 10.0.2.9)
route(a, 10.0.2.0/24, 10.0.1.9)
link(alloc(switch, name = "sw"), a, plain, old)
link(shaped, node("sw"), delay = 1ms)
link(r, node("sw"))
hub = alloc(hub)
link(NIC(r, 2), hub)
link(behind, hub)
END

# send TO ADDRESS: three megabytes from a arrive as they were.
in_node a 'head -c 3000000 /dev/urandom >/tmp/sent'
want=$(in_node a 'sha256sum </tmp/sent')
send() {
	in_node "$1" 'nc -l -p 5000 >/tmp/got' &
	wait_until 10 in_node "$1" 'grep -q :1388 /proc/net/tcp'
	must in_node a "nc -N $2 5000 </tmp/sent"
	wait $!
	assert_eq "$want" "$(in_node "$1" 'sha256sum </tmp/got')" "what $1 got"
}
frames() { status_of ".substrate.objects[\"$1:eth0\"].$2_frames"; }
packets() { in_node "$1" "cat /sys/class/net/eth0/statistics/$2_packets"; }
# sent: packets that a's kernel has sent, and frames that came from it, while neither changes.
sent() {
	local tx in
	until tx=$(packets a tx) in=$(frames a in) && [ "$(packets a tx)" = "$tx" ]; do :; done
	echo "$tx $in"
}
looks() { status_of '.substrate.objects[].kind' | grep -q capture; }

# send_whole TO ADDRESS: its kernel sees far fewer packets than there are frames.
send_whole() {
	local rx out
	rx=$(packets "$1" rx) out=$(frames "$1" out)
	send "$1" "$2"
	rx=$(($(packets "$1" rx) - rx)) out=$(($(frames "$1" out) - out))
	[ $((rx * 3)) -lt $out ] || fail "$1 got them cut: $rx packets, $out frames"
}

# Whole all the way, through a switch and through a hub.
tx=$(packets a tx) in=$(frames a in)
send_whole plain 10.0.1.2
tx=$(($(packets a tx) - tx)) in=$(($(frames a in) - in))
[ $in -ge 2070 ] || fail "$in frames for 3 MB"
[ $((tx * 3)) -lt $in ] || fail "a cut its segments itself: $tx packets, $in frames"
send_whole behind 10.0.2.1

send shaped 10.0.1.3
send old 10.0.1.4

# Who looks sees frames, whose checksums are right, and all of them.
for end in a:eth0 plain:eth0; do
	vbet capture $end 'tcp port 5000' -w $end.pcapng &
	pid=$!
	wait_until 10 looks
	send plain 10.0.1.2
	kill -INT $pid
	wait $pid
	got=$(tshark -r $end.pcapng -o tcp.check_checksum:TRUE -T fields -e frame.len -e tcp.checksum.status -e tcp.len 2>/dev/null)
	wrong=$(awk '$1 > 1514 || $2 != 1' <<<"$got")
	[ -z "$wrong" ] || fail "$end: not as on a wire: $wrong"
	sum=$(awk '{ sum += $3 } END { print sum }' <<<"$got")
	[ "$sum" -ge 3000000 ] || fail "$end: $sum bytes seen"
done

# A guest may do it all itself, and does in virtual time.
in_node a 'ethtool -K eth0 tx off tso off' >/dev/null
read -r tx in < <(sent)
send plain 10.0.1.2
read -r tx_now in_now < <(sent)
# Its driver counts a packet when the buffer is back, the last one perhaps with the next: one more or less.
tx=$((tx_now - tx)) in=$((in_now - in))
[ $((tx - in)) -ge -1 ] && [ $((tx - in)) -le 1 ] || fail "a, which cuts its segments itself, sent $tx packets, but $in frames came"
must vbet down
lab_up - --clock virtual <<<'link(alloc(host, name = "a"), alloc(host, name = "b"))'
must in_node a 'ethtool -k eth0'
out_has 'tx-tcp-segmentation: off \[fixed\]'
out_has 'tx-checksum-ip-generic: off \[fixed\]'
