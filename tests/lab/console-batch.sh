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

# What is wrong is said with the line in which it stands, of the file that it is in, and as it was written.
printf '%s\n' '# nothing' 'cut(host1, nosuch)' 'x = link(host1,' ' nosuch)' 'expect  ping(host1, nosuch)' >lines
out=$(printf '%s\n' '' 'source lines' 'y = nosuch' | vbet run -q "$EXAMPLES/hello.vbet" 2>&1)
assert_eq "lines:2:12: lines:4:2: lines:5:21: console:3:5: " "$(grep -oE '^(lines|console):[0-9]+:[0-9]+: ' <<<"$out" | tr -d '\n')" "places: $out"
grep -qx '    cut(host1, nosuch)' <<<"$out" || fail "something else is shown: $out"

# Cutting and mending, wherever a statement stands.
out=$(printf '%s\n' 'def off(n) {' ' if 1 == 1 { cut(n, switch1) }' '}' 'for h in [host1, host2] { off(h) }' 'mend(host2, switch1)' links |
	vbet run -q "$EXAMPLES/hello.vbet" 2>&1)
grep -q -- '-- host1:eth0 down$' <<<"$out" || fail "not cut: $out"
assert_eq 1 "$(grep -c ' down$' <<<"$out")" "others: $out"

# A command in a node does not eat the lines that follow it, however slowly they come.
out=$({ echo 'host1 cat'; sleep 1; echo 'host2 echo still here'; } | vbet run -q "$EXAMPLES/hello.vbet" 2>&1)
assert_eq 'still here' "$out" output
