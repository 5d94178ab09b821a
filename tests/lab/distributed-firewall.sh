#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Section 4.2 of the paper: each firewall lets pass what its rules say, and nothing else. The table is
# that of the example's head.
. "${0%/*}/lib.sh"

# tries NODE yes|no COMMAND [OUTPUT]: again and again if it shall succeed, since the first frame may wait
# for ARP.
tries() {
	if [ "$2" = no ]; then
		must_fail in_node "$1" "$3"
		return
	fi
	wait_until 20 in_node "$1" "$3"
	[ -z "${4:-}" ] || assert_eq "$4" "$OUT" "what $1 got"
}

lab_up "$EXAMPLES/distributed-firewall.vbet"
while read -r client ping web from_server; do
	address=192.168.${client#client}.2
	[ "$client" != intruder ] || address=192.168.4.66
	tries "$client" "$ping" 'ping -c1 -W2 192.168.0.250' &
	tries "$client" "$web" 'curl -sm5 http://192.168.0.250/' 'the page of the server' &
	tries server "$from_server" "ping -c1 -W2 $address" &
done <<END
client1  yes no  yes
client2  no  yes no
client3  yes yes no
client4  yes yes no
intruder no  no  no
client5  yes yes no
END
for job in $(jobs -p); do
	wait "$job" || exit 1
done
# Written every few seconds. client5 is hidden by fw5.
logged() { in_node server 'cat /var/log/lighttpd/access.log' >log && grep -q '^192.168.4.2 ' log && grep -q '^192.168.0.5 ' log; }
wait_until 20 logged
must cat log
out_has_not '^192.168.5.'
must in_node fw2 'nft list ruleset'
out_has 'dport 80 counter packets [1-9]'
