#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A guest that powers off ends well whatever signals its kernel gets meanwhile, such as those of its timer.
. "$(dirname "$0")/jail.inc"

# The kernel's process below that one. Stubs have its name, too, and are its children.
kernel_of() {
	local c
	if grep -q '(linux)' "/proc/$1/stat"; then
		echo "$1"
		return
	fi
	for c in $(cat "/proc/$1/task/$1/children"); do kernel_of "$c"; done
}

# wait_for FILE WORD: written by a process that lives.
wait_for() {
	until grep -q "$2" "$1"; do
		[ -n "$(jobs -r)" ] || fail "no '$2': $(cat "$1")"
		sleep 0.05
	done
}

# power_off SIGNAL: it comes when the kernel has halted.
power_off() {
	local log=$T/console guest tracer rc=0
	rm -f "$T/n/j/go"
	: >"$log"
	: >"$T/sent"
	boot "$log" 2>/dev/null &
	guest=$!
	wait_for "$log" '^the guest is up'
	"$T/signal_at_halt" "$(kernel_of $guest)" "$(kill -l "$1")" >"$T/sent" &
	tracer=$!
	wait_for "$T/sent" '^ready'
	touch "$T/n/j/go"
	wait $tracer || fail "the kernel cannot be traced"
	wait $guest || rc=$?
	grep -q '^sent [1-9]' "$T/sent" || fail "no signal was sent, this tests nothing: $(cat "$T/sent" "$log")"
	[ $rc = 0 ] || fail "status $rc after SIG$1: $(tail -3 "$log")"
}

prepare
command -v cc >/dev/null || {
	echo "no compiler" >&2
	exit 77
}
cc -O1 -o "$T/signal_at_halt" "$(dirname "$0")/signal_at_halt.c"
cat >"$T/n/j/init.conf" <<-EOF
	run "mount -t hostfs none /mnt -o /vbet; echo the guest is up; until [ -e /mnt/go ]; do sleep 0.05; done"
	run "kill -USR2 1"
EOF
for signal in ALRM IO; do power_off $signal; done
