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

# Whole labs: FRR routers in a ring, neighbours in OSPF, in virtual time (VBET_BENCH_ROUTERS: other numbers).
export VBET_SNAPSHOT_DIR=$XDG_RUNTIME_DIR/snapshots
ring() {
	local i
	for ((i = 1; i <= $1; i++)); do
		printf 'r%d = attach(alloc(router), alloc(NIC), alloc(NIC))\n' "$i"
		printf 'config(r%d, ospfd, <<END)\nrouter ospf\n network 10.0.0.0/8 area 0\nEND\n' "$i"
	done
	for ((i = 1; i <= $1; i++)); do
		printf 'link(NIC(r%d, 2), NIC(r%d, 1), delay = 1ms)\n' "$i" "$((i % $1 + 1))"
	done
}
# compressed: until what was saved is so.
compressed() {
	while vbet snapshots -j | grep -q '"compressed":false'; do sleep 0.1; done
}
# took COMMAND...: the time of it joins $times, in seconds.
took() {
	measure "$@" || exit 1
	times+=("$TOOK")
}
# kB of all processes, files in memory and the host's kernel.
memory() { awk '/^(AnonPages|Shmem|PageTables|KernelStack|SUnreclaim):/ { sum += $2 } END { print sum }' /proc/meminfo; }
for n in ${VBET_BENCH_ROUTERS:-2 20}; do
	ring "$n" >ring.vbet
	measure vbet up -q --clock virtual ring.vbet || exit 1
	figure "$n FRR routers: up until ready" "$TOOK" s
	vbet clock until 60s >/dev/null || exit 1
	times=()
	for ((k = 0; k < RUNS; k++)); do
		took vbet save first
		compressed
	done
	figure "  save, until it is answered" "$(median "${times[@]}")" s
	times=()
	for ((k = 0; k < RUNS; k++)); do
		took vbet fork ring -n fork
		vbet down -n fork || exit 1
	done
	figure "  fork" "$(median "${times[@]}")" s
	sleep 2
	before=$(memory)
	vbet fork ring -n fork || exit 1
	sleep 2
	figure "  memory of a fork, for each router" "($(memory) - $before) / $n / 1024" MB
	for lab in ring fork; do
		vbet clock -n "$lab" pace max && vbet clock -n "$lab" step 30s >/dev/null || exit 1
	done
	figure "  the same when both have gone on for 30 s" "($(memory) - $before) / $n / 1024" MB
	vbet down -n fork || exit 1
	figure "  on the disk, for each router" "$(du -sk "$VBET_SNAPSHOT_DIR" | cut -f1) / $n / 1024" MB
	times=()
	for ((k = 1; k < 10; k++)); do
		vbet clock step 1s >/dev/null || exit 1
		vbet save "s$k" || exit 1
	done
	compressed
	figure "  ten of them, a second apart" "$(du -sk "$VBET_SNAPSHOT_DIR" | cut -f1) / $n / 1024" MB
	for ((k = 0; k < RUNS; k++)); do
		vbet down || exit 1
		took vbet restore first
	done
	figure "  restore" "$(median "${times[@]}")" s
	# By then all have been started.
	measure vbet clock step 20s || exit 1
	figure "  and the next 20 s of its time" "$TOOK" s
	measure vbet clock step 20s || exit 1
	figure "  those after that" "$TOOK" s
	times=()
	for ((k = 0; k < RUNS; k++)); do took vbet save ./bundle; done
	figure "  save in a directory of its own, until it is compressed" "$(median "${times[@]}")" s
	vbet down || exit 1
	rm -rf "$VBET_SNAPSHOT_DIR" bundle
done

# Hosts at a switch: a boot that was kept, and going back by two seconds in a lab in which little happens.
started() { vbet status -j | python3 -c 'import json, sys; print(sum(not n.get("asleep", True) for n in json.load(sys.stdin)["nodes"]))'; }
n=${VBET_BENCH_HOSTS:-100}
echo "star($n, host, memory = 22M)" >hosts.vbet
LIMIT=600
up() { measure vbet up -q --timeout 500s --clock virtual "$@" hosts.vbet; }
up --cold || exit 1
cold=$TOOK
figure "$n hosts: up until ready" "$cold" s
vbet down || exit 1
# It is compressed in the background.
up --warm && vbet down && sleep 15 && up --warm || exit 1
figure "  from a boot that was kept" "$TOOK" s
figure "  ratio" "$TOOK / $cold" x "<=" 0.25
vbet down || exit 1
up --warm --back-every 5s || exit 1
# Routers are asked for until 61 s. Then as somebody works in it.
vbet clock until 100s >/dev/null && vbet clock run && sleep 20 || exit 1
times=()
for ((k = 0; k < RUNS; k++)); do
	vbet clock run && sleep 10 || exit 1
	took vbet replay hosts --back 2s
done
figure "  back by 2 s of its time" "$(median "${times[@]}")" s
figure "  of which so many had to be started" "$(started)" hosts
vbet down || exit 1
