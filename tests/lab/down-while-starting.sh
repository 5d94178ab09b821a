#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# down -a while labs start and end: what runs is taken down, and what has just gone is no error.
. "${0%/*}/lib.sh"

echo 'h = alloc(host)' >a.vbet
cp a.vbet b.vbet
for _ in $(seq 40); do
	vbet up -q a.vbet >/dev/null 2>&1 </dev/null &
	vbet up -q b.vbet >/dev/null 2>&1 </dev/null &
	# From its lock on a lab is one that runs.
	until [ -e "$RUN/a/lock" ] || ! kill -0 $! 2>/dev/null; do :; done
	must vbet down -a
	vbet down -a >out 2>&1 || fail "status $?: $(cat out)"
	wait
	must vbet down -a
done
nothing_left || fail "something is left"
