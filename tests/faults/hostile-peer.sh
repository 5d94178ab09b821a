#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A hostile peer at every unix socket of a lab (hostile_peer.c): those of the server, of vsubstrate (NICs, disks, channels,
# the calendar, trunks, managers, its control), of end systems, and of a switch of its own. The lab answers meanwhile and works
# afterwards; nobody hears what another one has asked; no descriptor and no memory is lost. Another user is not let in at all.
# Then 10,000 connections at once to each socket (one of each lab in the short run of "make check"), which are held: nothing
# spins, and answers come afterwards.
# lab: slow
# lab: also root
. "${0%/*}/../lab/lib.sh"

seed=${VBET_FAULT_SEED:-$((EPOCHSECONDS % 32768))}
seconds=${VBET_FAULT_SECONDS:-9}
echo "seed $seed"
cc -std=gnu11 -D_GNU_SOURCE -O1 -static -o peer "$ROOT/tests/faults/hostile_peer.c" || skip "no compiler"
ulimit -n "$(ulimit -H -n)"

cat >real.vbet <<'END'
a = alloc(host, disk_size = 8M) b = alloc(host) c = alloc(router)
link(alloc(switch), a, b, c)
s1 = alloc(substrate) s2 = alloc(substrate)
slink(s1, s2, rate = 100Mbit, delay = 1ms)
blue = vnet()
e1 = alloc(endsystem, vnet = blue, on = s1)
e2 = alloc(endsystem, vnet = blue, on = s2)
exec(e1, "exec vnet-mux memory=32M cpu=20% -- trellisd /west/h1 hello=200ms")
exec(e2, "exec vnet-mux memory=32M cpu=20% -- trellisd /east/h2 hello=200ms")
vlink(e1, e2, min = 2Mbit)
END
cat >virtual.vbet <<'END'
a = alloc(host, disk_size = 8M) b = alloc(host)
link(alloc(switch), a, b)
END

kb_of() { awk '/VmRSS/ { print $2 }' "/proc/$1/status"; }
# held PID...: their descriptors, by kind.
held() {
	local pid
	for pid in "$@"; do
		echo "$(cat "/proc/$pid/comm"): $(find "/proc/$pid/fd" -mindepth 1 -printf '%l\n' | sed 's/:.*//' | sort | uniq -c | tr -s '\n ' ' ')"
	done
}
grown() {
	local pid kb=0
	for pid in "$@"; do kb=$((kb + $(kb_of "$pid"))); done
	echo $kb
}
is_held() { [ "$1" = "$(held "${@:2}")" ] || { printf 'before: %s\nnow: %s\n' "$1" "$(held "${@:2}")"; false; }; }

# attack WHAT SECONDS PIDS -- SOCKETS: answers() is tried after every round.
attack() {
	local what=$1 end=$((SECONDS + $2)) rounds=0 count=0 before kb n
	shift 2
	local -a pids=()
	while [ "$1" != -- ]; do
		pids+=("$1")
		shift
	done
	shift
	before=$(held "${pids[@]}") kb=$(grown "${pids[@]}")
	while [ $SECONDS -lt $end ]; do
		n=$(timeout 60 ./peer attack "$((seed + rounds))" 8 "$@") || fail "seed $seed, round $rounds at $what: the peer ended with $?"
		count=$((count + n)) rounds=$((rounds + 1))
		answers || fail "seed $seed, round $rounds at $what: no answer"
	done
	wait_until 20 is_held "$before" "${pids[@]}"
	kb=$(($(grown "${pids[@]}") - kb))
	[ $kb -lt 100000 ] || fail "seed $seed at $what: grown by $kb kB"
	echo "$what: $# sockets, $count connections, grown by $kb kB"
}

# ticks PID...: of processor time that they have had (100 a second).
ticks() {
	local pid n=0
	for pid in "$@"; do n=$((n + $(sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 }'))); done
	echo $n
}

# crowd WHAT PIDS -- SOCKETS: as many connections at once as there may be.
crowd() {
	local what=$1 kept why before spent kept_sum=0 ended_sum=0 idle most=0 refused=0 n=0 socket ended
	shift
	local -a pids=()
	while [ "$1" != -- ]; do
		pids+=("$1")
		shift
	done
	shift
	before=$(held "${pids[@]}")
	idle=$(ticks "${pids[@]}")
	sleep 1
	idle=$(($(ticks "${pids[@]}") - idle))
	for socket in "$@"; do
		coproc PEER { ./peer many 10000 "$socket"; }
		local out=${PEER[0]} in=${PEER[1]} pid=$PEER_PID
		read -r -u "$out" kept why || fail "$what: no word of the crowd at $socket"
		# Who has them does nothing for them: so much of a second that it is not asked at all.
		sleep 0.5
		spent=$(ticks "${pids[@]}")
		sleep 1
		spent=$(($(ticks "${pids[@]}") - spent))
		[ $spent -lt $((idle + 60)) ] || fail "$what: $spent ticks (before: $idle) in a second of $kept idle connections at $socket"
		exec {in}>&-
		read -r -u "$out" ended && ended_sum=$((ended_sum + ended))
		wait "$pid" 2>/dev/null
		kept_sum=$((kept_sum + kept)) n=$((n + 1))
		[ "$why" = all ] || refused=$((refused + 1))
		[ "$kept" -le $most ] || most=$kept
		wait_until 20 answers
	done
	wait_until 30 is_held "$before" "${pids[@]}"
	echo "$what: $n sockets were asked for 10000 connections at once; $kept_sum were made, $most at most at one; $ended_sum were closed by the other side; $refused sockets took fewer"
}

for clock in real virtual; do
	lab_up $clock.vbet --clock $clock "$([ $clock = real ] && echo --substrate-processes=2 || echo --)"
	answers() { timeout 10 vbet status >/dev/null && timeout 20 vbet exec b -- true </dev/null; }
	must vbet ping a b
	mapfile -t sockets < <(find "$RUN/$clock" -type s | sort)
	mapfile -t pids < <(status_of .server_pid; awk '$3 ~ /^substrate/ { print $1 }' "$RUN/$clock/pids")
	if [ "$(id -u)" = 0 ]; then
		install -m 755 peer /tmp/hostile-peer.$$
		setpriv --reuid=65534 --regid=65534 --clear-groups /tmp/hostile-peer.$$ closed "${sockets[@]}" || fail "another user is let in"
		rm /tmp/hostile-peer.$$
	fi
	# At the door of the agent: some who came and went, and one who stays.
	coproc STAY { ./peer stay 100 "$RUN/$clock/n/a/agent"; }
	stay=${STAY[1]} stay_pid=$STAY_PID
	sleep 0.2
	must vbet restart -t 60s a
	exec {stay}>&-
	wait "$stay_pid" || fail "nobody was at the door"
	must ./peer order "$RUN/$clock/control"
	must ./peer next "$RUN/$clock/control" "$(awk '$3 ~ /^substrate/ { print $1; exit }' "$RUN/$clock/pids")"
	attack "the lab by the $clock clock" $((seconds / 3)) "${pids[@]}" -- "${sockets[@]}"
	if [ -n "${VBET_FAULT_SECONDS:-}" ]; then
		some=("${sockets[@]}")
	else
		some=("$RUN/$clock/control")
	fi
	crowd "the lab by the $clock clock" "${pids[@]}" -- "${some[@]}"
	must vbet restart -t 60s a
	must vbet ping a b
	must vbet exec a -- dd if=/dev/zero of=/dev/vda bs=64k count=10
	must vbet down
	nothing_left || fail "something is left"
done

# Programs of their own: a switch, and a vsubstrate with clients and a manager.
vswitch --listen "$HOME/sw" --uml "$HOME/uml" --status "$HOME/sw.status" 2>switch.said &
switch=$!
"${VBET_LIB:-$ROOT/build}/vsubstrate" --listen "$HOME/control" &
substrate=$!
there() { [ -S sw ] && [ -S uml ] && [ -S sw.status ] && [ -S control ]; }
wait_until 10 there
tell() { timeout 10 "${VBET_LIB:-$ROOT/build}/vsubstrate" --connect "$HOME/control" "$@"; }
must tell clock real
must tell snode s1 key=00112233445566778899aabbccddeeff
must tell manager m s1 listen=unix:"$HOME/manager"
answers() { tell now >/dev/null && kill -0 $switch; }
attack "programs of their own" $((seconds / 3)) $switch $substrate -- "$HOME"/{sw,uml,sw.status,control,manager}
crowd "programs of their own" $switch $substrate -- "$HOME"/manager
kill $switch $substrate
wait $switch $substrate
