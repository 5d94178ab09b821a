#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# vbet test of several labs: side by side, one that passes, one that fails, one that breaks and one that hangs; what
# is written of them; and whoever kills the runner leaves no lab behind.
. "${0%/*}/lib.sh"

mkdir -p labs/.hidden
cat >labs/pass.vbet <<'END'
lab = "same" clock = virtual
a = alloc(host) b = alloc(host)
link(a, b)
expect at 2s ping(a, b)
END
cat >labs/fail.vbet <<'END'
lab = "same" clock = virtual
a = alloc(host) b = alloc(host)
c = link(a, b)
at 4s cut(a, b)
expect at 2s ping(a, b)
expect at 6s ping(a, b)
expect at 7s exec(a, "printf '<&\"#\\033[31m\\377'; false")
END
cat >labs/broken.vbet <<'END'
a = alloc(host) o = alloc(outside, where = host)
link(a, o)
expect at 1s ping(a, a)
END
cat >labs/hang.vbet <<'END'
a = alloc(host) b = alloc(host)
link(a, b)
expect at 1h ping(a, b)
END
echo 'a = alloc(host)' >labs/silent.vbet
cp labs/hang.vbet labs/.hidden/

# What would be run.
must vbet test --list labs
assert_eq 4 "$(grep -c . <<<"$OUT")" "scripts"
out_has '^labs/pass\.vbet: lab same, virtual clock, 2 nodes, 1 expectation$'
must vbet test --list labs --filter 'pass,hang,!h*g'
assert_eq 'labs/pass.vbet: lab same, virtual clock, 2 nodes, 1 expectation' "$OUT"
must_status 2 vbet test labs --filter nothing
out_has 'expects anything'
must_status 2 vbet test labs --json --tap
must_status 2 vbet test labs --keep kept
must_status 2 vbet test labs -j 0
must_status 2 vbet test labs absent

# All at once. What hangs is ended, what breaks is told from what fails.
must_status 4 vbet test -j2 --limit 8s labs --junit out.xml --tap=out.tap --json=out.json --artifacts art
nothing_left || fail "something is left"
out_has '^PASS labs/pass\.vbet: 1 of 1 expectation held'
out_has '^FAIL labs/fail\.vbet: 1 of 3 expectations held'
out_has 'labs/fail\.vbet:6 expect at 6s ping\(a, b\): did not hold'
out_has '^BROKEN labs/broken\.vbet: 0 of 1 expectation held'
out_has '^LATE labs/hang\.vbet: '
out_has '^4 runs: 1 passed, 1 failed, 1 broken, 1 late; 2 expectations held, 2 did not;'
out_has 'again: vbet replay art/labs_fail --until 5\.000000000s'

python3 - <<'END' || fail "what was written is not right"
import json, re
import xml.etree.ElementTree as xml

root = xml.parse("out.xml").getroot()
suites = {s.get("name"): s for s in root}
assert sorted(suites) == ["labs/broken.vbet", "labs/fail.vbet", "labs/hang.vbet", "labs/pass.vbet"], suites
assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("8", "2", "2"), root.attrib
assert len(suites["labs/pass.vbet"].findall("testcase")) == 2
failures = suites["labs/fail.vbet"].findall("testcase/failure")
assert len(failures) == 2 and "expected: an answer" in failures[0].text, failures
assert '<&"#\\x1b[31m\\xff' in failures[1].text, failures[1].text
assert suites["labs/broken.vbet"].find("testcase/error").get("type") == "broken"
assert suites["labs/hang.vbet"].find("testcase/error").get("type") == "late"

events = [json.loads(line) for line in open("out.json")]
assert events[0] == {"event": "begin", "version": 1, "runs": 4, "side_by_side": 2}, events[0]
ends = {e["outcome"]: e for e in events if e["event"] == "end"}
assert sorted(ends) == ["broken", "failed", "late", "passed"], ends
assert ends["failed"]["archive"] == "art/labs_fail" and ends["failed"]["status"] == 1
assert ends["broken"]["status"] == 3 and ends["broken"]["trouble"], ends["broken"]
checks = [e for e in events if e["event"] == "check" and e["run"] == ends["failed"]["run"]]
assert [c["line"] for c in checks] == [5, 6, 7] and [c["held"] for c in checks] == [True, False, False], checks
assert [c["time_ns"] for c in checks] == [2000000000, 6000000000, 7000000000], checks
assert events[-1]["event"] == "summary" and events[-1]["status"] == 4 and events[-1]["runs"] == 4

tap = open("out.tap").read().splitlines()
assert tap[0] == "TAP version 14" and tap[-1] == "1..4", tap
top = [t for t in tap if re.match(r"(not )?ok ", t)]
assert sorted(re.sub(r"ok \d", "ok", t) for t in top) == [
    "not ok - labs/broken.vbet", "not ok - labs/fail.vbet", "not ok - labs/hang.vbet", "ok - labs/pass.vbet"], top
END

# What is left of those that did not pass, and of no others; in virtual time the same twice.
[ ! -e art/labs_pass ] || fail "what passed is kept"
[ -s art/labs_fail/cables/c.pcapng ] && [ -e art/labs_fail/nodes/a.log ] && [ -s art/labs_fail/report ] ||
	fail "$(find art)"
[ -e art/labs_hang/nodes/a.log ] || fail "no console of what hung: $(find art)"
for want in '^    inet 10\.0\.0\.1/24' '^10\.0\.0\.0/24 dev eth0' '^== neighbours$' '^== nftables$'; do
	grep -qE "$want" art/labs_fail/nodes/a.tables || fail "no $want in $(cat art/labs_fail/nodes/a.tables)"
done
must_status 1 vbet test labs --filter fail --artifacts art2
diff -r art/labs_fail art2/labs_fail >&2 || fail "the same run, and something else is left of it"
must_status 2 vbet test labs --artifacts art # it is not empty

# The command that repeats it does so.
read -ra again <art/labs_fail/again
(cd art/labs_fail && must "${again[@]}") || exit 1
must vbet clock
out_has '^5\.000000000 s'
must vbet down

# A console where it failed: the clock stands there, and what comes later is not waited for.
must_status 2 vbet test --console-on-fail labs
sed 's/at 7s exec/at 1min exec/' labs/fail.vbet >late.vbet
OUT=$(vbet test -q --console-on-fail late.vbet 2>&1 <<<clock)
assert_eq 1 $? "status of a test with a console"
out_has '^7\.250000000 s, .*paused'
out_has '^3 expectations: 1 held, 1 did not, 1 not tried to their end; until 7\.'
nothing_left || fail "something is left"

# Again and again: with other seeds, until it fails.
must_status 1 vbet test --repeat 3 --seed 7 -j2 --json labs/fail.vbet
assert_eq 3 "$(grep -c '"event":"end"' <<<"$OUT")" "runs"
for seed in 7 8 9; do out_has "\"event\":\"start\".*\"seed\":$seed,"; done
must_status 1 vbet test --until-fail -j1 labs/pass.vbet labs/fail.vbet labs/pass.vbet
out_has '^3 runs: |^2 runs: '
out_has '1 failed'

# However the runner ends, its labs do. (A lab that boots, and one that runs.)
for sig in INT TERM KILL; do
	for when in start check; do
		vbet test -j2 labs/hang.vbet labs/pass.vbet --repeat 2 --json=events --limit 1h >/dev/null 2>&1 &
		runner=$!
		wait_until 20 grep -q "\"event\":\"$when\"" events
		kill -$sig $runner
		wait $runner
		status=$?
		case $sig in
		TERM) assert_eq 143 $status status ;;
		KILL) assert_eq 137 $status status ;;
		esac
		wait_until 10 nothing_left
		[ $sig = KILL ] || [ -z "$(ls -d "$XDG_RUNTIME_DIR"/vbet-t.* 2>/dev/null)" ] || fail "a directory is left"
		rm events
	done
done
must vbet clean
[ -z "$(ls -d "$XDG_RUNTIME_DIR"/vbet-t.* 2>/dev/null)" ] || fail "clean left $(ls "$XDG_RUNTIME_DIR")"
