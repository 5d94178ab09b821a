#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# exec keeps standard output and error apart, brings standard input, and changes no byte of either.
. "${0%/*}/lib.sh"

lab_up - <<'END'
h = alloc(host)
END
vbet exec h -- sh -c 'echo out; echo err >&2' >out 2>err </dev/null || fail "status $?"
assert_eq out "$(cat out)" "standard output"
assert_eq err "$(cat err)" "standard error"

# Larger than every window and buffer on the way.
head -c 3000000 /dev/urandom >data
vbet exec h -- cat <data >back || fail "status $?"
cmp data back || fail "standard input did not come back as it was"
assert_eq 3000000 "$(vbet exec h -- wc -c <data)" "bytes that arrived"

# A command that does not read does not block, and one that reads nothing sees the end.
timeout 20 vbet exec h -- true <data || fail "status $?"
assert_eq 0 "$(vbet exec h -- wc -c </dev/null)" "bytes of nothing"

# Words arrive as they are.
must vbet exec h -- printf '%s|' 'a b' '' "it's" 'x=1' '$HOME' '"' 'ü\n' -n --
assert_eq "a b||it's|x=1|\$HOME|\"|ü\\n|-n|--|" "$OUT" "the arguments"
