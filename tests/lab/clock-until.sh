#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# vbet clock until CHECK: the lab goes on until something is true of it, and stands there; also at the console.
. "${0%/*}/lib.sh"

lab_up - --clock virtual <<'END'
h1 = alloc(host) h2 = alloc(host)
r1 = attach(alloc(router), alloc(NIC), alloc(NIC))
c1 = link(h1, NIC(r1, 1), delay = 5ms) link(h2, NIC(r1, 2))
default_route(h1, 10.0.0.2) default_route(h2, 10.0.1.2)
END
must vbet clock pause
must vbet clock until 'ping(h1, h2)'
out_has '^held at [0-9.]+ s$'
must vbet clock
out_has 'pace 1, paused'
must vbet link h1 r1 down
must vbet clock until 'not ping(h1, h2)'
must vbet clock until 'exec(h1, "ip link show eth0 | grep NO-CARRIER")'
must_status 4 vbet clock until 'ping(h1, h2)' -t 5s
out_has 'it did not hold until [0-9.]* s: .*(100% packet loss|unreachable)'
must vbet link h1 r1 up

# As fast as it goes: half a minute of the lab.
must vbet clock pace max
must vbet clock until 'exec(h2, "test $(cut -d. -f1 /proc/uptime) -ge 30")'
out_has '^held at 3[0-9]\.'
must vbet exec h1 -- ip route del default &
pid=$!
must vbet clock until 'not route(h1, default)'
wait $pid || fail "status $? of exec"

# What is no check is said, and nothing happens.
must_status 2 vbet clock until 'ping(h1, h9)'
out_has "'h9'"
must_status 2 vbet clock until 'cut(h1, r1)'
out_has "unknown check 'cut'"
must_status 2 vbet clock until 'soon'
before=$(vbet clock)
assert_eq "$before" "$(vbet clock)" "the time of a clock that stands still"

# shellcheck disable=SC2034 # out_has reads it
OUT=$(printf 'clock until ping(h2, 10.0.1.2)\nclock step 100ms\nclock\n' | vbet console)
out_has '^held at'
out_has 'paused'
