#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow, plain
# A lab that keeps snapshots as it goes is taken back from one of them: what comes then is what comes in a replay
# of the whole run, whoever spoke to its nodes when the snapshot was taken.
. "${0%/*}/lib.sh"
. "${0%/*}/asked.inc"

lab_up - --clock virtual --record run --back-every 4s <<'END'
h1 = alloc(host) h2 = alloc(host)
r1 = attach(alloc(router), alloc(NIC), alloc(NIC)) r2 = attach(alloc(router), alloc(NIC), alloc(NIC))
link(h1, NIC(r1, 1), delay = 20ms, jitter = 5ms, loss = 5%) link(h2, NIC(r2, 1)) link(NIC(r1, 2), NIC(r2, 2), delay = 2ms)
default_route(h1, 10.0.0.2) default_route(h2, 10.0.1.2)
for r in [r1, r2] { config(r, ospfd, "router ospf\n network 10.0.0.0/8 area 0\n") }
END
must vbet clock pause
save_or_skip ./probe
must vbet exec --step h1 -- sh -c 'nohup sh -c "while :; do date +%s.%N; sleep 0.25; done >/tmp/dates" >/dev/null 2>&1 &'
must vbet exec --step h1 -- sh -c 'nohup ping -i 0.2 h2 >/tmp/ping 2>&1 &'
must vbet clock run
# A command and a console whose clients are there when snapshots are taken, and say something after that.
vbet exec h1 -- sh -c 'i=0; while [ $i -lt 48 ]; do echo $i; i=$((i + 1)); sleep 0.25; done; cat >/tmp/said' \
	< <(sleep 9; echo late) >exec.out &
term_start 80 24 'vbet console h2'
term_wait 'leave with' 120
term_type 'echo $((6 * 7)); tr a-z A-Z'
term_wait '^42' 120
passed() { vbet clock | awk -v t="$1" '{ exit !($1 > t) }'; }
wait_until 120 passed 9
term_type 'between'
term_wait 'BETWEEN' 120
wait_until 120 passed 13
term_keys -l 'half'
term_wait '^half' 120
must vbet clock until 18s
wait
assert_eq "$(seq 0 47)" "$(cat exec.out)" "what the command printed"
must vbet ls
out_has 'goes back at once to .* s'
kept() { (cd "$RUN/t/back" && printf '%s ' *); }
cp run/inputs whole

# What is in the lab at that moment, and in the time that follows: on a cable, in files of nodes.
look() { # NAME TO
	local running=() capture
	vbet capture r1:eth0 -w "$1.pcapng" 2>/dev/null &
	capture=$!
	wait_until 60 test -s "$1.pcapng"
	asked "$1.1" h1 'ps; sleep 1; cat /tmp/dates /tmp/ping /tmp/said /proc/uptime /proc/net/snmp'
	asked "$1.2" h2 'ps; sleep 1; cat /proc/uptime; ip -s link'
	asked "$1.3" r1 'vtysh -c "show ip ospf neighbor"; sleep 1; vtysh -c "show ip ospf neighbor" -c "show ip route"'
	must vbet clock until "$2"
	wait "${running[@]}"
	kill -INT $capture
	wait $capture
	status_of '.cables' >"$1.4"
	tail -n +1 "$RUN"/t/n/*/console.log >"$1.5"
	[ -s "$1.1" ] && [ -s "$1.3" ] && [ -s "$1.5" ] || fail "nothing was seen"
}
same_as_whole() { # NAME TIME TO
	must vbet down
	must vbet replay run -n t --until "$2" --back-every 4s
	look "$1.whole" "$3"
	for i in 1 2 3 4 5; do
		diff "$1.$i" "$1.whole.$i" >&2 || fail "$1.$i is not as in the whole run"
	done
	cmp "$1.pcapng" "$1.whole.pcapng" || fail "$1: another capture"
	[ "$(wc -c <"$1.pcapng")" -gt 1000 ] || fail "nothing was captured"
}
# Near the end, with a console whose client has said all that it will say.
term_end
must vbet replay t --back 1s
out_has 'stands at 17.0'
out_has 'a console of h2 was open'
cmp -n "$(wc -c <whole)" run/inputs whole || fail "the record of the run was touched"
look late 19s
term_start 80 24 'vbet console h2'
term_wait '^half' 120
must vbet clock run
term_type ' way'
term_wait 'HALF WAY' 120
term_end

# From there, between a snapshot and what was said then.
must vbet replay t --until 12500ms
out_has 'stands at 12.5'
out_has 'a console of h2 was open'
case $(kept) in '*'* | 16* | *' 16'*) fail "kept: $(kept)" ;; esac
grep -v ' clock' "$RUN/t/inputs" >again
grep -v ' clock' whole | awk '$1 <= 12.5' | cmp - again || fail "another record"
look early 14s
same_as_whole early 12500ms 14s
same_as_whole late 17s 19s

# A second lab, which is taken down, and the first one, which is killed, leave nothing.
must vbet fork t@15s -n u
must vbet exec -n u --step h1 -- true
must vbet down -n u
must vbet clock pace max
must vbet clock run
kill -KILL "$(status_of .server_pid)"
gone() { ! vbet clock; }
wait_until 60 gone
must vbet clean
nothing_left || fail "something is left"
