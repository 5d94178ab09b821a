#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# 20 MB arrive as they are, in both directions; so they do while other commands run.
. "${0%/*}/lib.sh"

lab_up - <<'END'
h = alloc(host, memory = 96M)
END
head -c 20000003 /dev/urandom >big
vbet cp big h:/root/big &
pid=$!
must vbet exec -t 30s h -- echo meanwhile
wait $pid || fail "status $?"
want=$(sha256sum <big)
must vbet exec h -- sh -c 'sha256sum </root/big'
assert_eq "$want" "$OUT" "sum in the node"
vbet cp h:/root/big back1 &
pid=$!
must vbet cp h:/root/big back2
wait $pid || fail "status $?"
cmp big back1 && cmp big back2 || fail "the file that came back is another"
