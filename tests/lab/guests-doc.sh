#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# docs/guests.md: every line of its tables does what it says in a router, every script in it passes vbet test.
# lab: slow
. "${0%/*}/lib.sh"

page=$ROOT/docs/guests.md
[ -r "$page" ] || fail "no $page"

# The blocks as scripts NUMBER.vbet, where NUMBER is the line where the block begins; that of the tables as table.vbet.
awk '
/^```vbet/ { out = $2 == "table" ? "table.vbet" : NR ".vbet"; next }
/^```/ { if (out) close(out); out = ""; next }
out { print >out }' "$page"
[ -s table.vbet ] || fail "no script for the tables"

sed -n 's/^|[^|]*|[^|]*| `\(.*\)` |$/\1/p' "$page" | sed 's/\\|/|/g' >lines
[ "$(wc -l <lines)" -ge 50 ] || fail "the tables have only $(wc -l <lines) lines"
must vbet up table.vbet
bad=0
while IFS= read -r line <&3; do
	out=$(vbet exec -t 20s r1 -- sh -c "$line" 2>&1 </dev/null) && continue
	say "fails ($?) in r1: $line"
	say "$out" | head -n 10
	bad=$((bad + 1))
done 3<lines
must vbet down

scripts=0
for script in [0-9]*.vbet; do
	[ -e "$script" ] || continue
	scripts=$((scripts + 1))
	vbet test -q "$script" >out 2>&1 && continue
	say "the script in line ${script%.vbet} of the page:"
	cat out >&2
	bad=$((bad + 1))
done
[ "$scripts" -ge "${VBET_GUESTS_DOC_SCRIPTS:-20}" ] || fail "only $scripts scripts"
[ "$bad" = 0 ] || fail "$bad examples of $page"
