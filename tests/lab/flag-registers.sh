#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow, plain
# The processor's flags are a program's own: across page faults, and where a debugger sets them, which is what the kernel of a
# guest in a guest is to that around it; and a signal's handler begins as the ABI says.
. "${0%/*}/lib.sh"

export VBET_CACHE=$HOME/cache
command -v cc >/dev/null || skip "no compiler"
cc -O1 -static -D_GNU_SOURCE -o flag_registers "$ROOT/tests/lab/flag_registers.c" || skip "no static C library"
echo 'm = alloc(host, vbet = on)' >outer.vbet
echo 'a = alloc(host)' >inner.vbet

is_right() {
	must "$@"
	out_has '^debugger agrees'
	out_has '^handler goes forward'
	out_has '^2000 of 2000 jumps were right'
}
is_right ./flag_registers
lab_up outer.vbet
for f in flag_registers inner.vbet; do must vbet cp $f m:/root/; done
is_right vbet exec m -- /root/flag_registers
must vbet exec -t 60s m -- vbet up /root/inner.vbet
must vbet exec m -- vbet cp /root/flag_registers a:/root/
is_right vbet exec -t 60s m -- vbet exec a -- /root/flag_registers
must vbet down
