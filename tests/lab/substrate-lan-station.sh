#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# An ordinary host on the switch of a substrate LAN, whose root can send what it likes: it cannot write into a virtual
# link, neither with the LAN's VLAN nor in a member's name, hears nothing of what members say to each other, and its
# priorities end at its port.
# lab: also root
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/lan.vbet"
object() { status_of ".substrate.objects[\"$1\"]$2"; }
mac_of() { status_of ".nodes[] | select(.name == \"$1\") | .nics[0].mac" | tr -d ':'; }
dropped() { object sw ".dropped[\"$1\"] // 0"; }

for nic in host3:eth0 node3:eth0 SR:1 pc1:eth0; do
	vbet capture "$nic" -w "$HOME/${nic%:*}.pcapng" >/dev/null 2>&1 &
	wait_until 10 test -s "$HOME/${nic%:*}.pcapng"
done

octal() { perl -pe 's/../sprintf("\\%03o", hex $&)/ge' <<<"$1"; }
send() { must in_node pc1 "printf '$(octal "$1")' | socat -u - INTERFACE:eth0"; } # send HEX: from pc1, as it is
inner=ffffffffffff02000000006688b6$(printf '66%.0s' {1..50})   # 64 octets, for all in the virtual network
own=$(mac_of pc1) from=$(mac_of SR) to=$(mac_of ES3)
p2p=$(printf %08x "$(object p3@ES3 '.in[0].vli')")
multi=$(printf %08x "$(object lan@ES3 '.multi_access[0].vli')")

# forge REASON FRAME: it ends at the port, for that reason.
forge() {
	local before
	before=$(dropped "$1")
	more() { [ "$(dropped "$1")" -gt "$before" ]; }
	send "$2"
	wait_until 10 more "$1"
}
forge 'foreign source' "$to${from}8100a06488b5${p2p}0040$inner" # VLAN 100, as p3 has it
forge vlan "$to${own}8100a06488b5${p2p}0040$inner"
forge 'foreign source' "$to${from}88b5${multi}0040$inner"
forge 'foreign source' "ffffffffffff${from}0806$(printf '00%.0s' {1..46})" # no member is taken for somebody elsewhere
# Priority 7 in VLAN 0: a legitimate frame, of which the priority is lost.
send "$from${own}8100e00088b7$(printf '77%.0s' {1..50})"

# What members say to each other goes on, and is nobody else's.
must in_node host1 'ping -c 3 -i 0.05 -W 2 10.1.3.2'
must vbet ping node1 node3
must vbet ping pc1 pc2
last() { tshark -r "$HOME/SR.pcapng" -Y 'eth.type == 0x88b7 || vlan.etype == 0x88b7' 2>/dev/null | grep -q .; }
wait_until 20 last
jobs -p | xargs -r kill
wait
frames() { tshark -r "$HOME/$1.pcapng" -Y "$2" 2>/dev/null; } # frames CAPTURE FILTER
assert_eq '' "$(frames host3 'eth.type == 0x88b6')" "what was forged, in vnet1"
assert_eq '' "$(frames node3 'eth.type == 0x88b6')" "what was forged, in vnet2"
assert_eq '' "$(frames SR 'vlan.etype == 0x88b7')" "a priority of a stranger"
assert_eq '' "$(frames pc1 "eth.dst == $(status_of '.nodes[] | select(.name == "SR") | .nics[0].mac') && eth.type != 0x88b5 && eth.src != $(status_of '.nodes[] | select(.name == "pc1") | .nics[0].mac')")" "what a member was sent"
