#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: also root
# alloc(outside): an interface of this machine is a part of the lab, in a namespace of its own for those
# who have no rights, and for root in the one where vbet runs (here, of this test).
if [ "$(id -u)" = 0 ] && [ -z "${VBET_TEST_INSIDE:-}" ]; then
	exec unshare -n env VBET_TEST_INSIDE=1 bash "$0"
fi
. "${0%/*}/lib.sh"

[ "$(id -u)" = 0 ] && place=host || place=own

lab_up "$EXAMPLES/outside.vbet"
assert_eq $place "$(status_of .outside.place)" "place"
# lab0 is there, and the host with it: addresses, routes, names, guests in both directions.
must vbet outside -- ip -o addr show dev lab0
out_has 'inet 10\.1\.0\.254/24'
must vbet outside -- ip route
out_has '^10\.2\.0\.0/16 via 10\.1\.0\.2'
fetch() { vbet outside -- bash -c 'exec 3<>/dev/tcp/10.2.0.2/80 && printf "GET / HTTP/1.0\r\n\r\n" >&3 && cat <&3'; }
wait_until 10 fetch
out_has '^HTTP/1.0 200'
must vbet ping inner lab0
must vbet ping pc 10.1.0.254
assert_eq "$(status_of '.nodes[] | select(.name == "lab0") | .nics[0].mac')" \
	"$(vbet outside -- cat /proc/net/dev >/dev/null; vbet outside -- ip -o link show dev lab0 | sed 's/.*ether \([0-9a-f:]*\).*/\1/')" \
	"MAC of lab0"
if [ $place = own ]; then
	must vbet outside -- getent hosts inner
	out_has '^10\.2\.0\.2 '
fi
# Nothing of it where it does not belong.
if [ $place = own ]; then
	must_fail ip link show dev lab0
fi
# Frames as they are: full ones, segments of a bulk transfer, tags.
must in_node pc 'ip link add link eth0 name eth0.7 type vlan id 7 && ip addr add 10.7.0.1/24 dev eth0.7 && ip link set eth0.7 up'
cat >tagged.pl <<'END'
use strict;
my ($interface, $mac) = @ARGV;
socket(my $s, 17, 3, 0) or die "socket: $!"; # AF_PACKET, SOCK_RAW
open my $f, '<', "/proc/net/dev" or die;
my $index = `ip -o link show dev $interface`;
$index =~ s/:.*//s;
my $frame = pack('H12 H12 n n n a46', $mac =~ s/://gr, '020000000009', 0x8100, 7, 0x0800, 'not much of a packet');
send($s, $frame, 0, pack('S n i S C C a8', 17, 0x0800, $index, 0, 0, 6, '')) or die "send: $!";
END
rx() { in_node pc 'cat /sys/class/net/eth0.7/statistics/rx_bytes'; }
before=$(rx)
must vbet outside -- perl tagged.pl lab0 "$(status_of '.nodes[] | select(.name == "pc") | .nics[0].mac')"
came() { [ "$(rx)" -gt "$before" ]; }
wait_until 20 came
vbet exec pc -- sh -c 'exec nc -l -p 9 >/root/got' </dev/null &
pid=$!
listens() { in_node pc 'ss -Hltn sport = :9' | grep -q :9; }
wait_until 10 listens
head -c 3000000 /dev/urandom >data
must vbet outside -- bash -c 'cat data >/dev/tcp/10.1.0.1/9'
wait $pid
must vbet cp pc:/root/got got
cmp data got || fail "the data have changed on the way"
# The other way, too: whole segments, where nothing on the path wants them cut.
vbet exec pc -- sh -c 'exec nc -N -l -p 9 </root/got' </dev/null &
pid=$!
wait_until 10 listens
must vbet outside -- bash -c 'cat </dev/tcp/10.1.0.1/9 >back'
wait $pid
cmp data back || fail "the data have changed on the way back"
# The cable is one as any other: the host sees its carrier.
carrier() { vbet outside -- ip -o link show dev lab0 | grep -q "$1"; }
wait_until 20 carrier LOWER_UP
must vbet link lab0 lan down
wait_until 20 carrier NO-CARRIER
must vbet link lab0 lan up
wait_until 20 carrier LOWER_UP
wait_until 10 vbet ping pc lab0
# More of it in the running lab, and less.
OUT=$(printf '%s\n' 'lab1 = attach(alloc(outside), alloc(NIC, address = 10.3.0.254/24))' \
	'link(lab1, attach(alloc(host, name = "late"), alloc(NIC, address = 10.3.0.1/24)))' | vbet console 2>&1) ||
	fail "$OUT"
must vbet wait late
must vbet ping late lab1
OUT=$(echo 'free(lab1)' | vbet console 2>&1) || fail "$OUT"
gone() { ! vbet outside -- ip link show dev lab1; }
wait_until 20 gone
must vbet ping pc lab0
# What cannot be had says why, and nothing is left of it.
OUT=$(echo 'link(attach(alloc(outside), alloc(NIC, name = "lo")), attach(alloc(host, name = "no"), alloc(NIC)))' |
	vbet console 2>&1) && fail "an interface that is there: $OUT"
out_has "lo: .*(interface of that name|exists)"
must vbet ping pc lab0
must vbet down
wait_until 10 nothing_left
if [ $place = host ]; then
	must_fail ip link show dev lab0
	# Root may have a namespace of the lab's own, too.
	sed 's/alloc(outside)/alloc(outside, where = own)/' "$EXAMPLES/outside.vbet" >own.vbet
	lab_up own.vbet
	must_fail ip link show dev lab0
	must vbet outside -- ip link show dev lab0
	must vbet ping pc lab0
	must vbet down
else
	sed 's/alloc(outside)/alloc(outside, where = host)/' "$EXAMPLES/outside.vbet" >host.vbet
	must_fail vbet up host.vbet
	out_has 'sudo ip tuntap add lab0 mode tap user'
fi
must_status 2 vbet outside -- true
# A test of a script can ask for it.
(cat "$EXAMPLES/outside.vbet"; echo 'expect within 10s ping(inner, lab0)') >asked.vbet
must vbet test asked.vbet
out_has '^PASS'
