#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A guest that is not confined and fails to boot leaves no process behind, though its kernel has left stopped ones in sessions of their own.
. "${0%/*}/lib.sh"

cc -O1 -o filtered "$ROOT/tests/lab/filtered.c" || skip "no compiler"
cc -O1 -static -o linux-failing "$ROOT/tests/lab/failing_kernel.c" || skip "no compiler"
echo 'h = alloc(host)' >t.vbet
must_fail ./filtered clone clone3 -- vbet up --insecure --kernel ./linux-failing t.vbet
out_has 'this kernel fails'
nothing_left || fail "something is left"
