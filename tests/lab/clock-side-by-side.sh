#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# Guests that run side by side, as far as their cables are long, make the same run as guests that run one at a
# time: captures of all cables, consoles, the record and what was found, byte by byte, and the digests of all
# frames at every NIC and port.
. "${0%/*}/lib.sh"

cp -r "$EXAMPLES" labs && cd labs || exit 1
# All talk to all, at once and for long: TCP, names, and cables that lose, delay and reorder.
cat >crowd.vbet <<'END'
clock = virtual
for i in 1..4 { h[i] = alloc(host) }
link(alloc(switch), h[1], h[2], h[3], h[4], delay = 3ms, jitter = 2ms, loss = 1%, rate = 20Mbit)
END
cat >crowd-test.vbet <<'END'
include "crowd.vbet"
at 1s exec(h[1], "iperf3 -s -D; ping -n -c100 -i 0.05 h2")
at 1s exec(h[2], "ping -n -c100 -i 0.05 h3")
at 1s exec(h[3], "ping -n -c100 -i 0.05 h4; head -c 8 /dev/urandom | od -An -tx1 >/dev/console")
at 2s exec(h[4], "iperf3 -c h1 -n 200K >/dev/console")
expect at 8s ping(h[1], h[4])
expect at 9s not ping(h[1], 10.9.9.9)
END
# Its daemons up to the first convergence, and after a cut.
sed '/^\(at\|expect\) /d' ospf-reroute.vbet >ospf.vbet
cat >ospf-test.vbet <<'END'
include "ospf.vbet"
expect at 60s ping(h1, h2)
at 61s cut(r[1], r[2])
expect at 65s ping(h2, h1)
END
cat >hello-test.vbet <<'END'
include "hello.vbet"
at 2s exec(host1, "ping -c5 -i 0.3 host2 & ping -c5 -i 0.4 host3")
expect at 3s ping(host2, host3)
END

for lab in crowd ospf hello; do
	must vbet test -q --clock virtual --seed 5 --keep "$lab.one" --guests-at-once 1 "$lab-test.vbet"
	must vbet test -q --clock virtual --seed 5 --keep "$lab.many" "$lab-test.vbet"
	out_has_not '^FAIL'
	diff -rq "$lab.one" "$lab.many" >&2 || {
		vbet diff "$lab.one" "$lab.many" >&2
		fail "$lab: guests one at a time make another run than guests side by side"
	}
	say "$lab: the same, $(cat "$lab.one"/cables/* | wc -c) bytes of captures"
done

# What the substrate saw: digests, and how many guests ran at the same time.
look() { # FILE [OPTION...]
	local out=$1
	shift
	must vbet up -q --clock virtual --seed 5 "$@" crowd.vbet
	must vbet clock pause
	must vbet clock pace max
	must vbet clock until 20s
	vbet status --json >"$out" || fail "no status"
	must vbet down
}
digests() { jq -c '[.substrate.now_ns, (.substrate.objects | map_values(.digest))]' "$1"; }
at_once() { jq .substrate.most_at_once "$1"; }
look one --guests-at-once 1
look many
assert_eq "$(digests one)" "$(digests many)" "digests"
assert_eq 1 "$(at_once one)" "guests that ran at once"
[ "$(at_once many)" -gt 1 ] || fail "they did not run side by side"

must_status 2 vbet up --clock real --guests-at-once 1 hello.vbet
out_has 'virtual clock'
must_status 2 vbet up --clock virtual --guests-at-once 0 hello.vbet
out_has 'from 1 to'
nothing_left || fail "something is left"
