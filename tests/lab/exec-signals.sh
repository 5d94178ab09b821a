#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SIGINT and SIGTERM of "vbet exec" reach the command; when vbet is killed, the command is ended.
. "${0%/*}/lib.sh"

lab_up - <<'END'
h = alloc(host)
END
started() { in_node h 'test -e /tmp/started'; }
for sig in INT TERM; do
	# A shell's background job ignores SIGINT, unless it is told otherwise.
	env --default-signal vbet exec h -- sh -c \
		"trap 'echo got $sig; exit 7' $sig; touch /tmp/started; while :; do sleep 0.1; done" >out 2>&1 </dev/null &
	pid=$!
	wait_until 10 started
	kill -$sig "$pid"
	wait "$pid"
	assert_eq 7 $? "status after SIG$sig"
	assert_eq "got $sig" "$(grep got out)" "output after SIG$sig"
	must in_node h 'rm /tmp/started'
done

vbet exec h -- sh -c 'touch /tmp/started; exec sleep 1234' </dev/null >/dev/null 2>&1 &
pid=$!
wait_until 10 started
kill -KILL "$pid"
sleeps_not() { ! in_node h 'cat /proc/[0-9]*/comm' | grep -qx sleep; }
wait_until 10 sleeps_not
