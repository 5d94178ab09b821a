#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# The ring of examples/p2p.vbet, with 12 nodes in place of 50 ("make p2p" takes all): it answers 99 % of what it is asked
# while a third of its nodes are killed, and the observer's table is on its console.
. "${0%/*}/lib.sh"

n=${VBET_P2P_NODES:-12}
cat >p2p.vbet <<END
clock = virtual
auto_address = off
include "$EXAMPLES/p2p.inc"
p2p($n)
END
must vbet test p2p.vbet --keep kept
out_has "^$((n / 3 + 6)) expectations: $((n / 3 + 6)) held" # five lines of the table, and those who are dead
table=$(grep -A5 '^ring  *nodes' kept/nodes/observer.log) || fail "no table: $(tail -n 5 kept/nodes/observer.log)"
say "$table"
assert_eq 5 "$(grep -c % <<<"$table")" "lines of the table"
# So few hops: not each node knows each other, and nobody is asked one by one.
awk '/%/ && ($(NF - 2) > 2 * $NF + 1 || $(NF - 2) < $NF / 2) { print; bad = 1 } END { exit bad }' <<<"$table" || fail "hops"
