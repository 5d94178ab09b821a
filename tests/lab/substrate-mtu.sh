#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The path under a virtual link gets narrower while the lab runs, and wider again: the guests' NICs follow, so that
# what does not fit is refused where it is sent, and TCP goes on.
# lab: slow
. "${0%/*}/lib.sh"

lab_up - <<'END'
s = line(3, substrate, rate = 100Mbit)
red = vnet()
r1 = attach(alloc(host, vnet = red, on = s[1]), alloc(NIC, address = [10.0.0.1/24, fd00:1::1/64]))
r2 = attach(alloc(host, vnet = red, on = s[3]), alloc(NIC, address = [10.0.0.2/24, fd00:1::2/64]))
route(r1, fd00:9::/64, fd00:1::2)
v = vlink(r1, r2, min = 5Mbit)
blue = vnet()
b1 = alloc(host, vnet = blue, on = s[1])
b2 = alloc(host, vnet = blue, on = s[2])
w = vlink(b1, b2, min = 5Mbit)
END
mtu_of() { in_node "$1" 'cat /sys/class/net/eth0/mtu'; }
has_mtu() { [ "$(mtu_of "$1")" = "$2" ]; }
big() { in_node r1 "ping -4 -n -c 1 -W 2 -M do -s $1 r2"; } # an IP packet of that many octets and 28
assert_eq 1500 "$(mtu_of r1)" MTU
must big 1472

# 1300 - 24 for the encapsulation.
must vbet link s2 s3 set mtu=1300
for n in r1 r2; do
	wait_until 10 has_mtu $n 1276
done
assert_eq 1500 "$(mtu_of b1)" "MTU of another vNet's"
must_fail big 1472
out_has 'essage too long'
must big 1248
must_fail big 1249
# A first connection, with nothing learnt from earlier ones.
in_node r2 'nc -l -p 99 >/tmp/got & echo' >/dev/null
must in_node r1 'sleep 0.5; head -c 300000 /dev/zero | nc -q 0 -w 10 r2 99'
got_all() { [ "$(in_node r2 'wc -c </tmp/got')" = 300000 ]; }
wait_until 10 got_all
must vbet substrate
out_has '^v carries packets of 1276 octets, its NICs were made for 1500'
out_has_not '^w carries'
must vbet status
out_has 'eth0 .*MTU 1276'
assert_eq 1276 "$(status_of '.nodes[] | select(.name == "r1") | .nics[0].mtu')" "MTU in the status"
assert_eq 1 "$(grep -c 'r1: eth0 has an MTU of 1276 instead of 1500' "$RUN/t/server.log")" "lines in the log"

# One that boots now learns it, too.
must vbet restart r2
wait_until 20 is_state r2 ready
wait_until 10 has_mtu r2 1276
must big 1248

must vbet link s2 s3 set mtu=1600
for n in r1 r2; do
	wait_until 10 has_mtu $n 1500
done
must big 1472
grep -q 'r1: eth0 has its MTU of 1500 again' "$RUN/t/server.log" || fail "nothing in the log"
must vbet substrate
out_has_not 'carries packets of'

# With less than 1280, IPv6 is off; it comes back with its addresses and routes.
ipv6() { in_node r1 'ip -6 -o addr show dev eth0; ip -6 route'; }
no_ipv6() { ! ipv6 | grep -q fd00; }
has_ipv6() { ipv6 | grep -q 'inet6 fd00:1::1/64' && ipv6 | grep -q 'fd00:9::/64 via fd00:1::2'; }
must has_ipv6
must vbet link s2 s3 set mtu=1200
wait_until 10 has_mtu r1 1176
wait_until 10 no_ipv6
must vbet link s2 s3 set mtu=1600
wait_until 10 has_mtu r1 1500
wait_until 10 has_ipv6
must vbet down

# In virtual time it is part of what is repeated from the record.
sed -i '1i clock = virtual' t.vbet
lab_up t.vbet --record run --seed 5
must vbet link s2 s3 set mtu=1300
wait_until 20 has_mtu r1 1276
must_fail big 1472
out_has 'essage too long'
must vbet down
must vbet replay -q run --keep one
must vbet clock run
assert_eq 1276 "$(mtu_of r1)" "MTU in the repetition"
assert_eq 1276 "$(status_of '.nodes[] | select(.name == "r1") | .nics[0].mtu')" "MTU in its status"
must vbet link s2 s3 set mtu=1600
wait_until 20 has_mtu r1 1500
must vbet down

# A schedule changes it while the clock runs: the guests are told at the same times in each run, however busy the
# machine is and however far from the change they are.
cat >again.vbet <<'END'
clock = virtual
s = line(3, substrate, rate = 100Mbit, delay = 3ms, schedule = "mtu square 1600 1300 4s")
red = vnet()
r1 = attach(alloc(host, vnet = red, on = s[1]), alloc(NIC, address = 10.0.0.1/24))
r2 = attach(alloc(host, vnet = red, on = s[3]), alloc(NIC, address = 10.0.0.2/24))
v = vlink(r1, r2, min = 5Mbit)
at 1500ms exec(r1, "for i in $(seq 150); do ping -c1 -W1 -M do -s 1400 r2; cat /sys/class/net/eth0/mtu; done")
expect at 12s exec(r2, "test $(cat /sys/class/net/eth0/mtu) = 1276")
expect at 14s exec(r2, "test $(cat /sys/class/net/eth0/mtu) = 1500")
expect at 20s exec(r2, "true")
END
must vbet test -q again.vbet --seed 5 --keep first
burn
must vbet test -q again.vbet --seed 5 --keep second
unburn
told=$(grep -c 'control .*mtu eth0 1276' first/inputs)
[ "$told" -ge 6 ] || fail "the guests were told $told times only"
diff -rq first second >&2 || fail "the second run is another one: $(diff first/inputs second/inputs)"
