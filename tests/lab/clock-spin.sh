#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# A guest that computes in virtual time and never lets its clock go on does not hang the lab: it is noticed,
# named, and ended when the user says so, or at once if the script does.
. "${0%/*}/lib.sh"

cat >t.vbet <<'END'
clock = virtual
a = alloc(host) b = alloc(host) c = alloc(host)
link(alloc(switch), a, b, c)
END
spin() { in_node a 'while :; do :; done'; }
spins() { vbet clock | grep 'a computes without end'; }

must vbet up t.vbet --record run --timeout 15s
spin &
wait_until 30 spins
out_has 'vbet kill a'
assert_eq spinning "$(node_state a)" "state of a"
# Who waits for the clock is told, and so is who comes.
must_status 3 vbet clock step 10s
out_has 'a computes without end'
must vbet kill a
wait_until 10 is_state a down
must vbet exec b -- ping -c1 c
must vbet start a
must vbet exec b -- ping -c1 a
must vbet down
wait

# A replay ends it too.
must vbet replay -q run
must vbet clock run
must vbet exec b -- ping -c1 a
must vbet down

# Ended at once; and it can be started anew.
must vbet up t.vbet --spin stop
spin &
wait_until 30 is_state a down
must vbet exec b -- ping -c1 c
must vbet restart c
must vbet start a
must vbet pingall
wait
must vbet down
{
	cat t.vbet
	echo 'spin = stop'
	echo 'at 2s exec(a, "while :; do :; done &")'
	echo 'expect within 1s of 2s not ping(b, a)'
	echo 'expect at 3s ping(b, c)'
} >stop.vbet
must vbet test -q stop.vbet
out_has '2 held'
# It pays for the time that it takes, and the others go on.
# Also where guests run one at a time: who is charged takes nobody's turn.
must vbet up t.vbet --spin charge --guests-at-once 1 --record charged
spin &
wait_until 30 spins
out_has 'others go on'
must vbet exec b -- ping -c3 -i 0.5 c
must_fail vbet exec b -- ping -c1 -W1 a
must vbet clock pause
must vbet clock step 2s
must vbet kill a
must vbet clock run
must vbet exec b -- ping -c1 c
must vbet start a
# b may still be asking for the one that did not answer, and give up its first packet with that.
must vbet exec b -- ping -c2 a
! spins || fail "$OUT"
wait
must vbet down
grep -q ' charged a$' charged/inputs || fail "$(cat charged/inputs)"
must_status 2 vbet up t.vbet --spin round
out_has 'report, stop or charge'
nothing_left || fail "something is left"
