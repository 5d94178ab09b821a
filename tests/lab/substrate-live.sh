#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Virtual networks come, change and go in a running lab, and the one that is there does not lose a frame.
. "${0%/*}/lib.sh"


lab_up - <<'END'
s = line(3, substrate, rate = 50Mbit)
red = vnet()
r1 = alloc(host, vnet = red, on = s[1])
r2 = alloc(host, vnet = red, on = s[3])
v = vlink(r1, r2, min = 5Mbit)
END
vbet exec r1 -- ping -n -i 0.02 r2 >"$HOME/pings" 2>&1 </dev/null &
pings=$!
must type_in 'blue = vnet()' 'b1 = alloc(host, vnet = blue, on = s[1])' 'b2 = alloc(host, vnet = blue, on = s[3])' \
	'w = vlink(b1, b2, min = 5Mbit)'
must vbet wait b1
must vbet wait b2
# The same addresses as red's, and other hosts.
wait_until 20 in_node b1 'ping -c 1 -W 1 10.0.0.2'
assert_eq "$(in_node r1 'ip -o -4 addr show eth0 | cut -d" " -f7')" "$(in_node b1 'ip -o -4 addr show eth0 | cut -d" " -f7')" address
must type_in 'set(w, min = 8Mbit, max = 20Mbit)'
shows_maximum() { [ "$(vbet substrate | grep -c 'w:ab (blue) .* 20[.]000Mbit')" = 2 ]; }
wait_until 10 shows_maximum # from s1 and from s2
must vbet substrate
out_has 'w:ab \(blue\) +8[.]000Mbit'
# Each end names the other one.
assert_eq 'b1 b2:eth0 b2 b1:eth0' "$(status_of '[.nodes[] | select(.vnet == "blue") | .name, .nics[0].peer] | join(" ")')" \
	"ends of w"
# What cannot be promised is refused, with the reason, and nothing changes.
must_status 2 type_in 'set(w, min = 20Mbit) x = vlink(b1, b2, min = 40Mbit)'
out_has 'short of rate on s1.1-s2.1'
must vbet substrate
out_has 'w:ab \(blue\) +8[.]000Mbit'
# A node's own policy: what begins there keeps its rate through a longer pause. While it changes, again and
# again at all nodes, each frame that is sent arrives, and no virtual link goes down or gets another VLI.
vbet exec r1 -- ping -n -i 0.005 -W 2 r2 >"$HOME/counted" 2>&1 </dev/null &
counted=$!
# What of red's link has been offered, carried and dropped at each interface, and its VLIs.
red_frames() {
	vbet status -j | jq -c '[.substrate.objects | to_entries[] | select(.value.kind == "slink") | .key as $at | .value.vlis[] |
		select(.vnet == "red") | {at: $at, vli, vlink, offered: .offered_frames, carried: .carried_frames, dropped: .dropped}]'
}
running() { [ "$(red_frames | jq '[.[].carried] | min')" -gt "$1" ]; }
wait_until 10 running $(($(red_frames | jq '[.[].carried] | min') + 100))
before=$(red_frames)
news=$(grep -c 'vlink v:' "$RUN/t/server.log")
for i in 1 2 3 4 5; do
	must type_in "set(s[1], idle = ${i}s, measure = ${i}0ms)" "set(s[2], measure = $((20 * i))ms, raise_above = 9${i}%)" \
		"set(s[3], lower_below = 3${i}%, idle = $((i * 100))ms)"
	wait_until 10 running $(($(red_frames | jq '[.[].carried] | min') + 20))
done
after=$(red_frames)
kill -0 "$counted" || fail "the pings ended before the last change: $(cat "$HOME/counted")"
in_node r1 'pkill -INT -f "i 0.005"'
wait "$counted"
unbroken "$HOME/counted" 200
assert_eq "$(jq -c 'map({at, vli, vlink, dropped})' <<<"$before")" "$(jq -c 'map({at, vli, vlink, dropped})' <<<"$after")" \
	"VLIs and drops of red's link"
jq -e 'length == 4' <<<"$after" >/dev/null || fail "interfaces of red's link: $after"
assert_eq "$news" "$(grep -c 'vlink v:' "$RUN/t/server.log")" "news of the virtual link in the log"
must type_in 'set(s[1], idle = 1s, measure = 100ms)'
idle_ns() { vbet status -j | jq '.substrate.objects.s1.idle_ns'; }
assert_eq 1000000000 "$(idle_ns)" "time after which a link is idle"
must type_in 'set(s[1], idle = 10s, lower_below = 40%)'
assert_eq 10000000000 "$(idle_ns)" "time after which a link is idle"
assert_eq 400000 "$(vbet status -j | jq '.substrate.objects.s1.lower_ppm')" "the lower threshold"
must_status 2 type_in 'set(s[1], raise_above = 50%)'
out_has 'raise_above is between 80% and 100%'
must type_in 'free(blue)'
must vbet substrate
out_has_not blue
must vbet status
out_has_not '^b1 '
in_node r1 'pkill -INT -f "i 0.02"'
wait "$pings"
unbroken "$HOME/pings" 50
# What was offered has been carried, to the last frame.
carried() { red_frames | jq -e 'all(.offered == .carried)'; }
wait_until 20 carried
