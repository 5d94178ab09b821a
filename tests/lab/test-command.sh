#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# vbet test: what a script says of times is done and tried, in both clocks; in virtual time twice the same
# to the last byte.
. "${0%/*}/lib.sh"

cat >net.inc <<'END'
h1 = alloc(host) h2 = alloc(host)
r1 = attach(alloc(router), alloc(NIC), alloc(NIC))
c1 = link(h1, NIC(r1, 1), delay = 5ms) c2 = link(h2, NIC(r1, 2))
default_route(h1, 10.0.0.2) default_route(h2, 10.0.1.2)
END

cat >good.vbet <<'END'
include "net.inc"
at 3s cut(h1, r1)
at 5s mend(c1)
at 7s impair(h2, r1, loss = 100%)
at 9s impair(h2, r1, loss = 0%)
at 9s exec(h1, "echo hello >/root/file")
at 9500ms kill(r1)
expect ping(h1, h2)
expect within 4s of 3s not ping(h1, h2)
expect within 4s of 5s ping(h1, h2)
expect at 8s not ping(h2, 10.0.0.1)
expect within 3s of 9s exec(h1, "grep hello /root/file")
expect at 2s route(h1, default, 10.0.0.2)
expect at 2s not route(h1, default, 10.0.0.3)
expect at 11s not exec(r1, "true")
END
for clock in virtual real; do
	must vbet test -q good.vbet --clock $clock
	assert_eq 8 "$(grep -c '^PASS good.vbet:' <<<"$OUT")" "expectations that held"
	out_has '^8 expectations: 8 held, 0 did not'
	nothing_left || fail "something is left"
done

# Exactly at the times of the script, and the same twice.
must vbet test -q good.vbet --clock virtual --keep one
out_has '^PASS good.vbet:9 .*: held at 3\.000 s$'
out_has '^PASS good.vbet:11 .*: held at 8\.000 s$'
must vbet test -q good.vbet --clock virtual --keep two
diff -r one two >&2 || fail "the same script, and another run"
[ -s one/manifest ] && [ -e one/nodes/h1.log ] && [ -s one/cables/c1.pcapng ] || fail "$(find one)"
must vbet diff one two
must vbet test -q good.vbet --clock virtual --seed 7 --keep three
must_status 1 vbet diff one three
must_fail vbet test -q good.vbet --clock virtual --keep one # there is something in it
out_has 'empty'

# What does not hold is said, with its place.
cat >bad.vbet <<'END'
include "net.inc"
at 2s stop(r1)
at 4s stop(r1)
expect at 1s ping(h1, h2)
expect within 2s of 3s ping(h1, h2)
END
must_status 1 vbet test -q bad.vbet --clock virtual
out_has '^PASS bad.vbet:4 '
out_has '^FAIL bad.vbet:5 .* did not hold, last tried at 4\.[0-9]* s: .*100% packet loss'
out_has '^FAIL bad.vbet:3 at 4s stop\(r1\): not done at 4\.000 s: r1 is down'
out_has '^2 expectations: 1 held, 1 did not; 1 event not done'

echo 'h = alloc(host)' >none.vbet
must vbet test none.vbet
out_has 'expects nothing but that its lab comes up'
out_has '^0 expectations'
must_status 2 vbet test bad.vbet --clock lunar
nothing_left || fail "something is left"

# A node that is off for a while, and one that loses its power: exact, too.
cat >power.vbet <<'END'
clock = virtual
a = alloc(host) b = alloc(host)
link(a, b)
at 3s stop(b) at 8s start(b)
at 20s kill(a) at 22s start(a)
expect at 6s not ping(a, b)
expect within 10s of 8s ping(a, b)
expect within 10s of 22s ping(b, a)
END
for run in up1 up2; do
	must vbet test -q power.vbet --keep $run
	out_has '^3 expectations: 3 held'
done
must vbet diff up1 up2
nothing_left || fail "something is left"

# A check's command may take longer than any bound that the program has: it is set, and said when it strikes.
cat >long.vbet <<'END'
clock = virtual
a = alloc(host)
link(a, alloc(host))
expect at 2s exec(a, "sleep 11")
expect at 2s exec(a, "echo begun; sleep 11", timeout = 5s)
expect within 20s of 3s exec(a, "echo x >>/tried; test $(wc -l </tried) -ge 4", every = 3s)
at 2s exec(a, "sleep 4; touch /late", timeout = 2s)
expect at 30s not exec(a, "test -e /late")
END
must_status 1 vbet test -q long.vbet --keep deep/in/long
out_has '^PASS long.vbet:4 '
out_has '^FAIL long.vbet:5 .*timeout = 5s\): did not hold'
out_has 'ended after its timeout of 5 s'
out_has '^    \| begun$'
out_has '^NOTE long.vbet:7 at 2s exec\(a, .*timeout = 2s\): it ended with exit status 255'
[ -s deep/in/long/report ] || fail "--keep made no directory"
out_has '^PASS long.vbet:6 .* held at 12\.000 s'
out_has '^PASS long.vbet:8 '
