#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# In virtual time the same script with the same seed is the same run, to the last digit; with another seed
# it is another one.
. "${0%/*}/lib.sh"

cc -O1 -o look "$ROOT/tests/lab/look.c" || skip "no compiler"
base64 look >look.txt
cat >random.vbet <<'END'
clock = virtual
a = alloc(host) b = alloc(host) c = alloc(host)
link(alloc(switch), a, b, c, delay = 5ms, jitter = 2ms, loss = 10%)
write(a, "/root/look.txt", file("look.txt"))
exec(a, "ping -n -c20 -i 0.1 b >/root/out; date +%s.%N >>/root/out; base64 -d /root/look.txt >/root/look; chmod 755 /root/look; /root/look >>/root/out")
exec(c, "ping -n -c20 -i 0.07 b >/root/out; head -c 8 /dev/urandom | od -An -tx1 >>/root/out")
END
# run FILE [OPTION...]: what was seen, into the file.
run() {
	local out=$1
	shift
	must vbet up --timeout 100s random.vbet "$@"
	{
		vbet exec a -- cat /root/out
		vbet exec c -- cat /root/out
	} </dev/null >"$out"
	# Where the time stamp counter is the machine's, which is said, it need not repeat.
	grep -q '^tsc [0-9]' "$out" || fail "nothing was seen of the time stamp counter: $(cat "$out")"
	! grep -qx 'tsc host' "$RUN/random/manifest" || sed -i '/^tsc [0-9]/d' "$out"
	must vbet down
}
run one --seed 1
run two --seed 1
diff one two >&2 || fail "the same seed, and another run"
grep -q 'packet loss' one || fail "nothing was seen: $(cat one)"
run three --seed 2
! cmp -s one three || fail "another seed, and the same run"

# How long virtual links that never come up are waited for is said by the lab's clock.
cat >dead.vbet <<'END2'
clock = virtual
s1 = alloc(substrate) s2 = alloc(substrate)
slink(s1, s2, rate = 10Mbit, loss = 100%)
red = vnet()
r1 = alloc(host, vnet = red, on = s1)
r2 = alloc(host, vnet = red, on = s2)
vlink(r1, r2)
END2
must vbet up dead.vbet
out_has 'the virtual link .* is down: .* was not heard yet'
out_has 'ready after .*, at 6\.00 s of the lab.s clock'
must vbet down
