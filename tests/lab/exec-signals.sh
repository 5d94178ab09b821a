#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SIGINT of "vbet exec" reaches the command, so that it can end as it likes; a second one ends both. When
# vbet is terminated or killed, the command is ended.
. "${0%/*}/lib.sh"

lab_up - <<'END'
h = alloc(host)
END
started() { in_node h 'test -e /tmp/started'; }
ended() { ! in_node h 'cat /proc/[0-9]*/comm' | grep -qx sleep; }
# begin SHELL-COMMAND: in the background; waits until it runs. A shell's background job ignores SIGINT,
# unless it is told otherwise.
begin() {
	in_node h 'rm -f /tmp/started'
	env --default-signal vbet exec h -- sh -c "$1" >out 2>&1 </dev/null &
	pid=$!
	wait_until 10 started
}
begin 'trap "echo got it; exit 7" INT; touch /tmp/started; while :; do sleep 0.1; done'
kill -INT "$pid"
wait "$pid"
assert_eq 7 $? "status after SIGINT"
grep -qx 'got it' out || fail "$(cat out)"

begin 'trap "echo got it" INT; touch /tmp/started; while :; do sleep 1; done'
kill -INT "$pid"
wait_until 10 grep -qx 'got it' out
kill -INT "$pid"
wait "$pid"
[ $? -ne 0 ] || fail "status 0 after a second SIGINT"
wait_until 10 ended

for sig in TERM KILL HUP; do
	begin 'touch /tmp/started; exec sleep 1234'
	kill -$sig "$pid"
	wait "$pid"
	status=$?
	assert_eq $((128 + $(kill -l $sig))) $status "status after SIG$sig"
	wait_until 10 ended
done
