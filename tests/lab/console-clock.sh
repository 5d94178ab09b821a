#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The console of a lab in virtual time: the prompt says where the clock is and whether it stands; a command
# in a node asks to have it go on while it stands; Ctrl-C comes back from whatever does not.
# lab: slow
. "${0%/*}/lib.sh"

cat >pair.vbet <<'END'
clock = virtual
a = alloc(host) b = alloc(host)
c = link(a, b, delay = 5ms)
END
at_prompt() { term_screen | sed '/^ *$/d' | tail -n 1 | grep -qE '^pair \[[0-9.]+s x?[0-9a-z.]+(, stands)?\]> *$'; }
stands() { term_screen | sed '/^ *$/d' | tail -n 1 | grep -qE "^pair \[${1:-[0-9.]+}s x1, stands\]> *\$"; }
typed() {
	wait_until 30 at_prompt
	term_type "$1"
}
now() { vbet clock | sed 's/ s,.*//;q'; }
# later NOW: the clock is at another time by now.
later() { [ "$(now)" != "$1" ]; }

# shown TIMES PATTERN: as often on the screen.
shown() { [ "$(term_screen | grep -cE -e "$2")" -ge "$1" ]; }

# The shell around it gets Ctrl-C, too.
term_start 100 90 "trap : INT; vbet run -q pair.vbet"
wait_until 30 at_prompt
term_shows '^pair \[[0-9.]+s x1\]> ' || fail "the prompt does not say how the clock goes: $(term_screen)"
typed 'clock pause'
wait_until 10 stands
before=$(now)

# No: nothing runs, and the clock stands where it stood.
typed 'a echo one'
term_wait 'The clock stands at [0-9.]+ s.*\[Y/n\]'
term_type n
wait_until 10 stands
term_shows '^one' && fail "it ran"
assert_eq "$before" "$(now)" "time of the lab after 'no'"

# Ctrl-C is no, too.
typed 'a echo one'
wait_until 10 term_shows 'Let it go on for this command\? \[Y/n\] *$'
term_keys C-c
wait_until 10 stands
assert_eq "$before" "$(now)" "time of the lab after Ctrl-C"

# Yes: it goes on for the command, and stands again.
typed 'a echo o""ne'
wait_until 10 term_shows 'Let it go on for this command\? \[Y/n\] *$'
term_keys Enter
term_wait '^one'
wait_until 10 stands
later "$before" || fail "the clock did not go on"
after=$(now)
typed 'ping --step a b'
term_wait ' 0% packet loss'
wait_until 10 stands
later "$after" || fail "the clock did not go on"

# A console that was opened while the clock went: it stands now, and the keys for that come back.
opened=0
for key in C-c 'C-\'; do
	typed 'clock run'
	wait_until 10 at_prompt
	term_type a
	opened=$((opened + 1))
	wait_until 20 shown $opened 'leave with Ctrl-\]'
	wait_until 20 shown $opened '^root@a'
	must vbet clock pause
	term_keys "$key"
	wait_until 20 shown $opened 'left: nothing of what is typed gets to the command'
	wait_until 10 stands
	term_type 'clock'
	wait_until 10 stands
done

# "until" goes as fast as it can and says where it is; Ctrl-C ends a wait that takes too long.
begin=$EPOCHREALTIME
typed 'clock until 500s'
wait_until 60 stands 500.000
awk "BEGIN { exit !($EPOCHREALTIME - $begin < 400) }" || fail "'until' went at the pace of the wall"
typed 'clock pace 1'
typed 'a kill -STOP $$ &'
wait_until 10 term_shows 'Let it go on for this command\? \[Y/n\] *$'
term_keys Enter
typed 'clock until 900000s'
term_wait '^[0-9]+\.[0-9]{3} s *$'
term_keys C-c
term_wait 'interrupted'
wait_until 30 at_prompt
typed 'clock pause'
wait_until 30 stands

# A check is waited for as fast, and it is said what is still missing.
typed 'clock until not ping(a, b)'
term_wait '^[0-9]+\.[0-9]+ s, not yet: rtt' 30
term_keys C-c
wait_until 30 at_prompt
typed 'clock pause'
wait_until 30 stands

# From outside: a command has the clock for itself alone.
must vbet exec --step a -- sleep 5
before=$(now)
must vbet clock
out_has 'paused'
# One right after the other: the clock may not have come to stand in between.
for ((i = 0; i < 60; i++)); do
	timeout 20 vbet exec --step a -- true </dev/null || fail "command $i of many did not end: $?"
done
must vbet clock
out_has 'paused'
out=$(timeout 3 vbet exec a -- true 2>&1 </dev/null)
assert_eq 124 $? "status of a command while the clock stands"
grep -q 'the clock stands' <<<"$out" || fail "it is not said that the clock stands: $out"
typed 'exit'
term_wait '^\[status 0\]' 30
nothing_left || fail "something is left"
