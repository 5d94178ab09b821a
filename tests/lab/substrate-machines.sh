#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Substrate nodes on machines of their own, for which network namespaces stand here: the same program,
# joined by UDP alone, told at unix sockets. A path with a smaller MTU; a machine that is cut off and comes back.
if [ -z "${VT_INSIDE:-}" ]; then
	unshare -Urn true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
	VT_INSIDE=1 exec unshare -Urn bash "$0"
fi
. "${0%/*}/lib.sh"
. "${0%/*}/substrate.inc"

# The namespace of this test is a router between them.
echo 1 >/proc/sys/net/ipv4/ip_forward
start_machines 1 2 3
for i in 1 2 3; do
	# shellcheck disable=SC2154 # substrate.inc sets it
	must ip link add "m$i" type veth peer name eth0 netns "${machine[$i]}"
	must ip addr add "10.99.$i.1/24" dev "m$i"
	must ip link set "m$i" up
	must on $i ip addr add "10.99.$i.2/24" dev eth0
	must on $i ip link set eth0 up
	must on $i ip route add default via "10.99.$i.1"
done
# The way to the third is narrow.
must ip link set m3 mtu 1400
must on 3 ip link set eth0 mtu 1400

key=00112233445566778899aabbccddeeff
for i in 1 2 3; do
	# shellcheck disable=SC2154 # substrate.inc sets it
	on $i "$vsubstrate" --listen "$HOME/c$i" &
done
for i in 1 2 3; do
	wait_until 10 tell c$i now
	watch_events c$i
	must tell c$i snode "s$i" key=$key
	must tell c$i snif "s$i:1" "s$i" encap=udp "socket=10.99.$i.2"
done
slink() { must tell "c$2" slink "$1@s$2" "s$2:1" "link=$1" "peer=10.99.$3.2"; } # slink LINK HERE THERE
slink a 1 2; slink a 2 1
slink b 2 3; slink b 3 2
slink c 1 3; slink c 3 1

# interface MACHINE VNET: a virtual interface, with a station's socket.
interface() {
	must tell "c$1" vif "$2@s$1" "s$1" "vnet=${2%%[0-9]*}"
	must tell "c$1" nic "$2" seqpacket "path=$HOME/$2"
	must tell "c$1" cable "cable-$2" "$2@s$1" "$2"
}
# vlink VNET FROM-MACHINE TO-MACHINE PATH BACK
vlink() {
	interface "$2" "${1}1"
	interface "$3" "${1}2"
	must tell "c$2" vlink "$1:ab" "${1}1@s$2" "path=$4" "to=${1}2@s$3" min=1Mbit
	must tell "c$3" vlink "$1:ba" "${1}2@s$3" "path=$5" "to=${1}1@s$2" min=1Mbit
}
vlink green 1 2 a a
vlink red 1 3 a,b b,a
vlink blue 1 3 c c
for v in green red blue; do
	station ${v}2 echo &
done
wait_until 10 nics_up c2 1
wait_until 10 nics_up c3 2
for v in green red blue; do
	wait_until 10 grep -q "event vlink $v:ab up" events-c1
	wait_until 10 grep -q "event vlink $v:ba up" events-c[23]
done
ping() { station "${1}1" ping "$2" "$3"; } # ping VNET COUNT LENGTH

for v in green red blue; do
	assert_eq 5 "$(ping $v 5 200)" "echoes of $v"
done

# The narrow way: found by our own greetings, told upstream hop by hop, before a guest loses a frame by it.
# 1400 - 20 (IP) - 8 (UDP) - 4 (VLI) - 18 (Ethernet, VLAN tag) = 1350.
wait_until 10 grep -q 'event vlink blue:ab mtu 1350' events-c1
wait_until 10 grep -q 'event vlink red:ab mtu 1350' events-c1
wait_until 10 grep -q 'event vlink blue:ba mtu 1350' events-c3
must_fail grep 'vlink green:ab mtu 13' events-c1
assert_eq 3 "$(ping blue 3 1368)" "echoes of the longest frames"
assert_eq 0 "$(ping blue 1 1369)" "echoes of a frame too long"
assert_eq 3 "$(ping green 3 1400)" "echoes on the wide path"
assert_eq 1 "$(json c1 '.objects["blue:ab"].dropped["too-long"]')" "too long"
assert_eq 1400 "$(json c1 '.objects["c@s1"].neighbours[0].path_mtu')" "MTU of the path"

# The third machine is cut off: the others say so, and what does not need it goes on.
must ip link set m3 down
wait_until 10 grep -q 'event slink c@s1 lost' events-c1
wait_until 10 grep -q 'event slink b@s2 lost' events-c2
wait_until 10 grep -q 'event vlink blue:ab down "substrate link c' events-c1
wait_until 10 grep -q 'event vlink red:ab down "substrate link b' events-c1
must_fail grep 'slink a@s1 lost' events-c1
assert_eq 5 "$(ping green 5 200)" "echoes of green meanwhile"
assert_eq 0 "$(ping red 1 200)" "echoes of red meanwhile"

# It comes back, and finds its virtual links again.
must ip link set m3 up
back() { [ "$(grep -c "event vlink $1 up" "events-c$2")" = 2 ]; }
wait_until 20 grep -q 'event slink c@s1 back' events-c1
for v in red blue; do
	wait_until 20 back $v:ab 1
	wait_until 20 back $v:ba 3
	assert_eq 5 "$(ping $v 5 200)" "echoes of $v afterwards"
done

# A stranger's datagrams enter nothing, whatever their VLI.
vli=$(json c2 '.objects["a@s2"].in[] | select(.vlink == "green:ab") | .vli')
must on 3 perl -MSocket -e '
	socket(my $s, PF_INET, SOCK_DGRAM, 0) or die;
	send($s, pack("N", $_) . ("z" x 60), 0, pack_sockaddr_in(34997, inet_aton("10.99.2.2"))) for 0, $ARGV[0], 99;' "$vli"
in_before=$(json c2 '.objects["a@s2"].in[] | select(.vlink == "green:ab") | .frames')
refused() { [ "$(json c2 '.objects["s2:1"].refused | (.["unknown-link"] // 0) + (.["unknown-vli"] // 0)')" -ge 2 ]; }
wait_until 10 refused
assert_eq "$in_before" "$(json c2 '.objects["a@s2"].in[] | select(.vlink == "green:ab") | .frames')" "frames of green"

# One that begins anew (another process at the same place) is set up again, too.
tell c3 now >/dev/null || fail "the third does not answer"
must tell c3 remove s3
wait_until 10 grep -q 'event vlink blue:ab down' events-c1
