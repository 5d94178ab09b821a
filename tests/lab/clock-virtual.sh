#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# In virtual time the clock of the lab stands still, goes in steps, and goes on when it is told to; what
# the guests measure is what the script says, however busy the machine is.
. "${0%/*}/lib.sh"

lab_up - --clock virtual <<'END'
a = alloc(host) b = alloc(host)
link(a, b, delay = 20ms)
END
must vbet status
out_has '^lab t, virtual clock,'
must vbet pingall
must vbet exec a -- ping -n -q -c3 -i 0.2 b
# Exactly 40 ms, the cable's own few microseconds, and no time at all for computing.
out_has '^rtt min/avg/max/mdev = 40\.[0-9]*/40\.[0-9]*/40\.'

must vbet clock pause
must vbet clock
first=$OUT
must vbet clock
assert_eq "$first" "$OUT" "the time of a clock that stands still"
must vbet clock step 10s
must vbet clock
[ "$first" != "$OUT" ] || fail "a step of 10 s, and still: $OUT"
must_fail vbet clock until 1ms # that is over

# A command that came on the way to where the clock was to stand takes it further, and leaves it standing.
vbet clock step 2s &
pid=$!
running() { vbet clock | head -n 1 | grep -vq paused; }
wait_until 10 running
timeout 60 vbet exec --step a -- sleep 5 </dev/null || fail "status $? of a command across the end of a step"
wait $pid || fail "status $? of a step across which a command ran"
must vbet clock
out_has ', paused$'
# Who says that it shall stand is obeyed, whatever runs.
vbet clock step 60s &
wait_until 10 running
vbet exec --step a -- sh -c 'touch /root/on; sleep 100' </dev/null >/dev/null 2>&1 &
pid=$!
wait_until 10 in_node a 'test -e /root/on'
must vbet clock pause
must vbet clock
out_has ', paused$'
first=$OUT
must vbet clock
assert_eq "$first" "$OUT" "the time of a clock that was told to stand"
kill $pid

# As fast as it goes: an hour in a few seconds.
must vbet clock pace max
must vbet clock run
timeout 60 vbet exec a -- sleep 3600 </dev/null || fail "status $? of an hour's sleep"
must vbet clock pace 1
must vbet pingall

# Who waits for the end of a long step hears that it does not come.
must vbet clock pause
vbet clock step 100000s >out 2>&1 &
pid=$!
wait_until 10 running
must vbet down
wait $pid
assert_eq 3 $? "status of a step that was cut short"
grep -q 'taken down' out || fail "$(cat out)"
nothing_left || fail "something is left"

# A lab by the real clock has none to move.
lab_up "$EXAMPLES/hello.vbet"
must_fail vbet clock step 1s
out_has 'virtual|real'
