#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A server's services: names and addresses from dnsmasq, pages from httpd; a host that asks for them.
. "${0%/*}/lib.sh"

lab_up - <<'END'
s = attach(alloc(server), alloc(NIC, address = 10.7.0.1/24))
c = attach(alloc(host), alloc(NIC))
link(s, c)
config(s, dnsmasq, <<EOF)
interface=eth0
dhcp-range=10.7.0.100,10.7.0.199,1h
address=/www.example.org/10.7.0.1
EOF
service(s, httpd)
write(s, "/var/www/index.html", "hello\n")
END
must vbet exec s -- curl -sm5 http://127.0.0.1/
must vbet exec -t 60s c -- busybox udhcpc -i eth0 -n -q -s /etc/udhcpc/default.script
must in_node c 'ip -4 -o address show dev eth0'
out_has 'inet 10\.7\.0\.1[0-9][0-9]/24'
must in_node c 'dig +short +time=5 @10.7.0.1 www.example.org'
assert_eq 10.7.0.1 "$OUT" "the address of www.example.org"
must in_node c 'curl -sm5 http://10.7.0.1/'
assert_eq hello "$OUT" "the page"
