#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# Some of FRR's topotests as labs, in virtual time ("make topotests" takes all): OSPF with two areas, IS-IS with two
# levels, BGP's graceful shutdown, PIM (which took its addresses in the midst of its other lines, and elected nobody).
# And all of them are right as scripts.
. "${0%/*}/lib.sh"

LABS=$ROOT/tests/topotests
must vbet test --list "$LABS"
[ "$(grep -c 'virtual clock' <<<"$OUT")" -ge 12 ] || fail "only $(grep -c . <<<"$OUT") labs: $OUT"
must vbet test -j2 "$LABS/ospf" "$LABS/isis" "$LABS/bgp-gshut" "$LABS/pim"
out_has '^4 runs: 4 passed; '
nothing_left || fail "something is left"
