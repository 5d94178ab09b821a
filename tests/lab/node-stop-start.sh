#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Nodes are stopped, started, restarted and killed; the others run on, and the cables are still there.
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/hello.vbet"
pid2=$(node_pid host2)
must in_node host3 'echo a mark >/root/mark'

must vbet stop host3
wait_until 15 is_state host3 down
assert_eq 0 "$(node_pid host3)" "pid of a node that is down"
must vbet ping host1 host2
must_status 1 vbet ping host1 host3
must_status 3 vbet exec host3 -- true
out_has 'host3 is down'
for verb in stop kill; do
	must_status 3 vbet $verb host3
	out_has 'host3 is down'
done

must vbet start host3
assert_eq ready "$(node_state host3)" "state after start"
wait_until 10 vbet ping host1 host3
# Booted anew: what it had written is gone.
must_fail in_node host3 'test -e /root/mark'
must_status 2 vbet start host3
out_has 'host3 is ready'

before=$(node_pid host3)
must vbet restart host3
assert_eq ready "$(node_state host3)" "state after restart"
[ "$(node_pid host3)" != "$before" ] || fail "the same process after a restart"
wait_until 10 vbet ping host3 host1

must vbet kill host1
wait_until 10 is_state host1 down
must vbet ping host3 host2
must vbet start host1
wait_until 10 vbet ping host1 host2

must vbet restart host1 host3
must vbet pingall
assert_eq "$pid2" "$(node_pid host2)" "pid of the node that nobody touched"
must_status 2 vbet stop nobody
out_has "no node 'nobody'"
must_status 2 vbet stop switch1
out_has 'switch1 is a switch'
