#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# A substrate node that is stopped carries nothing, and what others held for its virtual links is theirs to
# use; started again it is what the script and later words made of it: links, numbers, minima, policy. In
# virtual time, by the script and by hand, and each run is the same.
. "${0%/*}/lib.sh"

cat >power.vbet <<'END'
s = line(3, substrate, rate = 4Mbit, delay = 1ms)
red = vnet() blue = vnet()
r1 = alloc(host, vnet = red, on = s[1])
r2 = alloc(host, vnet = red, on = s[3])
b1 = alloc(host, vnet = blue, on = s[1])
b2 = alloc(host, vnet = blue, on = s[2])
v = vlink(r1, r2, min = 2400kbit)
w = vlink(b1, b2, min = 200kbit, max = 3600kbit)
# Either sends more than the wire carries.
flood = "while :; do iperf -c 10.0.0.2 -u -b 5M -l 1400 -t 1000; sleep 1; done >/dev/null 2>&1 &"
exec(r1, flood)
exec(b1, flood)
END

lab_up power.vbet --clock virtual
guaranteed() { # LINK: what each interface on its way has promised it
	vbet substrate | sed -n "s/^ *[0-9]* *$1 ([a-z]*) *\([^ ]*\) .*/\1/p" | xargs
}
# rate NODE: what it gets, in kbit/s, headers of the substrate included (46 octets for 1,442).
rate() {
	local count='cat /sys/class/net/eth0/statistics/rx_bytes'
	in_node "$1" "a=\$($count); sleep 2; b=\$($count); echo \$(((b - a) * 4 / 1000 * 1488 / 1442))"
}
between() { # LOW HIGH VALUE WHAT
	[ "$3" -ge "$1" ] && [ "$3" -le "$2" ] || fail "$4: $3 instead of $1 to $2"
}
both_share() { # WHEN
	assert_eq '2.400Mbit 2.400Mbit' "$(guaranteed v:ab)" "what v is promised on its two hops $1"
	between 2360 3800 "$(rate r2)" "v $1, in kbit/s"
	between 200 1640 "$(rate b2)" "w $1, in kbit/s"
}
must in_node r1 'pgrep iperf'
in_node b2 'sleep 2'
both_share 'at first'
OUT=$(printf 'set(s[3], idle = 7s)\n' | vbet console 2>&1) || fail "$OUT"

# Stopped: w has what v no longer holds.
must vbet stop s3
assert_eq down "$(node_state s3)" state
must_status 3 vbet wait s3
out_has 's3 is down'
must_status 3 vbet kill s3
must vbet ls
out_has '6 of 7 nodes ready'
must vbet substrate
out_has 'v:ab is down: .*the cable is cut'
assert_eq '' "$(guaranteed v:ab)" "what v is promised while its end is down"
must no_carrier r2 eth0
in_node b2 'sleep 3'
between 3300 3640 "$(rate b2)" "w while v is down, in kbit/s"
assert_eq 0 "$(rate r2)" "what arrives at a stopped node"
# What is said meanwhile holds when it comes back.
OUT=$(printf 'set(s[3], lower_below = 40%%)\nset(v, max = 3Mbit)\n' | vbet console 2>&1) || fail "$OUT"

must vbet start s3
must vbet wait s3
must_status 2 vbet start s3
out_has 's3 is ready'
in_node b2 'sleep 11' # they are tried again every 8 s at the latest, and who floods begins again a second later
both_share 'after the start'
must vbet substrate
out_has 'v:ab \(red\) +2[.]400Mbit .* 3[.]000Mbit'
assert_eq '7000000000 400000' "$(status_of '.substrate.objects.s3 | "\(.idle_ns) \(.lower_ppm)"')" policy

# One in the middle, at once: all that leads through it is set up anew.
must vbet restart s2
in_node b2 'sleep 11' # they are tried again every 8 s at the latest, and who floods begins again a second later
both_share 'after a restart of the node in the middle'
must vbet kill s2
in_node b2 'sleep 1'
assert_eq 0 "$(rate r2)" "what goes through a killed node"
must vbet start s2
in_node b2 'sleep 11' # they are tried again every 8 s at the latest, and who floods begins again a second later
both_share 'after a kill and a start'
must vbet down

# By the script, twice: the same frames at the same times, on all cables.
cat >events.vbet <<'END'
include "power.vbet"
sw = alloc(hub) h = alloc(host) g = alloc(host)
link(sw, h) link(sw, g)
at 3s stop(s[3]) at 5s start(s[3]) at 15s restart(s[2]) at 10s kill(sw) at 12s start(sw)
expect within 900ms of 2s seen(NIC(r2, 1), "udp") expect at 4s not ping(r1, r2) expect within 9s of 5s ping(r1, r2)
expect at 2s ping(h, g) expect at 11s not ping(h, g) expect within 3s of 12s ping(h, g)
expect within 9s of 15s ping(r1, r2)
END
for run in 1 2; do
	must vbet test events.vbet --clock virtual --seed 5 --keep run$run
	out_has_not '^FAIL'
done
diff -rq run1 run2 >&2 || fail "the second run is another one"
grep -q 'stop s3' run1/inputs || fail "$(cat run1/inputs)"
nothing_left || fail "something is left"
