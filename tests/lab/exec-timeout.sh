#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# exec --timeout ends the command and says so with status 4; nothing of the command goes on in the node.
. "${0%/*}/lib.sh"

lab_up - <<'END'
h = alloc(host)
END
must_status 4 vbet exec --timeout 300ms h -- sh -c 'sleep 1234 & sleep 1234'
out_has 'ran out of time'
gone() { must_fail in_node h 'pgrep -f "sleep 1234$" || grep -l sleep /proc/[0-9]*/comm'; }
gone
must vbet exec -t 20s h -- true
must_status 2 vbet exec -t soon h -- true
