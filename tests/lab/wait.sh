#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# wait returns when the lab, or a node, is ready; with status 4 if that takes too long, 3 if it cannot be.
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/hello.vbet"
must vbet wait
must vbet wait host1
must vbet stop host1
wait_until 15 is_state host1 down
must_status 3 vbet wait host1
out_has 'host1 is down'
must vbet wait # the others are ready, and nobody wants host1 to be
must_status 2 vbet wait nobody
# What has no kernel is ready while it is on.
must vbet wait switch1
must vbet stop switch1
must_status 3 vbet wait switch1
out_has 'switch1 is down'
must vbet start switch1
must vbet wait switch1

# A node that is freed meanwhile.
must type_in 'late = alloc(host) exec(late, "sleep 1000")'
vbet wait -t 60s late >said 2>&1 &
waits=$!
wait_until 10 is_state late up
must type_in 'free(late)'
if wait $waits; then fail "wait: $(cat said)"; fi
grep -q "no node 'late'" said || fail "wait: $(cat said)"
