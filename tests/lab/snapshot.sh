#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow, plain
# vbet save, vbet restore: what was saved goes on as it did, whatever happened meanwhile, as often as one likes.
. "${0%/*}/lib.sh"

lab_up - --clock virtual <<'END'
h1 = alloc(host) h2 = alloc(host)
r1 = attach(alloc(router), alloc(NIC), alloc(NIC))
link(h1, NIC(r1, 1), delay = 20ms, jitter = 5ms, loss = 5%) link(h2, NIC(r1, 2))
default_route(h1, 10.0.0.2) default_route(h2, 10.0.1.2)
END
# The clock stands for it, and goes on.
save_or_skip ./running
[ -d running ] || fail "$(cat no)"
must vbet clock
out_has_not paused
must vbet clock pause
# A connection, frames in flight, programs that compute, a file.
must vbet exec --step h2 -- sh -c 'nohup nc -l -p 5000 >/tmp/got 2>/dev/null & '
must vbet exec --step h1 -- sh -c 'nohup sh -c "while :; do date +%s.%N; sleep 0.1; done | tee /tmp/sent | nc 10.0.1.1 5000" >/dev/null 2>&1 &'
must vbet exec --step h1 -- sh -c 'nohup ping -i 0.05 10.0.1.1 >/tmp/ping 2>&1 &'
must vbet clock until 10s
must vbet save ./kept
out_has_not .

# What comes of it: the same in each life. The times are those of h1, to the nanosecond; what was written
# until 20 s is looked at, and what had come of it by then, as looking takes some time of the lab.
life() {
	must vbet clock until 20s
	must vbet exec --step h1 -- awk '$1 < 1767225619.9' /tmp/sent
	printf '%s\n' "$OUT"
	must vbet exec --step h1 -- head -n 150 /tmp/ping
	printf '%s\n' "$OUT"
	must vbet exec --step h2 -- awk '$1 < 1767225616.9' /tmp/got
	printf '%s\n' "$OUT"
}
life >first
[ "$(grep -c '^1767' first)" -ge 150 ] && [ "$(grep -c icmp_seq first)" -ge 140 ] || fail "too little happened: $(cat first)"
must_fail vbet restore ./kept
out_has 'runs in .* already'
for n in 2 3; do
	must vbet exec --step h1 -- rm /tmp/sent
	must vbet down
	must vbet restore ./kept
	must vbet clock
	out_has '^10\.0* s'
	life >again
	diff first again >&2 || fail "life $n went another way"
done

# From the second life's moment, once more: a snapshot of what was restored, in the place of the first. One that cannot be
# written takes no lab down.
must_fail vbet save missing/place --stop
must vbet clock
must vbet save ./kept --stop
out_has_not .
must_fail vbet clock
no_processes || fail "the lab is still there"
must vbet restore ./kept
must vbet clock
out_has '^2[0-9]\.[0-9]* s'

# One whose clock went goes.
must vbet down
must vbet restore ./running
must vbet clock
out_has_not paused
must vbet exec h1 -- ping -c1 -w5 10.0.1.1
must_fail vbet save missing/place
out_has 'No such file'
mkdir mine && touch mine/file
must_fail vbet save ./mine
out_has 'is there already, and is no snapshot'
[ -f mine/file ] && [ ! -e mine.new ] && [ -z "$(ls -d .vbet-save-* 2>/dev/null)" ] || fail "what is no snapshot was touched"
must_fail vbet restore ./mine
must_fail vbet restore ./kept -n ../there
out_has 'is no name of a lab'

# Two labs from one moment: what is done to one is not done to the other.
must vbet fork t -n twin
must vbet link -n twin h1 r1 down
must vbet exec --step -n t h1 -- ping -c1 -w5 10.0.1.1
must_fail vbet exec --step -n twin h1 -- ping -c1 -W1 10.0.1.1
must vbet fork t
out_has '^lab t-2$'
must vbet fork t
out_has '^lab t-3$'
must vbet exec --step -n t-3 h1 -- ping -c1 -w5 10.0.1.1
must vbet down -n t-2
must vbet down -n t-3
must_fail vbet fork ./kept
out_has 'needs a name'
must_fail vbet fork nothing
out_has 'no lab .nothing. is running'
must_fail vbet fork t -n twin
out_has 'runs in .* already'
must vbet down -n twin
must vbet restore ./kept -n other
must vbet exec --step -n other h1 -- ping -c1 -w5 10.0.1.1
must vbet down -n other

# What is damaged is refused, and nothing is left.
must vbet down
for f in kept/*.pack kept/index; do
	cp "$f" whole
	# Several octets, none of which stays what it was: of one alone what is compressed may not depend.
	at=$(($(stat -c %s whole) / 2))
	dd if=whole bs=1 skip=$at count=64 2>/dev/null | LC_ALL=C tr '\000-\377' '\001-\377\000' |
		dd of="$f" bs=1 seek=$at conv=notrunc 2>/dev/null
	must_fail vbet restore ./kept
	out_has 'damaged'
	head -c -1 whole >"$f"
	must_fail vbet restore ./kept
	out_has 'damaged, or was cut short'
	cp whole "$f"
done
must vbet restore ./kept
must vbet down
[ -z "$(lab_pids)" ] || fail "processes are left"
[ ! -e "$RUN/t" ] || fail "a run directory is left"

