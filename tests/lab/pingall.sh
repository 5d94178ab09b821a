#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# pingall says who reaches whom: status 0 if everybody does, 1 if not.
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/hello.vbet"
must vbet pingall
out_has '^host1 -> host2 host3$'
out_has '^6 of 6 reached$'
must vbet link host3 switch1 down
must_status 1 vbet pingall
out_has '^host1 -> host2 X$'
out_has '^host3 -> X X$'
out_has '^2 of 6 reached$'
must_status 1 vbet ping host1 host3
must vbet link host3 switch1 up
wait_until 10 vbet ping host1 host3
