#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# demo.sh --clock virtual|real [OPTIONS]: what `make run` shows. Boots the paper's OSPF lab, waits until the routers agree,
# shows what they know, then the console (on a terminal) or a clean end. By the virtual clock the 40 seconds
# for which a router waits before it elects a designated one (RFC 2328, section 9.4) cost none.
set -eu

lab=ospf-flapping
vbet=./vbet

in_r2() { $vbet exec -n $lab r2 -- sh -c "$1" </dev/null; }
show() {
	printf '\n$ vbet exec r2 -- %s\n' "$1"
	in_r2 "$1"
}

# Asked inside the guest, whose clock it is.
# shellcheck disable=SC2016 # expands in the guest
converged='
n=0
until [ "$(vtysh -c "show ip ospf neighbor" | grep -c Full)" -ge 2 ] &&
      ip route show 192.168.0.0/24 | grep -q "via 192.168.1.1"; do
	n=$((n + 1)); [ $n -le 60 ] || exit 1
	sleep 5
done'

trap '$vbet down -n $lab 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM
$vbet up examples/$lab.vbet "$@"
if [ "$2" = virtual ]; then
	printf 'waiting for the routers to become neighbours ... ' >&2
	$vbet clock -n $lab pace max
	in_r2 "$converged"
	$vbet clock -n $lab pace 1
	printf 'they have, at %s\n' "$($vbet clock -n $lab)" >&2
else
	printf 'waiting for the routers to become neighbours, which takes about 45 seconds ... ' >&2
	in_r2 "$converged"
	echo 'they have' >&2
fi

show "vtysh -c 'show ip ospf neighbor'"
show "vtysh -c 'show ip ospf database external' | grep -E 'Link State ID|Advertising|Metric: '"
show "ip route"
if [ -t 0 ] && [ -t 1 ]; then
	pace=
	[ "$2" = real ] || pace='clock pace 10    '
	printf '\nTry: r2 ping -c3 r1    link r1 r2 down    r2 ip route    r2 vtysh    %sexit\n\n' "$pace"
	$vbet console -n $lab
fi
echo "taking the lab down" >&2
