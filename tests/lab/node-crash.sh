#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A kernel that dies takes its node down and nothing else.
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/hello.vbet"
kill -KILL "$(node_pid host1)"
wait_until 10 is_state host1 down
must vbet ping host2 host3
must_status 3 vbet wait -t 5s host1
must vbet start host1
must vbet pingall
