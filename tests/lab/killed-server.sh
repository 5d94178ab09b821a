#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# kill -9 of the server at any moment: its guests and its substrate end by themselves, within a second or
# so, and after "vbet clean" nothing is left.
# lab: slow
. "${0%/*}/lib.sh"

server_pid() { pgrep -u "$(id -u)" -x vbet | while read -r p; do
	[ "$(ps -o ppid= -p "$p" | tr -d ' ')" != "$1" ] && [ "$p" != "$1" ] &&
		grep -qs -a -F "$XDG_RUNTIME_DIR" "/proc/$p/environ" && echo "$p"
done; }

# kill_it: ends the server that is there, if there is one.
kill_it() {
	local p
	for p in $(server_pid "$1"); do
		kill -KILL "$p" 2>/dev/null
	done
}
gone() {
	wait_until 20 no_processes
	must vbet clean
	nothing_left || fail "something is left after vbet clean ($1)"
}

# During up, with growing delay; the last of them find it ready.
for delay in 0 0.005 0.01 0.02 0.03 0.04 0.06 0.08 0.1 0.15 0.2 0.3 0.5; do
	vbet up "$EXAMPLES/hello.vbet" >out 2>&1 &
	up=$!
	sleep "$delay"
	kill_it $up
	wait $up
	status=$?
	# Killed before: "up" says so. Killed after: it was good. Killed not at all: the server was not there yet.
	if [ $status -eq 0 ] || vbet status >/dev/null 2>&1; then
		kill_it $up
	elif [ $status -ne 3 ]; then
		fail "status $status of up, killed after $delay s: $(cat out)"
	fi
	gone "up, $delay s"
done

# While it runs and works.
lab_up "$EXAMPLES/hello.vbet"
server=$(status_of .server_pid)
vbet exec host1 -- ping -i 0.01 host2 >out 2>&1 </dev/null &
ping=$!
wait_until 10 grep -q 'from' out
must vbet log host1
kill -KILL "$server"
wait $ping
assert_eq 3 $? "status of a command whose server was killed"
grep -q 'the server has ended' out || fail "$(tail -3 out)"
must vbet ls
out_has '^hello +dead'
wait_until 20 no_processes
must vbet clean
out_has '^cleaned hello$'
nothing_left || fail "something is left after vbet clean"

# During down.
for delay in 0 0.002 0.005 0.01 0.02 0.04; do
	lab_up "$EXAMPLES/hello.vbet"
	server=$(status_of .server_pid)
	vbet down >out 2>&1 &
	down=$!
	sleep "$delay"
	kill -KILL "$server" 2>/dev/null
	wait $down
	gone "down, $delay s"
done

# A new lab of the same name needs no "clean" before.
lab_up "$EXAMPLES/hello.vbet"
kill -KILL "$(status_of .server_pid)"
wait_until 20 no_processes
must vbet up "$EXAMPLES/hello.vbet"
must vbet pingall

# The substrate alone: the lab cannot go on, and says so.
kill -KILL "$(status_of .substrate_pid)"
must_fail vbet pingall
must vbet down
nothing_left || fail "something is left"
