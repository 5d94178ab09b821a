#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# extcap: the NICs of running labs are in Wireshark's own list of interfaces, and can be captured there.
. "${0%/*}/lib.sh"

mkdir extcap
ln -s "$(command -v vbet-extcap)" extcap/
export WIRESHARK_EXTCAP_DIR=$HOME/extcap

tshark -D >before 2>/dev/null
! grep -q 'vbet\.' before || fail "NICs without a lab: $(cat before)"
lab_up - <<'END'
lab = "wires"
a = alloc(host) s = alloc(switch) web_1 = alloc(host, name = "web-1")
link(s, a, web_1)
END
wait_until 10 vbet ping a web-1
must tshark -D
out_has 'vbet\.wires\.a\.eth0 \(vbet wires: a:eth0\)'
out_has 'vbet\.wires\.web-1\.eth0 \(vbet wires: web-1:eth0\)'
out_has 'vbet\.wires\.s\.1 '

must tshark -i vbet.wires.a.eth0 -L
out_has EN10MB

vbet exec a -- ping -q -c 1000 -i 0.1 web-1 >/dev/null &
# Live, with a filter, until enough is there.
must tshark -i vbet.wires.s.2 -f 'icmp[0] == 8' -c 3 -T fields -e ip.dst
[ "$(grep -c 10.0.0.2 <<<"$OUT")" = 3 ] || fail "not three requests: $OUT"
must tshark -i vbet.wires.web-1.eth0 -c 2 -w live.pcapng
must capinfos live.pcapng
out_has 'eth0 of web-1 \(host\)'
must_fail tshark -i vbet.wires.a.eth0 -f 'no such filter' -c 1
kill %1

must_status 2 vbet-extcap --extcap-interface nonsense --extcap-dlts
must_status 2 vbet-extcap
out_has "for Wireshark"
must vbet down
tshark -D >after 2>/dev/null
! grep -q 'vbet\.' after || fail "NICs of a lab that has gone: $(cat after)"
