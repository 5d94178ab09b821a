#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow, plain
# Who has nothing to do in a lab that was taken back is not started, and nothing shows that: what happens then is
# what happens in a lab where all were there. Snapshots write those alone that have moved.
. "${0%/*}/lib.sh"
. "${0%/*}/asked.inc"

lab_up - --clock virtual --record run --back-every 4s <<'END'
s = alloc(switch)
a = alloc(host) b = alloc(host)
c = alloc(host, disk_size = 8M)
link(s, a, delay = 1ms) link(s, b, delay = 1ms) link(s, c, delay = 1ms)
for i in 1..12 { h[i] = alloc(host) link(s, h[i], delay = 1ms) }
END
must vbet clock pause
save_or_skip ./probe
started() { status_of '.nodes[] | select(.asleep == false and .pid > 0) | .name' | sort | tr '\n' ' '; }
# Until routers have been asked for the last time: a minute and more in which hosts have nothing to do.
must vbet exec --step a -- sh -c 'nohup sh -c "while :; do date +%s.%N; sleep 0.25; done >/tmp/dates" >/dev/null 2>&1 &'
must vbet clock until 80s

shared() { find "$RUN/t/back" -name '*.guest' -links +1 2>/dev/null | grep -q .; }
# go_back: until hosts that had nothing to do share their files of several snapshots; then back behind the newest.
go_back() {
	must vbet clock pace 4
	must vbet clock run
	wait_until 120 shared
	must vbet clock pause
	# It may stand where the newest one is.
	must vbet clock step 5ms
	newest=$(ls "$RUN/t/back" | sed -n '/^[0-9.]*$/p' | sort -n | tail -n 1)
	must vbet replay t --until "$(awk "BEGIN { printf \"%.9f\", $newest + 0.001 }")s"
	out_has 'stands at'
	must vbet status
	out_has '^h.*ready, asleep until something happens to it'
}
look() { # NAME TO
	local running=()
	asked "$1.1" h3 'cat /proc/uptime /proc/net/snmp /proc/interrupts; ip -s link'
	asked "$1.2" a 'tail -n 20 /tmp/dates; sleep 1; ping -c 3 -i 0.3 h3; ping -c 3 -i 0.3 h11; ip neigh'
	asked "$1.3" h11 'sleep 4; cat /proc/uptime /proc/net/snmp /proc/interrupts; ip -s link'
	must vbet clock until "$2"
	wait "${running[@]}"
	status_of '.cables, .nodes[].nics' >"$1.4"
	[ -s "$1.1" ] && grep -q ' 0% packet loss' "$1.2" && [ -s "$1.3" ] || fail "nothing was seen"
}
go_back
at=$(vbet clock | sed -n 's/^\([0-9.]*\) s.*/\1/p')
to=$(awk "BEGIN { print int($at) + 8 }")s
look away "$to"
must vbet down
must vbet replay run -n t --until "${at}s" --back-every 4s
[ "$(started | wc -w)" -eq 15 ] || fail "started: $(started)"
look there "$to"
for i in 1 2 3 4; do
	diff "away.$i" "there.$i" >&2 || fail "$i is not as in the whole run"
done

# One that is asked is there; others are not.
go_back
started >before
[ "$(wc -w <before)" -le 8 ] || fail "started: $(cat before)"
running=()
asked said.c c 'echo word >/root/word; cat /root/word'
must vbet clock step 10ms
wait "${running[@]}"
grep -qx word said.c || fail "c said $(cat said.c)"
started >after
grep -q 'c ' after || fail "started: $(cat after)"
[ "$(wc -w <after)" -lt 15 ] || fail "started: $(cat after)"
# It is saved as it is, those that sleep included, and comes back.
must vbet save ./some
must vbet restore ./some -n u
must vbet status -n u
out_has 'asleep until something'
must vbet clock -n u step 1s
must vbet exec -n u --step c -- cat /root/word
out_has word
must vbet exec -n u --step a -- sh -c 'tail -n 1 /tmp/dates; ping -c 2 -i 0.2 h7'
out_has '2 packets transmitted, 2 received'
must vbet down -n u
# What changes the lab finds all of them.
must vbet stop h9
must vbet status
out_has_not 'asleep'
must vbet clock step 2s
must vbet status
out_has '^h9 .*down'
must vbet clock run
must vbet start h9
must vbet exec a -- sh -c 'ping -c 2 -i 0.2 h9; ping -c 2 -i 0.2 c'
out_has_not ' 0 received'
must vbet down
nothing_left || fail "something is left"
