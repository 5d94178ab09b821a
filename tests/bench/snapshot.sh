#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What it takes to save and to restore a vsubstrate with so many guests at a switch (VBET_BENCH_GUESTS: other numbers).
# shellcheck source=tests/bench/lib.sh disable=SC2154
. "${0%/*}/lib.sh"

for n in ${VBET_BENCH_GUESTS:-20 200}; do
	rows=$(perl "$ROOT/tests/bench/snapshot.pl" "$ROOT/build/vsubstrate" "$n" "$RUNS") || exit 1
	column() { awk -v i="$1" '{ print $i }' <<<"$rows"; }
	# shellcheck disable=SC2046 # a word for each run
	ms() { calc "$(median $(column "$1")) / 1000"; }
	figure "$n guests: until save is answered" "$(ms 1)" ms
	figure "  until the file is on the disk" "$(ms 2)" ms
	figure "  its size" "$(stat -c %s imprint) / 1024" kB
	figure "  from the start of a process to the end of restore" "$(ms 3)" ms
done
