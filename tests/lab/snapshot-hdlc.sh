#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: plain
# A frame that is under way on a line without addresses when the lab is saved wakes who gets it: nobody looks for an address in
# what is in front of the packet there.
. "${0%/*}/lib.sh"

cat >line.vbet <<'END'
clock = virtual
r1 = alloc(router) r2 = alloc(router)
link(r1, r2, framing = hdlc, delay = 50ms)
expect at 1s ping(r1, r2)
expect at 3s ping(r2, r1)
END
# At 20 ms the request is under way, at 70 ms the answer.
run() { must vbet test -q line.vbet --clock virtual --seed 3 --stands-at 1.02s,1.07s,3.02s "$@"; }
run --keep without
run --keep with --snapshots-at 1.02s,1.07s,3.02s
diff -r without with >&2 || fail "with snapshots it is another run"
[ "$(wc -c <without/cables/r1.eth0-r2.eth0.pcapng)" -gt 500 ] || fail "nothing was captured"
