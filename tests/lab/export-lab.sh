#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# vbet export and vbet graph of a lab that is up: nodes that came later, cables as they are now, and who is whose neighbour.
. "${0%/*}/lib.sh"

lab_up - --clock virtual <<'END'
lab = "alive"
r1 = alloc(router) r2 = alloc(router) h1 = alloc(host)
link(r1, r2, delay = 1ms) link(h1, r1)
for r in [r1, r2] { config(r, ospfd, <<END2) }
interface eth0
 ip ospf hello-interval 1
 ip ospf dead-interval 4
router ospf
 network 10.0.0.0/8 area 0
END2
END
must vbet export alive --to json
out_has '"up":true'
out_has_not '"up":false'
must vbet link h1 r1 down
must vbet export alive --to json
out_has '"up":false'
must vbet graph alive
out_has 'style=dashed'
printf 'h2 = alloc(host)\nlink(h2, r2)\n' | vbet console >/dev/null
must vbet export alive --to mermaid
out_has '"h2"'
must_status 2 vbet export dead --to json
out_has 'no file dead'

must vbet wait 'ospf_full()'
must vbet graph alive
out_has '"ospf Full'
must vbet clock pause
must vbet graph alive
out_has_not '"ospf '
