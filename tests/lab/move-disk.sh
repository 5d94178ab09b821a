#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow, plain
# vbet move of nodes with disks, by the real clock: what was written comes along while it is being written, with and without a
# base, in a file of its own and without.
. "${0%/*}/lib.sh"

truncate -s 12M base.img
echo "of the base" | dd of=base.img conv=notrunc bs=1M seek=3 2>/dev/null
cat >f.vbet <<'END'
s1 = alloc(switch) s2 = alloc(switch)
link(s1, s2)
a = alloc(host, disk_size = 64M)
b = alloc(host, disk = "base.img", disk_size = 16M)
c = alloc(host, disk = "base.img", disk_read_only = on)
link(s1, a) link(s1, b) link(s1, c)
END
base() { in_node "$1" 'dd if=/dev/vda bs=1M skip=3 count=1 2>/dev/null | head -c 11'; }
mkdir tmp
export TMPDIR=$PWD/tmp
for kept in "" kept; do
	must vbet up -n t --substrate-processes 2 ${kept:+--keep-disks kept} f.vbet
	in_node a 'mkfs.ext4 -q /dev/vda && mount /dev/vda /mnt && head -c 8000000 /dev/urandom >/mnt/a && md5sum /mnt/a >/root/sum
		nohup sh -c "i=0; while :; do i=\$((i + 1)); echo \$i >>/mnt/log; [ \$((i % 50)) -gt 0 ] || sync; done" >/dev/null 2>&1 &
		echo $! >/root/writer
		until [ -s /mnt/log ]; do sleep 0.01; done'
	in_node b 'echo "of its own" | dd of=/dev/vda bs=1M seek=14 conv=notrunc 2>/dev/null'
	for to in 2 1 2; do
		before=$(in_node a 'wc -l </mnt/log')
		must vbet move a --to $to
		writes() { [ "$(in_node a 'wc -l </mnt/log')" -gt "$before" ]; }
		wait_until 20 writes
		must vbet move b --to $to
		must vbet move c --to $to
	done
	# What the disk has, and not what memory still knows.
	must in_node a 'kill $(cat /root/writer); while kill -0 $(cat /root/writer) 2>/dev/null; do sleep 0.05; done; sync; echo 3 >/proc/sys/vm/drop_caches; md5sum -c /root/sum
		awk "\$1 != NR { print \"lost\", NR; exit 1 }" /mnt/log && umount /mnt && e2fsck -fn /dev/vda'
	in_node b 'echo 3 >/proc/sys/vm/drop_caches'
	assert_eq "of its own" "$(in_node b 'dd if=/dev/vda bs=1M skip=14 count=1 2>/dev/null | head -c 10')" "what b wrote"
	assert_eq "of the base" "$(base b)" "the base, seen by b"
	assert_eq "of the base" "$(base c)" "the base, seen by c"
	must vbet restart b
	must vbet wait b
	assert_eq "of its own" "$(in_node b 'dd if=/dev/vda bs=1M skip=14 count=1 2>/dev/null | head -c 10')" "what b wrote, later"
	must vbet down
	assert_eq '' "$(ls tmp)" "files that are left"
done
e2fsck -fn kept/a.disk >&2 || fail "what is kept of a's disk is damaged"
