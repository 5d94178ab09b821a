#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow, alone, plain
# vbet inside of vbet: a guest with vbet = on brings up labs in itself, with the whole jail, on either clock and in a lab of
# either clock. Its hosts reach each other, and by alloc(outside) the hosts of the lab around it; and in a guest of that guest
# the same is done again. In virtual time all of it repeats to the byte.
. "${0%/*}/lib.sh"

export VBET_CACHE=$HOME/cache
inside() { vbet exec -t 120s m -- "$@" </dev/null; }

cat >outer.vbet <<'END'
m = attach(alloc(host, vbet = on), alloc(NIC, address = 10.1.0.1/24))
peer = attach(alloc(host), alloc(NIC, address = 10.1.0.2/24))
link(m, peer)
default_route(peer, 10.1.0.1)
sysctl(m, "net.ipv4.ip_forward", 1)
END
cat >inner.vbet <<'END'
lab0 = attach(alloc(outside), alloc(NIC, address = 10.2.0.254/24))
h = attach(alloc(host), alloc(NIC, address = 10.2.0.1/24))
link(lab0, h)
default_route(h, 10.2.0.254)
END

# What is checked and drawn needs no file system; the guest's memory is enough for a lab.
must vbet check --dump graph outer.vbet
out_has 'memory = 512M, vbet = on'
mkdir tree
echo 'm = alloc(host, vbet = on, root = "tree")' >wrong.vbet
must_fail vbet check wrong.vbet
out_has 'has a file system of its own .root.: vbet is added to that of vbet only'

for around in real virtual; do
	lab_up outer.vbet --clock "$around"
	must vbet cp "$EXAMPLES/hello.vbet" m:/root/
	must vbet cp inner.vbet m:/root/
	must inside vbet version
	for clock in real virtual; do
		must inside vbet up --clock "$clock" /root/hello.vbet
		must inside vbet pingall
		out_has '6 of 6 reached'
		must inside vbet status
		out_has 'jail level=full'
		must inside vbet down
	done

	# A program that keeps something in every register is not confused by a kernel below its kernel.
	must inside vbet up /root/hello.vbet
	must inside vbet exec host1 -- sh -c 'i=0; while [ $i -lt 20 ]; do printf %s "$i" | sha256sum >/dev/null || exit 1; i=$((i + 1)); done'
	must inside vbet exec host1 -- python3 -c 'print(sum(i * 0.5 for i in range(100000)))'
	out_has 2499975000.0
	must inside vbet down

	# Into the lab around it, and back.
	must inside vbet up /root/inner.vbet
	must inside vbet exec h -- ping -c2 -W5 10.1.0.2
	must vbet exec peer -- ping -c2 -W5 10.2.0.1
	must inside vbet down

	# Nobody is left when the guest goes.
	must inside vbet up /root/hello.vbet
	must vbet stop m
	must vbet down
	nothing_left || fail "something is left"
done

# Three levels.
must vbet test "$EXAMPLES/nested.vbet"
for run in 1 2; do
	must vbet test --clock virtual --keep "run$run" "$EXAMPLES/nested.vbet"
done
must vbet diff run1 run2
nothing_left || fail "something is left"
