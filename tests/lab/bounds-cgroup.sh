#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A lab in a delegated cgroup: processor time, processes and memory are held, by guest and as a whole;
# nothing is left after `down`, nor after kill -9 of the server and `vbet clean`.
# lab: slow
# lab: only root

# As root: a group for an ordinary user, and the rest of the test as that user, in it.
if [ -z "${VBET_TEST_GROUP:-}" ]; then
	. "${0%/*}/lib.sh"
	top=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$top" ] || skip "no cgroup of version 2"
	for c in cpu memory pids; do
		grep -qw $c "$top/cgroup.controllers" || skip "the cgroups of this machine have no $c"
		echo "+$c" >"$top/cgroup.subtree_control" 2>/dev/null || skip "$c cannot be delegated"
	done
	id vbet-test >/dev/null 2>&1 || skip "no user vbet-test"
	group=$top/vbet-test.$$
	mkdir "$group"
	chown vbet-test "$group" "$group"/cgroup.{procs,subtree_control,threads}
	(
		echo "$BASHPID" >"$group/cgroup.procs"
		exec env -u XDG_RUNTIME_DIR -u HOME VBET_TEST_GROUP="$group" runuser -u vbet-test -- "$0"
	)
	status=$?
	# Whoever is still in it is ended, and was not meant to be there.
	[ ! -e "$group/cgroup.kill" ] || echo 1 >"$group/cgroup.kill"
	find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
	exit $status
fi
. "${0%/*}/lib.sh"
D=$VBET_TEST_GROUP

no_groups() { [ -z "$(find "$D" -mindepth 1 -maxdepth 1 -type d ! -name vbet.rest)" ]; }
of() { cat "$G/$1"; }

lab_up - --cpu 150% --memory 2G -t 3min <<'END'
a = alloc(host, cpu = 20%) b = alloc(host, cpu_weight = 50) c = alloc(host, processes = 24)
link(alloc(switch), a, b, c)
END
grep -q 'not held' <<<"$OUT" && fail "said: $OUT"
must vbet status
out_has "^bounds: held by $D/vbet.t."
out_has_not 'not held'
G=$(status_of .cgroup)
assert_eq '150000 100000' "$(of cpu.max)" "the lab's cpu.max"
assert_eq $((2 << 30)) "$(of memory.max)" "the lab's memory.max"
assert_eq '20000 100000' "$(of n.a/cpu.max)" "a's cpu.max"
assert_eq 50 "$(of n.b/cpu.weight)" "b's cpu.weight"
assert_eq 32 "$(of n.c/pids.max)" "c's pids.max"
grep -qx "$(status_of .server_pid)" "$G/server/cgroup.procs" || fail "the server is elsewhere"
grep -qx "$(status_of .substrate_pid)" "$G/server/cgroup.procs" || fail "vsubstrate is elsewhere"
grep -qx "$(node_pid a)" "$G/n.a/cgroup.procs" || fail "a is elsewhere"

# Somebody who computes gets his share, and no more.
in_node a 'timeout 8 sh -c "while :; do :; done"' &
used() { awk '$1 == "usage_usec" { print $2 }' "$G/n.a/cpu.stat"; }
sleep 1
before=$(used) began=$EPOCHREALTIME
sleep 5
share=$(awk "BEGIN { print ($(used) - $before) / ($EPOCHREALTIME - $began) / 10000 }")
awk "BEGIN { exit !($share > 10 && $share < 23) }" || fail "a used $share % of a processor"

# Processes.
fork_storm c >storm.out 2>&1 &
full() { [ "$(of n.c/pids.current)" -ge 28 ]; }
wait_until 60 full
must vbet exec b -- ping -n -c 3 -i 0.2 -W 5 10.0.0.3
assert_eq ready "$(node_state c)" "state of c"
must vbet down
no_groups || fail "groups are left: $(find "$D" -type d)"

# Memory: a guest that takes what the lab has not goes as a whole, its neighbour stays.
lab_up - --memory 400M <<'END'
a = alloc(host, memory = 1G) b = alloc(host, memory = 64M)
link(a, b)
END
in_node a 'mount -t tmpfs -o size=900M none /mnt && cat /dev/zero >/mnt/x' >/dev/null 2>&1
wait_until 60 is_state a down
must vbet exec b -- true
grep -q "a: its kernel has ended: the lab's memory was full" "$RUN/t/server.log" || fail "no reason: $(cat "$RUN/t/server.log")"
assert_eq ready "$(node_state b)" "state of b"
must vbet start a
must in_node a true

# Saved: what is restored has groups of its own, beside those of the lab that was saved.
G=$(status_of .cgroup)
must vbet save kept
must vbet fork t -n twin
W=$(vbet status -n twin --json | jq -r .cgroup)
[ "$W" != "$G" ] || fail "both are in $W"
assert_eq $((400 << 20)) "$(cat "$W/memory.max")" "the twin's memory.max"
pid=$(vbet status -n twin --json | jq -r '.nodes[] | select(.name == "a") | .pid')
grep -qx "$pid" "$W/n.a/cgroup.procs" || fail "the twin's a is elsewhere"
must vbet down -n twin
[ ! -e "$W" ] || fail "the twin's group is left"
must in_node a true
must vbet down
must vbet restore kept
G=$(status_of .cgroup)
grep -qx "$(status_of .server_pid)" "$G/server/cgroup.procs" || fail "the server is elsewhere"
grep -qx "$(status_of .substrate_pid)" "$G/server/cgroup.procs" || fail "vsubstrate is elsewhere"
grep -qx "$(node_pid b)" "$G/n.b/cgroup.procs" || fail "b is elsewhere"

# Killed, and cleaned up after.
kill -KILL "$(status_of .server_pid)"
no_groups && fail "the group went by itself"
must vbet clean
out_has 'removed the cgroup of t'
no_groups || fail "groups are left: $(find "$D" -type d)"
nothing_left || fail "something is left"

# A lab that comes after it, in the shell that was moved, finds the group again.
must vbet up t.vbet --memory 400M
out_has_not 'not held'
# And one whose predecessor of the same name was killed takes its place.
kill -KILL "$(status_of .server_pid)"
wait_until 10 vbet up t.vbet --memory 400M
assert_eq 1 "$(find "$D" -mindepth 1 -maxdepth 1 -name 'vbet.t.*' | wc -l)" "groups of labs"
must vbet down
no_groups || fail "groups are left: $(find "$D" -type d)"
