#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: plain
# vbet test where a job of continuous integration runs (docs/ci.md): an ordinary user without a capability, in a container
# without /dev/net/tun, with a small /dev/shm from which nothing can be executed, with no user namespaces and no ptrace of
# other processes. What is lost is said in a line; without --insecure the message names what the kernel lacks.
. "${0%/*}/lib.sh"

cc -O1 -o filtered "$ROOT/tests/lab/filtered.c" || skip "no compiler"
# in_container COMMAND...: in namespaces that stand for a container's, in which there can be no further ones.
# shellcheck disable=SC2016
in_container() {
	unshare -Urm sh -c '
		mount -t tmpfs -o size=64k,noexec,nosuid tmpfs /dev/shm && mount -t tmpfs tmpfs /dev/net || exit 99
		exec unshare -U --map-user=1000 --map-group=1000 --keep-caps sh -c "
			echo 0 >/proc/sys/user/max_user_namespaces || exit 99
			exec setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all --no-new-privs \"\$@\"" sh "$@"' sh \
		./filtered ptrace -- "$@"
}
in_container true || skip "no namespaces here to make a container of"
must in_container sh -c '! unshare -U true 2>&1 && ! test -e /dev/net/tun && grep "CapBnd.*0000000000000000" /proc/self/status && id -u'
out_has '^1000$'

mkdir labs
cat >labs/ospf.vbet <<'END'
clock = virtual
h = [alloc(host), alloc(host)]
r = [alloc(router), alloc(router)]
link(r[1], r[2], delay = 1ms)
for i in 1..2 {
	link(NIC(r[i], 2), h[i], delay = 1ms)
	address(NIC(r[i], 1), "10.9.9.${i}/24")
	address(NIC(r[i], 2), "10.0.${i}.1/24")
	address(NIC(h[i], 1), "10.0.${i}.2/24")
	default_route(h[i], "10.0.${i}.1")
	config(r[i], ospfd, "router ospf\n network 10.0.0.0/8 area 0\n")
}
expect within 60s ospf_full()
expect within 10s of 60s ping(h[1], h[2])
END
sed 's/^clock = virtual//; s/ of 60s/ of 1s/; s/within 60s/within 90s/; s/within 10s/within 90s/' labs/ospf.vbet >labs/real.vbet

# Nobody is unconfined without having been asked; and what is missing has a name.
must_status 3 in_container vbet test labs/ospf.vbet
out_has 'cannot be confined \(--insecure starts it all the same\): user namespaces \(CLONE_NEWUSER\): '

must in_container vbet test -j2 --insecure --junit results.xml --artifacts failed labs
out_has '^PASS labs/ospf\.vbet: 2 of 2'
out_has '^PASS labs/real\.vbet: 2 of 2'
[ -s results.xml ] || fail "no results"
nothing_left || fail "something is left"

# One line for a lab says what is lost.
must in_container vbet test --insecure labs/ospf.vbet
assert_eq 1 "$(grep -c 'guests are not confined' <<<"$OUT")" "lines about what is lost"

# What needs /dev/net/tun says so.
printf 'o = alloc(outside)\nh = alloc(host)\nlink(o, h)\nexpect at 1s ping(h, o)\n' >tun.vbet
must_fail in_container vbet test --insecure tun.vbet
say "$OUT"
