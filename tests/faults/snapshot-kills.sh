#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SIGKILL to a process of a lab, or to the command, at any moment while the lab is saved over an older snapshot, or
# restored, by each clock in turn. Whoever waits is told, the old snapshot is whole or the new one is, and after "vbet clean"
# nothing else is left.
# lab: slow, plain
. "${0%/*}/../lab/lib.sh"

seed=${VBET_FAULT_SEED:-$((EPOCHSECONDS % 32768))}
RANDOM=$seed
end=$((SECONDS + ${VBET_FAULT_SECONDS:-15}))
declare -A killed=() came=()
tries=0 victim="" step=""

# make_first CLOCK: a lab of two guests that talk to each other, and its snapshot "first".
make_first() {
	step=""
	lab_up - --clock "$1" <<-'END'
		a = alloc(host) b = alloc(host)
		link(a, b, delay = 1ms)
	END
	[ "$1" = real ] || { must vbet clock pause && step=--step; }
	must vbet save ./first
	# shellcheck disable=SC2086 # an option, or none
	must vbet exec $step a -- sh -c 'nohup ping -i 0.2 b >/tmp/ping 2>&1 &'
	must vbet save ./kept
}

# The processes of the lab as its run directory names them now, the server, and what launchers have started.
now_pids() {
	local pid rest words children
	while read -r pid rest; do
		read -r -a words 2>/dev/null <"/proc/$pid/stat" || continue
		read -r children 2>/dev/null <"/proc/$pid/task/$pid/children" || children=
		echo "$pid" "${words[3]}" "$children"
	done 2>/dev/null <"$RUN/t/pids"
}

# strike PID...: one of these; its name in $victim.
strike() {
	victim=
	[ $# -gt 0 ] || return
	shift $((RANDOM % $#))
	victim=$(cat "/proc/$1/comm" 2>/dev/null)
	kill -KILL "$1" 2>/dev/null && [ -n "$victim" ] || victim=
	[ -z "$victim" ] || killed[$victim]=$((${killed[$victim]:-0} + 1))
}

pause() { sleep "0.$(printf '%03d' $((RANDOM % $1)))"; }

# ends PID WHAT: within half a minute, with a status that is documented; how often which is counted.
ends() {
	local i status
	for ((i = 0; i < 300; i++)); do
		kill -0 "$1" 2>/dev/null || break
		sleep 0.1
	done
	kill -0 "$1" 2>/dev/null && fail "seed $seed, try $tries: $2 does not end after '$victim' was killed"
	wait "$1"
	status=$?
	case $status in
	0 | 137) ;;
	3) [ -s out ] || fail "seed $seed, try $tries: $2 ended with $status and said nothing" ;;
	*) fail "seed $seed, try $tries: $2 ended with $status after '$victim' was killed: $(cat out)" ;;
	esac
	came["$2 ended with $status"]=$((${came["$2 ended with $status"]:-0} + 1))
}

# works DIR: what is there is a snapshot, whole: it comes back, and its nodes answer.
works() {
	must vbet restore "./$1"
	# shellcheck disable=SC2086 # an option, or none
	must vbet exec $step a -- ping -c1 -W5 b
}

# What was there when the signal came is gone. (To look through all processes of the machine takes long.)
are_gone() {
	local pid
	for pid in "${there[@]}"; do
		! kill -0 "$pid" 2>/dev/null || return 1
	done
}

# One whose command was killed early may have a server that is only about to begin.
is_down() {
	vbet down -a >/dev/null 2>&1
	vbet clean >/dev/null 2>&1
	are_gone && [ -z "$(ls -A "$RUN")" ]
}

# alone: what of the lab is left after it is gone: nothing, and nothing beside the snapshots.
alone() {
	wait_until 10 is_down
	assert_eq "first kept" "$(echo first* kept*)" "seed $seed, try $tries ('$victim' killed): what is beside the snapshot"
}

# strike_once: a process, or the command, while the lab is saved or restored.
strike_once() {
	tries=$((tries + 1))
	if [ $((RANDOM % 2)) -eq 0 ]; then
		what=save
		vbet save ./kept >out 2>&1 </dev/null &
	else
		what=restore
		must vbet down
		vbet restore ./kept >out 2>&1 </dev/null &
	fi
	pid=$!
	pause 120
	read -r -d '' -a there < <(now_pids) || true
	strike "${there[@]}" $pid
	ends $pid "$what"
	alone
	works kept
	[ $((tries % 10)) -gt 0 ] || { must vbet down && works first && must vbet save ./kept; }
}

# noted NAME: the process that the lab has under this name; those of the lab that was saved have ended.
noted() {
	local pid rest name
	while read -r pid rest name; do
		[ "$name" = "$1" ] && kill -0 "$pid" 2>/dev/null && echo "$pid" && return
	done 2>/dev/null <"$RUN/t/pids"
}

# strike_early: the substrate ends before it listens, so no guest comes back.
strike_early() {
	local substrate=''
	victim=vsubstrate
	must vbet down
	vbet restore ./kept >out 2>&1 </dev/null &
	pid=$!
	until [ -n "$substrate" ] || ! kill -0 $pid 2>/dev/null; do substrate=$(noted substrate); done
	read -r -d '' -a there < <(now_pids) || true
	kill -KILL "$substrate"
	ends $pid restore
	alone
	works kept
}
for clock in virtual real; do
	make_first $clock
	strike_early
	half=$((SECONDS + (end - SECONDS) / 2))
	[ $clock = virtual ] || half=$end
	while [ $SECONDS -lt $half ]; do strike_once; done
	must vbet down
	rm -rf first kept
done
nothing_left || fail "something is left"
echo "seed $seed: $tries times"
for what in "${!killed[@]}"; do
	printf '%5d %s\n' "${killed[$what]}" "$what"
done | sort -rn
for what in "${!came[@]}"; do
	printf '%5d %s\n' "${came[$what]}" "$what"
done | sort -rn
