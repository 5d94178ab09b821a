#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A fork bomb in a guest costs that guest its processes, not its kernel, and its neighbours nothing.
# lab: slow
. "${0%/*}/lib.sh"

lab_up - <<'END'
v = alloc(host, memory = 48M)
a = alloc(host) b = alloc(host)
link(alloc(switch), v, a, b)
END
before=$(node_pid v)
# Commands that outlive the exec: the bomb is whatever is left of it.
must_fail timeout 60 vbet exec v -- timeout -s KILL 15 bash -c 'f() { f | f & }; f; sleep 1000'
must vbet exec b -- ping -n -c 20 -i 0.2 10.0.0.2
unbroken <(echo "$OUT") 15

# It does run out of memory, or this shows nothing: how soon depends on the machine. Then the guest answers, and it is
# the same kernel.
ran_out() { vbet log v | grep -q 'Out of memory: Killed process'; }
wait_until 100 ran_out
wait_until 60 in_node v 'true'
assert_eq "$before" "$(node_pid v)" "the process of v"
must vbet log v
out_has_not 'Kernel panic'
wait_until 60 vbet exec a -- ping -n -c 1 -W 5 10.0.0.1
