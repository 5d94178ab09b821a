#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: plain
# A lab that has an interface of the host is saved, and goes on: the interface is made anew, with its addresses and routes, and frames
# pass as before. A connection of a program that stayed outside cannot be there; one between nodes goes on.
. "${0%/*}/lib.sh"

sed 's/alloc(outside)/alloc(outside, where = own)/' "$EXAMPLES/outside.vbet" >own.vbet
must vbet up -n t own.vbet
in_node inner 'nohup nc -l -p 5002 >/tmp/few 2>&1 &'
listens() { in_node inner 'ss -Hltn sport = :5002' | grep -q 5002; }
wait_until 10 listens
in_node pc 'nohup sh -c "while :; do date; sleep 0.05; done | nc 10.2.0.2 5002" >/dev/null 2>&1 &'
few() { in_node inner 'wc -l </tmp/few'; }
more() { [ "$(few)" -gt "$1" ]; }
works() {
	wait_until 10 more "$(($(few) + 2))"
	must vbet outside -- ip -o addr show dev lab0
	out_has 'inet 10\.1\.0\.254/24'
	must vbet outside -- ip route
	out_has '^10\.2\.0\.0/16 via 10\.1\.0\.2'
	must vbet ping inner lab0
	must vbet outside -- bash -c 'exec 3<>/dev/tcp/10.2.0.2/80 && printf "GET / HTTP/1.0\r\n\r\n" >&3 && cat <&3'
	out_has '^HTTP/1.0 200'
}
works
must vbet save kept
works
must vbet fork t -n twin
must vbet exec -n twin inner -- ping -c1 10.1.0.254
must vbet down -n twin
works
must vbet link lab0 lan down
must vbet save kept
must vbet down
must vbet restore kept
# Its carrier is that of the cable.
carrier() { vbet outside -- ip -o link show dev lab0 | grep -q "$1"; }
wait_until 20 carrier NO-CARRIER
must vbet link lab0 lan up
wait_until 20 carrier LOWER_UP
works
must vbet down
wait_until 10 nothing_left
