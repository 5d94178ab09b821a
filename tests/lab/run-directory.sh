#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Whatever the directory is called in which labs run: with blanks, quotes and newlines in its name all of a lab works.
. "${0%/*}/lib.sh"

TOP=$XDG_RUNTIME_DIR
leave() {
	local status=$?
	vbet down -a >/dev/null 2>&1
	export XDG_RUNTIME_DIR=$TOP
	(exit "$status")
	finish
}
trap leave EXIT
export XDG_RUNTIME_DIR=$TOP/$'a b"\'\\c\nd'
mkdir "$XDG_RUNTIME_DIR"
cat >t.vbet <<'END'
h1 = alloc(host)
h2 = alloc(host)
sw = alloc(switch)
out = alloc(outside)
s1 = alloc(substrate)
s2 = alloc(substrate)
e1 = alloc(endsystem, vnet = vnet(), on = s1)
slink(s1, s2, rate = 100Mbit)
link(h1, sw)
link(h2, sw)
link(out, sw)
address(NIC(h1, 1), 10.0.0.1/24)
address(NIC(h2, 1), 10.0.0.2/24)
address(NIC(out, 1), 10.0.0.9/24)
END
must vbet check t.vbet
# What leads outside has no virtual time.
grep -v out t.vbet >v.vbet
for options in t.vbet 'v.vbet --clock virtual' 't.vbet --substrate-processes 2'; do
	# shellcheck disable=SC2086 # words
	must vbet up $options
	must vbet exec h1 -- ping -c1 -W5 h2
	# shellcheck disable=SC2016 # for the other shell
	must vbet exec e1 -- sh -c '[ -r "$VNET_CONF" ]'
	echo 'attach(h1, alloc(NIC, address = 10.5.0.1/24))
attach(h2, alloc(NIC, address = 10.5.0.2/24))
link(NIC(h1, 2), NIC(h2, 2))' | vbet console >said 2>&1 || fail "$(cat said)"
	wait_until 10 vbet exec h1 -- ping -n -c1 -W2 10.5.0.2
	echo text >file
	must vbet cp file h1:/root/file
	must vbet capture -c 1 --for 1s h1:eth0 -w out.pcapng
	must vbet log h1
	must vbet status --json
	must vbet down
done
export XDG_RUNTIME_DIR=$TOP
nothing_left || fail "something is left"
