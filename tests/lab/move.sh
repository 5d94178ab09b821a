#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# vbet move: a node goes from one substrate process to another while it runs. Its connections, its routing neighbours, its consoles and
# commands go on; whoever is killed meanwhile, it is here, or there, or down and said to be.
# lab: slow, plain
. "${0%/*}/lib.sh"
. "${0%/*}/grow.inc"

lab_up - --substrate-processes 3 <<'END'
for i in 1..3 { s[i] = alloc(switch) }
for i in 1..6 { h[i] = attach(alloc(host, name = "h${i}"), alloc(NIC, address = "10.0.0.${i}/24")) }
for i in 1..6 { link(s[(i + 1) / 2], h[i]) }
link(s[1], s[2])
link(s[2], s[3], delay = 5ms)
d = alloc(host, disk_size = 16M)
link(s[1], d)
END
where() { status_of ".substrate_processes[] | select(.nodes | index(\"$1\")) | .name // .number"; }
carries() { status_of ".substrate_processes[$2].nodes | index(\"$1\") != null"; }
assert_eq true "$(carries h1 0)" "h1 begins in the first"

# Connections in both directions, one at full speed whose every line is looked at; a command whose output is read; a file in memory.
in_node h3 'nohup sh -c "nc -l -p 5001 | awk \"\\\$1 != ++n { print \\\"lost at\\\", n, \\\$0; exit } n % 10000 == 0 { print n; fflush() }\"" >/tmp/bulk 2>&1 &'
in_node h1 'nohup nc -l -p 5002 >/tmp/few 2>&1 & echo kept >/tmp/kept'
listens() { in_node h3 'ss -Hltn sport = :5001' | grep -q 5001 && in_node h1 'ss -Hltn sport = :5002' | grep -q 5002; }
wait_until 10 listens
in_node h1 'nohup sh -c "seq 1 2000000000 | nc 10.0.0.3 5001" >/dev/null 2>&1 &'
in_node h5 'nohup sh -c "while :; do date +%s.%N; sleep 0.05; done | nc 10.0.0.1 5002" >/dev/null 2>&1 &'
vbet exec h1 -- sh -c 'while sleep 0.05; do echo $((n = n + 1)); done' >said 2>&1 &
command=$!
says_more() { [ "$(wc -l <said)" -gt "$1" ]; }
goes_on() {
	grow h3/bulk h1/few
	wait_until 10 says_more "$(wc -l <said)"
	must in_node h3 'grep lost /tmp/bulk || true'
	out_has_not lost
	must in_node h1 'cat /tmp/kept'
	out_has kept
}
goes_on
boot=$(in_node h1 'cat /proc/sys/kernel/random/boot_id')
for to in 2 substrate.3 substrate; do
	must vbet move h1 --to $to
	out_has '^h1 is in substrate.*: it stood still for [0-9]+ ms'
	say "$OUT"
	goes_on
	must in_node h2 'ping -c 2 -i 0.2 -W 2 10.0.0.1'
	must in_node h6 'ping -c 2 -i 0.2 -W 2 10.0.0.1'
done
assert_eq true "$(carries h1 0)" "h1 is where it was"
assert_eq "$boot" "$(in_node h1 'cat /proc/sys/kernel/random/boot_id')" "boot"
kill $command
# No line that it said was lost or doubled: the stream to its agent went on in the middle.
awk '$1 != NR { print "line", NR, "is", $1; exit 1 }' said || fail "the command's output is not whole"

# What was moved can be saved, changed, booted anew.
must vbet move h1 --to 3
must vbet save kept
must vbet down
must vbet restore kept
assert_eq true "$(carries h1 2)" "h1 is in the third"
must in_node h1 'cat /tmp/kept'
must vbet link s1 h1 down
must_fail in_node h2 'ping -c1 -W1 10.0.0.1'
must vbet link s1 h1 up
must vbet restart h1
must vbet wait h1
wait_until 10 in_node h2 'ping -c1 -W1 10.0.0.1'
assert_eq true "$(carries h1 2)" "h1 is in the third still"

# What cannot be is said, and changes nothing.
must_status 2 vbet move h1 --to substrate.3
out_has 'h1 is in substrate\.3'
must_status 2 vbet move h1 --to substrate.9
must_status 2 vbet move s1 --to 2
out_has 'no kernel of its own'
must_status 2 vbet move h1
must vbet move d --to 2
must vbet exec d -- true
