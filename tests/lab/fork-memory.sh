#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: plain
# A lab and its forks have what none of them has changed once, and none sees what another one writes: into memory of programs,
# files in memory, or the kernel's; also when the lab that it was forked from is gone.
. "${0%/*}/lib.sh"

lab_up - <<'END'
s = alloc(switch)
a = alloc(host, memory = 64M) b = alloc(host)
link(s, a) link(s, b)
END
cat >remember.py <<'END'
import os, signal, zlib

data = bytearray(os.urandom(6 << 20))

def tell(*_):
    with open("/tmp/told", "w") as f:
        f.write("%d" % zlib.crc32(data))
    os.rename("/tmp/told", "/tmp/sum")

def change(*_):
    for i in range(0, len(data), 40960):
        data[i] ^= 255
    tell()

signal.signal(signal.SIGUSR1, tell)
signal.signal(signal.SIGUSR2, change)
tell()
while True:
    signal.pause()
END
# in_a LAB SHELL-COMMAND
in_a() { vbet exec -n "$1" a -- sh -c "$2" </dev/null; }
# remembers LAB [SIGNAL]: what the program there has, after that.
remembers() {
	in_a "$1" "rm /tmp/sum; kill -${2:-USR1} \$(cat /tmp/pid); while ! cat /tmp/sum 2>/dev/null; do sleep 0.05; done"
}
# file_of LAB
file_of() { in_a "$1" 'md5sum </tmp/file'; }
# kB of memory files of the guests of a lab: what is their own.
own_memory() {
	local pid
	lab_processes | while read -r pid name; do
		[[ $name == linux* ]] || continue
		find "/proc/$pid/fd" -lname "$RUN/$1/*" | grep -q . || continue
		find "/proc/$pid/fd" -lname '/memfd:uml*' -exec stat -L -c '%i %b' {} +
	done | sort -u -k 1,1 | awk '{ sum += $2 } END { print int(sum / 2) }'
}
vbet exec a -- sh -c 'cat >/tmp/remember.py' <remember.py || fail "no program"
in_node a 'head -c 6000000 /dev/urandom >/tmp/file; nohup python3 /tmp/remember.py >/tmp/log 2>&1 </dev/null &
	echo $! >/tmp/pid; while ! [ -e /tmp/sum ]; do sleep 0.05; done'
remembered=$(remembers t)
file=$(file_of t)
before=$(own_memory t)

must vbet fork t -n twin
after=$(own_memory t)
[ "$before" -gt 20000 ] && [ "$after" -lt $((before / 4)) ] || fail "$before kB of its own, and $after when it is forked"
assert_eq "$remembered" "$(remembers twin)" "what a program remembers in the fork"
assert_eq "$file" "$(file_of twin)" "a file in the fork"
twin=$(own_memory twin)
[ "$twin" -lt $((before / 4)) ] || fail "$twin kB of the fork's own: $before when nothing was shared"

changed=$(remembers t USR2)
[ "$changed" != "$remembered" ] || fail "nothing was changed"
assert_eq "$remembered" "$(remembers twin)" "what a program remembers that another one has changed"
in_a twin 'dd if=/dev/zero of=/tmp/file bs=4096 seek=700 count=9 conv=notrunc 2>/dev/null'
other_file=$(file_of twin)
[ "$other_file" != "$file" ] || fail "the file is as it was"
assert_eq "$file" "$(file_of t)" "a file that another one has changed"
assert_eq "$changed" "$(remembers t)" "what was changed"
for lab in t twin; do
	must vbet ping -n $lab a b
done

# Of the fork, which has some of the lab's pages, and some of its own.
must vbet fork twin -n third
must vbet down -n t
must vbet down -n twin
assert_eq "$remembered" "$(remembers third)" "what a program remembers in the fork of the fork"
assert_eq "$other_file" "$(file_of third)" "a file in the fork of the fork"
must vbet ping -n third a b
must vbet down -n third
nothing_left || fail "something is left"
