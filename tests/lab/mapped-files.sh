#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Programs map the host's own pages of the common file system: what they see is what read() sees, what they write is
# theirs alone, a debugger reads them, and little of a guest's memory is for them. By the real clock and restored, too.
# lab: slow, plain
. "${0%/*}/lib.sh"

cat >map.vbet <<'END'
a = alloc(host, memory = 96M)
b = alloc(host, memory = 96M)
link(a, b, delay = 1ms)
END

cat >look.py <<'END'
import ctypes, glob, mmap, os, signal, sys

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
PRIVATE = mmap.MAP_PRIVATE
R, W, X = mmap.PROT_READ, mmap.PROT_WRITE, mmap.PROT_EXEC

def map_file(path, prot, length=None, flags=PRIVATE, at=0):
    fd = os.open(path, os.O_RDONLY)
    size = length or os.fstat(fd).st_size
    p = libc.mmap(None, size, prot, flags, fd, at)
    os.close(fd)
    assert p not in (None, ctypes.c_void_p(-1).value), path
    return p, size

def in_child(do):
    pid = os.fork()
    if pid == 0:
        do()
        os._exit(0)
    return os.waitpid(pid, 0)[1]

lib = glob.glob("/usr/lib/x86_64-linux-gnu/libc.so.6")[0]
whole = open(lib, "rb").read()

# The same octets, whatever the mapping may be used for, in parts and in a child.
for prot in (R, R | X, R | W):
    p, n = map_file(lib, prot)
    assert ctypes.string_at(p, n) == whole, prot
p, n = map_file(lib, R, 8192, at=3 * 4096)
assert ctypes.string_at(p, n) == whole[3 * 4096:5 * 4096]
p, n = map_file(lib, R, flags=mmap.MAP_SHARED)
assert ctypes.string_at(p, n) == whole
def child():
    assert ctypes.string_at(p, n) == whole
assert in_child(child) == 0

# What is behind the end: zeroes in its last page, a signal behind that.
p, n = map_file(lib, R, len(whole) + 3 * 4096)
last = len(whole) // 4096 * 4096
assert ctypes.string_at(p + len(whole), last + 4096 - len(whole)) == bytes(last + 4096 - len(whole))
assert in_child(lambda: ctypes.string_at(p + last + 4096, 1)) == signal.SIGBUS

# What is written is for the writer alone: before it was read, after it was, and by parent and child.
p, n = map_file(lib, R | W)
ctypes.memset(p + 4096, 0x55, 10)
assert ctypes.string_at(p + 4096, 20) == b"U" * 10 + whole[4106:4116]
assert ctypes.string_at(p, 4096) == whole[:4096]
ctypes.memset(p, 0x56, 1)
def child():
    assert ctypes.string_at(p, 1) == b"V" and ctypes.string_at(p + 4096, 10) == b"U" * 10
    ctypes.memset(p + 8192, 0x57, 4096)
    assert ctypes.string_at(p + 8192, 4096) == b"W" * 4096
assert in_child(child) == 0
assert ctypes.string_at(p + 8192, 4096) == whole[8192:12288]
assert open(lib, "rb").read() == whole
libc.madvise(ctypes.c_void_p(p), ctypes.c_size_t(4096), 4)
assert ctypes.string_at(p, 4096) == whole[:4096]

# The kernel reads it: a system call's argument, and what needs the page itself.
r, w = os.pipe()
libc.write(w, ctypes.c_void_p(p + 12288), 4096)
assert os.read(r, 4096) == whole[12288:16384]
class iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
buf = ctypes.create_string_buffer(100000)
for off in (16384, 16384 + 90000):
    here, there = iovec(ctypes.addressof(buf), 50000), iovec(p + off, 50000)
    got = libc.process_vm_readv(os.getpid(), ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    assert got == 50000, (got, ctypes.get_errno())
    assert buf.raw[:50000] == whole[off:off + 50000]
mem = open("/proc/self/mem", "rb", buffering=0)
mem.seek(p + 400000)
assert mem.read(5000) == whole[400000:405000]
iov = iovec(p + 500 * 1024, 4096)
assert libc.vmsplice(w, ctypes.byref(iov), 1, 0) == 4096, ctypes.get_errno()
assert os.read(r, 4096) == whole[500 * 1024:500 * 1024 + 4096]
assert libc.mlockall(1) == 0 and libc.munlockall() == 0
assert libc.mprotect(ctypes.c_void_p(p), ctypes.c_size_t(n), R) == 0
assert ctypes.string_at(p + 20 * 4096, 4096) == whole[20 * 4096:21 * 4096]

# Many: all libraries at once.
libs = [f for f in sorted(glob.glob("/usr/lib/x86_64-linux-gnu/*.so*")) if os.path.isfile(f) and 0 < os.path.getsize(f) < 6 << 20]
for f in libs:
    p, n = map_file(f, R)
    assert ctypes.string_at(p, n) == open(f, "rb").read(), f
print("same", len(libs) > 50)
END

cat >half.py <<'END'
import mmap, os, time

f = open("/usr/lib/x86_64-linux-gnu/libcrypto.so.3", "rb")
m = mmap.mmap(f.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
m[5000:5003] = b"abc"
half = m[:1000000]
open("/root/ready", "w").close()
while not os.path.exists("/root/go"):
    time.sleep(0.1)
b = f.read()
print(m[1000000:] == b[1000000:] and m[:5000] == b[:5000] and m[5000:5003] == b"abc")
END

# File pages in a guest's memory, in kB.
file_kb() { in_node "$1" "awk '\$1 == \"nr_file_pages\" { print \$2 * 4 }' /proc/vmstat"; }

for clock in virtual real; do
	must vbet up --clock $clock -q map.vbet
	must vbet cp look.py a:/root/look.py
	assert_eq "same True" "$(in_node a "python3 /root/look.py" 2>&1)" "by the $clock clock"
	few=$(file_kb b)
	[ "$few" -lt 2000 ] || fail "$few kB of a host's memory are for files"
	# One has half of a file mapped when it is saved, and the other half later.
	must vbet cp half.py a:/root/half.py
	in_node a "setsid python3 /root/half.py >/root/out 2>&1 &"
	wait_until 20 in_node a "test -e /root/ready"
	save_or_skip ./kept
	must vbet down
	must vbet restore ./kept
	must vbet exec a -- touch /root/go
	wait_until 20 in_node a "grep -q . /root/out"
	assert_eq True "$(in_node a "cat /root/out")" "the other half, by the $clock clock"
	assert_eq "same True" "$(in_node a "python3 /root/look.py" 2>&1)" "restored, by the $clock clock"
	must vbet down
	rm -rf kept
done
nothing_left || fail "something is left"
