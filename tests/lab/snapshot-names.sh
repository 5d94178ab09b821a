#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: plain
# vbet save NAME, vbet snapshots: small, whole at each moment, whoever is killed.
. "${0%/*}/lib.sh"

lab_up - --clock virtual <<'END_OF_LAB'
h1 = alloc(host) h2 = alloc(host)
r1 = attach(alloc(router), alloc(NIC), alloc(NIC))
link(h1, NIC(r1, 1)) link(h2, NIC(r1, 2))
END_OF_LAB
shelf=$HOME/.local/share/vbet/snapshots
must vbet snapshots
[ -z "$OUT" ] || fail "there is something: $OUT"
save_or_skip first
must vbet snapshots
out_has '^first  *t '
must vbet clock pause

# In a directory of its own, in the place of what has it; a name is one word.
must_fail vbet save 'a b'
out_has 'no name of a snapshot'
must_fail vbet restore nothing
must_fail vbet snapshots --remove nothing
out_has "no snapshot 'nothing'"

# compressed: waits until nothing is as the lab wrote it.
compressed() {
	local i
	for ((i = 0; i < 600; i++)); do
		vbet snapshots -j >list && ! grep -q '"compressed":false' list && return
		sleep 0.1
	done
	fail "still not compressed: $(cat list)"
}
used() { du -sk "$shelf" | cut -f1; }

must vbet exec --step h1 -- sh -c 'echo before >/root/when'
must vbet save before
compressed
one=$(used)
[ "$one" -lt 20000 ] || fail "two snapshots of three guests take $one kB"
for i in 2 3 4 5 6 7 8 9 10; do
	must vbet clock step 1s
	must vbet save s$i
	compressed
done
ten=$(used)
[ "$ten" -lt $((one * 2)) ] || fail "one takes $one kB, and eleven $ten kB"

# One by one they go, and nothing but they.
must vbet exec --step h1 -- sh -c 'echo after >/root/when'
must vbet save after
# A snapshot is forked as a lab is.
must vbet fork before
out_has '^lab before-2$'
must vbet exec --step -n before-2 h1 -- cat /root/when
[ "$OUT" = before ] || fail "before is $OUT"
must vbet down -n before-2
for i in 2 3 4 5 6 7 8 9 10; do must vbet snapshots --remove s$i; done
must vbet snapshots --remove first
must vbet down
for when in after before; do
	must vbet restore $when
	must vbet exec --step h1 -- cat /root/when
	[ "$OUT" = $when ] || fail "$when is $OUT"
	must vbet exec --step h1 -- ping -c1 r1
	must vbet down
done

# Killed at any moment: what is under the name is the one or the other, and nothing is left.
must vbet restore before
for ms in 0 5 10 20 40 60 80 120 160 240 320; do
	vbet save before 2>/dev/null &
	save=$!
	sleep "$(printf 0.%03d "$ms")"
	kill -KILL $save 2>/dev/null
	wait $save 2>/dev/null
	must vbet snapshots
	out_has '^before '
	out_has_not damaged
done
must vbet wait
must vbet down
# It may have come so far that the lab is up, or that its server is only about to begin.
is_down() {
	vbet down >/dev/null 2>&1
	vbet clean >/dev/null 2>&1
	[ -z "$(ls -A "$RUN")" ]
}
for ms in 0 20 40 80 160 320; do
	vbet restore before 2>/dev/null &
	restore=$!
	sleep "$(printf 0.%03d "$ms")"
	kill -KILL $restore 2>/dev/null
	wait $restore 2>/dev/null
	wait_until 10 is_down || fail "killed after $ms ms, it has left $(ls -A "$RUN")"
done
must vbet restore before
must vbet exec --step h1 -- cat /root/when
[ "$OUT" = before ] || fail "before is $OUT"
must vbet down
[ -z "$(lab_pids)" ] || fail "processes are left"
[ -z "$(ls -A "$RUN")" ] || fail "left: $(ls -A "$RUN")"
must vbet snapshots --remove before
must vbet restore after
must vbet down
must vbet snapshots --remove after
[ -z "$(find "$shelf" -mindepth 2)" ] || fail "left: $(find "$shelf" -mindepth 2)"
