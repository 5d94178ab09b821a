#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Figure 4 of the substrate's paper: point-to-point links in a VLAN, a multi-access link without, and ordinary Ethernet,
# all on one switch.
# lab: slow
. "${0%/*}/lib.sh"

must vbet test "$EXAMPLES/lan.vbet"
must vbet test "$EXAMPLES/lan.vbet" --clock virtual
lab_up "$EXAMPLES/lan.vbet"
vbet capture SR:1 -w "$HOME/lan.pcapng" -c 60 --for 20s >/dev/null 2>&1 &
capture=$!
must in_node host1 'ping -c 20 -i 0.05 -W 2 10.1.3.2'
must vbet ping node1 router2
must vbet ping pc1 pc2
wait "$capture"
python3 - "$HOME/lan.pcapng" <<'END' || fail "not both kinds of frames on the wire of SR"
import sys
data = open(sys.argv[1], 'rb').read()
tagged = bytes([0x81, 0x00, 0xa0, 100, 0x88, 0xb5])  # priority 5, VLAN 100
multi = data.replace(tagged, b'')
sys.exit(not (tagged in data and b'\x88\xb5' in multi))
END
# The manager knows what was promised of the network's share.
must vbet substrate
out_has 'vnet1 has 5[0-9.kMbit]+ of it, promised 48Mbit'
out_has 'shared \(vnet2\)'
