#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# "vbet run" without a terminal takes commands from standard input; the worst status is its own.
. "${0%/*}/lib.sh"

out=$(printf '%s\n' '# a comment' 'host1 ping -c1 host2' 'nodes' 'status' | vbet run -q "$EXAMPLES/hello.vbet" 2>&1)
assert_eq 0 $? status
grep -q 'PING 10.0.0.2' <<<"$out" || fail "$out"
grep -q '^host3 host ready 10.0.0.3 eth0' <<<"$out" || fail "$out"
nothing_left || fail "something is left"

out=$(printf '%s\n' 'host1 false' 'host2 true' | vbet run -q "$EXAMPLES/hello.vbet" 2>&1)
assert_eq 1 $? "status: $out"

# A command in a node does not eat the lines that follow it, however slowly they come.
out=$({ echo 'host1 cat'; sleep 1; echo 'host2 echo still here'; } | vbet run -q "$EXAMPLES/hello.vbet" 2>&1)
assert_eq 'still here' "$out" output
