#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A lab moves: it is saved here, copied, and goes on there, in namespaces that share nothing but the programs: no process, no network,
# no run directory, no home. By the real clock connections go on; in virtual time it does what it would have done here, byte by byte.
# lab: slow, plain
. "${0%/*}/lib.sh"

unshare -Urmpfni --mount-proc true 2>/dev/null || skip "needs user namespaces"
mkdir he=re there=it=is # a "=" in a path is nothing special

# machine DIRECTORY SCRIPT: what is in the directory is in memory of this machine alone.
machine() {
	# shellcheck disable=SC2016 # on the machine
	unshare -Urmpfni --mount-proc --kill-child bash -c '
		mount -t tmpfs none "$1" && mkdir "$1/home" && cd "$1/home" || exit 9
		XDG_RUNTIME_DIR=$1 HOME=$1/home exec bash -eu -c "$2"
	' machine "$PWD/$1" "$2"
}
common='
in_node() { vbet exec --step "$1" -- sh -c "$2" </dev/null; }
until_more() { # NODE FILE LINES
	for i in $(seq 200); do
		[ "$(in_node "$1" "wc -l <$2")" -gt "$3" ] && return
		sleep 0.1
	done
	echo "$2 of $1 does not grow" >&2
	return 1
}
traffic() {
	in_node h2 "nohup nc -l -p 5000 >/tmp/got 2>/dev/null &"
	until [ -n "$(in_node h2 "ss -Hltn sport = :5000")" ]; do sleep 0.1; done
	in_node h1 "nohup sh -c \"i=0; while :; do i=\\\$((i + 1)); echo \\\$i; sleep 0.1; done | nc 10.0.1.1 5000\" >/dev/null 2>&1 &
		nohup ping -i 0.1 10.0.1.1 >/tmp/ping 2>&1 &"
}
# What came of it by 12 s; in virtual time.
life() {
	vbet clock until 12s
	in_node h1 "head -n 60 /tmp/ping"
	in_node h2 "head -n 60 /tmp/got"
}
# No line is missing or there twice.
whole() { in_node h2 "awk \"\\\$1 != NR { print \\\"at\\\", NR, \\\$1 }\" /tmp/got"; }
'
cat >lab <<'END'
h1 = alloc(host) h2 = alloc(host)
r1 = attach(alloc(router), alloc(NIC), alloc(NIC))
link(h1, NIC(r1, 1), delay = 20ms, loss = 2%) link(h2, NIC(r1, 2))
default_route(h1, 10.0.0.2) default_route(h2, 10.0.1.2)
END
export LAB
LAB=$(cat lab)

# By the real clock. The snapshot goes from the one to the other through a pipe.
machine he=re "$common"'
echo "$LAB" >t.vbet
vbet up -q t.vbet >&2
traffic
until_more h2 /tmp/got 20
vbet save ./kept
vbet down
tar -cS kept
' >kept.tar || fail "the first machine: $(cat "$RUN"/*/server.log 2>/dev/null)"
OUT=$(machine there=it=is "$common"'
tar -x
vbet restore ./kept -n t
n=$(in_node h2 "wc -l </tmp/got")
until_more h2 /tmp/got $((n + 20))
whole
vbet exec h1 -- ping -c1 -w5 10.0.1.1 >/dev/null
ls "$XDG_RUNTIME_DIR/vbet"
vbet down
' <kept.tar) || fail "the second machine: $OUT"
assert_eq t "$OUT" "what the second machine says"

# In virtual time.
machine he=re "$common"'
echo "$LAB" >t.vbet
vbet up -q --clock virtual t.vbet >&2
vbet clock pause
traffic
vbet clock until 6s
vbet save ./kept
life >life
vbet down
tar -cS kept life
' >kept.tar || fail "the first machine"
OUT=$(machine there=it=is "$common"'
tar -x
vbet restore ./kept -n moved
life >again
cmp life again
wc -l <again
vbet down
' <kept.tar) || fail "the second machine: $OUT"
assert_eq 120 "$OUT" "lines that are equal"
nothing_left || fail "something is left"
