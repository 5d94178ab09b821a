#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# The smallest scripts of what once went wrong: tests/lab/cases/*.vbet all hold.
. "${0%/*}/lib.sh"

n=0
for script in "$ROOT"/tests/lab/cases/*.vbet; do
	must vbet test -q "$script"
	nothing_left || fail "$script left something"
	n=$((n + 1))
done
[ $n -gt 5 ] || fail "only $n scripts"
