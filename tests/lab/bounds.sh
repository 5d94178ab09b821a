#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: plain
# What a guest and a lab may take of the machine: the number of a guest's processes is kept without a
# cgroup, and so is the memory of vsubstrate; what is not kept is said.
. "${0%/*}/lib.sh"

lab_up - <<'END'
a = alloc(host, processes = 24, cpu = 50%, cpu_weight = 20) b = alloc(host)
link(a, b)
END
up=$OUT
pid=$(node_pid a)

# Its processes on the host: those below the launcher.
count() {
	local p=$1 n=0 task child
	for task in /proc/"$p"/task/*; do
		for child in $(cat "$task/children" 2>/dev/null); do
			n=$((n + 1 + $(count "$child")))
		done
	done
	echo $n
}
vbet exec a -- sleep 1000 </dev/null &
wait_until 10 vbet exec a -- pgrep sleep
fork_storm a >storm.out 2>&1 &
storm=$!
full() { [ "$(count "$pid")" -ge 28 ]; }
wait_until 20 full
most=0
for ((i = 0; i < 20; i++)); do
	n=$(count "$pid")
	most=$((n > most ? n : most))
	sleep 0.05
done
[ "$most" -le 32 ] || fail "$most processes on the host"
must vbet exec b -- ping -n -c 3 -l 3 -i 5 10.0.0.1
out_has ' 0% packet loss'
wait_until 20 grep -q 'fork' storm.out

# The guest lost nothing but the processes that it could not have.
kill $storm 2>/dev/null
wait $storm
must vbet log a
out_has_not 'Kernel panic|BUG|Oops'
assert_eq "$pid" "$(node_pid a)" "the process of a"
must vbet restart a
must in_node a true

# vsubstrate has a limit of its own memory.
data=$(awk '/^Max data size/ { print $4 }' "/proc/$(status_of .substrate_pid)/limits")
[ "$data" -le $((2 << 30)) ] || fail "vsubstrate may have $data octets"

# Either a delegated cgroup holds the rest, or everybody is told who looks.
must vbet status
if [ "$(status_of .cgroup)" = null ]; then
	out_has '^bounds: cpu(, cpu_weight)?: not held here, as .*systemd-run'
	grep -q 'warning: cpu.*not held here' <<<"$up" || fail "'up' says nothing of it: $up"
	grep -q '^unheld "cpu.*not held' "$RUN/t/manifest" || fail "the manifest says nothing of it"
	must vbet down
	must_status 3 vbet up --memory 330M t.vbet
	out_has 'may need 416M, and without a delegated cgroup'
else
	out_has '^bounds: held by '
	must vbet down
fi
must vbet up --memory 416M t.vbet
must vbet down
must_status 2 vbet up --memory 100M t.vbet
must_status 2 vbet up --cpu 150 t.vbet
nothing_left || fail "something is left"
