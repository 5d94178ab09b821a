#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# One system call, or one allocation, of the server or of vsubstrate fails (fail.c), anywhere between the start of "vbet up" and
# the end of "vbet down": a clear end with a message, or none of it is noticed; never a crash, never a wait without end, and
# nothing is left behind.
# lab: slow, plain
. "${0%/*}/../lab/lib.sh"

# The short run of "make check" begins with the first call; "make faults" anywhere.
seed=${VBET_FAULT_SEED:-$((EPOCHSECONDS % 32768))}
RANDOM=$seed
end=$((SECONDS + ${VBET_FAULT_SECONDS:-15}))
. "$ROOT/tests/faults/failing.inc"

cat >pair.vbet <<'END'
a = alloc(host) b = alloc(host)
link(a, b, delay = 1ms)
END

# failing PROGRAM WHAT N COMMAND...
failing() {
	say_failing "$1" "$2" "$3"
	timeout -k 5 90 env LD_PRELOAD="$HOME/fail.so" FAIL_PROGRAM="$1" FAIL_WHAT="$2" FAIL_AT="$3" \
		FAIL_COUNT="$HOME/count" "${@:4}" </dev/null
}
ended() {
	wait_until 15 no_processes
	vbet clean >/dev/null 2>&1
	nothing_left || fail "something is left ($*, seed $seed)"
}

declare -A calls=() tries=() told=()
first=0
[ -z "${VBET_FAULT_SECONDS:-}" ] || first=$RANDOM
for program in vbet vsubstrate; do
	for what in calls memory; do
		rm -f count
		failing $program $what 1000000000 vbet up pair.vbet >out 2>&1 || fail "$(cat out)"
		must vbet exec a -- ping -c 1 b
		must vbet down
		ended "none"
		calls[$program/$what]=$(od -An -t d8 count | tr -d ' ')
		tries[$program/$what]=0 told[$program/$what]=0
	done
done

while [ $SECONDS -lt $end ]; do
	for kind in "${!calls[@]}"; do
		program=${kind%/*} what=${kind#*/}
		# In turn, from one that the seed says: all of them, if the time is enough.
		n=$((1 + (first + tries[$kind]) % calls[$kind]))
		this="$what $n of $program"
		failing "$program" "$what" $n vbet up -t 60s pair.vbet >out 2>&1
		status=$?
		case $status in
		0 | 2 | 3) ;; # 2: the script cannot be read
		*) fail "$this (seed $seed): status $status: $(cat out)" ;;
		esac
		[ $status -eq 0 ] || [ -s out ] || fail "$this (seed $seed): no word why"
		[ $status -eq 0 ] && timeout 20 vbet exec a -- ping -c 1 -W 2 b >/dev/null 2>&1 </dev/null
		cat "$RUN"/*/server.log >>out 2>/dev/null
		# The failing call may be of the server that answers "down": then it says so, and the next one is heard.
		timeout -k 5 30 vbet down -a >>out 2>&1 </dev/null || timeout -k 5 30 vbet down -a >>out 2>&1 </dev/null ||
			fail "$this (seed $seed): the lab does not go down: $(cat out)"
		grep -qE 'signal (4|6|7|8|11)|Assertion|core dumped|Sanitizer' out && fail "$this (seed $seed): a crash: $(cat out)"
		ended "$this"
		tries[$kind]=$((tries[$kind] + 1))
		[ $status -eq 0 ] || told[$kind]=$((told[$kind] + 1))
	done
done
echo "seed $seed"
for kind in "${!calls[@]}"; do
	echo "$kind: ${calls[$kind]} calls, ${tries[$kind]} made to fail one at a time, ${told[$kind]} of them ended the start with a message"
done
