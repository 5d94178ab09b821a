#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A kernel that panics, or is killed from outside, takes its node down and nothing else.
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/hello.vbet"
kill -KILL "$(node_pid host1)"
wait_until 10 is_state host1 down
must vbet ping host2 host3
must_status 3 vbet wait -t 5s host1
vbet exec host2 -- sh -c 'echo c >/proc/sysrq-trigger' </dev/null >/dev/null 2>&1
wait_until 10 is_state host2 down
must vbet log host2
out_has '[Pp]anic|sysrq'
must vbet start host1 host2
must vbet pingall
