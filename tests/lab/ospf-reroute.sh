#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The example with events and expectations: they hold, and two runs are the same to the last frame.
# lab: slow
. "${0%/*}/lib.sh"

for run in one two; do
	must vbet test -q --timeout 300s --keep $run "$EXAMPLES/ospf-reroute.vbet"
	out_has '^6 expectations: 6 held'
done
must vbet diff one two
out_has 'no difference'
