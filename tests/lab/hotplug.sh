#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Statements typed live change the running lab: NICs and cables come and go in nodes that run on.
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/hello.vbet"
pid=$(node_pid host1)
# A second NIC for two running hosts, and a cable between them.
must type_in 'attach(host1, alloc(NIC, address = 10.5.0.1/24))' 'attach(host2, alloc(NIC, address = 10.5.0.2/24))' \
	'link(NIC(host1, 2), NIC(host2, 2), name = "new", delay = 5ms)'
wait_until 10 in_node host1 'ip -o addr show dev eth1 | grep -q 10.5.0.1/24'
wait_until 10 vbet exec host1 -- ping -n -c1 -W2 10.5.0.2
out_has 'from 10.5.0.2'
must vbet status
out_has '10.5.0.1/24 -> host2:eth1'
# Cables by name: cut, mended, impaired, taken away.
must type_in 'down(new)'
wait_until 20 no_carrier host1 eth1
must type_in 'up(new)'
wait_until 20 has_carrier host2 eth1
must type_in 'impair(new, loss = 100%)'
must_fail vbet exec host1 -- ping -n -c2 -i0.2 -W1 10.5.0.2
must type_in 'free(new)'
wait_until 20 no_carrier host1 eth1
wait_until 20 vbet pingall
# A node is added, and one is taken away.
must type_in 'r = attach(alloc(router), alloc(NIC, address = 10.5.0.3/24))' 'link(r, NIC(host1, 2))'
must vbet wait r
wait_until 10 vbet exec r -- ping -n -c1 -W2 10.5.0.1
gone=$(node_pid host3)
must type_in 'free(host3)'
gone() { ! kill -0 "$gone" 2>/dev/null; }
wait_until 10 gone
must_status 2 vbet exec host3 -- true
must vbet ping host1 host2
assert_eq "$pid" "$(node_pid host1)" "pid of host1, which ran on"

# What is wrong changes nothing and says where.
must_status 2 type_in 'link(host1, nobody)'
out_has "console:1:13: .*'nobody'"
must vbet ping host1 host2
