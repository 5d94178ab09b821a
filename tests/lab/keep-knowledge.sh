#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test --keep: what nodes knew and what they had in files, also of a run in which all held; the same bytes twice.
# lab: slow
. "${0%/*}/lib.sh"

cat >net.vbet <<'END'
clock = virtual
r = [alloc(router), alloc(router)]
h = alloc(host)
c = link(r[1], r[2], delay = 1ms)
link(h, r[2])
for i in 1..2 {
	config(r[i], ospfd, <<FRR)
router ospf
 network 10.0.0.0/8 area 0
FRR
}
write(h, "/etc/it's here.conf", "a key = its value\n")
exec(h, "seq 1 20000 >/var/log/big; echo word >/tmp/mine.log; printf 'a\\000b\\n\\n\\n' >/var/log/zero; : >/var/log/empty")
expect at 1s exec(h, "true")
END
must vbet test -q net.vbet --keep one
must vbet test -q net.vbet --keep two
diff -r one two >&2 || fail "the same run, and something else is left of it"
files=one/nodes/r1.files
grep -q '^== show running-config$' $files && grep -q '^frr version' $files || fail "no running configuration: $(cat $files)"
grep -A2 '^== /etc/frr/ospfd.conf$' $files | grep -q '^ network 10.0.0.0/8 area 0$' || fail "no file of ospfd: $(cat $files)"
grep -q '^== /run/frr/zebra.log$' $files || fail "no log of zebra: $(cat $files)"
grep -q 'support_bundle' $files && fail "a file that nobody wrote: $(cat $files)"
grep -q '^10\.0\.0\.0/24 dev eth0' one/nodes/r1.tables || fail "no routes: $(cat one/nodes/r1.tables)"
files=one/nodes/h.files
grep -A1 "^== /etc/it's here.conf$" $files | grep -qx 'a key = its value' || fail "no file of the script: $(head -c 1000 $files)"
grep -A1 '^== /tmp/mine.log$' $files | grep -qx word || fail "no log in /tmp"
# The end of a long one, over several pages, without a gap; what stands behind it is not lost.
grep -q '^1$' $files && fail "all of a log that is too long"
assert_eq 65536 "$(sed -n '/^== .var.log.big$/,/^== /p' $files | sed '1d;$d' | head -c -1 | wc -c)" "bytes of a long log"
sed -n '/^== .var.log.big$/,/^== /p' $files | grep -x '[0-9]*' | awk 'NR > 2 && $1 != last + 1 { exit 1 } { last = $1 } END { exit last != 20000 }' ||
	fail "a long log has gaps"
assert_eq 'ab' "$(sed -n '/^== .var.log.zero$/,$p' $files | sed -n 2p)" "what stands behind an octet of 0"
grep -q 'log/empty' $files && fail "an empty log is listed"

# A node that is down says so, and by the real clock it is the same.
echo 'at 2s kill(r[1]) expect at 3s exec(h, "true")' >>net.vbet
must vbet test -q net.vbet --clock real --keep three
grep -q 'r1 is down' three/nodes/r1.files || fail "$(cat three/nodes/r1.files)"
grep -q '^== /etc/frr/ospfd.conf$' three/nodes/r2.files || fail "$(cat three/nodes/r2.files)"
nothing_left || fail "something is left"
