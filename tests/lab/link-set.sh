#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A cable is impaired, shown and made plain again while the lab runs.
. "${0%/*}/lib.sh"

rtt() { # the smallest of three, in whole ms
	in_node "$1" "ping -n -q -i 0.2 -c3 -W5 $2" | sed -n 's|^rtt .* = \([0-9]*\).*|\1|p'
}
lab_up - <<'END'
a = alloc(host) b = alloc(host) c = alloc(host)
link(alloc(switch, name = "s"), a, b)
link(a, c, delay = 20ms, name = "far")
END
must vbet wait
t=$(rtt a c)
[ "$t" -ge 40 ] || fail "20 ms there and 20 ms back are $t ms"
must vbet link a c show
out_has 'delay=20ms'
must vbet link a c set delay=50ms
must vbet link a c show
out_has 'delay=50ms'
t=$(rtt a c)
[ "$t" -ge 100 ] || fail "50 ms there and 50 ms back are $t ms"
# One direction only.
must vbet link a c reset --plain
must vbet link c a set ab.delay=150ms
must vbet link a c show
out_has '^  a to c: a plain wire$'
out_has '^  c to a: delay=150ms$'
t=$(rtt a c)
[ "$t" -ge 150 ] || fail "150 ms one way are $t ms"
[ "$t" -lt 290 ] || fail "one direction was meant, not both: $t ms"
must vbet link a c reset --plain

must vbet link a c set loss=100%
must_status 1 vbet ping -c 5 a c
dropped=$(status_of '.. | objects | .dropped? // empty | .. | numbers' | awk '{ n += $1 } END { print n + 0 }')
[ "$dropped" -ge 1 ] || fail "lost frames are not counted: $(status_of .)"
must vbet link a c reset --plain
wait_until 10 vbet ping a c

must_status 2 vbet link a c set dleay=5ms
out_has "'delay'"
must_status 2 vbet link a c set delay=fast
must_status 2 vbet link a c set
# What only the substrate can know is an error too.
must_status 3 vbet link a c set table=/no/such/table
out_has '/no/such/table'

# Back to what the script says, not to a wire; a second time too.
for _ in 1 2; do
	must vbet link a c set delay=1ms loss=3%
	must vbet link a c reset
	must vbet link a c show
	out_has 'delay=20ms'
	out_has_not 'loss'
done
must vbet link a c reset --plain
must vbet link a c show
out_has 'a plain wire'
must_status 2 vbet link a c reset --plane

# A name that no node has is not asked of ping.
must_status 2 vbet ping a nosuch
out_has "no node 'nosuch'"
must vbet ping a c
