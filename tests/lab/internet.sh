#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# alloc(internet): guests reach servers outside of the lab, here those of this test on the loopback, by
# TCP and UDP, IPv4 and IPv6, also from behind a router; and nothing of the loopback unless asked for.
. "${0%/*}/lib.sh"

# serve.pl FILE [6]: a server on the loopback that says what it got; its port goes to FILE.
cat >serve.pl <<'END'
use strict; use Socket qw(:all);
my ($file, $six) = @ARGV;
my $address = $six ? pack_sockaddr_in6(0, IN6ADDR_LOOPBACK) : pack_sockaddr_in(0, INADDR_LOOPBACK);
my $s;
socket($s, $six ? PF_INET6 : PF_INET, SOCK_STREAM, 0) && bind($s, $address) && listen($s, 9) or die $!;
my $port = ($six ? unpack_sockaddr_in6(getsockname $s) : unpack_sockaddr_in(getsockname $s))[0];
open my $f, '>', "$file.new" or die; print $f $port; close $f; rename "$file.new", $file;
while (accept my $c, $s) {
	my $got = '';
	1 while sysread $c, $got, 65536, length $got;
	my ($line, $rest) = split /\n/, $got, 2;
	syswrite $c, "got $line\nand " . length($rest) . " bytes\n";
	close $c;
}
END
for family in 4 6; do
	perl serve.pl port$family "${family#4}" &
	servers+=" $!"
done
# shellcheck disable=SC2154 # assigned there
trap 'status=$?; kill $servers; (exit $status); finish' EXIT
wait_until 10 test -s port4
port4=$(cat port4)

lab_up "$EXAMPLES/internet.vbet"
# Addresses, a default route and a name server, without a word in the script.
must in_node pc1 'ip -br address show dev eth0; ip route; ip -6 route; cat /etc/resolv.conf'
# (The router advertises its network, too: as on any Linux, that makes one more.)
out_has 'eth0 +UP +10\.0\.2\.32/24 (fec0::[^ ]+ )?fec0::20/64'
out_has 'default via 10\.0\.2\.2 dev eth0'
out_has 'default via fec0::2 dev eth0'
out_has '^nameserver 10\.0\.2\.3'
must vbet ping pc1 out
must vbet ping pc1 pc2
# TCP, small and large, to the loopback of this machine.
talk() { # NODE ADDRESS PORT
	in_node "$1" "(echo hello; head -c 3000000 /dev/zero) | nc -N $2 $3"
}
for from in pc1 inner; do
	must talk $from 10.0.2.2 "$port4"
	out_has '^got hello'
	out_has '^and 3000000 bytes'
done
wait_until 10 test -s port6
must talk pc2 fec0::2 "$(cat port6)"
out_has '^and 3000000 bytes'
# Nodes of the outside are part of the status, and of no ping.
reached() { vbet pingall | grep -q '^r -> pc1 pc2 inner$'; }
wait_until 20 reached
must_status 1 vbet pingall
out_has_not '\bout\b'
assert_eq slirp "$(status_of '.nodes[] | select(.name == "out") | .nics[0].counters.backend')" "back end of out"
assert_eq '["10.0.2.2/24","fec0::2/64"]' \
	"$(status_of '.nodes[] | select(.name == "out") | .nics[0].addresses | tostring')" "addresses of out"
# Its cable is one as any other.
must vbet link out lan down
must_fail in_node pc1 "echo hello | nc -N -w2 10.0.2.2 $port4 | grep ."
must vbet link out lan up
must talk pc1 10.0.2.2 "$port4"
must vbet down

# Without loopback = on nobody gets to it, by any of its names.
sed 's/, loopback = on//' "$EXAMPLES/internet.vbet" >closed.vbet
lab_up closed.vbet
must vbet ping pc1 out
must_fail in_node pc1 "echo hello | nc -N -w2 10.0.2.2 $port4 | grep ."
# Its DHCP server gives addresses of its own.
must in_node pc1 'udhcpc -f -n -q -i eth0 -s /bin/true 2>&1'
out_has 'lease of 10\.0\.2\.15 obtained'
must vbet down

# The outside does not know virtual time.
must_status 2 vbet up --clock virtual "$EXAMPLES/internet.vbet"
out_has 'out leads outside of the lab.*--clock real'
