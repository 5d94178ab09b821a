#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Two internets with the same addresses on one wire: one floods, the other keeps what it was promised. In virtual time,
# where the figures do not depend on the machine.
# lab: slow
. "${0%/*}/lib.sh"

must vbet test "$EXAMPLES/two-internets.vbet" --clock virtual
out_has '6 held, 0 did not'
nothing_left || fail "something is left"
