#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: also root
# When the process that started a launcher is killed, nothing of the guest is left; nor when the
# launcher is, or the guest's kernel. When the launcher was asked to end, nothing is left as soon as
# it has ended.
# lab: only root
. "$(dirname "$0")/jail.inc"

# All processes below one, itself first, as PID:START (field 22 of stat: tells it from a later one).
descend() {
	local c start
	start=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20) && [ -n "$start" ] || return 0
	echo "$1:$start"
	for c in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do descend "$c"; done
}

# Which of these still live? One that is dead and that only the system's process 1 has yet to hear of (some look every two
# seconds) does not; but a launcher that was asked to end leaves none of these behind either.
living() {
	local p state
	for p in "$@"; do
		state=$(sed 's/.*) //' "/proc/${p%:*}/stat" 2>/dev/null)
		[ "$(cut -d' ' -f20 <<<"$state")" = "${p#*:}" ] || continue
		[ "$signal" = KILL ] && [[ $state == 'Z 1 '* ]] || echo "$p"
	done
}

wait_for() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

is_up() { grep -q '^the guest is up' "$1" 2>/dev/null; }
is_whole() {
	pids=$(descend "$1")
	[ "$(wc -w <<<"$pids")" -ge 5 ]
}
nobody_left() { [ -z "$(living "$@")" ]; }

# kill_and_look WHAT [PREFIX...]: starts a guest below a shell of its own, kills WHAT, looks.
kill_and_look() {
	local log=$T/console.$WHO.$1.$# parent launcher pids victim left signal=KILL patience=10
	boot "$log" "${AS[@]}" "${@:2}" setsid bash -c 'echo $$ >"$0.parent"; "$@" & wait' "$log" 2>/dev/null &
	wait_for 20 is_up "$log" || fail "$WHO: the guest does not start: $(cat "$log")"
	parent=$(cat "$log.parent")
	launcher=$(cat "/proc/$parent/task/$parent/children")
	# The launcher, process 1 of the jail, the kernel, and a stub for every program that the guest runs.
	wait_for 5 is_whole $launcher ||
		fail "$WHO: too few processes, this test tests nothing: $pids; $(cat "$log" "$log.report"; ps -ef)"
	case $1 in
	parent) victim=$parent ;;
	launcher) victim=$(echo $launcher) ;;
	asked) victim=$(echo $launcher) signal=TERM patience=0 ;;
	kernel) victim=$(for p in $pids; do grep -q '(linux)' "/proc/${p%:*}/stat" && echo "${p%:*}"; done | head -1) ;;
	esac
	kill -$signal "$victim"
	# The shell above it waits for it.
	[ $1 != asked ] || wait $! 2>/dev/null || true
	wait_for $patience nobody_left $pids || {
		left=$(living $pids)
		fail "$WHO: after the death of the $1 these live: $(for p in $left; do ps -o pid=,ppid=,stat=,args= -p "${p%:*}"; done)"
	}
	wait $! 2>/dev/null || true
	echo "ok: $WHO${2:+, without a jail}, $1 killed, $(echo "$pids" | wc -w) processes gone"
}

all() {
	cat >"$T/n/j/init.conf" <<-EOF
	run "sleep 1000 & sleep 1001 & echo the guest is up"
	EOF
	kill_and_look parent
	kill_and_look launcher
	kill_and_look kernel
	kill_and_look asked
	# shellcheck disable=SC2034 # of jail.inc
	LAUNCH_WORDS=insecure=1
	kill_and_look parent "${UNABLE[@]}"
	kill_and_look launcher "${UNABLE[@]}"
	kill_and_look kernel "${UNABLE[@]}"
	kill_and_look asked "${UNABLE[@]}"
	# shellcheck disable=SC2034
	LAUNCH_WORDS=
}
as_all all
