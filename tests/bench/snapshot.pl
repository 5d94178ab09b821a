#!/usr/bin/perl
# SPDX-License-Identifier: GPL-3.0-or-later
# snapshot.pl VSUBSTRATE GUESTS RUNS: saves and restores a vsubstrate with so many guests at a switch, in this directory.
# Prints, a line for each run: us until "save" is answered, until the file is on the disk, until a new process has taken it in.
use strict;
use warnings;
use Cwd;
use Socket;
use IO::Handle;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my ($program, $guests, $runs) = @ARGV;
my $dir = getcwd();
my ($pid, $io);

sub start {
	socketpair($io, my $its, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
	$io->autoflush(1);
	$pid = fork();
	if (!$pid) {
		open(STDIN, '<&', $its) or die;
		exec($program, @_) or die;
	}
}

sub end {
	kill('KILL', $pid);
	waitpid($pid, 0);
}

sub hear {
	while (my $line = <$io>) {
		return if index($line, $_[0]) == 0;
		die "vsubstrate: $line" if $line =~ /^error/;
	}
	die "vsubstrate ended";
}

sub say_it {
	print $io "$_[0]\n";
	hear('ok');
}

sub us { return int(1e6 * (clock_gettime(CLOCK_MONOTONIC) - $_[0])) }

start();
say_it('clock virtual');
say_it('device sw switch');
for my $i (1 .. $guests) {
	say_it("guest h$i time=$dir/t$i");
	say_it(sprintf("nic h$i:eth0 vhost path=$dir/n$i mac=02:00:00:00:%02x:%02x guest=h$i", $i >> 8, $i & 255));
	say_it("port sw:$i sw $i");
	say_it("cable c$i h$i:eth0 sw:$i ab.delay=1ms");
}
my @rows;
for (1 .. $runs) {
	my $from = clock_gettime(CLOCK_MONOTONIC);
	say_it("save file=$dir/imprint");
	my $answered = us($from);
	hear('event saved');
	push @rows, [$answered, us($from)];
}
end();
for my $row (@rows) {
	my $from = clock_gettime(CLOCK_MONOTONIC);
	start('--restore', "$dir/imprint");
	hear('event thawed');
	print "@$row ", us($from), "\n";
	end();
}
