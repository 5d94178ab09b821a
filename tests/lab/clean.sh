#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# clean removes dead labs and leaves running ones alone; it ends no process that only has an old one's id.
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/hello.vbet"
must vbet up -n dead "$EXAMPLES/hello.vbet"
kill -KILL "$(vbet status -n dead --json | jq .server_pid)"
wait_until 20 sh -c 'vbet ls | grep -q "^dead  *dead"'
# An innocent process stands in the dead lab's file, with another start time.
sleep 1000 &
innocent=$!
echo "$innocent 1 host1" >>"$RUN/dead/pids"
must vbet clean
out_has '^cleaned dead$'
out_has_not 'hello'
kill -0 $innocent || fail "it has killed a process that was not its own"
kill $innocent
[ ! -e "$RUN/dead" ] || fail "the dead lab is still there"
wait_until 20 vbet pingall
must vbet down

# Nor does a killed --whatif leave its captures behind, and one that goes on keeps them.
must vbet up -n run --clock virtual --record run "$EXAMPLES/hello.vbet"
must vbet clock step 2s -n run
must vbet down -n run
vbet up -q -n other --whatif 'cut(host1, switch1)' run@1s >/dev/null 2>&1 </dev/null &
what_if=$!
has_begun() { compgen -G "$RUN/.whatif-*/was" >/dev/null; }
wait_until 10 has_begun
kill -STOP "$what_if"
must vbet clean
has_begun || fail "clean took what is in use"
kill -KILL "$what_if"
wait "$what_if" 2>/dev/null
must vbet down -a
wait_until 10 no_processes # the lab's server, which is about to end, holds the lock as well
must vbet clean
out_has '^cleaned .whatif-'
nothing_left || fail "something is left"
