#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Parts of a lab that have something outside of its processes, in snapshots: disks, captures, the outside.
# lab: slow, plain
. "${0%/*}/lib.sh"

# --- disks, by both clocks: what a node had written then, and nothing that came later; the base is as it was.
truncate -s 32M base
for clock in real virtual; do
	lab_up - --clock $clock <<'END'
a = alloc(host, disk = "base") b = alloc(host, disk_size = 16M) c = alloc(host, disk = "base", disk_read_only = on)
link(alloc(switch), a, b, c)
END
	for n in a b; do
		must in_node $n 'mkfs.ext4 -q /dev/vda && mount /dev/vda /mnt && seq 1 100000 >/mnt/before'
	done
	must vbet save kept
	for n in a b; do
		must in_node $n 'seq 1 300000 >/mnt/before && echo later >/mnt/later && umount /mnt && mkfs.ext4 -q -F -b 4096 /dev/vda'
	done
	must vbet down
	for life in 1 2; do
		must vbet restore kept
		for n in a b; do
			must in_node $n '[ ! -e /mnt/later ] && wc -l </mnt/before && md5sum </mnt/before'
			assert_eq "100000 $(seq 1 100000 | md5sum)" "${OUT/$'\n'/ }" "of $n in life $life ($clock)"
			must in_node $n 'echo 3 >/proc/sys/vm/drop_caches && md5sum </mnt/before'
			assert_eq "$(seq 1 100000 | md5sum)" "$OUT" "of $n, from its disk ($clock)"
			must in_node $n 'umount /mnt && e2fsck -fn /dev/vda'
		done
		must in_node c 'head -c 32M /dev/vda | tr -d "\000" | wc -c'
		assert_eq 0 "$OUT" "bytes of the base"
		must vbet down
	done
done
# Of a base that is not what it was nothing can go on. A disk that is kept elsewhere is no part of a lab.
touch base
must_fail vbet restore kept
out_has 'it was changed since the lab was saved'
nothing_left || fail "something is left"
echo 'a = alloc(host, disk_size = 16M)' >t.vbet
must vbet up t.vbet --keep-disks disks
must_fail vbet save no
out_has 'no snapshot can have'
[ ! -e no ] && [ ! -e no.new ] || fail "something is left of it"
must vbet exec a -- true
must vbet down

command -v tshark >/dev/null || skip 'no tshark'
# --- the outside: a connection ends with the lab that was saved, the next one works. Captures: one into a file of the lab's goes on,
# one that somebody reads stays with the lab that was saved.
cat >serve.pl <<'END'
use strict; use Socket;
my $s;
socket($s, PF_INET, SOCK_STREAM, 0) && bind($s, pack_sockaddr_in(0, INADDR_LOOPBACK)) && listen($s, 9) or die $!;
open my $f, '>', 'port.new' or die; print $f +(unpack_sockaddr_in(getsockname $s))[0]; close $f; rename 'port.new', 'port';
$SIG{CHLD} = 'IGNORE';
while (accept my $c, $s) {
	next if fork; # an echo
	while (sysread $c, my $got, 65536) { syswrite $c, $got }
	exit;
}
END
perl serve.pl &
server=$!
# shellcheck disable=SC2154 # assigned there
trap 'status=$?; kill $server; (exit $status); finish' EXIT
wait_until 10 test -s port
port=$(cat port)
cat >outside.vbet <<'END'
out = alloc(internet, loopback = on)
pc = alloc(host) pc2 = alloc(host)
link(alloc(switch), out, pc, pc2)
END
must vbet up -n t outside.vbet
in_node pc "nohup sh -c 'while date +%s; do sleep 0.1; done | nc 10.0.2.2 $port >/tmp/echo; echo ended >/tmp/ended' >/dev/null 2>&1 &"
echoes() { in_node pc 'wc -l </tmp/echo'; }
more() { [ "$(echoes)" -gt "$1" ]; }
wait_until 10 more 3
vbet capture pc:eth0 -w frames.pcapng 'icmp' 2>capture.log &
capture=$!
pings() { vbet ping pc pc2 >/dev/null; [ "$(tshark -r frames.pcapng 2>/dev/null | grep -c 'Echo (ping) request')" -ge 1 ]; }
wait_until 10 pings
must vbet save kept
# Nothing has happened to it.
wait_until 10 more "$(($(echoes) + 3))"
before=$(tshark -r frames.pcapng 2>/dev/null | wc -l)
must vbet ping pc pc2
again() { [ "$(tshark -r frames.pcapng 2>/dev/null | wc -l)" -gt "$before" ]; }
wait_until 10 again
must_fail in_node pc 'cat /tmp/ended'
must vbet down
wait $capture
must vbet restore kept
ended() { in_node pc 'cat /tmp/ended'; }
wait_until 20 ended
must in_node pc "echo once more | timeout 10 nc -N 10.0.2.2 $port"
assert_eq 'once more' "$OUT" "of a new connection"
must vbet ping pc pc2
must vbet down
