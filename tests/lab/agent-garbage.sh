#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A guest whose agent speaks nonsense: the server ends the connection, says so to whoever wants something of
# the node, and a restart brings it back, every time.
. "${0%/*}/lib.sh"

lab_up - <<'END'
evil = alloc(host) good = alloc(host)
link(evil, good)
END
gcc -D_GNU_SOURCE -O1 -static -o garbage "$ROOT/tests/lab/agent_garbage.c" || skip "no compiler"
deaf() { ! vbet exec evil -- true </dev/null >/dev/null 2>&1; }

for _ in 1 2 3; do
	must vbet cp garbage evil:/root/garbage
	vbet exec evil -- /root/garbage </dev/null >&2
	wait_until 10 deaf
	must_status 3 vbet exec evil -- true
	out_has 'nobody can speak to it any more'
	out_has_not 'evil is ready'
	must vbet restart -t 20s evil
	must vbet exec evil -- true
done
must vbet ping good evil
