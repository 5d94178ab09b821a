#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Floating point registers are a thread's own: across system calls, switches, signals, fork, and a debugger's reads and writes.
. "${0%/*}/lib.sh"

cc -O1 -static -pthread -D_GNU_SOURCE -o fp_registers "$ROOT/tests/lab/fp_registers.c" || skip "no compiler"

for clock in real virtual; do
	printf 'clock = %s\na = alloc(host)\n' $clock >t.vbet
	must vbet up t.vbet
	must vbet cp fp_registers a:/root/fp_registers
	must vbet exec a -- /root/fp_registers 400
	out_has '^lost 0 of [0-9]{4}'
	out_has '^debugger agrees'
	out_has '^bad frame: '
	must vbet exec a -- true
	must vbet down
done
