#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Two nodes whose start fails: both are named. With --keep-going the lab is ready without them, and what may
# fail by the script never keeps it from that; both are said. What the rest of the lab does is as ever.
. "${0%/*}/lib.sh"

cat >two.vbet <<'END'
a = alloc(host) b = alloc(host) c = alloc(host)
s = alloc(switch)
link(s, a) link(s, b) link(s, c)
exec(a, "cat /no/such/file")
exec(b, "false")
exec(b, "echo still >/root/then")
expect at 1s ping(a, c)
END
for clock in real virtual; do
	must_status 3 vbet up two.vbet --clock $clock
	out_has '^vbet: [ab]: run failed: '
	out_has 'a: run failed: cat /no/such/file: '
	out_has 'b: run failed: false: '
	out_has_not 'c: run failed'
	nothing_left || fail "something is left"

	must vbet up two.vbet --keep-going --quiet --clock $clock
	out_has '^vbet: warning: a: run failed: cat /no/such/file: status 1'
	out_has '^vbet: warning: b: run failed: false: status 1'
	out_has_not 'warning: c'
	must vbet status
	out_has '^  problem: run failed: cat /no/such/file: status 1'
	assert_eq 'run failed: false: status 1 false' \
		"$(status_of '.nodes[] | select(.name == "b") | .problems[] | "\(.what) \(.may_fail)"')" "what failed in b"
	assert_eq 0 "$(status_of '.nodes[] | select(.name == "c") | .problems | length')" "what failed in c"
	must vbet ping a c
	assert_eq still "$(in_node b 'cat /root/then')" "what comes after a command that failed"
	must vbet down
	nothing_left || fail "something is left"

	must vbet test two.vbet --keep-going --clock $clock
	out_has '^PASS'
	out_has '^vbet: warning: b: run failed'
done

# A hang, and a kernel that is none: those that are up stay, and can be looked into.
sed 's/"false"/"sleep 1000"/' two.vbet >hang.vbet
must vbet up hang.vbet --keep-going -t 8s
out_has '^vbet: warning: b: not ready after 8 s'
out_has '^vbet: warning: a: run failed'
in_node b true || fail "nobody can look into the node that hangs"
must vbet ping a c
must vbet status
out_has '^  problem: not ready after 8 s'
# That of its last boot is no longer of interest; what fails in the next one is.
must_status 3 vbet restart a
out_has 'cat /no/such/file'
assert_eq 1 "$(status_of '.nodes[] | select(.name == "a") | .problems | length')" "what failed in a, restarted"
must vbet stop a
assert_eq 0 "$(status_of '.nodes[] | select(.name == "a") | .problems | length')" "what failed in a, stopped"
must vbet down

cat >may.vbet <<'END'
r = attach(alloc(router), alloc(NIC))
h = attach(alloc(host), alloc(NIC))
link(r, h)
config(r, ospfd, "router ospf\n frobnicate everything\n", may_fail = on)
exec(h, "false", may_fail = on)
exec(h, "touch /root/then")
END
must vbet up may.vbet
out_has '^vbet: warning: r: ospfd failed: .*\(it may fail\)'
out_has '^vbet: warning: h: run failed: false: .*\(it may fail\)'
must vbet status
out_has '^  problem: run failed: false: .*\(it may fail\)'
in_node h 'test -e /root/then' || fail "the command after one that may fail was not run"
must vbet down
nothing_left || fail "something is left"
# Nothing else may.
echo 'exec(r, "exit 7")' >>may.vbet
must_status 3 vbet up may.vbet
out_has '^vbet: r: run failed: exit 7: status 7'
nothing_left || fail "something is left"
