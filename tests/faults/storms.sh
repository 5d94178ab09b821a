#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Storms in guests (storm.c): random system calls, address spaces that change under their threads, signals, fork bombs and
# full memory, in a small guest and in a larger one. Their kernels complain of nothing and answer afterwards, and a guest
# beside them is served meanwhile.
# lab: slow
. "${0%/*}/../lab/lib.sh"

seed=${VBET_FAULT_SEED:-$((EPOCHSECONDS % 32768))}
seconds=${VBET_FAULT_SECONDS:-15}
echo "seed $seed"
cc -std=gnu11 -D_GNU_SOURCE -O1 -static -pthread -o storm "$ROOT/tests/faults/storm.c" || skip "no compiler"

lab_up - <<'END'
small = alloc(host, memory = 48M)
large = alloc(host, memory = 256M)
beside = alloc(host)
link(alloc(switch), small, large, beside)
END
declare -A pid=() storm=()
for node in small large; do
	must vbet cp storm $node:/root/storm
	pid[$node]=$(node_pid $node)
	vbet exec $node -- /root/storm "$seed" "$seconds" </dev/null >$node.out 2>&1 &
	storm[$node]=$!
done

# complaints NODE: what no program may make a kernel say.
complaints() {
	vbet log "$1" | grep -E 'Kernel panic|Oops|BUG:|WARNING:|kernel BUG|blocked for more|soft lockup|stall|general protection'
}
look() {
	local node
	for node in small large; do
		complaints $node >&2 && fail "seed $seed: the kernel of $node complains; its last rounds: $(vbet log $node | grep storm: | tail -n 3)"
		assert_eq "${pid[$node]}" "$(node_pid $node)" "seed $seed: the process of $node"
	done
}
end=$((SECONDS + seconds))
while [ $SECONDS -lt $end ]; do
	must vbet exec beside -- true
	look
	sleep 1
done

has_ended() { ! kill -0 "$1" 2>/dev/null; }
for node in small large; do
	# The last round is cleared away by its own guest.
	wait_until 120 has_ended "${storm[$node]}"
	wait "${storm[$node]}" || fail "seed $seed: the storm in $node ended with $?: $(cat $node.out)"
	must vbet exec $node -- true
	wait_until 60 in_node $node 'ping -n -c 1 -W 5 beside >/dev/null'
	echo "$node: $(cat $node.out), $(vbet log $node | grep -c 'Out of memory: Killed') processes killed for memory"
done
look
must vbet down
nothing_left || fail "something is left"
