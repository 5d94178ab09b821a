#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# capture: frames of a NIC as pcapng that tshark reads, filtered, counted, into a file and through a pipe.
. "${0%/*}/lib.sh"

lab_up - <<'END'
a = alloc(host) b = alloc(host)
link(a, b, delay = 5ms)
END
wait_until 10 vbet ping a b

vbet exec a -- ping -q -c 1000 -i 0.1 b >/dev/null &
must vbet capture a:eth0 icmp --count 4 -w two.pcapng
got=$(tshark -r two.pcapng -T fields -e icmp.type 2>/dev/null)
[ "$(sort <<<"$got" | uniq -c | tr -d ' ' | tr '\n' ' ')" = "20 28 " ] || fail "not two requests and their answers: $got"

got=$(vbet capture b:eth0 'icmp[0] == 8' --count 2 -w - 2>/dev/null | tshark -r - -T fields -e ip.src 2>/dev/null | sort -u)
[ "$got" = 10.0.0.1 ] || fail "through a pipe: '$got'"
# Two at once see the same.
vbet capture a:eth0 icmp --count 2 -w one.pcapng &
must vbet capture a:eth0 icmp --count 2 -w other.pcapng
wait %2
kill %1 2>/dev/null
for f in one other; do
	got=$(tshark -r $f.pcapng 2>/dev/null)
	[ "$(wc -l <<<"$got")" = 2 ] || fail "$f: $got"
done

must_status 2 vbet capture a:eth9 --count 1 -w x.pcapng
must_status 2 vbet capture a:eth0 'no such filter' -w x.pcapng
must vbet capture a:eth0 --for 200ms -w idle.pcapng
must tshark -r idle.pcapng
