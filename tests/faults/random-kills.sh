#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SIGKILL to any process of a lab at any moment: while it boots, works, is tested and goes down, by both clocks. Whoever
# waits is told within a minute, with a status that the documentation names, and after "vbet clean" nothing is left.
# lab: slow
. "${0%/*}/../lab/lib.sh"

seed=${VBET_FAULT_SEED:-$((EPOCHSECONDS % 32768))}
RANDOM=$seed
end=$((SECONDS + ${VBET_FAULT_SECONDS:-15}))
declare -A killed=()
tries=0 missed=0

cat >pair.vbet <<'END'
a = alloc(host) b = alloc(host)
link(a, b, delay = 1ms)
END
cat >star.vbet <<'END'
sw = alloc(switch)
for i in 1..3 { h[i] = alloc(host, name = "h${i}") link(h[i], sw, delay = 1ms) }
r = alloc(router)
link(r, sw)
END
cat >machines.vbet <<'END'
s1 = alloc(substrate) s2 = alloc(substrate)
slink(s1, s2, rate = 100Mbit, delay = 1ms)
red = vnet()
a = attach(alloc(host, vnet = red, on = s1), alloc(NIC, address = 10.0.0.1/24))
b = attach(alloc(host, vnet = red, on = s2), alloc(NIC, address = 10.0.0.2/24))
vlink(a, b, min = 1Mbit)
blue = vnet()
e1 = alloc(endsystem, vnet = blue, on = s1)
e2 = alloc(endsystem, vnet = blue, on = s2)
exec(e1, "exec vnet-mux memory=32M cpu=20% -- trellisd /west/h1 hello=200ms")
exec(e2, "exec vnet-mux memory=32M cpu=20% -- trellisd /east/h2 hello=200ms")
vlink(e1, e2, min = 2Mbit)
END
cat >tested.vbet <<'END'
include "star.vbet"
at 1s exec(h[1], "ping -c 20 -i 0.05 h2")
expect within 10s ping(h[1], h[3])
expect at 3s ping(h[2], r)
END
for file in *.vbet; do must vbet check "$file"; done

# some A B...: one of them.
some() {
	shift $((RANDOM % $#))
	echo "$1"
}

# strike: one of the processes that there are. Its name in $victim.
strike() {
	local -a pids
	local pid
	mapfile -t pids < <(lab_pids)
	victim=
	[ ${#pids[@]} -gt 0 ] || return 1
	pid=${pids[RANDOM % ${#pids[@]}]}
	victim=$(cat "/proc/$pid/comm" 2>/dev/null)
	kill -KILL "$pid" 2>/dev/null && [ -n "$victim" ] || return 1
	killed[$victim]=$((${killed[$victim]:-0} + 1))
	tries=$((tries + 1))
}

pause() { sleep "0.$(printf '%03d' $((RANDOM % $1)))"; }

# ends PID WHAT: within a minute; its status is one that we document, or it was killed itself.
ends() {
	local i
	for ((i = 0; i < 600; i++)); do
		kill -0 "$1" 2>/dev/null || break
		sleep 0.1
	done
	kill -0 "$1" 2>/dev/null && fail "seed $seed, try $tries: $2 does not end after '$victim' was killed"
	wait "$1"
	case $? in
	0 | 1 | 3 | 4 | 137) ;;
	*) fail "seed $seed, try $tries: $2 ended with $? after '$victim' was killed: $(cat out)" ;;
	esac
}

while [ $SECONDS -lt $end ]; do
	clock=$(some real virtual)
	file=$(some *.vbet)
	what=$(some up up test run)
	[ "$what" != test ] || file=tested.vbet
	case $what in
	run) vbet run "$file" --clock "$clock" >out 2>&1 < <(sleep 1; echo pingall; sleep 1) & ;;
	*) vbet "$what" "$file" --clock "$clock" >out 2>&1 </dev/null & ;;
	esac
	pid=$!
	pause "$(some 50 300 999)"
	[ "$(some early late)" = early ] || pause 999
	strike || missed=$((missed + 1))
	[ $((RANDOM % 4)) -gt 0 ] || { pause 300; strike; }
	# A lab that is up, or half of one, goes down or is struck once more while it does.
	if [ "$what" = up ]; then
		ends $pid "vbet up"
		vbet down -a >out 2>&1 </dev/null &
		pid=$!
		[ $((RANDOM % 2)) -gt 0 ] || { pause 40; strike; }
	fi
	ends $pid "vbet $what"
	vbet down -a >/dev/null 2>&1 </dev/null
	wait_until 10 no_processes
	vbet clean >/dev/null 2>&1
	nothing_left || fail "seed $seed, try $tries: something is left after '$victim' was killed ($what $file, $clock)"
done

echo "seed $seed: $tries processes killed, none left behind; $missed times there was none"
for victim in "${!killed[@]}"; do
	printf '%5d %s\n' "${killed[$victim]}" "$victim"
done | sort -rn
[ $tries -gt 0 ] || fail "nothing was killed"
