#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# kill -9 of the server: every command that leads a lab ends with status 3 and says so, "run" on a pipe too;
# a lab that was taken down is something else.
# lab: slow
. "${0%/*}/lib.sh"

write_long_lab
kill_server() { kill -KILL "$(status_of .server_pid)"; }
gone() {
	wait_until 20 no_processes
	must vbet clean
	nothing_left || fail "something is left"
}

for clock in virtual real; do
	vbet test long.vbet --clock $clock >out 2>&1 &
	pid=$!
	wait_until 20 grep -q '^PASS' out
	kill_server
	ends $pid 3 "vbet test by the $clock clock"
	grep -q 'server has ended' out || fail "vbet test says: $(cat out)"
	grep -q '^FAIL' out && fail "what was not tried is said not to hold: $(cat out)"
	gone

	# "run" reads lines from a pipe that stays open.
	mkfifo pipe
	vbet run pair.vbet --clock $clock <pipe >out 2>&1 &
	pid=$!
	exec 7>pipe
	echo nodes >&7
	wait_until 20 grep -q '^b host ready' out
	kill_server
	ends $pid 3 "vbet run by the $clock clock"
	grep -q 'server of lab pair has ended' out || fail "vbet run says: $(cat out)"
	exec 7>&-
	rm pipe
	gone

	# Taken down by somebody else, or by itself: nothing went wrong.
	for word in down nodes; do
		vbet run pair.vbet --clock $clock <<<$word >out 2>&1
		assert_eq 0 $? "status of vbet run after '$word': $(cat out)"
	done
	nothing_left || fail "something is left"
done
