#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# examples/tunnels.vbet: substrate links as tunnels of GRE and MPLS, and IPsec of the guests' kernels over them. On the
# wires between, any program that reads captures finds the tunnels, and nothing of what IPsec hides.
. "${0%/*}/lib.sh"
command -v tshark >/dev/null || skip "needs tshark"

# One line per frame; starting tshark takes longer than reading all of them.
fields=(frame.protocols gre.key mpls.label esp.spi icmp.type _ws.malformed)
# has WIRE CONDITION: of awk, with the fields as $1...; how many frames there are for which it is true.
has() { awk -F'|' "$2 { n++ } END { print n + 0 }" "$1"; }
for clock in real virtual; do
	must vbet test --clock "$clock" --keep "$clock" "$EXAMPLES/tunnels.vbet"
	for wire in s1.1-s2.1 s2.2-s3.1; do
		tshark -r "$clock/cables/$wire.pcapng" -T fields -E 'separator=|' -E occurrence=l "${fields[@]/#/-e}" >$wire 2>err ||
			fail "tshark: $(cat err)"
		assert_eq 0 "$(has $wire '$5 == "0"')" "answers in the clear on $wire ($clock)"
		assert_eq 0 "$(has $wire '$6 != ""')" "malformed frames on $wire ($clock)"
	done
	[ "$(has s1.1-s2.1 '$1 ~ /:ip:gre:eth:.*:ip:esp/ && $2 != "" && $4 != ""')" -gt 0 ] || fail "no GRE ($clock)"
	[ "$(has s2.2-s3.1 '$1 ~ /:mpls:.*:eth:.*:ip:esp/ && $3 >= 16 && $4 != ""')" -gt 0 ] || fail "no MPLS ($clock)"
done
nothing_left || fail "something is left"
