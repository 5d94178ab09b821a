#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a script says of a node is so in the node: names, files, commands, sysctls, routes, memory, shell.
. "${0%/*}/lib.sh"

mkdir conf
echo 'from a file beside the script' >conf/beside.txt
lab_up - <<'END'
a = attach(alloc(host, hostname = "a.example.org", memory = 80M, shell = "/bin/sh"), alloc(NIC, address = 10.0.0.1/24, mtu = 1400, mac = 02:00:00:00:00:77))
r = attach(alloc(router), alloc(NIC, address = 10.0.0.254/24), alloc(NIC, address = 10.9.0.1/24))
link(a, NIC(r, 1))
link(NIC(r, 2), alloc(switch, name = "s"))
default_route(a, 10.0.0.254)
route(a, 10.8.0.0/16, 10.0.0.254)
write(a, "/usr/local/bin/hello", "#!/bin/sh\necho hello from $(hostname)\n", mode = "0755")
write(a, "/etc/beside", file("conf/beside.txt"))
exec(a, "echo first >/root/ran", "echo second >>/root/ran")
sysctl(a, "net.ipv4.tcp_congestion_control", "reno")
END
assert_eq a.example.org "$(in_node a hostname)" "host name"
assert_eq 'hello from a.example.org' "$(in_node a hello)" "the script's output"
assert_eq 'from a file beside the script' "$(in_node a 'cat /etc/beside')" "the file"
assert_eq $'first\nsecond' "$(in_node a 'cat /root/ran')" "what the commands did"
assert_eq reno "$(in_node a 'cat /proc/sys/net/ipv4/tcp_congestion_control')" "the sysctl"
assert_eq 1400 "$(in_node a 'cat /sys/class/net/eth0/mtu')" mtu
assert_eq 02:00:00:00:00:77 "$(in_node a 'cat /sys/class/net/eth0/address')" mac
must in_node a 'ip route'
out_has '^default via 10.0.0.254 dev eth0'
out_has '^10.8.0.0/16 via 10.0.0.254'
kb=$(in_node a "sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo")
[ "$kb" -gt 50000 ] && [ "$kb" -lt 81920 ] || fail "a has $kb kB of memory"
assert_eq 1 "$(in_node r 'cat /proc/sys/net/ipv4/ip_forward')" "forwarding of a router"
assert_eq 0 "$(in_node a 'cat /proc/sys/net/ipv4/ip_forward')" "forwarding of a host"
must vbet exec a -- ping -n -c1 -W5 10.9.0.1
# A node knows the others by name.
must in_node a 'getent hosts r'
out_has '^10.0.0.254 '
term_start 80 24 'vbet console a'
term_type 'echo $0'
term_wait '^(# )?(-|/bin/)?sh$'
term_keys C-d
term_wait '^\[status 0\]'
