#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: also root
# Root in a guest reads no host file outside its file system, and writes none at all; and no program
# in it sees memory of the host's processes.
# lab: only root
. "$(dirname "$0")/jail.inc"

conf() {
	cat <<-EOF
	hostname jailed
	run "cp /vbet/scan /tmp 2>/dev/null || (mount -t hostfs none /mnt -o /vbet && cp /mnt/scan /tmp && umount /mnt)"
	run "for o in / ../../../../../.. /../../.. $T $T/n /vbet/.. /vbet/../.. ../../../../../..$T /proc/self/root /proc/1/root /etc ../../../etc; do if mount -t hostfs none /mnt -o \$o; then echo mounted \$o: \$(ls -a /mnt); cat /mnt/secret /mnt/*/secret /mnt/shadow /mnt/passwd /mnt/etc/passwd 2>/dev/null; find /mnt -maxdepth 4 -name 'secret*'; umount /mnt; fi; done"
	run "mount -t hostfs none /mnt -o /; for f in /mnt/x /mnt/tmp/x /mnt/vbet/x /mnt/root/x /mnt/init; do touch \$f 2>/dev/null && echo touched \$f; echo x 2>/dev/null >>\$f && echo wrote \$f; done; ls -a /mnt /mnt/vbet; umount /mnt"
	run "ln -s $T/secret /tmp/link; cat /tmp/link"
	run "chmod 755 /tmp/scan; /tmp/scan $WORD"
	run "echo the end"
	run "kill -USR2 1"
	EOF
}

check() {
	local log=$T/console.$WHO
	boot "$log" "${AS[@]}" || fail "$WHO: the guest ended with $?: $(tail -3 "$log" "$log.report")"
	grep -q '^jail level=full' "$log.report" || fail "$WHO: $(cat "$log.report")"
	grep -q '^the end' "$log" || fail "$WHO: $(tail "$log")"
	grep -q '^mounted /:' "$log" || fail "$WHO: no hostfs could be mounted: this test tests nothing"
	grep -q '^scanned [0-9]' "$log" || fail "$WHO: no scan"
	! grep -q "^$WORD" "$log" || fail "$WHO: read a file of the host: $(grep -B3 "^$WORD" "$log")"
	! grep -q 'root:.*:0:0:root\|daemon:' "$log" || fail "$WHO: read /etc of the host"
	! grep -q '^\(wrote\|touched\) ' "$log" || fail "$WHO: $(grep '^\(wrote\|touched\) ' "$log")"
	! grep -q '^found' "$log" || fail "$WHO: saw the environment of the launcher"
	! grep -q '^readable' "$log" || fail "$WHO: sees memory that is not its own: $(grep -c ^readable "$log") pages, $(grep -m3 ^readable "$log")"
	echo "ok: $WHO, $(cat "$log.report"), $(grep ^scanned "$log")"
}

all() {
	conf >"$T/n/j/init.conf"
	[ -e "$T/n/j/scan" ] || ${CC:-gcc} -D_GNU_SOURCE -static -O1 -o "$T/n/j/scan" "$(dirname "$0")/jail_scan.c"
	check
}
as_all all
