#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# soak: 20 guests at full load, with links changing under them, lose only frames that are counted. It takes
# VBET_SOAK_SECONDS (10; `make soak` takes an hour), and draws the changes from VBET_SOAK_SEED.
. "${0%/*}/lib.sh"

seconds=${VBET_SOAK_SECONDS:-10}
RANDOM=${VBET_SOAK_SEED:-1}

# Four LANs of five, in a row, with shaped cables between them; one LAN is a hub. Nobody speaks unasked.
lab_up - <<'END'
lan = [alloc(switch), alloc(switch), alloc(switch), alloc(hub)]
for i in 1..3 { link(lan[i], lan[i + 1], rate = 200Mbit, delay = 200us, limit = 100) }
for i in 1..20 {
	h[i] = alloc(host)
	sysctl(h[i], "net.ipv6.conf.all.disable_ipv6", 1)
	write(h[i], "/load", <<LOAD)
iperf3 -s -D >/dev/null
while [ ! -e /stop ]; do
	iperf3 -c $1 -t 20 $2 >/dev/null 2>&1 || sleep 0.2
done
pkill iperf3
LOAD
	link(lan[(i - 1) / 5 + 1], h[i], delay = 1us)
}
END
wait_until 60 vbet ping h1 h20

# Everybody talks to somebody of another LAN: half by TCP, half by UDP as fast as it goes.
for i in $(seq 20); do
	peer=$((i % 20 + 6))
	[ $peer -le 20 ] || peer=$((peer - 20))
	how=
	[ $((i % 2)) = 0 ] || how='-u -b 0 -l 1400'
	vbet exec "h$i" -- sh -c "sh /load 10.0.0.$peer '$how' >/dev/null 2>&1 &" </dev/null || fail "no load in h$i"
done

# As it was, with a delay that keeps long segments from going whole: a guest counts such a one as one frame.
clean='set rate=0 delay=1us jitter=0 loss=0 gemodel=0,0 duplicate=0 corrupt=0 reorder=0 aqm=none ecn=off mtu=0 limit=0'
mapfile -t cables < <(vbet status --json | jq -r '.cables[] | .a + "," + .b')
changes=(
	'set rate=50Mbit' 'set rate=5Mbit limit=20' 'set delay=3ms jitter=1ms' 'set loss=2%' 'set ab.loss=10%'
	'set duplicate=1%' 'set corrupt=0.5%' 'set reorder=5% delay=1ms' 'set rate=20Mbit aqm=codel ecn=on'
	'set rate=20Mbit aqm=red' 'set gemodel=1%,20%' 'set mtu=1200' 'set loss=100%' "$clean" "$clean" "$clean"
	'down' 'down --one-way' 'up' 'up'
)
changed=0
end=$((SECONDS + seconds))
while [ $SECONDS -lt $end ]; do
	cable=${cables[RANDOM % ${#cables[@]}]}
	a=${cable%,*} b=${cable#*,}
	# shellcheck disable=SC2086 # words on purpose
	must vbet link "$a" "$b" ${changes[RANDOM % ${#changes[@]}]}
	changed=$((changed + 1))
	sleep 0.1
done

for i in $(seq 20); do
	vbet exec "h$i" -- touch /stop || fail "h$i does not answer"
done
for cable in "${cables[@]}"; do
	# shellcheck disable=SC2086 # words on purpose
	must vbet link "${cable%,*}" "${cable#*,}" $clean
	must vbet link "${cable%,*}" "${cable#*,}" up
done
for i in $(seq 20); do
	vbet exec "h$i" -- sh -c 'while pgrep iperf3 >/dev/null; do pkill iperf3; sleep 0.1; done' ||
		fail "h$i does not end its load"
done

# counters: one line per thing and counter.
counters() {
	local i
	vbet status --json | jq -r '.substrate.objects | to_entries[] | select(.value.kind | IN("nic", "port", "cable", "device")) |
		.key as $name | .value | [paths(numbers) as $p | [$name, ($p | join(".")), (getpath($p) | tostring)] | join(" ")] | .[]' |
		grep -v -E ' (table|.*age|.*clock)'
	for i in $(seq 20); do
		in_node "h$i" 'for f in rx_packets tx_packets; do echo "$f $(cat /sys/class/net/eth0/statistics/$f)"; done' |
			sed "s/^/h$i /"
	done
}
vbet status --json | jq -c '.cables[] | [.name, .a, .b]' | tr -d '[]"' | tr , ' ' >ends
# Nothing moves any more when two looks are the same.
counters >now
is_quiet() {
	mv now before
	counters >now
	cmp -s before now
}
wait_until 60 is_quiet

# What enters a cable passes it or is counted there; what passed it arrived or is counted at its end.
awk '
	FNR == NR { v[$1, $2] = $3; split($2, p, "."); if (p[1] == "dropped") drops[$1] += $3
		if (p[2] == "dropped") drops[$1 "." p[1]] += $3; next }
	{
		check($1, $2, $3, "ab")
		check($1, $3, $2, "ba")
	}
	function check(cable, from, to, dir,    entered, passed, arrived) {
		entered = v[from, "in_frames"]
		passed = v[cable, dir ".frames"]
		if (entered != passed + drops[cable "." dir] + v[from, "dropped.unplugged"])
			wrong(cable " " dir ": " entered " entered, " passed " passed, " drops[cable "." dir] " dropped")
		arrived = v[to, "out_frames"] + v[to, "dropped.cut"]
		if (passed + v[cable, dir ".duplicated"] != arrived)
			wrong(cable " " dir ": " passed " + " v[cable, dir ".duplicated"] " passed, " arrived " arrived at " to)
		frames += entered
		lost += drops[cable "." dir] + v[to, "dropped.cut"]
	}
	function wrong(text) { print text; bad = 1 }
	END { print frames " frames into cables, " lost + 0 " lost there, each counted"; exit bad }
' now ends >sum || fail "uncounted: $(cat sum)"
cat sum

# What reaches a NIC is received by the guest or counted.
awk '
	{ v[$1, $2] = $3; split($2, p, "."); if (p[1] == "dropped" && p[2] != "cut" && p[2] != "unplugged") drops[$1] += $3 }
	END {
		for (i = 1; i <= 20; i++) {
			nic = "h" i ":eth0"
			got = v["h" i, "rx_packets"]
			if (v[nic, "out_frames"] != got + drops[nic]) {
				print nic ": " v[nic, "out_frames"] " delivered, the guest got " got ", " drops[nic] + 0 " dropped"
				bad = 1
			}
		}
		exit bad
	}
' now >sum || fail "uncounted: $(cat sum)"
echo "$changed changes of links in $seconds s"
