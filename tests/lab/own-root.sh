#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A user's own directory tree as a node's file system: seen there, never written to. Who owns a file and how many
# links it has on the host is not seen.
# lab: also root
. "${0%/*}/lib.sh"

tree=${VBET_LIB:-$ROOT/build}/rootfs/debian
mkdir -p own/{bin,etc,lib64,lib/x86_64-linux-gnu,proc,sys,dev,tmp,run,root}
cp -L "$tree/bin/busybox" own/bin/
cp -L "$tree"/lib64/ld-linux-x86-64.so.2 own/lib64/
cp -L "$tree"/lib/x86_64-linux-gnu/{libc.so.6,libresolv.so.2} own/lib/x86_64-linux-gnu/
for f in sh ls cat ping stat touch rm id tar mkdir; do ln -s busybox "own/bin/$f"; done
echo 'root:x:0:0::/root:/bin/sh' >own/etc/passwd
echo 'my own' >own/etc/what
echo '#!/bin/sh' >own/bin/special
ln own/bin/special special
[ "$(id -u)" -ne 0 ] || chown -h 1234:5678 own/bin/special own/bin/ls own/etc
chmod 6755 own/bin/special
lab_up - <<'END'
a = alloc(host, root = "own")
b = alloc(host)
link(a, b)
END
must vbet exec a -- cat /etc/what
assert_eq 'my own' "$OUT" "the file of the tree"
must_fail vbet exec b -- cat /etc/what
must vbet exec a -- stat -c '%n %h %u:%g %a' /bin/special /bin/ls
assert_eq '/bin/special 1 0:0 6755
/bin/ls 1 0:0 777' "$OUT" "links, owner and mode"
must vbet exec a -- stat -c '%u:%g' /etc /bin
assert_eq '0:0
0:0' "$OUT" "the owner of directories"
must vbet exec a -- sh -c 'echo changed >/etc/what; touch /new; rm /bin/ls'
must vbet exec a -- cat /etc/what
assert_eq changed "$OUT" "the file in the node"
assert_eq 'my own' "$(cat own/etc/what)" "the file on the host"
[ ! -e own/new ] && [ -e own/bin/ls ] || fail "the node has changed the tree"
must vbet pingall
term_start 80 24 'vbet console a'
term_type 'echo in-a-shell-"$((1 + 1))"'
term_wait '^in-a-shell-2'

cat >none.vbet <<'END'
a = alloc(host, root = "not-there")
END
must_status 2 vbet check none.vbet
out_has 'not-there'
