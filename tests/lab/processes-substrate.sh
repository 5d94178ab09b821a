#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# Each substrate node of figure 2 in a process of its own: the virtual networks are the same; when one process ends, its neighbours say so.
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
