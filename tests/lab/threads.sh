#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# Threads of one program may fault and change its memory at the same time, by both clocks.
. "${0%/*}/lib.sh"

cc -O1 -static -pthread -o threads "$ROOT/tests/lab/threads.c" || skip "no compiler"
for clock in real virtual; do
	lab_up - --clock $clock <<'END'
a = alloc(host)
END
	must vbet cp threads a:/root/threads
	for _ in 1 2; do
		must vbet exec a -- /root/threads
		out_has '^right$'
	done
	must vbet log a
	out_has_not 'failed to wait'
	must vbet down
done
