#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow, alone
# Every example, in virtual time, is the same run each time, on an idle machine and on a busy one: the
# captures of all cables, the consoles, the record and what was found, byte by byte. VBET_REPEAT is how often
# ("make check-repeat": 20), VBET_EXAMPLES which ones.
. "${0%/*}/lib.sh"
. "${0%/*}/examples.inc"

runs=${VBET_REPEAT:-2}
# Those that take long have their own tests; here they run when somebody asks for more repetitions, or for them.
long=' checks dhcp-relay eigrp explore hdlc ospf-reroute p2p two-internets '

cp -r "$EXAMPLES" labs && cd labs || exit 1
for example in ${VBET_EXAMPLES:-*.vbet}; do
	example=${example%.vbet}
	[ -n "${VBET_REPEAT:-}${VBET_EXAMPLES:-}" ] || [[ $long != *" $example "* ]] || continue
	! needs_real "$example.vbet" || continue
	script=$(with_scenario "$example")
	for ((run = 1; run <= runs; run++)); do
		[ $((run % 2)) -eq 1 ] || burn
		must vbet test -q "$script" --clock virtual --seed 11 --keep "$example.$run"
		unburn
		out_has_not '^FAIL'
		[ $run -gt 1 ] || continue
		diff -rq "$example.1" "$example.$run" >&2 || {
			vbet diff "$example.1" "$example.$run" >&2
			fail "run $run of $example is another one than the first"
		}
		rm -r "$example.$run"
	done
	say "$example: $runs times the same, $(cat "$example.1"/cables/* | wc -c) bytes of captures, $(tail -n 1 "$example.1/report")"
	[ "$(find "$example.1/cables" -size +1k | wc -l)" -ge 1 ] || fail "nothing was seen of $example"
done
nothing_left || fail "something is left"
