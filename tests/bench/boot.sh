#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How soon guests are there, and what they cost when they do nothing; against Mininet, which has no kernels.
# shellcheck source=tests/bench/lib.sh disable=SC2154
. "${0%/*}/lib.sh"

echo 'link(alloc(host, name = "a", memory = 32M), alloc(host, name = "b", memory = 32M))' >two.vbet
echo 'star(20, host, memory = 32M)' >twenty.vbet
echo 'star(100, host, memory = 32M)' >hundred.vbet

# One guest: from the start of its launcher (jail included) to the first word of process 1.
boots=()
readies=()
others=()
for ((i = 0; i < RUNS; i++)); do
	if [ -n "$BESIDE" ]; then
		measure "${beside[@]}" up -q two.vbet || exit 1
		mapfile -t -O ${#others[@]} others < <(status_values ready_ns "${beside[@]}")
		measure "${beside[@]}" down || exit 1
	fi
	measure vbet up -q two.vbet || exit 1
	mapfile -t -O ${#boots[@]} boots < <(status_values boot_ns)
	mapfile -t -O ${#readies[@]} readies < <(status_values ready_ns)
	measure vbet down || exit 1
done
figure "start of a guest to its process 1" "$(median "${boots[@]}") / 1e6" ms '<=' 60
figure "  the least disturbed one" "$(printf '%s\n' "${boots[@]}" | sort -g | head -n 1) / 1e6" ms
figure "start of a guest to ready" "$(median "${readies[@]}") / 1e6" ms
[ -z "$BESIDE" ] || figure_beside "start of a guest to ready" "$(median "${readies[@]}")" "$(median "${others[@]}")"

# Memory: what the host has less with 20 guests than before, with all that belongs to them.
before=$(available_kb)
measure vbet up -q twenty.vbet || exit 1
sleep 2
after=$(available_kb)
measure vbet down || exit 1
figure "memory per idle guest, MemAvailable over 20 guests" "($before - $after) / 1024 / 20" MiB

ours=() both=() peers=() others=() others_both=()
for ((i = 0; i < RUNS; i++)); do
	measure vbet up -q hundred.vbet || exit 1
	ours+=("$TOOK")
	if [ $i -eq $((RUNS - 1)) ]; then
		# IPv6 hosts ask for routers 1, 5, 13, 29 and 61 s after their start, and each of 100 wakes the
		# others: idle is between.
		sleep 35
		pids=$(tree_of "$(server_pid)")
		pss=$(for p in $pids; do cat "/proc/$p/smaps_rollup" 2>/dev/null; done | awk '/^Pss:/ { n += $2 } END { print n }')
		begin=$(ticks_of "$pids")
		sleep 10
		idle=$(($(ticks_of "$pids") - begin))
	fi
	up=$TOOK
	measure vbet down || exit 1
	both+=("$(calc "$up + $TOOK")")
	if [ -n "$BESIDE" ]; then
		measure "${beside[@]}" up -q hundred.vbet || exit 1
		others+=("$TOOK")
		up=$TOOK
		measure "${beside[@]}" down || exit 1
		others_both+=("$(calc "$up + $TOOK")")
	fi
	if can_be_root; then
		measure "${as_root[@]}" mn --topo single,100 --switch lxbr --controller none --test none && peers+=("$TOOK")
	fi
done
figure "memory per idle guest, Pss of 100 guests and their lab" "$pss / 1024 / 100" MiB '<=' 8
figure "CPU of 100 connected idle guests, of one core" "$idle / $(getconf CLK_TCK) / 10 * 100" % '<=' 2
figure "100 guests and a switch: up until ready" "$(median "${ours[@]}")" s
figure "100 guests and a switch: up, and down again" "$(median "${both[@]}")" s
if [ -n "$BESIDE" ]; then
	figure_beside "up until ready" "$(median "${ours[@]}")" "$(median "${others[@]}")"
	figure_beside "up and down" "$(median "${both[@]}")" "$(median "${others_both[@]}")"
fi
if [ ${#peers[@]} -gt 0 ]; then
	figure "mn --topo single,100 --switch lxbr --test none" "$(median "${peers[@]}")" s
	figure "ratio: up until ready / Mininet" "$(median "${ours[@]}") / $(median "${peers[@]}")" x '<=' 1
	figure "ratio: up and down / Mininet" "$(median "${both[@]}") / $(median "${peers[@]}")" x '<=' 1
else
	note "Mininet: skipped, it needs root"
fi
