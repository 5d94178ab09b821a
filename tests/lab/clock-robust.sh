#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# In virtual time the calendar goes on, whatever becomes of a guest: it dies, loses its power, is restarted,
# gets a NIC while it runs; a console is left open on it, or whoever waited for it is killed.
. "${0%/*}/lib.sh"

lab_up - --clock virtual <<'END'
s = alloc(switch)
a = alloc(host) b = alloc(host) c = alloc(host)
link(s, a, b, c)
END
goes_on() {
	must vbet clock step 5s
	must vbet clock run
	must vbet exec b -- ping -c1 -W3 c
	must vbet clock pause
}
must vbet clock pace max
must vbet clock pause
goes_on

# A console is left open, and something runs in it, while minutes go by; then its node's kernel dies.
must vbet clock run
term_start 80 24 'vbet console a'
term_type 'while sleep 1; do echo t''ick; done'
term_wait '^tick'
must vbet clock pause
goes_on
must vbet clock step 200s
kill -KILL "$(node_pid a)"
wait_until 20 is_state a down
term_wait 'the node has gone down'
term_end
must vbet clock pause
goes_on
must_status 4 vbet start a -t 500ms
out_has 'the clock stands'
must vbet clock run
must vbet wait a
must vbet exec a -- ping -c1 b
must vbet clock pause
goes_on

# Without power, in the middle of a step; and anew, twice.
vbet clock step 900000000s >/dev/null &
pid=$!
must vbet kill a
must vbet start a
must vbet restart a
must vbet clock pause
wait $pid
goes_on
must vbet clock run
must vbet wait a
must vbet exec a -- ping -c1 c

# A NIC that comes while all run, and its cable.
must vbet clock pause
must vbet clock pace 10
must vbet clock run
# shellcheck disable=SC2034 # out_has reads it
OUT=$(printf 'd = alloc(host)\nlink(attach(d, alloc(NIC, address = 10.9.0.1/24)), attach(c, alloc(NIC, address = 10.9.0.2/24)), delay = 10ms)\n' | vbet console 2>&1)
must vbet wait d
must vbet exec c -- ping -c2 -i 0.3 10.9.0.1
out_has '^rtt min/avg/max/mdev = 20\.'
must vbet clock pace max
must vbet clock pause
goes_on

# Whoever waited is killed: what it ran in the guest ends with it, and the clock does not wait.
must vbet clock run
vbet exec a -- sleep 1000000 </dev/null &
pid=$!
asleep() { in_node a 'pgrep -x sleep'; }
wait_until 20 asleep
kill -KILL $pid
wait $pid 2>/dev/null
gone() { ! asleep; }
wait_until 20 gone
must vbet clock pause
goes_on

# When all are off, nothing will ever happen again; that is said, and time can go on all the same.
must vbet clock run
must vbet stop a b c d
wait_until 20 is_state d down
wait_until 20 is_state a down
idle() { vbet clock | grep 'nothing will happen by itself'; }
wait_until 20 idle
must vbet clock step 1000000s
must vbet clock run
must vbet start a
! idle || fail "a node runs, and nothing will happen?"
must vbet down
nothing_left || fail "something is left"
