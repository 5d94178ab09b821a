#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow, alone, plain
# A run that is saved, taken down and restored at random moments is, from there on, the run that was not: the captures
# of all cables, the consoles, the record and what was found, byte by byte, on an idle machine and on a busy one.
# VBET_SNAPSHOTS is how often each example is tried ("make snapshots": 20), with other moments each time, VBET_SCRIPTS
# which scripts, VBET_MOMENTS how many moments a try has, VBET_SNAPSHOT_SEED which they are.
. "${0%/*}/lib.sh"
. "${0%/*}/examples.inc"

tries=${VBET_SNAPSHOTS:-1}
moments=${VBET_MOMENTS:-3}
seed=${VBET_SNAPSHOT_SEED:-1}

# choose: as many moments of the run in base as all tries need, one a line, half of them a little after something was
# done in it.
choose() {
	local end
	end=$(sed -n 's/.*until \([0-9.]*\) s$/\1/p' base/report)
	awk -v n=$((moments * tries)) -v seed="$seed" -v to="$end" '
		/^[0-9.]+ / { at[k++] = $1 }
		END {
			srand(seed)
			for (i = 0; i < n; i++) {
				t = rand() < 0.5 && k ? at[int(rand() * k)] + rand() ^ 4 * 0.03 : at[0] + rand() * (to - at[0])
				printf "%.9fs\n", t < to ? t : to
			}
		}' base/inputs
}

# What is compared: all that is kept.
same() { # DIR WHAT
	diff -rq base "$1" >&2 && return 0
	vbet diff base "$1" >&2
	fail "$2 is another run"
}

# The clock stands at the same moments: that is an input, and names that nodes have got are told to others then.
run() { must vbet test -q "$script" --clock virtual --seed 11 "$@"; }

# try: once without, then with snapshots.
try() {
	local script=$1 try at all
	rm -rf base
	run --keep base
	choose >moments
	all=$(paste -sd, moments)
	rm -r base
	run --keep base --stands-at "$all"
	out_has_not '^FAIL'
	for ((try = 1; try <= tries; try++)); do
		[ $((try % 2)) -eq 1 ] || burn 1
		at=$(sed -n "$(((try - 1) * moments + 1)),$((try * moments))p" moments | paste -sd,)
		run --keep again --stands-at "$all" --snapshots-at "$at"
		unburn
		same again "$script with snapshots at $at (seed $seed)"
		rm -r again
	done
	say "$script: $tries tries of $moments, $(cat base/cables/* | wc -c) bytes of captures, $(tail -n 1 base/report)"
}

cp -r "$EXAMPLES" labs && cd labs || exit 1
# Those that take long are run when somebody asks for more tries, or for them.
few="$ROOT/tests/lab/snapshots.vbet hello"
[ "$tries" -eq 1 ] || few="$ROOT/tests/lab/snapshots.vbet $(printf '%s\n' *.vbet */lab.vbet)"
for script in ${VBET_SCRIPTS:-$few}; do
	case $script in
	*/*) try "$script" ;;
	*)
		script=${script%.vbet}
		needs_real "$script.vbet" || try "$(with_scenario "$script")"
		;;
	esac
done
nothing_left || fail "something is left"
