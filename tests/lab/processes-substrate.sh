#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# Each substrate node of figure 2 in a process of its own: the virtual networks are the same; when one process ends, its neighbours
# say so, and whatever it carried can be started again.
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/figure2.vbet" --substrate-processes 5
assert_eq '[["SR1"],["SR2"],["SR3"],["SR4"],["SR5"]]' \
	"$(status_of '[.substrate_processes[].nodes | map(select(startswith("SR")))] | sort | tojson')" "who carries what"
must in_node r2 'ping -c 2 -i 0.2 10.0.4.5'
must in_node r4 'ping -c 1 10.0.3.3'
trunks() { status_of '[.substrate.objects[] | select(.kind == "trunk") | .up] | sort | tojson'; }
assert_eq '[true,true,true,true,true,true,true,true,true,true]' "$(trunks)" "five trunks, both ends"

kill -KILL "$(status_of '.substrate_processes[] | select(.nodes[0] == "SR3") | .pid')"
is_told() { grep -q 'slink sl3@SR4 lost' "$RUN/figure2/server.log"; }
wait_until 20 is_told
must vbet status
out_has 'HAS ENDED, carries SR3 r3 q3$'
must in_node r2 'ping -c 2 -i 0.2 10.0.4.5'
must_fail in_node r4 'ping -c 1 -W 1 10.0.3.3'
for command in 'stop SR3' 'wait SR3' 'exec r3 -- true'; do
	# shellcheck disable=SC2086 # words
	must_status 3 vbet $command
	out_has 'process substrate\.[0-9] .* has ended'
done

# A node brings its process back; the others that it carried are off.
others() { status_of '[.substrate_processes[] | select(.nodes[0] != "SR3") | .pid] | tojson'; }
before=$(others)
must vbet start SR3
must vbet wait SR3
must_status 2 vbet start SR3
out_has 'SR3 is ready'
wait_until 10 is_state r3 down
assert_eq down "$(node_state q3)" "state of a guest whose process had ended"
must vbet start r3 q3
must vbet wait
assert_eq "$before" "$(others)" "the other processes"
wait_until 30 in_node r4 'ping -c 1 -W 1 10.0.3.3'
must vbet substrate
out_has 'vl3:ab \(vnet1\) +10[.]000Mbit'
out_has_not 'is down:'

# The first process, by a guest; and what is killed is never called ready.
kill -KILL "$(status_of '.substrate_pid')"
must_status 3 vbet wait SR1
out_has 'has ended'
must vbet start r1
assert_eq down "$(node_state SR1)" "state of a node that nobody started"
must no_carrier r1 eth0
must vbet start SR1 q1
wait_until 30 in_node r4 'ping -c 1 -W 1 10.0.1.1'
must vbet down
nothing_left || fail "something is left"
