#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# status tells of every node, NIC and cable; as JSON with the server's pid, states, pids and counters.
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/hello.vbet"
must vbet ping host1 host2
must vbet status
out_has '^lab hello, real clock, server [0-9]+, in '
out_has '^host1 +host +ready, pid [0-9]+, 48 MB, jail level='
out_has '^  eth0 +10.0.0.1/24 -> switch1:1$'

must vbet status --json
python3 -m json.tool <<<"$OUT" >/dev/null || fail "no JSON"
server=$(jq .server_pid <<<"$OUT")
[ "$(cat "/proc/$server/comm")" = vbet ] || fail "server_pid $server is $(cat "/proc/$server/comm")"
assert_eq hello "$(jq -r .lab <<<"$OUT")" lab
assert_eq 'host1 host2 host3 switch1' "$(jq -r '[.nodes[].name] | sort | join(" ")' <<<"$OUT")" nodes
for h in host1 host2 host3; do
	node=$(jq ".nodes[] | select(.name == \"$h\")" <<<"$OUT")
	assert_eq ready "$(jq -r .state <<<"$node")" "state of $h"
	kill -0 "$(jq .pid <<<"$node")" || fail "$h has no process"
	assert_eq eth0 "$(jq -r '.nics[0].name' <<<"$node")" "NIC of $h"
done
for count in in_frames out_frames in_bytes out_bytes; do
	n=$(jq ".nodes[] | select(.name == \"host1\") | .nics[0].counters.$count" <<<"$OUT")
	[ "$n" -ge 1 ] || fail "host1:eth0 has $n $count after a ping"
done
assert_eq 3 "$(jq '.cables | length' <<<"$OUT")" cables
# The MAC is the one that the node has.
mac=$(jq -r '.nodes[] | select(.name == "host2") | .nics[0].mac' <<<"$OUT")
assert_eq "$mac" "$(in_node host2 'cat /sys/class/net/eth0/address')" "MAC of host2"

must vbet ls
out_has "^hello +running, real clock, 4 of 4 nodes ready, by $(id -un)\$"
must vbet ls --json
assert_eq running "$(jq -r '.[] | select(.name == "hello") | .state' <<<"$OUT")" "state of hello"
assert_eq 'real 4 4' "$(jq -r '.[] | select(.name == "hello") | "\(.clock) \(.nodes) \(.ready)"' <<<"$OUT")" "what ls says of hello"

# What a cable does, and what it loses.
must vbet link host1 switch1 set ab.delay=1ms ab.loss=100%
in_node host1 'ping -q -c 4 -i 0.01 -W 1 10.0.0.2' >/dev/null
must vbet status
out_has '^  eth0 +10.0.0.1/24 -> switch1:1 .*delay=1ms.*loss=100%.*, dropped: loss [1-9]'
out_has '^  eth0 +10.0.0.2/24 -> switch1:2$'

# VBET_LAB is what -n is when it is not given.
must vbet up -q -n other "$EXAMPLES/hello.vbet"
must_fail vbet status
must env VBET_LAB=other vbet status
out_has '^lab other,'
must env VBET_LAB=other vbet status -n hello
out_has '^lab hello,'
must_fail env VBET_LAB=nosuch vbet status
out_has 'nosuch'
