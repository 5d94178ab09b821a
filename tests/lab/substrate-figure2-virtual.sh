#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Figure 2 of the substrate's paper holds what it expects in virtual time, too.
# lab: slow
. "${0%/*}/lib.sh"

must vbet test "$EXAMPLES/figure2.vbet" --clock virtual
out_has '7 held, 0 did not'
nothing_left || fail "something is left"
