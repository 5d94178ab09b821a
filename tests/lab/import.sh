#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Labs of other tools, imported: they boot without a complaint, and pings cross them.
# lab: slow
. "${0%/*}/lib.sh"

LABS=$ROOT/tests/golden/import
# import LAB TIME [FAILS]: it has been up for that long, with nothing failed in it but what FAILS says.
import() {
	case $1 in
	*,*) must vbet import "$1" -o "$HOME/lab" ;;
	*) must vbet import "$LABS/$1" -o "$HOME/lab" ;;
	esac
	must vbet up --clock virtual "$HOME/lab/lab.vbet"
	if [ $# -gt 2 ]; then
		out_has "warning: .*$3"
	else
		out_has_not 'failed'
	fi
	must vbet clock pace max
	must vbet clock step "$2"
	must vbet clock run
}
end_lab() {
	must vbet down
	rm -r "$HOME/lab"
}

# containerlab: FRR with OSPF between two clients; addresses and routes of the clients by ip(8) there.
import clab-frr 30s
must vbet ping client-1 client-2
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

# containerlab: interfaces of other names, one of which would be another's number.
import swp.clab.yml 2s
must vbet ping h0 leaf1
must vbet ping h0 leaf2
must in_node core 'ip -br address show dev swp2; ip -br address show dev swp1'
out_has '192\.0\.2\.193/26'
out_has '192\.0\.2\.129/26'
end_lab

# Kathará: addresses by ifupdown, a service within a script; a command that fails takes nothing down.
import kathara-ifup 2s 'r1: .*no-such-program.*may fail'
must vbet exec pc -- ping -c1 -W1 198.51.100.130
must in_node r2 'pgrep -x sshd && tail -1 /tmp/counted'
out_has '^3$'
end_lab

# Kathará: OSPF by the integrated configuration, a switch, trees and shared files.
import kathara-ospf 60s
must vbet exec pc1 -- ping -c1 -W1 10.3.0.1
must in_node pc1 'ip route get 10.3.0.1; cat /shared/README'
out_has 'via 10.2.0.1'
out_has 'notes for all'
must vbet ping pc1 pc2
must in_node r3 'cat /sys/class/net/eth0/address; vtysh -c "show ip ospf neighbor"'
out_has '02:00:00:00:03:00'
out_has '10\.255\.255\.1 .*Full'
end_lab

# Netkit: RIP by daemons' own files, commands of net-tools, a script that stays one.
import netkit-rip 30s
must vbet ping pc1 192.168.2.10
must in_node r1 'vtysh -c "show ip route rip"; pidof ospfd || echo no ospfd'
out_has '192\.168\.2\.0/24'
out_has 'no ospfd'
end_lab

# Kathará: a name server and a web server that the lab starts by systemd.
import kathara-dns 1s
must vbet exec pc -- wget -q -O - http://www.lab.example/
out_has 'found'
end_lab

# The Topology Zoo: coordinates are delays. New York to Chicago is 1145 km as the crow flies, 5.73 ms in glass.
import abilene.graphml 60s
must vbet exec New_York -- ping -c1 -W1 Chicago
out_has 'time=11\.5 ms'
must vbet ping Seattle Atlanta
end_lab

# netlab: its addresses and its BGP, over a reflector that OSPF leads to.
import netlab-bgp 60s
must vbet exec h1 -- ping -c1 -W2 198.51.100.7
out_has 'ttl=60'
must in_node ce2 'vtysh -c "show bgp ipv4 192.0.2.0/24"'
out_has '65000 65101'
end_lab

# Mininet: a tree of switches, by its name.
import tree,2,2 1s
must vbet exec h1 -- ping -c1 -W1 10.0.0.4
end_lab

# FRR's topotests: three autonomous systems, by the addresses that topotests give.
import bgp-chain.json 60s
must vbet exec r4 -- ping -c1 -W2 10.0.0.1
must vbet exec r1 -- ping -c1 -W2 -I 2001:db8:f::1:17 2001:db8:f::3:17
must in_node r3 'vtysh -c "show bgp ipv4 100.50.3.0/24"'
out_has '200 100'
end_lab
