#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A network without IP beside one of IPv4 and one of IPv6 on the same substrate: it finds its ways, carries a file over
# lossy wires, goes around a cut, is not looked into by other programs of its user, and ends with the lab.
# lab: slow
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/no-ip.vbet"
wait_until 20 vbet exec a4 -- ping -c1 10.0.0.2
wait_until 20 vbet exec a6 -- ping -c1 fd00::2
wait_until 20 vbet exec h1 -- trellis ping -c1 h2
wait_until 20 vbet exec g1 -- trellis ping -c1 /west/h1
# goes_by NODES: who is on the way from h1 to h2. A probe may be lost, or late on a busy machine.
goes_by() { [ "$(vbet exec h1 -- trellis trace h2 | awk '{ print $2 }' | tr '\n' ' ')" = "$1 " ]; }
wait_until 30 goes_by '/west/r1 /east/r2 /east/h2'
must_fail vbet exec h1,a4 -- true
out_has 'a4 is not an end system'

# Nobody but the kernel looks into a multiplexer or a daemon, though the user is the same.
[ "$(id -u)" -eq 0 ] || for pid in $(lab_pids); do
	case $(cat "/proc/$pid/comm") in
	vnet-mux | trellisd) ! ls "/proc/$pid/fd" >/dev/null 2>&1 || fail "process $pid can be looked into" ;;
	esac
done

# A file, while a third of a percent of all frames is lost on every wire; and a cut in the middle of it.
head -c 1500000 /dev/urandom >data
for pair in 's1 s2' 's2 s3' 's1 s3'; do
	# shellcheck disable=SC2086 # two words
	must vbet link $pair set loss=0.3%
done
listens() { vbet exec "$1" -- trellis status | jq -e '.flows == 1'; }
forwarded() { vbet exec r2 -- trellis status | jq -e '.forwarded > 100'; }
vbet exec h2 -- trellis receive got >receiver 2>&1 &
receiver=$!
wait_until 10 listens h2
vbet exec h1 -- trellis send data h2 >sender 2>&1 &
sender=$!
wait_until 20 forwarded
must vbet link s1 s3 down
wait $sender || fail "the sender: $(cat sender)"
wait $receiver || fail "the receiver: $(cat receiver)"
cmp data got || fail "the data have changed on the way"
wait_until 30 goes_by '/west/r1 /south/r3 /east/r2 /east/h2'

# One end host in two networks whose addresses are the same.
head -c 200000 /dev/urandom >data
vbet exec h2,g1 -- trellis -v trellis relay 90 garden /west/h1 20 >relay 2>&1 &
relay=$!
vbet exec g2 -- trellis receive got >receiver 2>&1 &
receiver=$!
wait_until 10 listens g2
wait_until 10 listens h2
must vbet exec h1 -- trellis send data h2 90
wait $receiver || fail "the receiver: $(cat receiver)"
cmp data got || fail "the data have changed in the relay"
kill $relay

must vbet down
nothing_left || fail "something is left"
