#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# By the real clock, too, a guest goes on in another process: nothing is lost or done twice, all results are right, and its clock
# did not go on while it was a file.
. "${0%/*}/lib.sh"

command -v cc >/dev/null || skip "no compiler"
must cc -O1 -D_GNU_SOURCE -I"$ROOT" -o calendar "$ROOT/tests/lab/freezing_calendar.c"
must cc -O1 -D_GNU_SOURCE -I"$ROOT" -o owner "$ROOT/tests/lab/freezing_owner.c"
mkdir root
cc -O1 -static -pthread -D_GNU_SOURCE -o root/init "$ROOT/tests/lab/freezing_work.c" -lm || skip "no static C library"
cp "${VBET_LIB:-$ROOT/build}/linux" linux
head -c 3000000 linux >root/data

# shellcheck disable=SC2054 # the commas are the kernel's
words=(mem=48M root=none rootfstype=hostfs rootflags="$PWD/root" ro init=/init con0=null,fd:1 con=null ssl=null
	noreboot quiet)
# What is right, in virtual time, where the clock does not depend on the machine.
must ./calendar time right state 300 none -- "$PWD/linux" "${words[@]}" time-travel=ext:7:"$PWD/time" vbet.seed=abc tt-spin=5
must ./owner freeze console state 4 -- "$PWD/linux" "${words[@]}" freeze="$PWD/freeze"
ran=$OUT
must awk -v ran="$ran" '
	NF != 4 { next } # a line that the end cut short
	FNR == NR { right[$1, $2] = $3; next }
	$1 ~ /^(register|ping|pong|executed|forked|file)$/ {
		if (!(($1, $2) in right)) { next }
		if ($3 != right[$1, $2]) { print "wrong: " $0; bad = 1 }
		if (($1, $2) in seen) { print "twice: " $0; bad = 1 }
		seen[$1, $2] = 1
		n[$1]++
	}
	{
		if ($1 in last && $4 < last[$1]) { print "back: " $0; bad = 1 }
		first = first ? first : $4
		if ($4 - first > ran) { print "it ran for " ran " s: " $0; bad = 1 }
		last[$1] = $4
	}
	END {
		for (who in n) printf "%s %d, ", who, n[who]
		print "lines"
		exit bad || !n["file"] || !n["register"] || !n["ping"] || !n["executed"]
	}' right console
echo "$OUT"
