#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Frames at a NIC: seen, never, count. In virtual time each is counted once, however often it is looked at.
. "${0%/*}/lib.sh"

cat >base.vbet <<'END'
lab = "two"
h1 = alloc(host) h2 = alloc(host)
link(h1, h2, delay = 5ms)
END
{
	cat base.vbet
	cat <<'END'
at 10s exec(h1, "ping -c 3 -i 0.5 10.0.0.2")
at 30s exec(h1, "ping -c 40 -i 0.1 10.0.0.2")
expect within 5s of 9s seen(NIC(h2, 1), "icmp[icmptype] == icmp-echo")
expect within 5s of 9s count(NIC(h1, 1), "icmp") == 6
expect within 5s of 9s count(NIC(h1, 1), "icmp and src host 10.0.0.2") > 3
expect within 5s of 9s never(NIC(h2, 1), "tcp")
expect within 5s of 9s never(NIC(h2, 1), "icmp")
expect within 2s of 15s seen(NIC(h2, 1), "icmp")
expect at 29s count(NIC(h2, 1), "icmp", within = 10s) == 80
expect within 5s of 9s seen(NIC(h2, 1), "port port")
END
} >frames.vbet
must_status 1 vbet test -q --clock virtual frames.vbet
out_has '^PASS .* seen\(NIC\(h2, 1\), "icmp\[icmptype\] == icmp-echo"\): held at 10\.'
out_has '^PASS .* == 6: held at 14\.000 s: 6 frames$'
out_has '^FAIL .* > 3: did not hold, last tried at 14\.000 s: 3 frames$'
out_has '^PASS .*never\(NIC\(h2, 1\), "tcp"\): held at 14\.000 s'
out_has '^FAIL .*never\(NIC\(h2, 1\), "icmp"\): did not hold, .*: 6 frames$'
out_has '^FAIL .*within 2s of 15s seen.*: 0 frames$'
out_has '^PASS .* == 80: held at 39\.000 s: 80 frames$'
out_has "filter 'port port'"

for clock in virtual real; do
	lab_up base.vbet --clock $clock
	must vbet exec h1 -- sh -c 'ping -i 0.1 10.0.0.2 >/dev/null &'
	must vbet expect two 'within 3s seen(NIC(h2, 1), "icmp")'
	must vbet expect two 'within 5s count(NIC(h2, 1), "icmp") > 10'
	must_status 1 vbet expect two 'within 5s never(NIC(h2, 1), "icmp")'
	out_has 'frames$'
	must vbet expect two 'within 1s never(NIC(h2, 1), "udp port 53")'
	must_status 2 vbet expect two 'within 1s seen(NIC(h2, 1), "port port")'
	[ -z "$(find "$RUN/two" -maxdepth 1 -name 'watch.*')" ] || fail "captures are left"
	must vbet down
done
