#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A guest whose kernel attacks its host (hostile_guest.c), by both clocks: rings, messages, memory, calls, the disk, the
# agent's channel, the console, the clock, and its end at any moment. Two neighbours lose no frame, and in virtual time none
# is late by a microsecond; the server answers; neither it nor vsubstrate grows; and the same devices serve an honest kernel
# afterwards.
# lab: slow
. "${0%/*}/../lab/lib.sh"

seed=${VBET_FAULT_SEED:-$((EPOCHSECONDS % 32768))}
seconds=${VBET_FAULT_SECONDS:-8}
only=${VBET_FAULT_ONLY:-}
echo "seed $seed"
cc -std=gnu11 -D_GNU_SOURCE -O1 -static -I "$ROOT" -o hostile "$ROOT"/tests/faults/hostile_{guest,device,clock}.c "$ROOT/tests/support/vuser.c" ||
	skip "no compiler"

# A launcher in the place of the real one: while there is a file "attack", evil gets our kernel, with the words in it.
real=${VBET_LIB:-$ROOT/build}
mkdir lib && ln -s "$real"/* lib/ && rm lib/vbet-launch || fail "no copy of $real"
cat >lib/vbet-launch <<EOF
#!/bin/sh
if [ "\$1" = name=evil ] && [ -e "$HOME/attack" ]; then
	for word; do
		shift
		case \$word in kernel=*) word=kernel=$HOME/hostile ;; esac
		set -- "\$@" "\$word"
	done
	exec "$real/vbet-launch" "\$@" \$(cat "$HOME/attack")
fi
exec "$real/vbet-launch" "\$@"
EOF
chmod +x lib/vbet-launch
export VBET_LIB=$HOME/lib

cat >neighbours.vbet <<'END'
a = alloc(host) b = alloc(host)
link(a, b, delay = 2ms)
evil = alloc(host, disk_size = 8M) other = alloc(host)
s = alloc(switch)
link(s, evil, evil, other)
END

# Of the processes that must not grow: kB, and descriptors.
kb_of() { awk '/VmRSS/ { print $2 }' "/proc/$1/status"; }
fds_of() { find "/proc/$1/fd" -mindepth 1 | wc -l; }
substrate_pid() { awk '$3 == "substrate" { print $1 }' "$RUN/neighbours/pids"; }
rtt() { sed -n 's/^rtt [^=]*= //p' "$1"; }
pings() { vbet exec a -- ping -n -i 0.01 "$@" b </dev/null; }

# hunt CLOCK SECONDS
hunt() {
	local clock=$1 end n=0 server substrate server_kb substrate_kb fds ping count
	lab_up neighbours.vbet --clock "$clock"
	server=$(status_of .server_pid) substrate=$(substrate_pid)
	[ -n "$server" ] && [ -n "$substrate" ] || fail "whose memory is looked at?"
	must pings -c 2
	pings -c 100 >quiet
	unbroken quiet 90
	server_kb=$(kb_of "$server") substrate_kb=$(kb_of "$substrate")
	fds="$(fds_of "$server") $(fds_of "$substrate")"
	count=$(($2 * 90))
	pings -c "$count" >beside &
	ping=$! end=$((SECONDS + $2))
	while [ $SECONDS -lt $end ]; do
		n=$((n + 1))
		echo "seed=$((seed * 1000 + n)) rounds=6 ${only:+only=$only}" >attack
		timeout 20 vbet restart -t 3s evil >said 2>&1
		[ $? -lt 124 ] || fail "seed $seed, kernel $n ($clock): restart does not end: $(cat said)"
		timeout 10 vbet status >said 2>&1 || fail "seed $seed, kernel $n ($clock): no status: $(cat said)"
	done
	rm attack
	must vbet restart -t 60s evil
	must vbet exec evil -- ping -n -c 1 -W 5 other
	must vbet exec evil -- dd if=/dev/zero of=/dev/vda bs=64k count=10
	wait $ping
	unbroken beside $((count * 9 / 10))
	# On a machine that has other work, too, an idle vsubstrate is late by some milliseconds already.
	awk -v quiet="$(rtt quiet | cut -d/ -f2)" -v beside="$(rtt beside | cut -d/ -f2)" 'BEGIN { exit !(beside < 5 * quiet + 20) }' ||
		fail "seed $seed ($clock): a round trip of $(rtt beside) instead of $(rtt quiet)"
	[ "$clock" = real ] || assert_eq "$(rtt quiet | cut -d/ -f3)" "$(rtt beside | cut -d/ -f3)" "seed $seed: the longest round trip"
	assert_eq "$fds" "$(fds_of "$server") $(fds_of "$substrate")" "seed $seed ($clock): descriptors of server and substrate"
	server_kb=$(($(kb_of "$server") - server_kb)) substrate_kb=$(($(kb_of "$substrate") - substrate_kb))
	[ $server_kb -lt 50000 ] && [ $substrate_kb -lt 100000 ] ||
		fail "seed $seed ($clock): the server has grown by $server_kb kB, the substrate by $substrate_kb kB"
	echo "$clock: $n kernels, $count frames of neighbours, round trip $(rtt quiet) before and $(rtt beside) meanwhile;" \
		"the server grew by $server_kb kB, the substrate by $substrate_kb kB, logs have $(du -ck "$RUN"/neighbours/*.log | tail -n 1 | cut -f1) kB"
	[ $n -gt 0 ] || fail "no kernel has attacked"
	[ "$(du -ck "$RUN"/neighbours/*.log | tail -n 1 | cut -f1)" -lt 5000 ] || fail "seed $seed ($clock): the logs have grown without end"
	must vbet down
	nothing_left || fail "something is left"
}
hunt real $((seconds / 2 + 1))
hunt virtual $((seconds / 2 + 1))
