#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# capture: frames of a NIC as pcapng that tshark reads, filtered, counted, commented, into a file and
# through a pipe, before and after the cable; nothing is missing without being counted.
. "${0%/*}/lib.sh"

lab_up - <<'END'
a = alloc(host) b = alloc(host)
link(a, b, delay = 5ms)
END
wait_until 10 vbet ping a b

# begin_capture NIC FILE [FILTER] [OPTION...]: it has begun, and is process $capture.
begin_capture() {
	vbet capture "$1" "${@:3}" -w "$2" 2>"$2.err" &
	capture=$!
	wait_until 10 test -s "$2"
}
end_capture() {
	kill -INT $capture
	wait $capture || fail "status $? after SIGINT"
}

begin_capture a:eth0 two.pcapng icmp
must vbet exec a -- ping -q -c 2 -i 0.2 b
end_capture
got=$(tshark -r two.pcapng -T fields -e icmp.type 2>/dev/null)
[ "$(sort <<<"$got" | uniq -c | tr -d ' ' | tr '\n' ' ')" = "20 28 " ] || fail "not two requests and their answers: $got"

# What the file says of itself: the NIC, where it is, why it was made, how much it misses.
begin_capture a:eth0 said.pcapng icmp --comment "first try"
must vbet exec a -- ping -q -c 1 b
end_capture
must capinfos said.pcapng
out_has 'Capture comment: +first try|Comment: +first try'
out_has 'Name = a:eth0'
out_has 'Description = eth0 of a \(host\), 10.0.0.1/24, cable to b:eth0'
out_has 'Number of packets = 2'
out_has 'Time resolution = 0x09'
must tshark -r said.pcapng -T fields -e frame.packet_flags_direction
assert_eq '0x00000001 0x00000002' "$(sort <<<"$OUT" | tr '\n' ' ' | sed 's/ $//')" directions

vbet exec a -- ping -q -c 100000 -i 0.1 b >/dev/null &
pings=$!
got=$(vbet capture b:eth0 'icmp[0] == 8' --count 2 -w - 2>/dev/null | tshark -r - -T fields -e ip.src 2>/dev/null | sort -u)
[ "$got" = 10.0.0.1 ] || fail "through a pipe: '$got'"
# Two at once see the same.
vbet capture a:eth0 icmp --count 2 -w one.pcapng &
one=$!
must vbet capture a:eth0 icmp --count 2 -w other.pcapng
wait $one
for f in one other; do
	got=$(tshark -r $f.pcapng 2>/dev/null)
	[ "$(wc -l <<<"$got")" = 2 ] || fail "$f: $got"
done

# On both sides of the cable: a request leaves a 5 ms before it reaches b.
begin_capture a:eth0 near.pcapng 'icmp[0] == 8'
must vbet capture b:eth0 'icmp[0] == 8' --count 3 -w far.pcapng
end_capture
time_of() { # FILE SEQUENCE
	tshark -r "$1" -Y "icmp.seq == $2" -T fields -e frame.time_epoch 2>/dev/null
}
sequence=$(tshark -r far.pcapng -T fields -e icmp.seq 2>/dev/null | tail -n 1)
near=$(time_of near.pcapng "$sequence") far=$(time_of far.pcapng "$sequence")
[ -n "$near" ] || fail "the two captures share no request"
late=$(awk "BEGIN { printf \"%d\", (${far#??????} - ${near#??????}) * 1e6 }")
[ "$late" -ge 4999 ] || fail "5 ms of cable took $late us"

# Ctrl-C ends it, with all that passed.
begin_capture a:eth0 interrupted.pcapng icmp
wait_until 10 sh -c 'tshark -r interrupted.pcapng 2>/dev/null | grep -q reply'
end_capture
must tshark -r interrupted.pcapng
assert_eq "$(wc -l <<<"$OUT") frames" "$(cat interrupted.pcapng.err)" "what it says"
kill $pings 2>/dev/null

# A reader that stands still for long misses frames, but not without being told how many.
must vbet link a b reset --plain
mkfifo go
vbet capture a:eth0 icmp -w - 2>slow.err | { read -r _ <go; cat; } >slow.pcapng &
wait_until 10 sh -c 'vbet status --json | grep -q \"capture\\.'
must vbet exec a -- ping -q -f -s 1400 -c 10000 b
pid=$(pgrep -u "$(id -u)" -f "vbet capture a:eth0 icmp -w -")
kill -INT "$pid"
echo >go
wait
read -r seen _ <slow.err
missing=$(sed -n 's/ more are missing.*//p' slow.err)
[ "${missing:-0}" -gt 0 ] || fail "nothing is missing: $(cat slow.err)"
[ $((seen + missing)) -ge 20000 ] || fail "of 20000 frames: $(cat slow.err)"
must capinfos -c -M slow.pcapng
out_has "Number of packets: +$seen"

# Into a FIFO, whose reader goes away: no error. One that does not read holds up neither the end nor the lab.
mkfifo fifo
vbet capture a:eth0 fifo icmp 2>fifo.err &
pid=$!
head -c 400 <fifo >/dev/null & # the head of the file is longer than that
must vbet exec a -- ping -q -c 20 -i 0.05 b
wait $pid || fail "status $? when the reader went: $(cat fifo.err)"
vbet capture a:eth0 fifo 2>fifo.err &
pid=$!
exec 7<fifo
must vbet exec a -- ping -q -f -s 1400 -c 200 b
kill -0 $pid || fail "ended before all was read: $(cat fifo.err)"
# The first Ctrl-C ends the capture, the next one the wait for the reader.
while kill -INT $pid 2>/dev/null; do sleep 0.1; done
wait $pid || fail "status $? while nobody reads: $(cat fifo.err)"
exec 7<&-
must_status 2 vbet capture a:eth0 fifo -w x.pcapng

must_status 2 vbet capture a:eth9 --count 1 -w x.pcapng
must_status 2 vbet capture a:eth0 'no such filter' -w x.pcapng
must_status 2 vbet capture a:eth0 --for nonsense -w x.pcapng
must vbet capture a:eth0 --for 200ms -w idle.pcapng
must tshark -r idle.pcapng
