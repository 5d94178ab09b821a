#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: only root
# A port that is a real interface, through libpcap: here one side of a pair that this test makes, in a
# network namespace of its own; at the other side is a machine, in another.
if [ -z "${VBET_TEST_INSIDE:-}" ]; then
	exec unshare -n env VBET_TEST_INSIDE=1 bash "$0"
fi
. "${0%/*}/lib.sh"

unshare -n sleep 1000 &
far=$!
# shellcheck disable=SC2154 # assigned there
trap 'status=$?; kill $far; (exit $status); finish' EXIT
apart() { [ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
wait_until 20 apart
must ip link add port1 type veth peer name wire1
must ip link set wire1 netns $far
at_far() { nsenter -t $far -n "$@"; }
must at_far ip addr add 10.1.0.9/24 dev wire1
must at_far ip link set wire1 up

# A port of a switch, by the short form.
cat >t.vbet <<'END'
sw = attach(alloc(switch), alloc(NIC, backend = pcap, name = "port1"), alloc(NIC))
pc = attach(alloc(host), alloc(NIC, address = 10.1.0.1/24))
link(sw, pc)
END
must_fail vbet up t.vbet
out_has 'port1 is down: sudo ip link set port1 up'
must ip link set port1 up
lab_up t.vbet
must in_node pc 'ping -n -c3 -i0.2 -W2 10.1.0.9'
assert_eq port1 "$(status_of '.nodes[] | select(.name == "port1") | .nics[0].counters.interface')" "interface"
# Each frame passes once: nothing that the lab sends comes back to it.
must in_node pc 'ping -n -c5 -i0.2 -W2 10.1.0.9'
out_has_not 'DUP'
out_has '5 packets transmitted, 5 received'
# The other machine leaves checksums, and cutting what is long into frames, to its interface, which is not one;
# and puts together what it gets.
head -c 3000000 /dev/urandom >data
in_node pc 'nc -l -p 9 >/root/got' &
listens() { in_node pc "ss -ltn | grep -q ':9 '"; }
wait_until 10 listens
must at_far timeout 20 bash -c 'cat data >/dev/tcp/10.1.0.1/9'
wait $!
must vbet cp pc:/root/got got
cmp data got || fail "what the other machine sent has changed on the way"
giants=$(status_of '.nodes[] | select(.name == "port1") | .nics[0].counters.dropped.giant // 0')
assert_eq 0 "$giants" "frames that were too long"
# Somebody takes it down, and up: it goes on. Then down and away: its port goes down with a reason, the lab goes on.
must ip link set port1 down
must ip link set port1 up
must in_node pc 'ping -n -c3 -i0.2 -w10 10.1.0.9'
must ip link set port1 down
must vbet exec pc -- true
must ip link del port1
gone() { [ "$(status_of '.nodes[] | select(.name == "port1") | .nics[0].counters.up')" = false ]; }
wait_until 20 gone
grep -q 'down port1:port1' "$RUN/t/server.log" || fail "no word of port1 in the log"
must vbet exec pc -- true
must vbet down

# No such interface, and no rights.
must_fail vbet up t.vbet
out_has "there is no interface 'port1'"
