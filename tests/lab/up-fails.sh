#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A node that does not come up: "up" says which and why, shows the end of its console, takes everything
# down and returns 3 - or 4, if it only took too long. Nothing is left.
. "${0%/*}/lib.sh"

cat >bad.vbet <<'END'
r = attach(alloc(router), alloc(NIC))
good = attach(alloc(host), alloc(NIC))
link(r, good)
config(r, ospfd, <<EOF)
router ospf
 frobnicate everything
!
EOF
END
must_status 3 vbet up bad.vbet
out_has '^vbet: r: ospfd failed'
out_has 'frobnicate'
nothing_left || fail "something is left"
must vbet ls
assert_eq '' "$OUT" "the list of labs"

# Lines that no daemon takes: of another one, in a file that the script names; in a file for all of them.
printf 'interface lo\nrouter ospf\n' >zebra.conf
cat >other.vbet <<'END'
r = attach(alloc(router), alloc(NIC))
config(r, zebra, file("zebra.conf"))
END
must_status 2 vbet up other.vbet
out_has '^vbet: .*other.vbet:2:.*zebra.conf: zebra does not take line 2: router ospf: it is for ospfd'
# Routes in zebra.conf are for staticd, which reads that file if it runs and has none of its own.
printf 'ip route 192.0.2.0/24 blackhole\n' >zebra.conf
must_status 2 vbet up other.vbet
out_has 'zebra does not take line 1: ip route .*: it is for staticd'
echo 'service(r, staticd)' >>other.vbet
lab_up other.vbet
in_node r 'until ip route | grep -q "blackhole 192.0.2.0/24"; do sleep 0.1; done'
must vbet down
cat >all.vbet <<'END'
r = attach(alloc(router), alloc(NIC))
config(r, frr, "router bgp 1\n neighbor nobody route-map x in\n")
END
must_status 3 vbet up all.vbet
out_has '^vbet: r: frr failed.*line 2: .*bgpd.*neighbor nobody'
nothing_left || fail "something is left"

cat >rules.vbet <<'END'
fw = alloc(firewall)
config(fw, nft, "table inet filter { chain x { nonsense } }\n")
END
must_status 3 vbet up rules.vbet
out_has '^vbet: fw: nft failed'
out_has 'nonsense'
nothing_left || fail "something is left"

cat >slow.vbet <<'END'
h = alloc(host)
exec(h, "echo going to sleep >/dev/console; sleep 1000")
END
# After so long that it has booted, whatever the machine.
for seconds in 2 4 8 16 32; do
	must_status 4 vbet up --timeout ${seconds}s slow.vbet
	out_has "^vbet: h: not ready after $seconds s"
	nothing_left || fail "something is left"
	! grep -q 'going to sleep' <<<"$OUT" || break
done
out_has 'going to sleep'

# A kernel that is none.
must_status 3 vbet up --kernel /bin/true "$EXAMPLES/hello.vbet"
out_has '^vbet: host[123]: its kernel has ended'
nothing_left || fail "something is left"
must_status 3 vbet up --kernel /no/such/kernel "$EXAMPLES/hello.vbet"
out_has '/no/such/kernel'
nothing_left || fail "something is left"

# "run" is no different.
must_status 3 vbet run bad.vbet
out_has '^vbet: r: ospfd failed'
nothing_left || fail "something is left"
