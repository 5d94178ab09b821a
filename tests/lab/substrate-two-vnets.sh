#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A guest in two vNets whose addresses overlap: it reaches its neighbours in each, names and routes are those of the vNet
# that is meant, and nothing passes from one vNet to the other through it, or to its ordinary network, however a
# neighbour sends. Told to forward, it does: so what is refused before is refused by the guest.
. "${0%/*}/lib.sh"

in_vnet() { vbet exec --vnet "$1" "$2" -- sh -c "$3"; }

for clock in real virtual; do
	must vbet test --clock "$clock" "$EXAMPLES/two-vnets.vbet"
done

lab_up - <<'END'
s = line(2, substrate)
red = vnet() blue = vnet()
# A router: forwarding is on in its kernel.
g = alloc(router, vnet = [red, blue], on = s[1])
r = attach(alloc(host, vnet = red, on = s[2], memory = 96M), alloc(NIC, address = [10.1.0.2/24, 10.0.0.2/24, fd01::2/64]))
b = attach(alloc(host, vnet = blue, on = s[2], memory = 96M), alloc(NIC, address = [10.2.0.2/24, 10.0.0.2/24, fd02::2/64]))
plain = attach(alloc(host), alloc(NIC, address = 10.3.0.2/24))
vlink(g, r) vlink(g, b) link(g, plain)
address(NIC(g, 1), 10.1.0.1/24, 10.0.0.1/24, fd01::1/64)
address(NIC(g, 2), 10.2.0.1/24, 10.0.0.1/24, fd02::1/64)
address(NIC(g, 3), 10.3.0.1/24)
default_route(r, 10.1.0.1)
route(r, fd02::/64, fd01::1)
default_route(b, 10.2.0.1)
route(b, fd01::/64, fd02::1)
default_route(plain, 10.3.0.1)
exec(r, "mkdir /srv/w && echo red >/srv/w/who && python3 -m http.server -d /srv/w 80 >/dev/null 2>&1 &")
exec(b, "mkdir /srv/w && echo blue >/srv/w/who && python3 -m http.server -d /srv/w 80 >/dev/null 2>&1 &")
# One server of its own for all, one for red alone.
exec(g, "mkdir /srv/w && echo both >/srv/w/who && python3 -m http.server -d /srv/w 80 >/dev/null 2>&1 &")
exec(g, "python3 -m http.server -d /srv/w 81 >/dev/null 2>&1 &", vnet = red)
END

# ---- each vNet has its own ----
fetch() { vbet exec ${3:+--vnet "$3"} "$1" -- curl -s -m 3 "$2"; }
gets() { [ "$(fetch "$2" "$3" "${4:-}" 2>/dev/null)" = "$1" ]; }
wait_until 20 gets red g http://10.0.0.2/who red
wait_until 20 gets blue g http://10.0.0.2/who blue
wait_until 20 gets red g http://r/who red
wait_until 20 gets both r http://10.0.0.1/who
wait_until 20 gets both b http://10.0.0.1/who
wait_until 20 gets both plain http://10.3.0.1/who
wait_until 20 gets both r http://10.0.0.1:81/who
gets both b http://10.0.0.1:81/who && fail "blue reaches a server in red"
gets both plain http://10.3.0.1:81/who && fail "the ordinary network reaches a server in red"
assert_eq red "$(in_vnet red g 'ip vrf identify')" "ip vrf identify"
must_fail in_vnet red g 'getent hosts b'
must_fail in_node g 'ping -c1 -W1 10.0.0.2'
must vbet ping g r
must vbet ping g b.blue
must_fail vbet ping g b.red
out_has 'b is not in vNet red'
must_fail vbet exec --vnet green g -- true
out_has "no vNet 'green'"
must vbet pingall
out_has '^g -> r b plain$'
out_has '^6 of 6 reached$'

# ---- nothing passes ----
# Its own addresses elsewhere, and those behind it, of either family.
for to in 10.2.0.1 10.2.0.2 10.3.0.1 10.3.0.2 fd02::1 fd02::2; do
	must_fail in_node r "ping -c1 -W0.5 $to"
done
for to in 10.1.0.1 10.1.0.2 10.3.0.1 10.3.0.2 fd01::1 fd01::2; do
	must_fail in_node b "ping -c1 -W0.5 $to"
done
for to in 10.1.0.1 10.2.0.2 10.0.0.1; do
	must_fail in_node plain "ping -c1 -W0.5 $to"
done
# Raw frames of an attacker in red: from addresses of blue, by IPv4 and IPv6, to all that is not red, and to itself.
cat >attack.py <<'END'
import socket, struct, sys
mac = lambda path: bytes.fromhex(open(path).read().strip().replace(":", ""))
me, to = mac("/sys/class/net/eth0/address"), bytes.fromhex(sys.argv[1].replace(":", ""))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
def total(data):
    n = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    n = (n & 0xffff) + (n >> 16)
    return 0xffff & ~(n + (n >> 16))
def send(source, dest):
    four = lambda a: socket.inet_aton(a)
    echo = struct.pack("!BBHHH", 8, 0, 0, 66, 66) + b"x" * 26
    echo = echo[:2] + struct.pack("!H", total(echo)) + echo[4:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(echo), 66, 0, 64, 1, 0) + four(source) + four(dest)
    head = head[:10] + struct.pack("!H", total(head)) + head[12:]
    s.send(to + me + b"\x08\x00" + head + echo)
def send6(source, dest):
    six = lambda a: socket.inet_pton(socket.AF_INET6, a)
    udp = struct.pack("!HHHH", 66, 66, 8 + 20, 0) + b"y" * 20
    pseudo = six(source) + six(dest) + struct.pack("!II", len(udp), 17)
    udp = udp[:6] + struct.pack("!H", total(pseudo + udp)) + udp[8:]
    s.send(to + me + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(udp), 17, 64) + six(source) + six(dest) + udp)
for source in "10.1.0.2", "10.0.0.2", "10.2.0.66", "10.3.0.66", "127.0.0.1":
    for dest in "10.2.0.2", "10.2.0.1", "10.2.0.255", "10.3.0.1", "10.3.0.2", "127.0.0.1", "224.0.0.1", "255.255.255.255":
        send(source, dest)
for source in "fd01::2", "fd02::66":
    for dest in "fd02::1", "fd02::2", "ff02::1", "ff05::1":
        send6(source, dest)
s.send(to + me + b"\x81\x00\x00\x02\x08\x00" + b"z" * 46)
print("sent")
END
# What the attacker's frames alone have in them.
attack() {
	must vbet exec --step r -- python3 /attack.py "$(in_node g 'cat /sys/class/net/eth0/address')"
	out_has '^sent$'
}
vbet cp attack.py r:/attack.py || fail "cp"
seen='icmp[4:2] = 66 or udp port 66'
listen_at() { vbet capture "$1" "$seen" -w "$2" & captures+=($!); }
captures=()
listen_at r:eth0 r.pcapng
listen_at b:eth0 b.pcapng
listen_at plain:eth0 plain.pcapng
for f in r b plain; do wait_until 20 test -s $f.pcapng; done
attack
# The same way, so behind all that the attack may have let through.
must vbet ping g b
must vbet ping g plain
sleep 1
kill -INT "${captures[@]}"
wait "${captures[@]}"
count() { tshark -r "$1" 2>/dev/null | wc -l; }
[ "$(count r.pcapng)" -gt 40 ] || fail "the capture at the attacker has $(count r.pcapng) frames"
assert_eq 0 "$(count b.pcapng)" "frames of red in blue"
assert_eq 0 "$(count plain.pcapng)" "frames of red in the ordinary network"

# ---- unless asked ----
must in_node g 'ip route add 10.2.0.0/24 dev eth1 vrf red && ip route add 10.1.0.0/24 dev eth0 vrf blue'
must in_node r 'ping -c3 -i0.2 -W1 10.2.0.2'
must_fail in_node r 'ping -c1 -W0.5 10.3.0.2'

# ---- what comes later ----
must type_in 'late = attach(alloc(host, vnet = red, on = s[2]), alloc(NIC, address = 10.4.0.2/24)) vlink(g, late) address(NIC(g, 4), 10.4.0.1/24)'
must vbet wait late
wait_until 20 vbet ping g late
must in_vnet red g 'ping -c2 -W2 late'
must_fail in_vnet blue g 'ping -c1 -W1 10.4.0.2'
must_fail in_node b 'ping -c1 -W1 10.4.0.2'
must_fail type_in 'free(red)'
must vbet restart g
must vbet wait g
must vbet ping g late
must vbet ping g b
must vbet down
nothing_left || fail "something is left"
