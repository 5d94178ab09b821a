#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Figure 4 of the substrate's paper: point-to-point links in a VLAN, a multi-access link without, and ordinary Ethernet,
# all on one switch.
# lab: slow
. "${0%/*}/lib.sh"

must vbet test "$EXAMPLES/lan.vbet"
must vbet test "$EXAMPLES/lan.vbet" --clock virtual
lab_up "$EXAMPLES/lan.vbet"
vbet capture SR:1 -w "$HOME/lan.pcapng" >/dev/null 2>&1 &
capture=$!
wait_until 10 test -s "$HOME/lan.pcapng"
must in_node host1 'ping -c 20 -i 0.05 -W 2 10.1.3.2'
must vbet ping node1 router2
must vbet ping pc1 pc2
kill -INT "$capture"
wait "$capture"
for kind in 'vlan.id == 100 && vlan.priority == 5 && vlan.etype == 0x88b5' 'eth.type == 0x88b5'; do
	tshark -r "$HOME/lan.pcapng" -Y "$kind" 2>/dev/null | grep -q . || fail "no frame on the wire of SR with $kind"
done
# The manager knows what was promised of the network's share.
must vbet substrate
out_has 'vnet1 has 5[0-9]*[.][0-9]{3}Mbit of it, promised 48[.]000Mbit'
out_has 'shared \(vnet2\)'
