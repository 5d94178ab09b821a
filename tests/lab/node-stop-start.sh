#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Nodes are stopped, started, restarted and killed; the others run on, and the cables are still there. The same
# for nodes without a kernel.
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
wait_until 20 vbet pingall
assert_eq "$pid2" "$(node_pid host2)" "pid of the node that nobody touched"
must_status 2 vbet stop nobody
out_has "no node 'nobody'"

# What has no kernel goes off and on, too, and its cables with it.
must vbet stop switch1
assert_eq down "$(node_state switch1)" "state of a switch that is off"
wait_until 20 no_carrier host1 eth0
must_status 1 vbet ping host1 host2
for verb in stop kill; do
	must_status 3 vbet $verb switch1
	out_has 'switch1 is down'
done
must vbet link host2 switch1 down # said of a cable that is not plugged in, it holds later
must vbet start switch1
must_status 2 vbet start switch1
out_has 'switch1 is ready'
wait_until 20 has_carrier host1 eth0
wait_until 10 vbet ping host1 host3
wait_until 20 no_carrier host2 eth0
must vbet link host2 switch1 up
wait_until 10 vbet ping host1 host2
must vbet restart switch1
wait_until 10 vbet ping host1 host2
must vbet kill switch1
must_status 1 vbet ping host1 host2
must vbet restart switch1
wait_until 10 vbet pingall
must vbet down

# Programs of end systems, and ways out of the lab.
lab_up - <<'END'
s = alloc(substrate)
v = vnet()
es = alloc(endsystem, vnet = v, on = s)
h = alloc(host, vnet = v, on = s)
vlink(es, h)
exec(es, "exec sleep 1000000")
net = alloc(internet)
g = alloc(host)
link(g, net)
END
programs() { [ "$(pgrep -u "$(id -u)" -cf '^sleep 1000000$')" = "$1" ]; }
wait_until 20 programs 1
must vbet stop es net
wait_until 20 programs 0
wait_until 20 no_carrier g eth0
must_status 3 vbet wait net
must vbet start es net
wait_until 20 programs 1
wait_until 20 has_carrier g eth0
must in_node g 'ping -c 1 -W 5 10.0.2.2'
must vbet restart es
wait_until 20 programs 1
must vbet down
nothing_left || fail "something is left"
