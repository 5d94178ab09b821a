#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Figure 2 of the substrate's paper: seven virtual links on five substrate links, told apart by their VLIs; one passes a
# substrate node that holds no virtual node of its network at that place.
# lab: slow
. "${0%/*}/lib.sh"

# NAME of a virtual link's direction, LINK, NODE: its VLI where it leaves that node by that link.
vli_of() {
	vbet substrate --json | python3 -c '
import json, sys
vlink, link, node = sys.argv[1:]
for l in json.load(sys.stdin)["links"]:
    for end in l["ends"]:
        for v in end["vlis"]:
            if (l["link"], end["node"], v["vlink"]) == (link, node, vlink):
                print(v["vli"])' "$@"
}

lab_up "$EXAMPLES/figure2.vbet"
# The one from r2 to r5 has a VLI on each of its two substrate links, and ends at neither router of SR4.
[ -n "$(vli_of through:ab sl2 SR2)" ] || fail "the link from SR2 does not begin at SR2"
[ -n "$(vli_of through:ab sl4 SR4)" ] || fail "the link from SR2 does not go on from SR4"
must in_node r2 'ping -c 1 -W 2 -t 1 10.0.4.5'
# Two of different networks on one substrate link, with different VLIs.
one=$(vli_of vl1:ab sl1 SR1) other=$(vli_of vl5:ab sl1 SR1)
case $one-$other in -* | *- | "$one-$one") fail "VLIs '$one' and '$other' on sl1" ;; esac
assert_eq 7 "$(vbet substrate --json | python3 -c '
import json, sys
print(len(json.load(sys.stdin)["virtual_links"]))')" "number of virtual links"
# The wire of SR2 carries its frames with type 0x88b5 and the VLI that SR4 chose.
must vbet capture SR4:2 -w "$HOME/wire.pcapng" -c 20 --for 20s
python3 - "$HOME/wire.pcapng" "$(vli_of through:ab sl2 SR2)" <<'END' || fail "no frame of the virtual link on the wire"
import sys
data, vli = open(sys.argv[1], 'rb').read(), int(sys.argv[2])
sys.exit(b'\x88\xb5' + vli.to_bytes(4, 'big') not in data)
END
# Addresses are each network's own: the same one is two routers.
wait_until 40 in_node r3 'ping -c 1 -W 1 10.0.4.5'
wait_until 40 in_node q1 'ping -c 1 -W 1 10.0.4.5'
must_fail in_node q1 'ping -c 1 -W 1 10.0.2.2'
# A substrate link that is cut takes what passes over it, and nothing else; mended, it is back by itself.
must vbet link SR4 SR5 down
wait_until 10 eval 'vbet substrate | grep -q "^through:ab is down"'
must_fail in_node r2 'ping -c 1 -W 1 -t 1 10.0.4.5'
must in_node r2 'ping -c 1 -W 2 10.0.2.4'
must vbet link SR4 SR5 up
wait_until 20 in_node r2 'ping -c 1 -W 1 -t 1 10.0.4.5'
must vbet down
nothing_left || fail "something is left"
