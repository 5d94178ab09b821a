#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A cable with a rate lets no more through than that.
# lab: slow
. "${0%/*}/lib.sh"

lab_up - <<'END'
a = alloc(host) b = alloc(host)
link(a, b, rate = 8Mbit)
END
wait_until 10 vbet ping a b
must in_node b 'iperf3 -s -D -I /run/iperf3.pid'
# It listens only some time after it has gone into the background.
listens() { in_node b 'ss -Hltn "sport = 5201" | grep .'; }
wait_until 20 listens
must in_node a 'iperf3 -c b -t 3 -O 1 -J'
got=$(jq '.end.sum_received.bits_per_second / 1e6 | floor' <<<"$OUT")
# 8 Mbit/s of frames are 7.6 of TCP; how much less depends on how busy this machine is.
[ "$got" -le 8 ] || fail "$got Mbit/s through a cable of 8"
[ "$got" -ge 1 ] || fail "only $got Mbit/s through a cable of 8"
must vbet link a b reset --plain
wait_until 20 listens
must in_node a 'iperf3 -c b -t 2 -J'
got=$(jq '.end.sum_received.bits_per_second / 1e6 | floor' <<<"$OUT")
[ "$got" -ge 20 ] || fail "only $got Mbit/s through a plain wire"
