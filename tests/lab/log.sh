#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# log shows what a node's kernel and init printed, and follows it.
. "${0%/*}/lib.sh"

lab_up - <<'END'
h = alloc(host)
s = alloc(switch)
END
must in_node h 'echo a line for the log >/dev/console'
wait_until 20 sh -c 'vbet log h | grep -q "a line for the log"'
vbet log -f h >out 2>&1 </dev/null &
pid=$!
wait_until 20 grep -q 'a line for the log' out
must in_node h 'echo another line >/dev/console'
wait_until 20 grep -q 'another line' out
must vbet down
# It ends with the lab.
wait_until 20 sh -c "! kill -0 $pid 2>/dev/null"
