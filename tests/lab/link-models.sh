#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a cable does is what its mathematics say: measured by the guests in virtual time.
. "${0%/*}/lib.sh"

lab_up - --clock virtual <<'END'
a = alloc(host) b = alloc(host)
link(a, b, rate = 100Mbit, delay = 1ms)
END
must vbet wait
must vbet clock pace max
must vbet exec a -- ping -n -q -c1 b # both know the other's MAC

# 98 bytes at 100 Mbit/s are 7,840 ns; there and back over 1 ms.
must vbet exec a -- ping -n -q -c4 -i 0.2 b
out_has '^rtt min/avg/max/mdev = 2\.01[5-9]/2\.01[5-9]/2\.0'

# Ten seconds of 2 ms, ten seconds of 42.
must vbet link a b set 'schedule=delay square 1ms 21ms 20s'
must vbet exec a -- ping -n -c20 -i 1 b
# The edge may fall between a request and its answer.
[ "$(grep -c 'time=2\.0' <<<"$OUT")" -ge 9 ] || fail "not 10 answers in 2 ms: $OUT"
[ "$(grep -c 'time=42\.0' <<<"$OUT")" -ge 9 ] || fail "not 10 answers in 42 ms: $OUT"
must vbet link a b set schedule=none

# Jitter keeps its range: 10 ms +- 4, twice.
must vbet link a b set delay=10ms jitter=4ms
must vbet exec a -- ping -n -q -c50 -i 0.1 b
read -r min max < <(sed -n 's|^rtt min/avg/max/mdev = \([0-9.]*\)/[0-9.]*/\([0-9.]*\)/.*|\1 \2|p' <<<"$OUT")
awk "BEGIN { exit !($min >= 12 && $min < 17 && $max <= 28.1 && $max > 23) }" || fail "between $min and $max ms"
must vbet link a b set jitter=0

# Every request arrives twice.
must vbet link a b set ab.duplicate=100%
must vbet exec a -- ping -n -q -c10 -i 0.2 b
out_has '10 received, \+(9|10) duplicates'
must vbet link a b set ab.duplicate=0

# Every fourth frame is lost, there and back: 9 of 16 answers come, give or take what else is sent.
must vbet link a b set loss_every=4
vbet exec a -- ping -n -q -c160 -i 0.1 b >ping.out 2>&1 </dev/null
got=$(sed -n 's/.* \([0-9]*\) received.*/\1/p' ping.out)
[ "$got" -ge 75 ] && [ "$got" -le 120 ] || fail "$got of 160 came back"
must vbet link a b reset

# A flipped bit in an address or a payload is found by the far end, one in a MAC may not be.
must vbet link a b set ab.corrupt=100%
vbet exec a -- ping -n -q -c20 -i 0.1 -W1 b >ping.out 2>&1 </dev/null
got=$(sed -n 's/.* \([0-9]*\) received.*/\1/p' ping.out)
[ "$got" -le 10 ] || fail "$got of 20 corrupted frames were answered"
[ "$(status_of '[.. | objects | .corrupted? // empty] | max')" -ge 20 ] || fail "corrupted frames are not counted"

must_status 2 vbet link a b set distribution=norml
out_has "'normal'"
must_status 2 vbet link a b set 'schedule=rate up 1Mbit'
