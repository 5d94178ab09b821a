#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow, alone, plain
# Each level is confined by the one around it: the tests of the jail, run inside of a guest with vbet.
. "${0%/*}/lib.sh"

export VBET_CACHE=$HOME/cache
echo 'm = alloc(host, vbet = on)' >one.vbet
mkdir jail
cp "$ROOT"/tests/lab/jail* jail/
# There is no compiler in the guest: what its tests compile is put where they ask for it (-o FILE).
"${CC:-gcc}" -D_GNU_SOURCE -static -O1 -o jail/scan jail/jail_scan.c || skip "no static program can be built"
cat >jail/cc <<'END'
#!/bin/sh
cp "${0%/*}/scan" "$5"
END
chmod 755 jail/cc

lab_up one.vbet
must vbet cp jail m:/root/
for test in confines dies refuses; do
	must vbet exec -t 200s m -- sh -c "cd /root/jail && CC=/root/jail/cc B=/usr/lib/vbet bash jail-$test.sh"
	# as root of that guest, and as a user of it
	out_has '^ok: root'
	out_has '^ok: 54321'
done
must vbet down
