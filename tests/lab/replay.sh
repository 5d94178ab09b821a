#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# A run in virtual time is repeated from its record: everything that was typed, cut, stopped and started,
# to the last frame; the lab stands at a moment of it, and goes on from there; or something else happens.
. "${0%/*}/lib.sh"

cat >net.inc <<'END'
h1 = alloc(host) h2 = alloc(host)
r1 = attach(alloc(router), alloc(NIC), alloc(NIC))
END
cat >t.vbet <<'END'
clock = virtual
include "net.inc"
c1 = link(h1, NIC(r1, 1), delay = 5ms, jitter = 1ms, loss = 3%) c2 = link(h2, NIC(r1, 2), delay = 1ms)
default_route(h1, 10.0.0.2) default_route(h2, 10.0.1.2)
write(h1, "/etc/beside", file("motd"))
END
echo 'welcome' >motd

# A run by hand: at times that nobody can tell beforehand, but that r1 is started anew after 3 s, which are asked for below.
must vbet up t.vbet --record run --seed 5
must vbet exec h1 -- ping -c3 -i 0.3 h2
must vbet link h1 r1 down
must vbet exec h1 -- sh -c 'date; echo it was here >/root/file'
must vbet link h1 r1 up
must vbet stop h2
wait_until 30 is_state h2 down
must vbet start h2
head -c 100000 /dev/urandom >blob
must vbet cp blob h1:/root/blob
printf 'r1 ip route\nh3 = alloc(host) link(h3, alloc(switch))\nh3 hostname\n' | vbet console >/dev/null 2>&1
must vbet exec h1 -- sh -c 'while [ "$(cut -d. -f1 /proc/uptime)" -lt 3 ]; do sleep 0.1; done'
must vbet restart r1
must vbet exec h1 -- ping -c2 -W3 h2
must vbet kill h2
must vbet exec h1 -- sh -c 'md5sum /root/blob; cat /proc/uptime /proc/interrupts /proc/net/snmp; dmesg'
printf '%s\n' "$OUT" >seen
must vbet down
[ -s run/manifest ] && [ -s run/inputs ] || fail "no record: $(find run)"

# The files of the script are not needed any more.
rm t.vbet net.inc motd
must vbet replay -q run --keep one
must vbet clock
out_has 'paused'
at=$(tail -n 1 run/inputs | cut -d ' ' -f 1)
assert_eq "$at" "${OUT%% *}" "where it stands"
must vbet clock run
must vbet exec h1 -- cat /etc/beside /root/file
out_has 'welcome'
out_has 'it was here'
assert_eq down "$(node_state h2)" "h2, which was killed"
must vbet down
# Under another name, in another environment, at another time of day.
TZ=Asia/Tokyo LC_ALL=C TERM=dumb must vbet replay -q run -n other --keep two
must vbet down -n other
for d in one two; do grep -v ' \(clock\|end\|agent\)' $d/inputs >$d.inputs; done
must vbet diff one/cables two/cables
must vbet diff one.inputs two.inputs
[ "$(find one/cables -size +2k | wc -l)" -ge 2 ] || fail "nothing was seen: $(ls -l one/cables)"
# All that was done is done again, at the same times; the rest came later.
n=$(grep -vc ' \(ready\|clock\|end\)' run/inputs)
diff <(grep -v ' \(clock\|end\)' run/inputs) <(grep -v ' \(clock\|end\)' two/inputs) >&2 || fail "not all of the $n inputs"

# Somewhere in between, and from there back: of the lab that stands there.
must_status 2 vbet replay -q run --until 1000s
out_has 'no further'
must_status 2 vbet replay -q run --until 1ms
must vbet replay -q run --until 2s
must vbet clock
out_has '^2\.000000000 s'
must vbet clock step 500ms
must vbet replay -q t --back 1s
must vbet clock
out_has '^1\.500000000 s'
must vbet down

# The same, but for one thing. Nothing that is not said differs.
must_status 2 vbet up -q --whatif 'cut(r1, nosuch)' run@3s
out_has '^vbet: --whatif:1:9: '
out_has '^    cut\(r1, nosuch\)$'
must vbet ls
assert_eq "" "$OUT" "what could not be tried leaves no lab"
must vbet up -q --whatif 'link(h2, alloc(switch))' run@3s
must vbet clock
assert_eq "$at" "${OUT%% *}" "where it stands"
must vbet down
must vbet up -q --whatif 'cut(h2, r1)' run@1200ms --keep both
out_has '^cables/c2\.pcapng: frame [0-9]+, at (1\.[2-9]|[2-9]\.)'
out_has 'inputs: line'
must vbet diff one/cables both/was/cables
must vbet down

# Not on this machine, or not any more.
sed -i 's/^kernel [0-9a-f]*/kernel 1234/' run/manifest
must vbet replay run --until 2s
out_has 'kernel is another one: it was .* \(1234\), here it is'
must vbet down
sed -i 's/delay = 5ms/delay = 6ms/' run/files/*
must_fail vbet replay run
out_has 'makes another network: line [0-9]+ was .*delay = 5ms.* is .*delay = 6ms'
lab_up "$EXAMPLES/hello.vbet"
must_status 2 vbet replay hello
out_has 'real clock'
must vbet down
must_status 2 vbet up "$EXAMPLES/hello.vbet" --record there
must_status 2 vbet replay nowhere
nothing_left || fail "something is left"
