#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A cable is cut in one direction, which nobody sees, or at one end, which only that end sees. What is refused changes nothing.
. "${0%/*}/lib.sh"

lab_up - <<'END'
r1 = alloc(host) r2 = alloc(host)
link(r1, r2)
END
lost() { status_of ".substrate.objects[] | select(.kind == \"cable\") | .$1.dropped.down // 0"; }
heard() { in_node "$1" "sed -n 's/^Icmp: [0-9].*/&/p' /proc/net/snmp" | awk '{ print $2 }'; }
must vbet ping r1 r2

# Frames from r1 are lost, those from r2 arrive; nobody's carrier goes.
must vbet link r1 r2 down --one-way
must vbet link r1 r2 show
out_has 'up, cut one way'
out_has '^  r1 to r2: cut, a plain wire'
in_node r1 'ip neigh replace 10.0.0.2 lladdr '"$(in_node r2 cat\ /sys/class/net/eth0/address)"' dev eth0'
in_node r2 'ip neigh replace 10.0.0.1 lladdr '"$(in_node r1 cat\ /sys/class/net/eth0/address)"' dev eth0'
r1_heard=$(heard r1) r2_heard=$(heard r2)
must_status 1 vbet ping -c 2 r1 r2
must_status 1 vbet ping -c 2 r2 r1
assert_eq "$r2_heard" "$(heard r2)" "what r2 heard"
[ "$(heard r1)" -ge $((r1_heard + 2)) ] || fail "r1 hears nothing from r2"
[ "$(lost ab)" -ge 2 ] || fail "not counted: $(status_of .)"
assert_eq 0 "$(lost ba)" "lost the other way"
must has_carrier r1 eth0
must has_carrier r2 eth0
assert_eq '["ab"]' "$(vbet status --json | jq -c '.cables[0].cut')" cut
# The other direction, named from the other side; then both are mended.
must vbet link r2 r1 down --one-way
must vbet link r1 r2 up --one-way
r1_heard=$(heard r1)
must_status 1 vbet ping -c 1 r2 r1
assert_eq "$r1_heard" "$(heard r1)" "what r1 heard"
must vbet link r1 r2 up
must vbet ping r1 r2

# The carrier at one end.
must vbet link r1 r2 down end=r2
wait_until 20 no_carrier r2 eth0
must has_carrier r1 eth0
must_status 1 vbet ping r1 r2
must vbet link r1 r2 up end=r2:eth0
wait_until 20 has_carrier r2 eth0
wait_until 10 vbet ping r1 r2
must_status 2 vbet link r1 r2 down end=r3
must_status 2 vbet link r1 r2 down sideways

# What the substrate refuses is not shown, and what was there before stays.
must vbet link r1 r2 set delay=7ms
must_status 3 vbet link r1 r2 set delay=9ms table=/no/such/table
must vbet link r1 r2 show
out_has 'delay=7ms'
out_has_not 'table'
must vbet link r1 r2 set jitter=1ms
must vbet link r1 r2 show
out_has 'delay=7ms jitter=1ms'
assert_eq 7000000 "$(status_of '.cables[0].ab' | sed -n 's/.*delay=\([0-9]*\)ms.*/\1000000/p')" "delay"
must vbet link r1 r2 reset

# What the script says at the console goes before what was done by hand, even if it says what it said before.
must vbet link r1 r2 down
wait_until 20 no_carrier r1 eth0
must type_in 'up(r1, r2)'
wait_until 20 has_carrier r1 eth0
must type_in 'down(r1, r2, one_way = on)'
must vbet link r1 r2 show
out_has '^  r1 to r2: cut'
must_status 3 type_in 'impair(r1, r2, table = "/no/such/table")'
must type_in 'up(r1, r2)'
must vbet link r1 r2 show
out_has_not 'table|cut'
wait_until 10 vbet ping r1 r2
