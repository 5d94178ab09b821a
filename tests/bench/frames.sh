#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Small frames through the switch, guests aside: the bench drives the rings, in the same thread as the
# substrate. Against vde_switch, driven through its own library by a second process.
# shellcheck source=tests/bench/lib.sh disable=SC2154
. "${0%/*}/lib.sh"

progs=$ROOT/build/tests/bench
ours=() others=() few=() idle=() big=() others_big=() wall=() cpu=() memory=() copies=()
for ((i = 0; i < RUNS; i++)); do
	out=$(timeout -k 5 60 "$progs/substrate_frames") || exit 1
	ours+=("$(awk '$1 == 60 { print $3 }' <<<"$out")")
	big+=("$(awk '$1 == 1514 { print $(NF - 1) }' <<<"$out")")

	for n in 0 2000; do
		out=$(timeout -k 5 60 "$progs/substrate_frames" $n 1) || exit 1
		ns=$(awk '$1 == 60 { print $5 }' <<<"$out")
		if [ $n = 0 ]; then few+=("$ns"); else idle+=("$ns"); fi
	done

	if [ -n "$BESIDE" ]; then
		out=$(timeout -k 5 60 "$BESIDE/build/tests/bench/substrate_frames") || exit 1
		others+=("$(awk '$1 == 60 { print $3 }' <<<"$out")")
		others_big+=("$(awk '$1 == 1514 { print $(NF - 1) }' <<<"$out")")
	fi

	setsid vde_switch -s "$PWD/vde" >/dev/null 2>&1 < <(sleep 1000) &
	pid=$!
	groups+=("$pid")
	for ((j = 0; j < 50; j++)); do [ -S vde/ctl ] && break || sleep 0.1; done
	read -r a b < <(timeout -k 5 30 "$progs/vde_frames" "$PWD/vde" "$pid") && wall+=("$a") cpu+=("$b")
	kill -KILL -- "-$pid"
	wait "$pid" 2>/dev/null
	groups=("${groups[@]:0:${#groups[@]}-1}")
	rm -rf vde

	read -r a b < <(timeout -k 5 30 "$progs/memory_copy") && memory+=("$a") copies+=("$b")
done
fast=$(median "${ours[@]}")
figure "64-byte frames, rings to rings, one core with its driver" "$fast / 1e6" 'million/s' '>=' 5
figure "1,514-byte frames, the same" "$(median "${big[@]}")" Gbit/s
figure "64-byte frames one by one, each a turn of the loop" "$(median "${few[@]}")" ns
figure "  beside 2,000 idle objects" "$(median "${idle[@]}") / $(median "${few[@]}")" x '<=' 1.1
if [ -n "$BESIDE" ]; then
	# These are rates: what the frames take is their inverse.
	figure_beside "time of a 64-byte frame" "$(median "${others[@]}")" "$fast"
	figure_beside "time of a 1,514-byte frame" "$(median "${others_big[@]}")" "$(median "${big[@]}")"
fi
if [ ${#wall[@]} -gt 0 ]; then
	figure "vde_switch, its driver on another core" "$(median "${wall[@]}") / 1e6" 'million/s'
	figure "vde_switch, per second of its own CPU time" "$(median "${cpu[@]}") / 1e6" 'million/s'
	# Ours is per second of CPU time, too: like with like.
	figure "ratio: ours / vde_switch, both by CPU time" "$fast / $(median "${cpu[@]}")" x '>=' 10
fi
figure "memory: copying, one core, no cache" "$(median "${memory[@]}") * 8 / 1e9" Gbit/s
figure "memory: copies of a 64-byte frame with its ring header" "$(median "${copies[@]}") / 1e6" 'million/s'
