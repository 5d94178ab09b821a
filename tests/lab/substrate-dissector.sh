#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What passes on substrate links can be captured and read: the dissector for Wireshark knows all encapsulations,
# finds the frames inside, and shows what the nodes say to each other. So can what a real UDP socket sends and gets.
if [ -z "${VT_INSIDE:-}" ]; then
	unshare -Urn true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
	VT_INSIDE=1 exec unshare -Urn bash "$0" # a loopback of its own: the port may be in use
fi
. "${0%/*}/lib.sh"
. "${0%/*}/substrate.inc"
command -v tshark >/dev/null || skip "needs tshark"

must ip link set lo up
listen c
wait_until 10 tell c now
watch_events c
told c <<END
snode s1 key=00112233445566778899aabbccddeeff
snode s2 key=00112233445566778899aabbccddeeff
snif s1:1 s1 mac=02:00:00:00:01:01
snif s2:1 s2 mac=02:00:00:00:02:01
snif s1:2 s1 mac=02:00:00:00:01:02 encap=udp addr=192.0.2.1
snif s2:2 s2 mac=02:00:00:00:02:02 encap=udp addr=192.0.2.2
snif s1:4 s1 mac=02:00:00:00:01:04 encap=gre addr=192.0.2.3
snif s2:4 s2 mac=02:00:00:00:02:04 encap=gre addr=192.0.2.4
snif s1:5 s1 mac=02:00:00:00:01:05 encap=mpls
snif s2:5 s2 mac=02:00:00:00:02:05 encap=mpls
snif s1:3 s1 encap=udp socket=127.0.0.1
snif s2:3 s2 encap=udp socket=127.0.0.2
cable e s1:1 s2:1 mtu=1600
cable u s1:2 s2:2 mtu=1600
cable t s1:4 s2:4 mtu=1600
cable m s1:5 s2:5 mtu=1600
capture ce s1:1 file=$HOME/e.pcapng
capture cu s1:2 file=$HOME/u.pcapng
capture ct s1:4 file=$HOME/t.pcapng
capture cm s1:5 file=$HOME/m.pcapng
capture cr s1:3 file=$HOME/r.pcapng
capture cg s2:3 file=$HOME/g.pcapng
slink e@s1 s1:1 link=e peer=02:00:00:00:02:01
slink e@s2 s2:1 link=e peer=02:00:00:00:01:01
slink u@s1 s1:2 link=u peer=192.0.2.2
slink u@s2 s2:2 link=u peer=192.0.2.1
slink t@s1 s1:4 link=t peer=192.0.2.4
slink t@s2 s2:4 link=t peer=192.0.2.3
slink m@s1 s1:5 link=m peer=02:00:00:00:02:05
slink m@s2 s2:5 link=m peer=02:00:00:00:01:05
slink r@s1 s1:3 link=r peer=127.0.0.2
slink r@s2 s2:3 link=r peer=127.0.0.1
END
for l in e u r t m; do
	told c <<END
vif $l-1 s1 vnet=red
vif $l-2 s2 vnet=red
nic n-$l-1 seqpacket path=$HOME/$l-1
nic n-$l-2 seqpacket path=$HOME/$l-2
cable c-$l-1 $l-1 n-$l-1
cable c-$l-2 $l-2 n-$l-2
vlink red-$l $l-1 vnet=red path=$l to=$l-2 min=1Mbit
END
	wait_until 10 grep -q "event vlink red-$l up" events-c
	station $l-2 hear 60 >heard-$l &
	is_up() { [ "$(json c ".objects[\"n-$l-2\"].up")" = true ]; }
	wait_until 10 is_up
	# An echo request from 10.0.0.1 to 10.0.0.2.
	station $l-1 send "0200000000020200000000010800$(
	)4500001c00010000400166de0a0000010a0000020800f7fe00000001"
	wait_until 10 grep -q 0a0000010a000002 heard-$l
done
must tell c remove red-e
must_fail tell c cable no s1:3 s1:1
out_has 'socket instead of a cable'
told c <<END
remove ce
remove cu
remove cr
remove cg
remove ct
remove cm
END
# One line per frame; starting tshark takes longer than reading all of them.
fields=(vbet.vli vbet.length vbet.msg.version vbet.msg.type vbet.msg.vlink vbet.msg.vnet vbet.msg.body ip.dst icmp.type
	_ws.malformed vbet.bad_length mpls.label)
for l in e u r g t m; do
	tshark -X "lua_script:$ROOT/share/wireshark/vbet.lua" -r "$l.pcapng" -T fields -E 'separator=|' -E occurrence=l \
		"${fields[@]/#/-e}" >$l.fields 2>tshark.err || fail "tshark: $(cat tshark.err)"
done
# Without our dissector, too: the tunnels are what they are elsewhere.
tshark -r t.pcapng -Y 'icmp.type == 8' -T fields -E separator=' ' -e gre.key -e ip.src -e gre.proto >t.plain 2>/dev/null
tshark -r m.pcapng -Y 'icmp.type == 8' -T fields -E separator=' ' -e mpls.label -e ip.src -e mpls.bottom -e mpls.ttl >m.plain 2>/dev/null
# column FILE CONDITION FIELD: of awk, with the fields as $1...; the first frame for which it is true.
column() { awk -F'|' "$2 { print \$$3; exit }" "$1.fields"; }
for l in e u r g t m; do
	link=${l/g/r} # g: the same link, at the other end
	vli=$(column $l '$9 == 8' 1)
	# Wireshark itself reads those.
	case $l in t | m) read -r vli _ <$l.plain ;; esac
	vli=$((vli))
	[ "$vli" -ge 16 ] || fail "VLI of the frame is '$vli' ($l): $(cat $l.fields tshark.err)"
	assert_eq 10.0.0.2 "$(column $l '$9 == 8' 8)" "destination of the frame inside ($l)"
	assert_eq 0 "$(column $l '$4 == 1' 1)" "VLI of a hello ($l)"
	assert_eq 1 "$(column $l '$4 == 1' 3)" "version of a hello ($l)"
	assert_eq "red-$link" "$(column $l '$4 == 4' 5)" "virtual link of the setup ($l)"
	assert_eq red "$(column $l '$4 == 4' 6)" "vNet of the setup ($l)"
	column $l '$4 == 5' 7 | grep -q "vli=$vli " || fail "the VLI of setup-ok is not that of the frame ($l)"
	assert_eq "" "$(column $l '$10 || $11' 1)" "malformed frames ($l)"
done
assert_eq "192.0.2.3,10.0.0.1 0x6558" "$(cut -d' ' -f2- t.plain)" "GRE"
assert_eq "10.0.0.1 1 64" "$(cut -d' ' -f2- m.plain)" "MPLS"
[[ $(column m '$4 == 1' 12) = 13 ]] || fail "the label of a hello is $(column m '$4 == 1' 12)"
assert_eq 42 "$(column e '$9 == 8' 2)" "length"
assert_eq red-e "$(column e '$4 == 6' 5)" "virtual link of the release"
# What stands in front of a datagram is what the kernel wrote, or took off.
for l in r g; do
	tshark -r $l.pcapng -T fields -E occurrence=f -e ip.src -e ip.dst -e udp.dstport -e ip.checksum.status -e frame.len -e ip.len \
		-o ip.check_checksum:TRUE >outer 2>tshark.err || fail "tshark: $(cat tshark.err)"
	assert_eq "" "$(awk '$3 != 34997 || $4 != 1 || $5 != $6 + 14' outer)" "wrong headers ($l)"
	assert_eq "127.0.0.1 127.0.0.2" "$(awk '$1 < $2 { print $1, $2; exit }' outer)" "addresses ($l)"
	assert_eq "127.0.0.2 127.0.0.1" "$(awk '$1 > $2 { print $1, $2; exit }' outer)" "addresses back ($l)"
done
