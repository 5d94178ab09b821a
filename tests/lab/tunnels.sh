#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# examples/tunnels.vbet: substrate links as tunnels of GRE and MPLS, and IPsec of the guests' kernels over them. On the
# wires between, any program that reads captures finds the tunnels, and nothing of what IPsec hides.
. "${0%/*}/lib.sh"
command -v tshark >/dev/null || skip "needs tshark"

# frames FILE FILTER: how many there are.
frames() { tshark -r "$1" -Y "$2" 2>/dev/null | wc -l; }
for clock in real virtual; do
	must vbet test --clock "$clock" --keep "$clock" "$EXAMPLES/tunnels.vbet"
	gre=$(echo "$clock"/cables/s1.1-s2.1.pcapng)
	mpls=$(echo "$clock"/cables/s2.2-s3.1.pcapng)
	[ "$(frames "$gre" 'gre.key >= 16 && gre.proto == 0x6558 && esp && ip.addr == 192.0.2.1')" -gt 0 ] || fail "no GRE ($clock)"
	[ "$(frames "$mpls" 'mpls.label >= 16 && mpls.bottom == 1 && esp && ip.addr == 192.0.2.1')" -gt 0 ] || fail "no MPLS ($clock)"
	for wire in "$gre" "$mpls"; do
		assert_eq 0 "$(frames "$wire" 'icmp.type == 0')" "answers in the clear on $wire"
		assert_eq 0 "$(frames "$wire" '_ws.malformed')" "malformed frames on $wire"
	done
done
nothing_left || fail "something is left"
