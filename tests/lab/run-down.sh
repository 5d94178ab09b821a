#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The server ends cleanly when asked by a signal, by the end of "run", and by Ctrl-C during "up".
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/hello.vbet"
kill -TERM "$(status_of .server_pid)"
wait_until 10 nothing_left

# Ctrl-C while it boots, sooner and later.
for after in 0 0.02 0.05 0.1 0.2; do
	env --default-signal vbet up "$EXAMPLES/distributed-firewall.vbet" >out 2>&1 &
	pid=$!
	sleep "$after"
	kill -INT $pid 2>/dev/null
	wait $pid
	# It may have been ready before.
	[ $? -ne 0 ] || vbet down >/dev/null 2>&1
	wait_until 10 nothing_left
done

# The terminal of "run" goes away.
term_start 80 24 "vbet run '$EXAMPLES/hello.vbet'"
term_wait '^hello> ' 30
term_end
wait_until 15 nothing_left

# "run" itself is killed.
mkfifo commands
vbet run "$EXAMPLES/hello.vbet" <commands >out 2>&1 &
pid=$!
exec 3>commands
echo pingall >&3
wait_until 30 grep -q '^6 of 6 reached' out
kill -KILL $pid
wait $pid
wait_until 15 nothing_left
exec 3>&-
