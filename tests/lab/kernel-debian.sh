#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Debian's packaged kernel is the fallback, in real time.
. "${0%/*}/lib.sh"

[ -x /usr/bin/linux.uml ] || skip "no /usr/bin/linux.uml (package user-mode-linux)"
# It keeps floating-point registers of a fixed size, to which the tiles of AMX do not fit (ours: patch 0009).
! grep -qw amx_tile /proc/cpuinfo || skip "Debian's kernel cannot run programs on a processor with AMX"
lab_up "$EXAMPLES/hello.vbet" --kernel /usr/bin/linux.uml
must vbet pingall
out_has '^6 of 6 reached$'
ours=$("${VBET_LIB:-$ROOT/build}/linux" --version)
theirs=$(/usr/bin/linux.uml --version)
[ "$ours" != "$theirs" ] || fail "both kernels are $ours"
assert_eq "$theirs" "$(in_node host1 'uname -r')" "the kernel of host1"
must vbet link host1 switch1 down
wait_until 20 no_carrier host1 eth0
must vbet down
nothing_left || fail "something is left"

# What it has as modules: IPv6 and packet filters (of nftables it has no families).
lab_up - --kernel /usr/bin/linux.uml <<'END'
a = attach(alloc(host), alloc(NIC, address = fd00:1::1/64))
b = attach(alloc(firewall), alloc(NIC, address = fd00:1::2/64))
link(a, b)
END
wait_until 10 vbet exec a -- ping -6 -n -c1 -W2 fd00:1::2
must vbet exec b -- ip6tables-legacy -A INPUT -p ipv6-icmp --icmpv6-type echo-request -j DROP
must_fail vbet exec a -- ping -6 -n -c1 -W2 fd00:1::2
