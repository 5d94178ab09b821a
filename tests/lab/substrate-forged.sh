#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Somebody at a port of the LAN's switch forges frames of virtual links: none enters a vNet, each is counted with a reason,
# and the virtual links carry on. A switch port that is not in the VLAN of the substrate keeps tagged ones out; here
# it is in it, so that the nodes are alone with them.
. "${0%/*}/lib.sh"
. "${0%/*}/substrate.inc"

listen c
wait_until 10 tell c now
watch_events c
told c <<END
device sw switch
nic outsider seqpacket path=$HOME/outsider
port sw:9 sw 9 trunk=100,101 native=1
cable c9 outsider sw:9
END
for i in 1 2 3; do
	told c <<END
snode s$i key=00112233445566778899aabbccddeeff
snif s$i:1 s$i mac=02:00:00:00:00:0$i rate=100Mbit
port sw:$i sw $i trunk=100,101 native=1
cable c$i s$i:1 sw:$i mtu=1600
slink lan@s$i s$i:1 link=lan multi=1
vif red$i s$i vnet=red
nic n$i seqpacket path=$HOME/red$i
cable v$i red$i n$i
END
done
told c <<END
slink p@s1 s1:1 link=p peer=02:00:00:00:00:02 vlan=100 priority=5
slink p@s2 s2:1 link=p peer=02:00:00:00:00:01 vlan=100 priority=5
vbm vbm@lan s1 link=lan rate=100Mbit
share vbm@lan blue percent=50%
vlink red1:lan red1 vnet=red lan=lan
vlink red2:lan red2 vnet=red lan=lan
vlink red3:lan red3 vnet=red lan=lan
END
for i in 1 2; do
	told c <<END
vif blue$i s$i vnet=blue
nic m$i seqpacket path=$HOME/blue$i
cable w$i blue$i m$i
END
done
told c <<END
vlink blue:ab blue1 vnet=blue path=p to=blue2 min=1Mbit
vlink blue:ba blue2 vnet=blue path=p to=blue1 min=1Mbit
END
for v in red1:lan red2:lan red3:lan blue:ab blue:ba; do
	wait_until 15 grep -q "event vlink $v up" events-c
done
heard() { # who hears what, apart from what is real (88b6)
	cat heard-* | grep -v '^.\{24\}88b6' | grep .
}
for st in red2 red3 blue2; do
	station $st hear 100 >heard-$st &
done
wait_until 10 nics_up c 3

p2p=$(printf %08x "$(json c '.objects["p@s2"].in[] | select(.vlink == "blue:ab") | .vli')")
multi=$(printf %08x "$(json c '.objects["lan@s2"].multi_access[0].vli')")
mac() { printf '02000000000%d' "$1"; }
inner=$(printf 'ff%.0s' 1 2 3 4 5 6)020000000066$(printf '66%.0s' {1..52}) # 64 octets
refusals() { json c ".objects[\"s2:1\"].refused[\"$1\"] // 0"; }
# forge REASON TO FROM TAG VLI [LENGTH] [TYPE]: it is refused by s2 for that reason.
forge() {
	local before
	before=$(refusals "$1")
	counted() { [ "$(refusals "$1")" -gt "$before" ]; }
	station outsider send "$(mac "$2")$(mac "$3")${4}${7:-88b5}$5${6:-0040}$inner"
	wait_until 10 counted "$1"
}
tag=8100a064 # VLAN 100, priority 5
forge unknown-link 2 8 '' "$multi" # a sender that nobody knows
forge unknown-link 2 8 $tag "$p2p"
forge unknown-vli 2 1 '' "$p2p" # the number of another name space
forge unknown-vli 2 1 $tag "$multi"
forge unknown-vli 2 1 $tag 0000ffff
forge unknown-vli 2 1 '' 00000003
forge wrong-vlan 2 1 8100a065 "$p2p" # VLAN 101
forge wrong-vlan 2 3 $tag "$p2p"     # a member of the LAN, but no end of that link
forge bad-length 2 1 $tag "$p2p" 0fff
forge legacy 2 1 $tag "$p2p" 0040 88b6 # ordinary Ethernet, though it looks like ours from there on
# A control message without the key: a release of the virtual link.
station outsider send "$(mac 2)$(mac 1)${tag}88b5000000000034$(printf '01060000%.0s' {1..13})"
forged() { [ "$(json c '.objects["p@s2"].neighbours[0].dropped | add // 0')" -ge 1 ]; }
wait_until 10 forged

must_fail heard
assert_eq true "$(json c '.objects["blue:ab"].up')" "blue is up"
# And what is real arrives, in its own vNet alone.
station blue1 send "ffffffffffff02000000000188b6$(printf 'bb%.0s' {1..50})"
station red1 send "ffffffffffff02000000000188b6$(printf 'aa%.0s' {1..50})"
wait_until 10 grep -q bbbb heard-blue2
wait_until 10 grep -q aaaa heard-red2
wait_until 10 grep -q aaaa heard-red3
must_fail grep -l aaaa heard-blue2
must_fail grep -l bbbb heard-red2 heard-red3
