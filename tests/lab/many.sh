#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Forty guests at once: up, everyone reached, down, nothing left.
# lab: slow
. "${0%/*}/lib.sh"

cat >many.vbet <<'END'
h = [alloc(host, memory = 32M) for i in 1..40]
link(alloc(switch, name = "s"), h)
END
vbet check many.vbet >/dev/null 2>&1 || cat >many.vbet <<'END'
for i in 1..40 {
	h[i] = alloc(host, memory = 32M)
}
link(alloc(switch, name = "s"), h)
END
must vbet up many.vbet
assert_eq 40 "$(status_of '[.nodes[] | select(.kind == "host" and .state == "ready")] | length')" "hosts that are ready"
name=$(status_of '[.nodes[] | select(.kind == "host")][0].name')
must vbet exec "$name" -- ping -n -c1 -W5 10.0.0.40
must in_node "$name" 'ping -n -c2 -i 0.2 -b 10.0.0.255 >/dev/null 2>&1; for i in $(seq 2 40); do ping -n -q -c1 -W5 10.0.0.$i >/dev/null || echo "not 10.0.0.$i"; done'
assert_eq '' "$OUT" "who is not reached"
must vbet down
nothing_left || fail "something is left"
