#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# demo.sh: what `make run` shows. Boots the paper's OSPF lab, waits until the routers agree, shows what
# they know, then the console (on a terminal) or a clean end.
set -eu

lab=examples/ospf-flapping.vbet
vbet=./vbet

show() {
	printf '\n$ vbet exec %s -- %s\n' "$1" "$2"
	$vbet exec -n ospf-flapping "$1" -- sh -c "$2" </dev/null
}

# Waits inside the guest, so that it is right on any clock. A router waits one dead interval (40 s) before
# it elects a designated router: RFC 2328, section 9.4.
wait_for_routes='
n=0
until [ "$(vtysh -c "show ip ospf neighbor" | grep -c Full)" -ge 2 ] &&
      vtysh -c "show ip route 192.168.0.0/24" | grep -q "192.168.1.1"; do
	n=$((n + 1)); [ $n -le 120 ] || exit 1
	printf "\rwaiting for the routers to become neighbours: %d s " $n >&2
	sleep 1
done
echo >&2'

$vbet up "$lab" "$@"
trap '$vbet down -n ospf-flapping 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM
$vbet exec -n ospf-flapping r2 -- sh -c "$wait_for_routes" </dev/null
show r2 "vtysh -c 'show ip ospf neighbor'"
show r2 "vtysh -c 'show ip route 192.168.0.0/24' -c 'show ip ospf database external' | grep -E 'Routing|known|via|Link State ID|Advertising|Metric:|\*'"
show r2 "ip route"
if [ -t 0 ] && [ -t 1 ]; then
	printf '\nTry: r2 ping r1    link r1 r2 down    r2 vtysh    status    exit\n\n'
	$vbet console -n ospf-flapping
fi
echo "taking the lab down"
