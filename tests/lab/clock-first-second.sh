#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# No clock of a guest says 0 s: programs take that for a time that is not set, and ping then does not wait
# between its packets.
. "${0%/*}/lib.sh"

cat >t.vbet <<'END'
a = attach(alloc(host), alloc(NIC, address = 10.0.0.1/24))
b = attach(alloc(host), alloc(NIC, address = 10.0.0.2/24))
link(a, b)
exec(a, "cat /proc/uptime >/root/uptime")
exec(a, "ping -n -c2 -i0.5 -W5 10.0.0.2 >/root/ping")
END
lab_up t.vbet
pinged() { in_node a 'grep -q "packets transmitted" /root/ping'; }
wait_until 10 pinged
must in_node a 'cat /root/uptime /root/ping'
out_has '^[1-9][0-9]*\.'
# 0.5 s between the two, less what a timer may be early.
out_has '2 packets transmitted, .* time ([5-9][0-9][0-9]|49[0-9]|[0-9]{4,})ms'
must vbet down
