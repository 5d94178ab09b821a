#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The paper's OSPF lab in virtual time: the minutes that the protocol's timers take go by in seconds.
# lab: slow
. "${0%/*}/lib.sh"

via() { in_node r2 'ip route show 192.168.0.0/24' | sed -n 's/.* via \([^ ]*\) .*/\1/p'; }

lab_up "$EXAMPLES/ospf-flapping.vbet" --clock virtual
must vbet clock pace max
must vbet clock pause
must vbet clock step 70s
must vbet clock run
assert_eq 192.168.1.1 "$(via)" "the way when both are there"
must in_node r2 "vtysh -c 'show ip ospf neighbor'"
[ "$(grep -c Full/ <<<"$OUT")" = 2 ] || fail "$OUT"
must vbet clock pause
must vbet link r1 r2 down
must vbet clock step 60s
must vbet clock run
assert_eq 192.168.2.2 "$(via)" "the way when r1 is gone"
must vbet clock pause
must vbet link r1 r2 up
must vbet clock step 90s
must vbet clock run
assert_eq 192.168.1.1 "$(via)" "the way when r1 is back"
