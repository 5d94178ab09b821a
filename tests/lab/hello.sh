#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The paper's first script boots, its hosts reach each other by name, and nothing is left of it.
# lab: also root
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/hello.vbet"
out_has '^lab hello: 4 nodes, 3 cables$'
out_has '^ready after '
must vbet exec host1 -- ping -c1 host2
out_has '1 received'
must vbet exec host3 -- ping -c1 host1
must vbet ping host2 host3
must vbet down
nothing_left || fail "something is left"
