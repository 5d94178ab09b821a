#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# up --substrate-processes 2: two switches with their guests in a process each; the cable between them is as any other.
. "${0%/*}/lib.sh"

lab_up - --substrate-processes 2 <<'END'
s = alloc(switch)
t = alloc(switch)
for i in 1..4 { h[i] = attach(alloc(host, name = "h${i}"), alloc(NIC, address = "10.0.0.${i}/24")) }
link(s, h[1], h[2])
link(t, h[3], h[4])
link(s, t, name = "st")
END
assert_eq '["s","h1","h2"] ["t","h3","h4"]' "$(status_of '[.substrate_processes[].nodes | tojson] | join(" ")')" "who carries what"
must vbet pingall
out_has '12 of 12 reached'

# What it does to frames, in the direction in which it does it.
frames() { status_of ".substrate.objects.st.$1.frames"; }
lost() { status_of ".substrate.objects.st.$1.dropped.loss // 0"; }
must vbet link s t set ab.delay=30ms ba.delay=50ms
# Never sooner; on a busy machine later now and then, but not each time.
delayed() {
	in_node h1 'ping -c 3 -i 0.2 10.0.0.3' >rtt
	awk -F'[=/]' '/^rtt/ { exit !($5 >= 80) }' rtt || fail "too soon: $(cat rtt)"
	grep -q 'mdev = 8[0-9]\.' rtt
}
wait_until 30 delayed
must vbet link s t reset
must vbet link s t set ab.loss=100%
before=$(frames ba)
must_fail in_node h1 'ping -c 2 -i 0.2 -W 1 10.0.0.3'
[ "$(lost ab)" -ge 2 ] || fail "not counted: $(status_of .substrate.objects.st)"
assert_eq 0 "$(lost ba)" "lost the other way"
must vbet link s t reset
must in_node h1 'ping -c 2 -l 2 -i 5 10.0.0.3'
[ "$(frames ba)" -ge $((before + 2)) ] || fail "the other direction counts $(frames ba) after $before"

# Frames can be seen at either side.
vbet exec h1 -- ping -q -c 1000 -i 0.1 10.0.0.3 >/dev/null </dev/null &
pings=$!
for end in s:3 t:3 h3:eth0; do
	must vbet capture $end 'icmp[0] == 8' --count 2 -w seen.pcapng
	assert_eq 2 "$(tshark -r seen.pcapng 2>/dev/null | wc -l)" "frames at $end"
done
kill $pings
wait $pings 2>/dev/null

# Cut, at one end, in one direction, and mended.
carriers() { status_of '[.substrate.objects["s:3", "t:3"].carrier | tostring] | join(" ")'; }
must vbet link s t down
assert_eq "false false" "$(carriers)" "carrier of a cut cable"
must_fail in_node h1 'ping -c 1 -W 1 10.0.0.3'
must vbet link s t up
must vbet link s t down end=t
assert_eq "true false" "$(carriers)" "carrier of a cable cut at one end"
must vbet link s t up
assert_eq "true true" "$(carriers)" "carrier of a mended cable"
must vbet link s t down --one-way
must_fail in_node h1 'ping -c 1 -W 1 10.0.0.3'
must vbet link s t up
wait_until 20 in_node h1 'ping -c 1 -W 1 10.0.0.3'
must_status 2 vbet link s t set loss=200%

# What comes later finds its place, and what is there stays.
echo 'link(attach(alloc(host, name = "h5"), alloc(NIC, address = 10.0.0.5/24)), node("t"))' | vbet console >/dev/null || fail "no new node"
must vbet wait h5
wait_until 20 in_node h5 'ping -c 1 -W 1 10.0.0.1'
assert_eq '["t","h3","h4","h5"]' "$(status_of '.substrate_processes[1].nodes | tojson')" "who carries h5"

# One process ends: it is named, its cables lose their carrier, the others go on.
kill -KILL "$(status_of '.substrate_processes[1].pid')"
wait_until 20 eval '[ "$(carriers)" = "false null" ]'
must vbet status
out_has '^substrate\.2 +process [0-9]+ HAS ENDED, carries t h3 h4 h5'
out_has '^t +switch +lost'
must in_node h1 'ping -c 1 10.0.0.2'
must_fail vbet link s t set delay=1ms
out_has 'substrate\.2 has ended'
must vbet link s h1 set delay=1ms
must vbet down
must nothing_left

# In virtual time there is one calendar, and one process.
must_status 2 vbet up --clock virtual --substrate-processes 2 "$EXAMPLES/hello.vbet"
out_has 'in virtual time there is one process'
must_status 2 vbet up --substrate-processes 0 "$EXAMPLES/hello.vbet"
must vbet up --clock virtual --substrate-processes auto "$EXAMPLES/hello.vbet"
