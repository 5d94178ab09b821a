#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Levels of expectations: what does not have to hold fails no test, and is told in every output; --level selects. JUnit's cases
# stand in the order of the script, whatever was decided first.
. "${0%/*}/lib.sh"

mkdir labs
cat >labs/a.vbet <<'END'
clock = virtual
a = alloc(host) b = alloc(host)
link(a, b, delay = 5ms)
expect "late", points = 1: at 5s ping(a, b)
expect "quick", level = warning, hint = "how long is the cable?": at 4s rtt(a, b) < 1ms
expect "file", level = bonus, points = 2: at 3s exec(a, "test -e /tmp/absent")
expect "more", level = bonus, points = 4: at 2s ping(a, b)
expect at 1500ms ping(a, b)
END

must vbet test -q labs/a.vbet
out_has '^WARN labs/a\.vbet:5 quick \(warning\): expect at 4s rtt\(a, b\) < 1ms: did not hold'
out_has '^    hint: how long is the cable\?$'
out_has '^MISS labs/a\.vbet:6 file \(bonus, 2 points\): '
out_has '^PASS labs/a\.vbet:7 more \(bonus, 4 points\): '
out_has '^5 expectations: 3 held, 0 did not, 2 did not have to; 5 of 1 points; '

must vbet test labs --junit out.xml --tap=out.tap --json=out.json --artifacts art
out_has '^PASS labs/a\.vbet: 3 of 5 expectations held, 5 of 1 point, 2 did not have to, '
out_has '^    labs/a\.vbet:5 quick \(warning\): '
[ ! -e art/labs_a ] || fail "what passed is kept"
assert_eq 2 "$(grep -cE 'not ok .* # TODO (warning|bonus)$' out.tap)" "tests of TAP that may fail"
grep -q '^ok 1 - labs/a.vbet$' out.tap || fail "$(cat out.tap)"
grep -q '"level":"warning","number":2,' out.json || fail "$(cat out.json)"
grep -q '"held":3,"missed":0,"excused":2,' out.json || fail "$(cat out.json)"
assert_eq "late quick file more at" "$(grep -oE 'name="labs/a.vbet:[0-9]+ (expect )?[a-z]+' out.xml | awk '{print $NF}' | xargs)" \
	"cases in the order of the script"
grep -q 'failures="0" errors="0" skipped="2"' out.xml || fail "$(cat out.xml)"

must vbet test -q --level required,bonus labs/a.vbet
out_has '^4 expectations: 3 held, 0 did not, 1 did not have to; '
must vbet test labs --level warning
out_has '^PASS labs/a\.vbet: 0 of 1 expectation held, 1 did not have to, '
must_status 2 vbet test labs --level nice
out_has "there is no level 'nice': there is required, warning, bonus"

must vbet up -q labs/a.vbet
must vbet check-lab labs/a.vbet --level bonus
out_has '^2 expectations: 1 held, 0 did not, 1 did not have to; '
must vbet down
