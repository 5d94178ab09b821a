#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# vbet expect, vbet check-lab and vbet wait CHECK: expectations of a lab that is up, in both clocks; names, points and hints of
# expectations; what commands print; and what must stay true.
. "${0%/*}/lib.sh"

cat >base.vbet <<'END'
lab = "two"
h1 = alloc(host) h2 = alloc(host)
link(h1, h2, delay = 1ms)
END
{
	cat base.vbet
	cat <<'END'
at 1ms cut(h1, h2)
expect "they talk", points = 2: ping(h1, h2) stays 1s
expect "routes", points = 3, hint = "look at eth0": exec(h1, "ip -j route") json("0.dst") == "10.0.0.0/24"
expect "subset": exec(h1, "ip -j route") contains [{dev = "eth0", protocol = "kernel"}]
expect "a pattern": at 20s exec(h1, "echo a/b; echo c >&2") matches /^a\/b$/
END
} >good.vbet
{
	cat base.vbet
	cat <<'END'
expect "no such route", points = 4, hint = "look at ${name(h1)}": exec(h1, "ip -j route") json("0.dst") != "10.0.0.0/24"
expect "they talk", points = 1: ping(h1, h2)
expect "errors are no answer": exec(h1, "echo c >&2") matches /c/
END
} >bad.vbet

for clock in real virtual; do
	lab_up base.vbet --clock "$clock"
	must vbet expect two 'ping(h1, h2)'
	out_has '^held a'
	must vbet expect 'not exec(h1, "false") stays 500ms'
	must_status 1 vbet expect -n two 'exec(h1, "echo 5") json("") > 7' --within 300ms
	out_has 'it did not hold until .* s: 5$'
	must_status 1 vbet expect 'within 300ms exec(h1, "false")'
	out_has 'exit status 1'
	must_status 2 vbet expect 'pong(h1)'
	out_has "unknown check 'pong'"
	must_status 2 vbet expect ../two 'ping(h1, h2)'
	must_status 2 vbet expect two2 'ping(h1, h2)'
	must vbet wait 'ping(h2, h1)'
	must_status 4 vbet wait -t 300ms 'not ping(h2, h1)'

	# Its events stay undone, and it is tried at once.
	must vbet check-lab good.vbet
	out_has '^PASS good.vbet:5 they talk \(2 points\): expect ping\(h1, h2\) stays 1s: held at '
	out_has '^PASS .*:8 a pattern: expect exec'
	out_has '^4 expectations: 4 held, 0 did not; 5 of 5 points; '
	must_status 1 vbet check-lab -n two bad.vbet
	out_has '^FAIL bad.vbet:4 no such route \(4 points\): .* "10\.0\.0\.0/24"$'
	out_has '^    hint: look at h1$'
	out_has 'expected: 0\.dst != "10\.0\.0\.0/24"; seen: "10\.0\.0\.0/24"'
	out_has 'expected: matches "c"; seen: nothing was printed'
	out_has '; 1 of 5 points; '
	must_status 2 vbet check-lab base.vbet
	out_has 'expects nothing'

	# A clock that ran goes on.
	if [ $clock = virtual ]; then
		must vbet clock
		out_has_not paused
		must vbet clock pause
		must vbet expect 'ping(h1, h2)'
		must vbet clock
		out_has paused
	fi
	must vbet down
done

# The same of a test, in every format.
must_status 1 vbet test -q --clock virtual bad.vbet --junit out.xml --tap=out.tap --json=out.json
for f in out.xml out.tap out.json; do
	grep -q 'no such route' $f || fail "$f does not say what it is called"
	grep -q 'look at h1' $f || fail "$f has no hint"
done
grep -q '"points":1,"points_of":5' out.json || fail "no sum of points: $(cat out.json)"
