#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A node's disk: lives as long as the lab, or longer if it is kept; a base that nodes share is written by none of
# them; a disk ends where it ends; what is read-only is.
# lab: also root
. "${0%/*}/lib.sh"

cat >one.vbet <<'END'
a = alloc(host, disk_size = 32M)
END
on() { # NODE COMMAND: in a node's shell
	must vbet exec "$1" -- sh -c "$2"
}

# Without --keep-disks: it outlives its guest, however that ends, and not the lab.
mkdir tmp
export TMPDIR=$PWD/tmp
must vbet up one.vbet
on a 'mkfs.ext4 -q /dev/vda && mount /dev/vda /mnt && echo first >/mnt/f && sync'
must vbet kill a
must vbet start a
on a 'mount /dev/vda /mnt && cat /mnt/f'
assert_eq first "$OUT" "what a killed node had written"
on a 'echo second >/mnt/f'
must vbet restart a
on a 'mount /dev/vda /mnt && cat /mnt/f'
assert_eq second "$OUT" "what a restarted node had written, without sync"
on a 'dd if=/dev/vda bs=1M 2>/dev/null | wc -c; ! dd if=/dev/vda bs=1M skip=32 count=1 2>/dev/null | grep -q .'
assert_eq 33554432 "$OUT" "bytes of the disk"
must vbet down
must vbet up one.vbet
on a 'dd if=/dev/vda bs=1M 2>/dev/null | tr -d "\000" | wc -c'
assert_eq 0 "$OUT" "bytes of the lab before"
must vbet down
assert_eq '' "$(ls tmp)" "files that are left"

# Kept: what was written without a sync is there, too; one lab at a time.
must vbet up --keep-disks kept one.vbet
on a 'mkfs.ext4 -q /dev/vda && mount /dev/vda /mnt && echo kept >/mnt/f'
must_fail vbet up -n other --keep-disks kept one.vbet
out_has 'a running lab uses it'
must vbet down
must vbet up --keep-disks kept one.vbet
on a 'mount /dev/vda /mnt && cat /mnt/f && rm -r /mnt/lost+found'
assert_eq kept "$OUT" "what the run before had written"
must vbet down
must_fail vbet up --clock virtual --record run --keep-disks kept one.vbet
out_has 'cannot be repeated'
sed 's/32M/64M/' one.vbet >larger.vbet
must_fail vbet up --keep-disks kept larger.vbet
out_has 'the script says'

# A base that two share, with a file system that the lab before has made.
mv kept/a.disk base.img
chmod 444 base.img
before=$(sha256sum <base.img)
cat >two.vbet <<'END'
a = alloc(host, disk = "base.img")
b = alloc(host, disk = "base.img", disk_size = 40M)
c = alloc(host, disk = "base.img", disk_read_only = on)
END
must vbet up --keep-disks kept two.vbet
on a 'mount /dev/vda /mnt && cat /mnt/f && echo a >/mnt/f && cp /bin/bash /mnt && sync'
assert_eq kept "$OUT" "the file of the base"
on b 'mount /dev/vda /mnt && cat /mnt/f && ls /mnt && echo b >/mnt/f && sync'
assert_eq $'kept\nf' "$OUT" "the base, as the other sees it"
on c 'mount -o ro /dev/vda /mnt && cat /mnt/f && cat /sys/block/vda/ro'
assert_eq $'kept\n1' "$OUT" "the base, read-only"
must_fail vbet exec c -- mount -o remount,rw /mnt
must_fail vbet exec c -- sh -c 'umount /mnt; blockdev --setrw /dev/vda; echo x | dd of=/dev/vda conv=fsync'
must vbet down
must vbet up --keep-disks kept two.vbet
on a 'mount /dev/vda /mnt && cat /mnt/f && cmp /bin/bash /mnt/bash'
assert_eq a "$OUT" "what a had written"
on b 'mount /dev/vda /mnt && cat /mnt/f; ls /mnt'
assert_eq $'b\nf' "$OUT" "what b had written"
must vbet down
assert_eq "$before" "$(sha256sum <base.img)" "the base"
assert_eq $'a.disk\nb.disk' "$(ls kept)" "what is kept"
touch -d 2020-01-01 base.img
must_fail vbet up --keep-disks kept two.vbet
out_has 'its base was changed'

# What is wrong with a script is found before anything boots.
check() { # LINE REGEXP
	echo "$1" >wrong.vbet
	must_status 2 vbet check wrong.vbet
	out_has "$2"
}
check 'a = alloc(host, disk = "none.img")' "there is no file 'none.img'"
check 'a = alloc(host, disk_size = 1k)' 'disk_size is between 1M and 64G'
check 'a = alloc(host, disk_size = 1M, disk_read_only = on)' 'disk = "FILE"'
check 'a = alloc(hub, disk_size = 1M)' 'disk_size'
