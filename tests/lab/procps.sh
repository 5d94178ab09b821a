#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The tools that show processes, load and memory work in a guest, and have nothing to complain about.
. "${0%/*}/lib.sh"

lab_up - <<'END'
h = alloc(host)
END

# works COMMAND PATTERN: exits with 0, prints such a line, and nothing on standard error.
works() {
	must vbet exec h -- sh -c "{ $1; } 2>/root/complaint && ! grep . /root/complaint"
	out_has "$2"
}
works 'ps -ef' '^root +1 .*init'
works 'ps -o pid,lstart,cmd 1' "^ +1 .* $(date -u +%Y) "
works vmstat '^ *[0-9]+ +[0-9]+ +[0-9]+ '
works 'vmstat -s' '^ *[0-9]+ boot time'
works 'top -bn1' '^%Cpu\(s\): '
works uptime 'up [0-9]+ min.* load average: '
works free '^Mem: +[0-9]+'
works w '^USER'
works lscpu '^CPU\(s\): +1$'
# The copy of /proc/cpuinfo that they read is no file system of its own in df, and no file in /dev.
works 'df | wc -l' '^4$'
must_fail vbet exec h -- test -e /dev/cpuinfo
