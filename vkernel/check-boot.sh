#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# check-boot.sh KERNEL: boot it with a trivial process 1, in real and in virtual time.
# Needs no privileges; takes a second, and a compiler with a static C library.
set -u
[ $# -eq 1 ] || { echo "usage: check-boot.sh KERNEL" >&2; exit 2; }
kernel=$(readlink -f -- "$1") || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf -- "$dir"' EXIT
trap 'exit 130' INT HUP TERM

cat >"$dir/init.c" <<'END'
#include <stdio.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <time.h>

int main(void)
{
	unsigned char r[8] = { 0 };
	struct timespec now;

	getrandom(r, sizeof(r), 0);
	clock_gettime(CLOCK_REALTIME, &now);
	printf("process 1: random %02x%02x%02x%02x, clock %lld.%09ld\n", r[0], r[1], r[2], r[3],
	       (long long)now.tv_sec, now.tv_nsec);
	fflush(stdout);
	return reboot(RB_POWER_OFF);
}
END
mkdir "$dir/root" "$dir/root/dev" && ${CC:-gcc} -static -O1 -o "$dir/root/init" "$dir/init.c" || exit 1

boot() {
	env -i setarch -R timeout 30 "$kernel" mem=32M root=none rootfstype=hostfs rootflags="$dir/root" ro \
		con0=null,fd:1 con=null ssl=null init=/init noreboot quiet "$@" </dev/null 2>&1 | tr -d '\r'
}
fail() { printf 'check-boot: %s:\n%s\n' "$1" "$2" >&2; exit 1; }

out=$(boot)
case $out in *"process 1: random "*) ;; *) fail "no process 1" "$out" ;; esac

virtual="time-travel=inf-cpu time-travel-start=1000000000000000000 vbet.seed"
# shellcheck disable=SC2086
a=$(boot $virtual=a) b=$(boot $virtual=a) c=$(boot $virtual=c)
case $a in *"clock 1000000000."*) ;; *) fail "no virtual time" "$a" ;; esac
[ "$a" = "$b" ] || fail "two runs with one seed differ" "$a
$b"
[ "$a" != "$c" ] || fail "two seeds give one run" "$a"
