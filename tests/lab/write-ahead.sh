#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A guest's kernel makes pages ahead of a program that writes one after the other. What the program did not write is as
# it was, for everybody.
. "${0%/*}/lib.sh"

cc -O1 -static -o write_ahead "$ROOT/tests/lab/write_ahead.c" || skip "no compiler"

lab_up - <<'END'
a = alloc(host)
END
must vbet cp write_ahead a:/root/write_ahead
must vbet exec a -- /root/write_ahead /root/file
for what in anonymous 'private file' 'shared file' fork end; do
	out_has "^$what: as it should be\$"
done
ahead=$(sed -n 's/^ahead: \([0-9]*\) pages/\1/p' <<<"$OUT")
[ "$ahead" -ge 1 ] && [ "$ahead" -le 32 ] || fail "$ahead pages ahead of 16"
must vbet down
