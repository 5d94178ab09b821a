#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A NIC whose back end is a SOCK_SEQPACKET socket works as one with rings in shared memory does.
. "${0%/*}/lib.sh"

lab_up - <<'END'
a = attach(alloc(host), alloc(NIC, backend = seqpacket))
b = attach(alloc(host), alloc(NIC))
c = attach(alloc(host), alloc(NIC, backend = seqpacket))
link(alloc(switch, name = "s"), a, b, c)
END
must vbet pingall
mac=$(status_of '.nodes[] | select(.name == "a") | .nics[0].mac')
assert_eq "$mac" "$(in_node a 'cat /sys/class/net/eth0/address')" "MAC of a"
head -c 3000000 /dev/urandom >data
must vbet cp data c:/var/www/data
vbet exec b -- sh -c 'exec nc -l -p 9 >/root/got' </dev/null &
pid=$!
listens() { in_node b 'ss -Hltn sport = :9' | grep -q :9; }
wait_until 10 listens
must in_node c 'nc -N b 9 </var/www/data || nc -q1 b 9 </var/www/data'
wait $pid
must vbet cp b:/root/got got
cmp data got || fail "the data have changed on the way"
must vbet link b s down
wait_until 20 no_carrier b eth0
must_status 1 vbet ping a b
must vbet link b s up
wait_until 10 vbet ping a b
