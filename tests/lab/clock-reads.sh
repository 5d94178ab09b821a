#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# A process in a guest reads the real clock without the kernel where the host's own clock is the processor's
# counter, and no clock ever goes back between the two ways to read it. Nor does it in virtual time, which the kernel lends.
. "${0%/*}/lib.sh"

cc -O1 -static -o clock_reads "$ROOT/tests/lab/clock_reads.c" || skip "no compiler"

# no_step_back: of what a program said into $OUT.
no_step_back() {
	for clock in realtime monotonic boottime 'realtime coarse' 'monotonic coarse'; do
		out_has "^$clock: back 0 times"
	done
	out_has '^old calls: agree'
}

lab_up - <<'END'
a = alloc(host)
END
must vbet cp clock_reads a:/root/clock_reads
must vbet exec a -- cat /sys/devices/system/clocksource/clocksource0/current_clocksource
source=$OUT
host=$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)
case $(grep -m1 ^flags /proc/cpuinfo) in
*' nonstop_tsc '*) [ "$host" != tsc ] || assert_eq host-tsc "$source" "the guest's clock, while the host's is tsc" ;;
esac
must vbet exec a -- /root/clock_reads 1000000
no_step_back
# While the kernel changes the clock, it is asked.
system_calls() { printf '%s\n' "$OUT" | sed -n 's/^library: \([0-9]*\) system calls/\1/p'; }
calls=$(system_calls)
if [ "$source" = host-tsc ]; then
	[ "$calls" -lt 100 ] || fail "$calls of 1000 reads were system calls"
else
	assert_eq 1000 "$calls" "system calls of 1000 reads"
fi

# Who sets the guest's clock sees that at once.
must vbet exec a -- sh -c 'date -s @2000000000 >/dev/null; date +%s; /root/clock_reads 20000'
out_has '^200000000[0-9]$'
no_step_back
must vbet down

printf 'clock = virtual\na = alloc(host)\n' >virtual.vbet
must vbet up virtual.vbet
must vbet cp clock_reads a:/root/clock_reads
must vbet exec a -- /root/clock_reads 2000
no_step_back
# It is asked where something happens before the clock has been read.
[ "$(system_calls)" -lt 100 ] || fail "$(system_calls) of 1000 reads were system calls in virtual time"
