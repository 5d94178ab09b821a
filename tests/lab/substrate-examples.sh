#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The examples of virtual networks hold what they expect, in virtual time.
# lab: slow
. "${0%/*}/lib.sh"

for example in figure2 lan two-internets; do
	must vbet test "$EXAMPLES/$example.vbet" --clock virtual
	out_has ' 0 did not'
	nothing_left || fail "$example left something"
done
