#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Clients of the uml_switch protocol, and of plain packet sockets, plug into ports of a running lab.
. "${0%/*}/lib.sh"

lab_up - <<END
sw = attach(alloc(switch), alloc(NIC, backend = uml_switch, path = "$XDG_RUNTIME_DIR/ctl"),
	alloc(NIC, backend = seqpacket, path = "$XDG_RUNTIME_DIR/seq"), alloc(NIC))
pc = attach(alloc(host), alloc(NIC, address = 10.1.0.1/24))
link(sw, pc)
END
# ask.pl KIND PATH NUMBER: joins as a station, asks who has 10.1.0.1, and prints the MAC in the answer.
cat >ask.pl <<'END'
use strict; use Socket;
my ($kind, $path, $number) = @ARGV;
$SIG{ALRM} = sub { die "no answer\n" };
alarm 10;
my $mac = pack 'C6', 2, 0, 0, 0, 9, $number;
my $question = pack('H12 a6 n n n C C n a6 C4 x6 C4', 'ffffffffffff', $mac, 0x0806, 1, 0x0800, 6, 4, 1, $mac,
	10, 1, 0, 100 + $number, 10, 1, 0, 1);
my ($out, $to);
socket(my $s, PF_UNIX, $kind eq 'uml' ? SOCK_STREAM : SOCK_SEQPACKET, 0) or die $!;
connect($s, pack_sockaddr_un($path)) or die "$path: $!";
if ($kind eq 'uml') {
	my $own = pack 'S a108', AF_UNIX, "$path.client$number";
	socket($out, PF_UNIX, SOCK_DGRAM, 0) && bind($out, $own) or die $!;
	syswrite $s, pack('L L L a112', 0xfeedface, 3, 0, $own); # as C has it: a multiple of 4 bytes
	sysread $s, $to, 110;
	die "no switch\n" if length $to != 110;
} else {
	$out = $s;
}
while (1) {
	defined send($out, $question, 0, $to ? $to : ()) or die "send: $!";
	my $frame;
	do { recv($out, $frame, 2000, 0) } until unpack('n', substr $frame, 12) == 0x0806 && unpack('n', substr $frame, 20) == 2;
	print join(':', unpack '(H2)6', substr $frame, 6, 6), "\n";
	last;
}
END
want=$(status_of '.nodes[] | select(.name == "pc") | .nics[0].mac')
for turn in 1 2; do # who goes makes room for the next
	assert_eq "$want" "$(perl ask.pl uml "$XDG_RUNTIME_DIR/ctl" $turn)" "MAC, asked by uml_switch's protocol"
	assert_eq "$want" "$(perl ask.pl seq "$XDG_RUNTIME_DIR/seq" $((turn + 2)))" "MAC, asked by packets"
done
# Both are nodes of the lab, with counters.
counters() { status_of ".nodes[] | select(.name == \"$1\") | .nics[0].counters.in_frames"; }
assert_eq 2 "$(counters uml_switch)" "frames that came by uml_switch's protocol"
assert_eq 2 "$(counters seqpacket)" "frames that came by packets"
# Who talks nonsense is shown out, and hurts nobody.
must_fail bash -c "head -c 200 /dev/urandom | perl -MSocket -e '
	socket(my \$s, PF_UNIX, SOCK_STREAM, 0); connect(\$s, pack_sockaddr_un(shift)) or die; local \$/; syswrite \$s, <STDIN>;
	sysread(\$s, my \$x, 1) or exit 1' $XDG_RUNTIME_DIR/ctl"
assert_eq "$want" "$(perl ask.pl uml "$XDG_RUNTIME_DIR/ctl" 7)" "MAC, asked after that"
