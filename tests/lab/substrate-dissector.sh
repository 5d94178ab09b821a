#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What passes on substrate links can be captured and read: the dissector for Wireshark knows both encapsulations,
# finds the frames inside, and shows what the nodes say to each other.
. "${0%/*}/lib.sh"
. "${0%/*}/substrate.inc"
command -v tshark >/dev/null || skip "needs tshark"

"$vsubstrate" --listen "$HOME/c" &
wait_until 10 tell c now
watch_events c
told c <<END
snode s1 key=00112233445566778899aabbccddeeff
snode s2 key=00112233445566778899aabbccddeeff
snif s1:1 s1 mac=02:00:00:00:01:01
snif s2:1 s2 mac=02:00:00:00:02:01
snif s1:2 s1 mac=02:00:00:00:01:02 encap=udp addr=192.0.2.1
snif s2:2 s2 mac=02:00:00:00:02:02 encap=udp addr=192.0.2.2
cable e s1:1 s2:1 mtu=1600
cable u s1:2 s2:2 mtu=1600
capture ce s1:1 file=$HOME/e.pcapng
capture cu s1:2 file=$HOME/u.pcapng
slink e@s1 s1:1 link=e peer=02:00:00:00:02:01
slink e@s2 s2:1 link=e peer=02:00:00:00:01:01
slink u@s1 s1:2 link=u peer=192.0.2.2
slink u@s2 s2:2 link=u peer=192.0.2.1
END
for l in e u; do
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
told c <<END
remove ce
remove cu
END
lua=$ROOT/share/wireshark/vbet.lua
dissect() { # dissect FILE FILTER FIELD...
	local file=$1 filter=$2 field
	local -a fields=()
	shift 2
	for field; do fields+=(-e "$field"); done
	tshark -X "lua_script:$lua" -r "$file.pcapng" -Y "$filter" -T fields "${fields[@]}" 2>tshark.err
}
for l in e u; do
	vli=$(dissect $l 'icmp' vbet.vli)
	[ "$vli" -ge 16 ] || fail "VLI of the frame is '$vli' ($l): $(cat tshark.err)"
	dissect $l 'icmp' ip.dst | grep -q '10.0.0.2$' || fail "the frame inside was not found ($l)"
	assert_eq 0x01 "$(dissect $l 'vbet.msg.type == 1' vbet.msg.version vbet.vli | awk 'NR == 1 { printf "0x%02x", $1 + $2 }')" "hello ($l)"
	assert_eq "red-$l" "$(dissect $l 'vbet.msg.type == 4' vbet.msg.vlink)" "virtual link of the setup ($l)"
	assert_eq red "$(dissect $l 'vbet.msg.type == 4' vbet.msg.vnet)" "vNet of the setup ($l)"
	dissect $l 'vbet.msg.type == 5' vbet.msg.body | grep -q "vli=$vli " || fail "the VLI of setup-ok is not that of the frame ($l)"
	assert_eq "" "$(dissect $l '_ws.malformed || vbet.bad_length' frame.number)" "malformed frames ($l)"
done
assert_eq 42 "$(dissect e icmp vbet.length)" "length"
dissect e 'vbet.msg.type == 6' vbet.msg.vlink | grep -qx red-e || fail "no release of the virtual link"
