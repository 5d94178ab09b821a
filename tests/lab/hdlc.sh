#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# examples/hdlc.vbet, and what it promises of a line with HDLC: captures are read as such, lengths are those of its
# frames, and what is said of it is refused where it cannot be.
# lab: slow
. "${0%/*}/lib.sh"
command -v tshark >/dev/null || skip "needs tshark"

must vbet test --keep kept "$EXAMPLES/hdlc.vbet"
line=kept/cables/line.pcapng
tshark -r "$line" -T fields -E 'separator=|' -e frame.protocols -e chdlc.address -e chdlc.protocol -e frame.len \
	-e _ws.malformed >frames 2>err || fail "tshark: $(cat err)"
# has CONDITION: of awk, with the fields as $1...; how many frames there are for which it is true.
has() { awk -F'|' "$1 { n++ } END { print n + 0 }" frames; }
assert_eq 0 "$(has '$1 !~ /^chdlc/')" "frames that are no HDLC"
assert_eq 0 "$(has '$5 != ""')" "malformed frames"
# A ping of 84 bytes has 88 here, and 98 on Ethernet.
[ "$(has '$1 ~ /ip:icmp/ && $2 == "0x0f" && $3 == "0x0800" && $4 == 88')" -gt 0 ] || fail "no ping of 88 bytes"
[ "$(has '$1 ~ /ip:ospf/ && $2 == "0x8f"')" -gt 0 ] || fail "no OSPF for many"
[ "$(has '$1 ~ /isis/ && $3 == "0xfefe"')" -gt 0 ] || fail "no IS-IS"

# By the real clock, over a plain cable, and between two processes: long segments are cut, TCP runs, IPv6 too.
cat >plain.vbet <<'END'
a = alloc(host) b = alloc(host)
line = link(a, b, framing = hdlc)
address(a, [10.0.0.1/24, fd00::1/64]) address(b, [10.0.0.2/24, fd00::2/64])
END
for how in "" "--substrate-processes 2"; do
	# shellcheck disable=SC2086
	must vbet up $how plain.vbet
	wait_until 10 vbet ping a b
	must in_node a 'ping -c 1 -W 5 fd00::2'
	must in_node b 'iperf3 -s -D -1 -I /run/iperf3.pid
		until ss -Hltn "sport = 5201" | grep -q .; do sleep 0.01; done'
	must in_node a 'iperf3 -c 10.0.0.2 -n 4M'
	in_node a 'ping -i 0.2 -c 100 10.0.0.2 >/dev/null 2>&1 &'
	must vbet capture -c 4 -w got.pcapng a:eth0 icmp
	assert_eq 4 "$(tshark -r got.pcapng -T fields -e frame.protocols 2>/dev/null | grep -c '^chdlc:.*:icmp')" "pings captured"
	must_fail vbet link a b set framing=ethernet
	out_has 'cannot change in a running lab'
	must vbet link a b reset --plain
	wait_until 10 vbet ping a b
	must vbet down
done

cat >switch.vbet <<'END'
sw = alloc(switch) a = alloc(host)
link(sw, a, framing = hdlc)
END
must_fail vbet check switch.vbet
out_has 'between two guests: port 1 of sw'
nothing_left || fail "something is left"
