#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# A station without a kernel, at a SOCK_SEQPACKET socket of vsubstrate (one frame per message).
#
#   station.pl PATH echo              sends each frame back, its addresses swapped, until it is killed
#   station.pl PATH ping COUNT LENGTH sends COUNT frames of LENGTH octets; prints how many came back in 2 s
#   station.pl PATH send HEX          sends that one frame
#   station.pl PATH hear SECONDS      prints each frame that comes as hexadecimal digits
use strict;
use warnings;
use IO::Select;
use Socket;
use Time::HiRes qw(time);

my ($path, $what, @args) = @ARGV;
socket(my $s, PF_UNIX, SOCK_SEQPACKET, 0) or die "socket: $!\n";
connect($s, pack_sockaddr_un($path)) or die "connect $path: $!\n";
my $select = IO::Select->new($s);
$| = 1;

sub next_frame {
	my ($until) = @_;
	my $left = $until - time;
	return if $left < 0 || !$select->can_read($left);
	my $frame;
	defined recv($s, $frame, 65536, 0) && length $frame or die "closed\n";
	return $frame;
}

if ($what eq 'echo') {
	while (1) {
		my $f = next_frame(time + 3600) // next;
		send($s, substr($f, 6, 6) . substr($f, 0, 6) . substr($f, 12), 0);
	}
} elsif ($what eq 'ping') {
	my ($count, $length) = @args;
	my $came = 0;
	for my $i (1 .. $count) {
		# The last octets number them, so that one is not counted for another.
		send($s, pack("H*", "020000000002" . "020000000001" . "88b6") . ("x" x ($length - 18)) . pack("N", $i), 0);
		my $until = time + 2;
		while (defined(my $f = next_frame($until))) {
			next unless length $f == $length && substr($f, -4) eq pack("N", $i);
			$came++;
			last;
		}
	}
	print "$came\n";
} elsif ($what eq 'send') {
	send($s, pack("H*", $args[0]), 0);
} elsif ($what eq 'hear') {
	my $until = time + $args[0];
	while (defined(my $f = next_frame($until))) {
		print unpack("H*", $f), "\n";
	}
} else {
	die "echo, ping, send or hear\n";
}
