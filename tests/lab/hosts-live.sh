#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Guests that run learn the names of nodes that come later; what somebody wrote into
# /etc/hosts by hand stays. In virtual time it happens at one moment, and a replay does it again.
. "${0%/*}/lib.sh"

hosts_of() { in_node "$1" 'cat /etc/hosts'; }

cat >names.vbet <<'END'
sw = alloc(switch)
a = alloc(host)
b = alloc(host)
own = alloc(host)
write(own, "/etc/hosts", "127.0.0.1 localhost\n")
link(sw, a, b, own)
END
for clock in real virtual; do
	record=
	[ "$clock" = real ] || record="--record run"
	# shellcheck disable=SC2086 # two words, or none
	lab_up names.vbet --clock "$clock" $record
	must_fail in_node a 'ping -c1 -W1 late'
	# By hand: a line of one's own, one of ours gone, and no newline at the end.
	must in_node a 'sed -i "/ b$/d" /etc/hosts && printf "10.9.9.9 mine # kept" >>/etc/hosts && chmod 0604 /etc/hosts'
	must type_in 'late = alloc(host) link(sw, late)'
	must vbet wait late
	must in_node a 'ping -c1 -W10 late && grep -q "^10.9.9.9 mine # kept$" /etc/hosts && ! grep " b$" /etc/hosts'
	assert_eq 604 "$(in_node a 'stat -c %a /etc/hosts')" "mode"
	must in_node b 'ping -c1 -W10 late'
	must in_node late 'ping -c1 -W10 a'
	assert_eq "127.0.0.1 localhost" "$(hosts_of own)" "a file that the script laid there"
	assert_eq 1 "$(hosts_of b | grep -c ' late$')" "lines for it"
	# Another boot, and all is as if it had been there from the beginning.
	must vbet restart b
	must in_node b 'ping -c1 -W10 late'
	# A statement that cannot be carried out leaves no name behind.
	must_fail type_in 'wrong = alloc(host) link(sw, wrong, table = "/no/such/table")'
	must_fail in_node b 'grep wrong /etc/hosts'
	# Somebody did away with it.
	must in_node a 'rm /etc/hosts'
	must type_in 'again = alloc(host) link(sw, again)'
	must vbet wait again
	must_fail in_node a 'test -e /etc/hosts'
	must in_node b 'ping -c1 -W10 again'
	must vbet down
done

grep -q ' statement ' run/inputs || fail "no statement was recorded: $(cat run/inputs)"
must vbet replay run -q
out_has_not 'not as in the record|another'
must vbet clock run
must in_node b 'ping -c1 -W10 again'
must vbet down
nothing_left || fail "something is left"
