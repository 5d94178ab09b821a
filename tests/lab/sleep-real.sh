#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow, plain
# Who has nothing to do in a lab that is restored by the real clock is not started before something happens to it: a frame, a
# command, a link, its own time. Nothing else shows that, least of all the clocks.
. "${0%/*}/lib.sh"
. "${0%/*}/asked.inc"

lab_up - --substrate-processes 2 <<'END'
s = alloc(switch) u = alloc(switch)
link(s, u)
a = alloc(host) b = alloc(host)
c = alloc(host, disk_size = 8M)
link(s, a, delay = 1ms) link(s, b, delay = 1ms) link(s, c, delay = 1ms)
for i in 1..6 { h[i] = alloc(host) link(u, h[i], delay = 1ms) }
END
asleep() { status_of '.nodes[] | select(.asleep == true) | .name' | sort | tr '\n' ' '; }
# is_asleep NODE...
is_asleep() {
	local now
	now=" $(asleep)"
	for n; do [[ $now == *" $n "* ]] || return; done
}
# Nobody asks for routers any more; and between 43 and 63 s after it has booted a kernel does not stir its random numbers either (each
# time after half of the time that it has been up, crng_reseed_interval() in drivers/char/random.c). One has something to do all the
# time, one once, after that.
for n in a b c h{1..6}; do in_node $n 'sysctl -qw net.ipv6.conf.eth0.router_solicitations=0'; done
in_node a 'nohup sh -c "while :; do date +%s.%N; sleep 0.02; done >/tmp/dates" >/dev/null 2>&1 &'
in_node b 'nohup sleep $((57 - $(cut -d. -f1 /proc/uptime))) >/dev/null 2>&1 &'
in_node c 'echo word >/root/word'
in_node a 'until [ $(cut -d. -f1 /proc/uptime) -ge 45 ]; do sleep 0.1; done'
save_or_skip ./kept
must vbet down

# restored [WHO]: all of WHO sleep then.
restored() {
	must vbet restore ./kept
	is_asleep "$@" || fail "of $* only these sleep: $(asleep)"
	is_asleep a && fail "a sleeps, and had something to do"
	return 0
}
# A frame: who is asked for by his address is there, and others, who hear the question, sleep on. If it is asked again, the answer
# may have to come from somebody of whom nobody knows that.
restored h3 h4 h5 c
must vbet exec a -- ping -c 2 -i 0.2 -W 5 h4
out_has ' 0% packet loss'
is_asleep h4 && fail "h4 has answered, and sleeps"
is_asleep h3 h5 c || fail "woken by a question that was none for them: only these sleep: $(asleep)"
nobody_sleeps() { [ -z "$(asleep)" ]; }
in_node a 'ping -c 3 -W 1 10.0.0.99' && fail "somebody has an address that nobody has"
wait_until 10 nobody_sleeps
must vbet down
restored h3 h4 h5
in_node a 'ping -b -c 1 -W 1 10.0.0.255' # whom nobody answers, but all hear it
wait_until 10 nobody_sleeps
must vbet down
restored h3 h4
must vbet exec h3 -- ip address add 10.0.0.99/24 dev eth0
must vbet exec a -- ping -c 1 -W 5 10.0.0.99
must vbet exec h3 -- ping -c 1 -W 5 h6

# Its own time.
must vbet down
restored b h3
woken() { ! is_asleep b; }
wait_until 30 woken
is_asleep h3 || fail "h3 was woken, too"

# A command; the time that all clocks show. Since they stood they have gone on together: each is compared with that of a,
# which has never slept, before and after it is asked.
now() { in_node "$1" 'date +%s.%N; cut -d" " -f1 /proc/uptime'; }
before() { in_node a 'date +%s.%N'; }
# same_time NODE
same_time() {
	local from at to
	from=$(before)
	at=$(now "$1")
	to=$(before)
	awk -v from="$from" -v at="$at" -v to="$to" 'BEGIN {
		split(at, w, "\n")
		exit !(w[1] > from - 0.1 && w[1] < to + 0.1)
	}' || fail "$1 says $at, between $from and $to of a"
}
same_time h3
same_time c
assert_eq word "$(in_node c 'cat /root/word')"

# A link: whoever is at its other end is there, too.
must vbet down
restored h3 h5
must vbet link u h5 down
wait_until 10 no_carrier h5 eth0
must vbet link u h5 up
same_time h5
is_asleep h3 || fail "h3 was woken by somebody else's link"

# Who sleeps is saved as it is, and is then as far behind as it would have been.
must vbet down
restored h3 h4 h5
must vbet save ./again
must vbet fork t -n twin
must vbet down -n t
must vbet status -n twin
out_has 'asleep until something'
must vbet exec -n twin h4 -- ping -c 1 -W 5 a
must vbet down -n twin
sleep 2
must vbet restore ./again
is_asleep h3 || fail "only these sleep: $(asleep)"
same_time h3
same_time h4

# Stopped, booted anew, moved.
must vbet down
restored h3 h4 h5
must vbet restart h4
must vbet exec h4 -- cut -d. -f1 /proc/uptime
[ "$OUT" -lt 30 ] || fail "h4 has not booted: up for $OUT s"
must vbet kill h5
wait_until 10 is_state h5 down
must vbet start h5
must vbet exec h5 -- true
is_asleep h3 || fail "h3 was woken when others were stopped"
must vbet down
restored h3 h4 h5
to=1
[ "$(status_of '.substrate_processes[0].nodes | index("h5") != null')" = false ] || to=2
must vbet move h5 --to "$to"
same_time h5
must vbet exec h5 -- ping -c 1 -W 5 h3
must vbet down
lab_processes | grep . && fail "left behind"
exit 0
