#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How costs grow with the number of guests, to what the machine holds (VBET_BENCH_GUESTS: other numbers).
# shellcheck source=tests/bench/lib.sh disable=SC2154,SC2046
. "${0%/*}/lib.sh"
LIMIT=600

# budget LIMIT: what 1,000 guests may take, as words for figure.
budget() { [ "$n" -ne 1000 ] || echo "<= $1"; }

holds=$(($(available_kb) / 1024 / 22))
for n in ${VBET_BENCH_GUESTS:-50 100 200 500 1000}; do
	if [ "$n" -gt "$holds" ]; then
		note "$n guests of 21 MB: skipped, this machine has memory for $holds"
		continue
	fi
	printf 's = alloc(switch)\nfor i in 1..%d { link(alloc(host, memory = 21M), s) }\n' "$n" >n.vbet
	before=$(available_kb)
	measure vbet up -q -t 500s n.vbet || exit 1
	up=$TOOK
	figure "$n guests on a switch: up until ready" "$up" s $(budget 90)
	figure "  for each" "$up * 1000 / $n" ms
	pids=$(tree_of "$(server_pid)")
	figure "  CPU of all by then, for each" "$(ticks_of "$pids") * 1000 / $(getconf CLK_TCK) / $n" ms
	sleep 35 # they have asked for routers: see boot.sh
	figure "  memory for each, MemAvailable" "($before - $(available_kb)) / 1024 / $n" MiB $(budget 4.77)
	begin=$(ticks_of "$pids")
	sleep 10
	figure "  CPU of all, idle, of one core" "($(ticks_of "$pids") - $begin) / $(getconf CLK_TCK) / 10 * 100" % $(budget 5)
	measure vbet exec host1 -- ping -q -c 5 -i 0.2 "host$n" || exit 1
	rtt=$(vbet exec host1 -- ping -q -c 5 -i 0.2 "host$n" | sed -n 's|^rtt.* = [^/]*/\([^/]*\)/.*|\1|p')
	figure "  ping from the first to the last, mean" "${rtt:-0}" ms $(budget 2)
	measure vbet status && figure "  status" "$TOOK" s
	measure vbet down || exit 1
	figure "  down" "$TOOK" s $(budget 5)
done
