#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# In virtual time what a node does with its disk takes the same time in every run, and leaves the same bytes there,
# however busy the machine is.
. "${0%/*}/lib.sh"

cat >disk.vbet <<'END'
clock = virtual
a = alloc(host, disk_size = 64M) b = alloc(host, disk_size = 64M)
link(a, b, delay = 1ms)
exec([a, b], <<END2)
mkfs.ext4 -q /dev/vda
mount /dev/vda /mnt
for i in 1 2 3 4 5 6 7 8; do
    head -c 300000 /dev/urandom >/mnt/f$i
    sync
    date +%s.%N >>/mnt/times
done
cat /mnt/times >/root/times
END2
expect at 20s exec(a, "test -s /root/times")
END
run() { # DIR
	must vbet test --keep-disks "$1" disk.vbet
	sha256sum <"$1/a.disk" >"$1.sum"
	sha256sum <"$1/b.disk" >>"$1.sum"
}
run one
burn
run two
unburn
diff one.sum two.sum >&2 || fail "the same script, and other bytes"
# A run that finds what another has left is another run.
cat >again.vbet <<'END'
clock = virtual
a = alloc(host, disk_size = 64M)
expect at 2s exec(a, "mount /dev/vda /mnt && test $(wc -l </mnt/times) = 8 && test $(wc -c </mnt/f8) = 300000")
END
must vbet test --keep-disks one again.vbet
# Nor can it be repeated from its record.
must vbet test --keep record --keep-disks one again.vbet
must_fail vbet replay record
out_has 'cannot be repeated'
# A request takes 100 us.
cat >time.vbet <<'END'
clock = virtual
a = alloc(host, disk_size = 64M)
END
must vbet up time.vbet
must vbet exec --step a -- sh -c '
	dd if=/dev/vda of=/dev/null iflag=direct bs=4k count=1000 2>&1 | grep copied'
took=$(sed -n 's/.*copied, \([0-9.]*\) s.*/\1/p' <<<"$OUT")
awk "BEGIN { exit !($took >= 0.1 && $took < 0.15) }" || fail "1000 requests took $took s"
