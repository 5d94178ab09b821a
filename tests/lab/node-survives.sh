#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Root in a guest may do what he likes: the node still answers, and the others do not notice.
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/hello.vbet"
still_there() {
	wait_until 20 vbet exec -t 10s host1 -- echo here
	assert_eq here "$OUT" "the answer of host1"
}
vbet exec host1 -- sh -c 'kill -KILL -1' </dev/null >/dev/null 2>&1
still_there
for sig in KILL INT HUP SEGV STOP ABRT; do
	vbet exec host1 -- kill -$sig 1 </dev/null >/dev/null 2>&1
done
still_there
is_state host1 ready || fail "a signal to process 1 ended host1"
# Fills its disk and its memory.
vbet exec -t 30s host1 -- sh -c 'cat /dev/zero >/root/full' </dev/null >/dev/null 2>&1
in_node host1 'rm -f /root/full'
still_there
vbet exec -t 20s host1 -- sh -c 'tail /dev/zero' </dev/null >/dev/null 2>&1
still_there
# Takes everything away that can be.
vbet exec -t 20s host1 -- sh -c 'rm -rf /usr /etc /var; umount -a; umount -l /proc' </dev/null >/dev/null 2>&1
must_fail vbet exec -t 10s host1 -- true
is_state host1 ready || fail "host1 is gone"
must vbet ping host2 host3
# A restart gives it all back.
must vbet restart host1
must vbet pingall
