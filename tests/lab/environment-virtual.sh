#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# In virtual time nothing of the host shows in a guest, and everything random is the seed's: whatever a guest
# can print of itself is the same in another directory, in another environment, later, and while the machine
# is busy.
. "${0%/*}/lib.sh"

cc -O1 -o look "$ROOT/tests/lab/look.c" || skip "no compiler"
base64 look >look.txt
cat >env.vbet <<'END'
clock = virtual
seed = 3
a = alloc(host) b = alloc(router)
link(a, b)
for n in [a, b] {
	write(n, "/root/look.txt", file("look.txt"))
	write(n, "/root/ask.sh", file("ask.sh"))
}
at 2s exec(a, "sh /root/ask.sh >/dev/console 2>&1")
at 2500ms exec(b, "sh /root/ask.sh >/dev/console 2>&1")
expect at 8s ping(a, b)
END
cat >ask.sh <<'END'
base64 -d /root/look.txt >/root/look && chmod 755 /root/look && /root/look && /root/look
date; uptime; uname -a; hostname; id; env | sort; umask; ulimit -a; tty; stty size; pwd
cd /proc
cat cmdline version uptime loadavg stat interrupts softirqs meminfo iomem vmstat mounts self/maps self/stat
cat cpuinfo | grep -v MHz
od -An -tx1 self/auxv
cat sys/kernel/random/boot_id sys/kernel/random/uuid
head -c 64 /dev/urandom | od -An -tx1
head -c 64 /dev/random | od -An -tx1
bash -c 'echo $RANDOM $SRANDOM $$ $BASHPID'
mktemp /tmp/XXXXXXXX
ls -lai --full-time / /etc /usr/bin /root /tmp /run /var/log /dev
ls -U /usr/bin /etc /usr/lib
ps -ef
cat net/snmp net/netstat net/tcp net/udp net/sockstat slabinfo zoneinfo buddyinfo timer_list
ip -d -s addr; ip route; ip -s neigh; df; mount
grep -rs . /sys/class/net/ /sys/devices/virtual/net /proc/sys/kernel /proc/sys/net/ipv4
dmesg
END

must vbet test -q -t 200s env.vbet --keep one
lines=$(wc -l <one/nodes/a.log)
[ "$lines" -gt 1000 ] || fail "only $lines lines: $(tail -n 20 one/nodes/a.log)"
grep -q '^tsc [0-9]' one/nodes/a.log || fail "nothing of the program: $(head -n 20 one/nodes/a.log)"
# The counter of virtual time counts nanoseconds from the start of the lab. Where the machine's cannot be hidden, that is said,
# and what shows it is left out of what follows.
seen=$(awk '$1 == "tsc" { print $2 + 0 < 1e11 ? "virtual" : "host"; exit }' one/nodes/a.log)
assert_eq "tsc $seen" "$(grep '^tsc' one/manifest)" "what the manifest says of the time stamp counter"
! grep -wE "$(id -un)|$HOME|$(uname -n)|$XDG_RUNTIME_DIR" one/nodes/a.log >&2 || fail "the lines above are the host's"
[ "$(cat /proc/sys/kernel/random/boot_id)" != "$(grep -m1 -E '^[0-9a-f]{8}-' one/nodes/a.log)" ] || fail "the host's boot_id"

mkdir -p elsewhere/far/away && cp env.vbet look.txt ask.sh elsewhere/far/away && cd elsewhere/far/away || exit 1
touch -d 2001-02-03 env.vbet look.txt ask.sh
export TZ=Asia/Tokyo TERM=dumb LC_ALL=C SECRET=1 COLUMNS=13 MALLOC_PERTURB_=7
umask 077
burn 2
must vbet test -q -t 200s env.vbet --keep ../two
unburn
cd "$HOME" || exit 1
[ "$seen" = virtual ] || sed -i '/^tsc [0-9]/d' {one,elsewhere/far/two}/nodes/*.log
for part in nodes cables; do
	vbet diff one/$part elsewhere/far/two/$part >&2 || {
		diff one/nodes/a.log elsewhere/far/two/nodes/a.log | head -n 20 >&2
		fail "the host shows in the lines above"
	}
done
nothing_left || fail "something is left"
