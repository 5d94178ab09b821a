#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Whoever is in a node may power it off or boot it anew, by the usual commands. The lab runs on.
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/hello.vbet"
in_node host1 poweroff
wait_until 15 is_state host1 down
must vbet ping host2 host3
must vbet start host1
wait_until 10 vbet ping host1 host2

before=$(node_pid host2)
in_node host2 reboot
booted_anew() {
	local pid
	pid=$(node_pid host2)
	[ "$pid" != 0 ] && [ "$pid" != "$before" ] && is_state host2 ready
}
wait_until 20 booted_anew
wait_until 10 vbet ping host1 host2
must vbet pingall
