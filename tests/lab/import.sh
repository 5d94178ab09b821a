#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Labs of other tools, imported: they boot without a complaint, and pings cross them.
. "${0%/*}/lib.sh"

LABS=$ROOT/tests/golden/import
# import LAB: it is up, with nothing failed in it.
import() {
	must vbet import "$LABS/$1" -o "$HOME/lab"
	must vbet up --clock virtual "$HOME/lab/lab.vbet"
	out_has_not 'failed'
}
end_lab() {
	must vbet down
	rm -r "$HOME/lab"
}

# containerlab: FRR with OSPF between two clients; addresses and routes of the clients by ip(8) there.
import clab-frr
wait_until 60 vbet ping client-1 client-2
must in_node client-1 'ip route get 10.2.0.2 && ping -c1 -W1 10.2.0.2'
out_has 'via 10.1.0.1 dev eth1'
out_has 'ttl=62'
must in_node r1 'vtysh -c "show ip ospf neighbor"; cat /sys/class/net/eth1/mtu; ls /run/frr'
out_has '10\.255\.0\.2 .*Full'
out_has '^9000'
out_has '^bfdd.pid'
must in_node client-1 'cat /tmp/site'
assert_eq 'site north' "$OUT" "what a command made of its environment"
end_lab
