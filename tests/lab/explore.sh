#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: alone, plain
# vbet explore: what breaks is found, each in a fork from the same moment, and can be repeated.
. "${0%/*}/lib.sh"

cat >t.vbet <<'END'
r = ring(3, router, delay = 1ms)
h1 = attach(alloc(host), alloc(NIC, address = 10.1.0.2/24)) h2 = attach(alloc(host), alloc(NIC, address = 10.2.0.2/24))
link(h1, r[1], delay = 1ms) link(h2, r[2], delay = 1ms)
address(NIC(r[1], 3), 10.1.0.1/24) address(NIC(r[2], 3), 10.2.0.1/24)
default_route(h1, 10.1.0.1) default_route(h2, 10.2.0.1)
for i in 1..3 { config(r[i], ospfd, "router ospf\n network 10.0.0.0/8 area 0\n") }
at 5s exec(h1, "echo early >/tmp/done")
at 60s exec(h1, "echo late >>/tmp/done")
END

# Its mistakes are found before anything boots.
must_fail vbet explore t.vbet --each 'cut(LINKS)'
out_has "unknown name 'LINKS'"
must_fail vbet explore t.vbet --each 'kill(SWITCH)'
out_has 'SWITCH stands for nothing: the lab has no switch'
must_fail vbet explore t.vbet --expect 'pingg(h1, h2)'
out_has 'unknown check'
must_fail vbet explore t.vbet --from soon
out_has "not 'soon'"
must_fail vbet explore t.vbet --only nothing
out_has 'nothing that would be done'
out_has_not ready

# A ring survives any of its links; who hangs by one link does not. The script's events until then are done, and no others.
OUT=$(vbet explore t.vbet --from 58s --expect 'exec(h1, "cat /tmp/done") matches /^early$/' --keep kept 2>err) && fail "nothing broke: $OUT"
out_has '^cut\(h1, r1\) .* 4 pairs are lost: h1 and h2, h1 and r1, h1 and r2, h1 and r3'
out_has '^cut\(h2, r2\) .* pairs are lost'
[ "$(grep -cE '^cut\(r[123], r[123]\) +0\.[0-9]{3} s  held$' <<<"$OUT")" = 3 ] || fail "a ring broke: $OUT"
out_has '^again: vbet replay .*/kept/4'
out_has '^5 tried: 3 held, 2 broke'
[ "$(head -n2 <<<"$OUT" | tail -n1 | cut -c1-5)" = 'cut(h' ] || fail "the worst is not first: $OUT"
[ -z "$(lab_pids)" ] || fail "processes are left: $(lab_pids | xargs ps -o pid,args -p)"
must vbet ls
out_has_not t

# What was kept is repeated from the boot on, and ends as the fork did.
must grep 'cut(h1, r1): broke' kept/4/report
must vbet replay -q kept/4
must vbet status
out_has 'cut'
must_fail vbet exec --step h1 -- ping -c1 -W1 10.0.0.1
must vbet down

# As a program reads it: pairs, and only one of them.
OUT=$(vbet explore t.vbet -q --from 58s --pairs --only 'cut(r1, r2) + cut(r2, r3)' --json) && fail "two cuts do not part r2"
must_json() { python3 -c "$1" <<<"$OUT" || fail "not so: $1 in $OUT"; }
must_json '
import json, sys
case, summary = [json.loads(line) for line in sys.stdin]
assert case["done"] == "cut(r1, r2) + cut(r2, r3)" and case["outcome"] == "broke" and case["settled_ns"] > 0, case
assert "pairs are lost: " in case["broke"][0] and summary["cases"] == 1 and summary["status"] == 1, summary'

# One that ends with Ctrl-C leaves nothing; of one that is killed 'vbet clean' removes what is left.
begin() {
	vbet explore t.vbet -q --from 58s --each 'exec(NODE, "sleep 1000")' --rest 1000s --within 5000s >interrupted 2>&1 &
	pid=$!
	dir=/dev/shm/vbet-$(id -u)-t.$pid
	until [ -n "$(find "$dir"/[0-9]*/vbet/t/control 2>/dev/null)" ]; do
		kill -0 "$pid" 2>/dev/null || fail "it ended: $(cat interrupted)"
		sleep 0.1
	done
}
begin
kill -TERM "$pid"
wait "$pid" && fail "it ended well"
grep -q 'skipped' interrupted || fail "it says nothing of what was not tried: $(cat interrupted)"
[ -z "$(lab_pids)" ] || fail "processes are left"
[ ! -e "$dir" ] || fail "its directory is left"
begin
kill -KILL "$pid"
wait "$pid"
until [ -z "$(lab_pids)" ]; do sleep 0.1; done # they go down by themselves
must vbet clean
out_has "cleaned what 1 killed 'vbet explore' left"
[ ! -e "$dir" ] || fail "its directory is left"

# A moment that is over is come to again, beside the lab that goes on.
must vbet up -q --clock virtual t.vbet
must vbet clock until 20s
must vbet fork t@10s -n early
must vbet clock -n early
out_has '^10\.0* s'
must vbet clock -n t
out_has '^20\.0* s'
must_fail vbet fork t@30s -n late
out_has 'no further'
