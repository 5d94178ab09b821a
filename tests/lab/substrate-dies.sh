#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# kill -9 of vsubstrate: whoever waits for something that cannot come any more is told at once, with status
# 3 and the reason, and so is whoever asks from then on. In both clocks, at several stages.
# lab: slow
. "${0%/*}/lib.sh"

write_long_lab
reason='process substrate \([0-9]+\) of lab [a-z]+ has ended'

substrate() { status_of .substrate_pid; }
# told FILE WHAT: it says why.
told() { grep -qE "$reason" "$1" || fail "$2 says: $(cat "$1")"; }

for clock in virtual real; do
	# A test, while it sets up, tries what holds, and waits for what does not.
	for stage in 'lab long' '^PASS' '^at'; do
		vbet test long.vbet --clock $clock >out 2>&1 &
		pid=$!
		case $stage in
		'^at') wait_until 20 grep -q '^PASS' out && sleep 1 ;;
		*) wait_until 20 grep -q "$stage" out ;;
		esac
		wait_until 20 grep -q substrate "$RUN/long/pids"
		kill -KILL "$(awk '$3 == "substrate" { print $1 }' "$RUN/long/pids")"
		ends $pid 3 "vbet test by the $clock clock ($stage)"
		told out "vbet test by the $clock clock"
		wait_until 20 no_processes
		must vbet clean
	done

	# Whoever waits when it happens.
	lab_up pair.vbet --clock $clock
	in_node b 'sleep 1000000000' >exec.out 2>&1 &
	exec=$!
	must vbet stop a
	vbet wait a -t 1h >down.out 2>&1
	assert_eq 3 $? "status of waiting for a node that is down"
	if [ $clock = virtual ]; then
		vbet clock pause
		vbet clock until 900000000s >until.out 2>&1 &
		until=$!
		vbet clock pace 1
	fi
	wait_until 10 vbet exec b -t 5s -- pgrep sleep
	[ $clock = virtual ] || vbet start a
	kill -KILL "$(substrate)"
	[ $clock = virtual ] && ends $until 3 'clock until' && told until.out 'clock until'
	ends $exec 3 'exec'

	# Whoever asks afterwards.
	commands=(wait 'wait b' 'exec b -- true' 'link a b set loss=1%' 'ping b a')
	[ $clock = real ] || commands+=('restart -t 8s b' 'start -t 8s a')
	for command in "${commands[@]}"; do
		# shellcheck disable=SC2086 # words
		must_status 3 timeout 10 vbet $command
		out_has 'has ended|is down'
	done
	must timeout 10 vbet status
	out_has '^b +host +(lost|down)'
	# By the real clock nodes can be started again, and their process with them.
	if [ $clock = real ]; then
		must vbet restart a
		must vbet start b
		must vbet wait
		must vbet ping a b
	fi
	must vbet down
	nothing_left || fail "something is left"
done
