#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# A guest whose state is written out goes on; and where it is killed, another process goes on from the file as if
# nothing had been: the console tells, octet by octet. What does not fit is refused.
. "${0%/*}/lib.sh"

command -v cc >/dev/null || skip "no compiler"
must cc -O1 -D_GNU_SOURCE -I"$ROOT" -o calendar "$ROOT/tests/lab/freezing_calendar.c"
mkdir root
cc -O1 -static -pthread -D_GNU_SOURCE -o root/init "$ROOT/tests/lab/freezing_work.c" -lm || skip "no static C library"
head -c 3000000 "${VBET_LIB:-$ROOT/build}/linux" >root/data
cp "${VBET_LIB:-$ROOT/build}/linux" linux

# shellcheck disable=SC2054 # the commas are the kernel's
words=(mem=48M root=none rootfstype=hostfs rootflags="$PWD/root" ro init=/init con0=null,fd:1 con=null ssl=null
	noreboot quiet time-travel=ext:7:"$PWD/time" vbet.seed=abc tt-spin=5)
# guest CONSOLE WHEN...: runs it for 300 ms.
guest() {
	local console=$1
	shift
	must timeout 120 ./calendar time "$console" state 300 "$@" -- "$PWD/linux" "${words[@]}"
}

guest never
grep -q '^executed 21 ' never && grep -q '^file 50 ' never || fail "$(cat never)"
guest written 10g 100g 200g
out_has 'frozen 3 times, resumed 0 times'
must cmp never written
for when in 3 33 77 151 260; do
	guest once ${when}r
	out_has 'resumed 1 times'
	must cmp never once
	rm once
done
# The file becomes the memory of who goes on.
guest adopted 3a 33a 77a 151r 152a 260a
out_has 'resumed 6 times'
must cmp never adopted
# Its pages are those of who goes on, and of who has written it, until these write.
guest shared 3s 33p 34s 35f 77s 151r 152s 153a 154f 260s
out_has 'frozen 10 times, resumed 5 times'
must cmp never shared
# Again and again, whatever it is at.
mapfile -t all < <(seq -f %.0fr 1 7 290)
guest often "${all[@]}"
out_has "resumed ${#all[@]} times"
must cmp never often
mapfile -t all < <(for ((i = 1; i < 290; i += 4)); do echo ${i}s $((i + 1))f; done | tr ' ' '\n')
guest often_shared "${all[@]}"
must cmp never often_shared

# refused WHY [WORD...]: going on from the file "bad", with more arguments.
refused() {
	local why=$1
	shift
	must_status 1 setarch -R env -i "$PWD/linux" "${words[@]}" "$@" resume=5 5<bad
	out_has "resume: .*$why"
}
cp --sparse=always state bad
refused 'other arguments' mem=64M
must_status 1 env -i "$PWD/linux" "${words[@]}" resume=5 5<bad
must_status 1 setarch -R env -i "$PWD/linux" "${words[@]}" resume=7
out_has 'resume: .*cannot be read'
truncate -s -4096 bad
refused 'truncated'
truncate -s 3000 bad
refused 'cannot be read'
cp --sparse=always state bad
printf 'X' | dd of=bad bs=1 seek=3 conv=notrunc status=none
refused 'not the state of a guest'
# build id and processor follow the magic (um_freeze_header in vkernel/patches)
cp --sparse=always state bad
printf '\0\0\0' | dd of=bad bs=1 seek=9 conv=notrunc status=none
refused 'another kernel'
cp --sparse=always state bad
printf '\0\0\0\0' | dd of=bad bs=1 seek=32 conv=notrunc status=none
refused 'another processor'
