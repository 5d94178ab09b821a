#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# In virtual time a transfer carries the same bytes in the same time whether the machine is idle or all its
# cores burn, to the last one; and an answer takes what the cable says, to the nanosecond.
# lab: slow
. "${0%/*}/lib.sh"

cat >t.vbet <<'END'
clock = virtual
a = attach(alloc(host, memory = 64M), alloc(NIC, address = 10.0.0.1/24))
b = attach(alloc(host, memory = 64M), alloc(NIC, address = 10.0.0.2/24))
link(a, b, rate = 10Mbit, delay = 5ms)
exec(a, "iperf3 -s -D")
exec(b, "iperf3 -J -t 4 -c 10.0.0.1 >/root/out")
END

# transfer NAME: what the transfer says of bytes and times, into the file NAME.
transfer() {
	must vbet up --timeout 100s t.vbet
	must vbet exec b -- grep -E '"(bytes|seconds|bits_per_second|max_rtt)":' /root/out
	printf '%s\n' "$OUT" >"$1"
	must vbet down
}
transfer idle
burn
transfer burning
unburn
grep -q '"bytes":' idle || fail "nothing was carried: $(cat idle)"
diff idle burning >&2 || fail "the transfer depends on how busy the machine is"

# Two frames of 98 bytes, each 7.84 us on the wire, and 5 ms each way.
lab_up - --clock virtual <<'END'
a = alloc(host) b = alloc(host)
link(a, b, rate = 100Mbit, delay = 5ms)
END
must vbet ping a b
vbet exec a -- ping -q -c 100 -i 0.1 b >/dev/null &
must vbet capture a:eth0 'icmp[0] == 8 or icmp[0] == 0' --count 7 -w t.pcapng
took=$(tshark -r t.pcapng -T fields -e icmp.type -e frame.time_epoch 2>/dev/null |
	awk '$1 == 8 { sub(/.*\./, "", $2); sent = $2 } $1 == 0 && sent { sub(/.*\./, "", $2); print ($2 - sent + 1e9) % 1e9 }' | sort -u)
assert_eq 10015680 "$took" "the time from a request to its answer, in nanoseconds"
