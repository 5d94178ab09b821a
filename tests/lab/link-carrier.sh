#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# link down and unplug take the carrier from both ends, as a pulled cable does; up and plug give it back.
. "${0%/*}/lib.sh"

lab_up - <<'END'
a = attach(alloc(host), alloc(NIC), alloc(NIC))
b = attach(alloc(host), alloc(NIC), alloc(NIC))
link(NIC(a, 1), NIC(b, 1))
link(NIC(a, 2), NIC(b, 2), name = "second")
END
must has_carrier a eth0
must vbet link a:eth0 b down
wait_until 20 no_carrier a eth0
wait_until 20 no_carrier b eth0
must in_node a 'ip link show eth0'
out_has 'NO-CARRIER'
out_has 'state DOWN'
must has_carrier a eth1
must_status 1 vbet ping a b
must vbet link a:eth0 b up
wait_until 20 has_carrier a eth0
wait_until 20 has_carrier b eth0
wait_until 10 vbet ping a b

must vbet unplug b:eth1
wait_until 20 no_carrier a eth1
wait_until 20 no_carrier b eth1
must has_carrier a eth0
assert_eq false "$(status_of '.cables[] | select(.name == "second") | .up')" "second is up"
must_status 2 vbet unplug b:eth1
out_has 'nothing to unplug: second is cut already'
must vbet plug b:eth1
wait_until 20 has_carrier a eth1
wait_until 20 has_carrier b eth1

# Cut while the node boots: it sees no carrier from the start.
must vbet link a:eth0 down
must vbet restart b
must no_carrier b eth0
must has_carrier b eth1
must vbet link a:eth0 up
wait_until 10 vbet ping a b

must_status 2 vbet link a b down
out_has 'more than one cable'
must_status 2 vbet link a nobody down
out_has "no node 'nobody'"
must_status 2 vbet link a:eth7 down
out_has "no NIC 'eth7'"
must_status 2 vbet link a:eth0 b sideways
must_status 2 vbet unplug nobody:eth0
